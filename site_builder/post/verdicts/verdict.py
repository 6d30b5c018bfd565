"""Whether a claim holds on its result, by which numbers, and what else a reader may ask of it."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from site_builder.post import expression, values
from site_builder.post.claims import Claim
from site_builder.post.verdicts import certain, outcome, shares, units
from site_builder.post.verdicts.bounds import OTHER, Columns
from site_builder.post.verdicts.interval import number
from site_builder.post.verdicts.rows import NONE, Row, beside, one_each, opened, wrong

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds (None: not measured), and the row that says so.

    Of a claim about every row it is the one that comes closest to speaking against it
    (`outcome.spared`), `rows` is their number and `failing` how many do not hold. `shown` has the
    texts that the prose may print, and `bare` names the numbers among them that have no interval.
    `margin` is the smallest that `within` could ask for and hold, by the interval of `margin_by`,
    90 or 95 %. `p` is the test's p value, or `no_p` says why there is none. `test` and `tested` are
    the test with the columns that it names, and its rows; it `is_certain` if no data could make it
    fail.
    """

    holds: bool | None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    rows: int = 0
    failing: int = 0
    shown: dict[str, str] = field(default_factory=dict)
    groups: int | None = None
    bare: list[str] = field(default_factory=list)
    margin: float | None = None
    margin_by: str = ""
    p: float | None = None
    no_p: str = ""
    test: str = ""
    tested: list[str] = field(default_factory=list)
    is_certain: bool = False


def verdict(claim: Claim, table: pa.Table) -> Verdict:
    """Test `claim` on its result.

    Raises `BuildError` for columns that are not there, and when it is not clear which row is meant.
    """
    table = opened(claim, table) if claim.inside else table
    claim = shares.placed(claim, table)
    if claim.unit_columns:
        claim, table = units.reduced(claim, table)
    columns = Columns(table.column_names, claim.show)
    pairs = _pairs(claim, table)
    tree = ast.parse(claim.holds, mode="eval").body if claim.holds else None
    outcomes = [
        outcome.within(claim, columns, own.cells, other.cells)
        if tree is None
        else outcome.compared(claim, tree, columns, own.cells, other.cells)
        for own, other in pairs
    ]
    spared = outcome.spared(claim, tree, columns)
    own, other = min(pairs, key=lambda pair: spared(number(pair[0].cells[claim.show]) or 0))
    found, names = outcome.together(outcomes), columns.standing_for
    n, groups = (number(own.cells.get(name)) for name in ("n", "groups"))
    return Verdict(
        holds=found.holds,
        estimate=number(own.cells[claim.show]),
        low=number(own.cells.get(names.get("low", ""))),
        high=number(own.cells.get(names.get("high", ""))),
        n=None if n is None or math.isinf(n) else int(n),
        rows=len(pairs),
        failing=sum(one.holds is False for one in outcomes),
        shown=_shown(claim, own, columns) | _of_other(_shown(claim, other, columns)),
        groups=None if groups is None or math.isinf(groups) else int(groups),
        bare=[*_bare(claim, own, columns), *_of_other(dict.fromkeys(_bare(claim, other, columns)))],
        margin=found.margin,
        margin_by=found.margin_by,
        p=found.p,
        no_p=found.no_p,
        **_likeness(claim, tree, columns, pairs),
    )


def _pairs(claim: Claim, table: pa.Table) -> list[tuple[Row, Row]]:
    """Each row that is meant with its other one, which is empty if there is none to be had."""
    rows = one_each(claim, table, claim.row)
    if not claim.other:
        return [(row, NONE) for row in rows.values()]
    others = beside(claim, rows, one_each(claim, table, claim.row | claim.other))
    if not others:
        raise wrong(claim, "no row has its other row", "let both have the same `every`")
    return [(rows[key], other) for key, other in others.items()]


def _likeness(
    claim: Claim, tree: ast.expr | None, columns: Columns, pairs: Sequence[tuple[Row, Row]]
) -> dict[str, Any]:
    """The test by its columns, of which rows it is, and whether no data could make it fail."""
    if tree is None:
        rows = [f"{own.at} {other.at}".strip() for own, other in pairs]
        return {"test": f"{claim.test} {columns.show}", "tested": rows}
    named = certain.named(tree, columns.standing_for)
    asks = any(name.startswith(OTHER) for name in expression.names(tree))
    rows = [f"{own.at} {other.at}" if asks else own.at for own, other in pairs]
    if asks and all(own.at == other.at for own, other in pairs):
        named = certain.of_itself(named)

    ends = [ends for name in columns.names if (ends := values.bounds(columns.names, name))]
    bounds = [(start + low, start + high) for low, high in ends for start in ("", OTHER)]
    is_certain = certain.always(named, bounds)
    return {"test": certain.written(named), "tested": rows, "is_certain": is_certain}


def _shown(claim: Claim, row: Row, columns: Columns) -> dict[str, str]:
    """A row's columns as the prose may print them."""
    texts = {
        name: values.text(value, claim.format if isinstance(value, float) else "")
        for name, value in outcome.called(row.cells, columns).items()
        if not isinstance(value, list | dict)
    }
    if texts.keys() >= {"low", "high"}:
        texts["interval"] = f"{texts['low']} to {texts['high']}"
    return texts


def _of_other(named: Mapping[str, T]) -> dict[str, T]:
    """What is named so of the other row."""
    return {OTHER + name: one for name, one in named.items()}


def _bare(claim: Claim, row: Row, columns: Columns) -> list[str]:
    """The numbers of a row that have no interval there, and are no part of one, nor picked it."""
    picks = {*claim.row, *claim.other, *claim.every, "n", "groups"}
    return [
        name
        for name, value in outcome.called(row.cells, columns).items()
        if name not in picks
        and number(value) is not None
        and not name.endswith(("low", "high"))
        and columns.interval(row.cells, columns.standing_for.get(name, name)) is None
    ]
