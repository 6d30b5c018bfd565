"""What one row, with its other one, makes of a claim's test."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from site_builder.core.errors import nearest
from site_builder.post import expression
from site_builder.post.claims import Claim
from site_builder.post.verdicts import equivalence, significance
from site_builder.post.verdicts.bounds import OTHER, Columns
from site_builder.post.verdicts.interval import Interval, number
from site_builder.post.verdicts.rows import wrong


@dataclass(frozen=True)
class Outcome:
    """Whether a test passes (None: a number is missing), its p value, and the margin it needs."""

    holds: bool | None
    p: float | None = None
    no_p: str = ""
    margin: float | None = None
    margin_by: str = ""


def compared(
    claim: Claim,
    tree: ast.expr,
    columns: Columns,
    own: Mapping[str, Any],
    other: Mapping[str, Any],
) -> Outcome:
    """The outcome of `holds`."""
    known = called(own, columns)
    known |= {f"{OTHER}{name}": cell for name, cell in called(other, columns).items()}
    names = expression.names(tree)
    if refused := columns.refused(names):
        raise wrong(claim, *refused)
    if unknown := sorted(names - known.keys()):
        raise wrong(claim, f'no column "{unknown[0]}" to test', nearest(unknown[0], known))
    numbers = {name: number(known[name]) for name in names}
    there = {name: value for name, value in numbers.items() if value is not None}
    if len(there) < len(numbers):
        return Outcome(None, no_p=significance.MISSING)
    try:
        holds = bool(expression.reckon(tree, there))
    except ZeroDivisionError:
        operands = ", ".join(f"{name} = {value:g}" for name, value in sorted(there.items()))
        raise wrong(claim, f"its test divides by zero: {operands}", "multiply instead") from None

    def edge(name: str) -> tuple[Interval, bool] | None:
        bound = columns.bound(name)
        cells = other if name.startswith(OTHER) else own
        found = columns.interval(cells, bound.column) if bound else None
        return (found, bound.is_low) if bound and found else None

    try:
        return Outcome(holds, significance.p(tree, edge))
    except significance.NoPError as reason:
        return Outcome(holds, no_p=str(reason))


def within(
    claim: Claim, columns: Columns, own: Mapping[str, Any], other: Mapping[str, Any]
) -> Outcome:
    """The outcome of `within`."""
    assert claim.within is not None
    mine = columns.interval(own, columns.show)
    theirs = columns.interval(other, columns.show) if claim.other else None
    if "low" not in columns.standing_for:
        what = f'"{columns.show}" has no interval to lie within {claim.within:g}'
        raise wrong(claim, what, "show a column that has one")
    if mine is None or (claim.other and theirs is None):
        return Outcome(None, no_p=significance.MISSING)
    found = equivalence.of(mine, theirs, claim.around, claim.within)
    unknown = significance.UNTOLD if mine.groups is None else significance.UNKNOWN
    no_p = "" if found.p is not None else unknown
    return Outcome(found.margin < claim.within, found.p, no_p, found.margin, found.by)


def called(cells: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """A row with the names that a test may use; bounds of no column that is shown have none."""
    names = columns.standing_for
    plain = {k: v for k, v in cells.items() if k in names or k not in ("estimate", "low", "high")}
    return plain | {name: cells[column] for name, column in names.items() if column in cells}


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of all rows of a claim, each of which has to pass."""
    all_of = [*outcomes]
    holding = {one.holds for one in all_of}
    margins = [one for one in all_of if one.margin is not None]
    worst = max(margins, key=lambda one: one.margin or 0, default=Outcome(None))
    return Outcome(
        holds=False if False in holding else None if None in holding else True,
        p=None if any(one.p is None for one in all_of) else max(one.p or 0 for one in all_of),
        no_p=next((one.no_p for one in all_of if one.no_p), ""),
        margin=worst.margin if len(margins) == len(all_of) else None,
        margin_by=worst.margin_by,
    )


def spared(claim: Claim, tree: ast.expr | None, columns: Columns) -> Callable[[float], float]:
    """How far a row's estimate is from speaking against a claim, but for a constant.

    A claim about several rows is told by the one of the least: what asks for much is told by the
    smallest estimate ("or more"), what asks for little by the largest ("or less"), `within` by the
    one farthest off, and all else by the one nearest to zero, where an effect is least.
    """
    if tree is None:
        return lambda estimate: -abs(estimate - claim.around)
    own = {*columns.standing_for, *columns.standing_for.values()}
    match tree:
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[limit]) if (
            name in own and not expression.names(limit)
        ):
            sign = 1 if isinstance(op, ast.Gt | ast.GtE) else -1
            return lambda estimate: sign * estimate
    return abs
