"""What the prose claims: each statement defined once, in content/claims/, tested on a result.

    [second-run-is-faster]
    says = "The second run takes less time than the first."
    result = "timings"
    row = {run = 2}
    other = {run = 1, size = 64}
    show = "seconds"
    holds = "high < other.low"
    reported = "what was reported elsewhere, if anything"
    reported_for = "where; at the head of the file for all of its claims"

`row` picks one row, as `value` does; `every = ["k"]` lets these columns be anything, and the claim
then holds if it does in each row; a list of values stands for any of them. `other` is a second row
of the same result, like the first but for what it names; if it names all that may be anything, it
is one row for all. `holds` compares `estimate`, `low` and `high` (of the column that `show` names),
any other column, and the same of the other row: `other.low`. `inside` names a column of lists,
whose entries are then the rows, with the columns of the row that they stand in. `format` and `unit`
are optional. `<< claim: ID >>` marks the sentence, `<< claim: ID show=estimate >>`
prints its number (`interval`, any column, or `other.COLUMN`).
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core import toml
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.files import listed
from site_builder.core.project import Project
from site_builder.post import expression, values

if TYPE_CHECKING:
    import pyarrow as pa

_NEEDED = ("says", "result", "holds")
_FOR = "reported_for"
_KNOWN = (*_NEEDED, "row", "other", "every", "inside", "show", "format", "unit", "reported", _FOR)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_BOUND = re.compile(r"(low|high)\b")  # of an interval, in a test: "low", "other.high"


@dataclass(frozen=True)
class Claim:
    """One statement and the test that it has to pass; `row` and `other` are texts, as in prose."""

    id: str
    where: str
    says: str
    analysis: str
    variant: str
    holds: str
    row: dict[str, list[str]] = field(default_factory=dict)
    other: dict[str, list[str]] = field(default_factory=dict)
    every: list[str] = field(default_factory=list)
    inside: str = ""
    show: str = "estimate"
    format: str = ""
    unit: str = ""
    reported: str = ""
    reported_for: str = ""

    @property
    def result(self) -> str:
        """Analysis and variant, as a directive names them."""
        return f"{self.analysis} {self.variant}".strip()

    @property
    def is_of_sample(self) -> bool:
        """Whether its test asks for no bound of an interval: it may then hold by chance."""
        return not _BOUND.search(self.holds)


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds (None: not measured), and the row that says so.

    Of a claim about every row it is the one whose estimate is nearest to zero, `rows` is their
    number and `failing` how many do not hold. `shown` has the texts that the prose may print.
    """

    holds: bool | None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    rows: int = 0
    failing: int = 0
    shown: dict[str, str] = field(default_factory=dict)


def load(project: Project) -> tuple[dict[str, Claim], list[Problem]]:
    """Every claim by its id, in the order of the files, and what is wrong with them."""

    def make() -> tuple[list[list[dict[str, Any]]], list[Path]]:
        folder = project.content / "claims"
        files = listed(folder, ".toml")
        claims, problems = _load(project, files)
        return [[*map(vars, claims.values())], [*map(vars, problems)]], [folder, *files]

    claims, problems = project.memory.read("claims", make)
    return {one["id"]: Claim(**one) for one in claims}, [Problem(**one) for one in problems]


def _load(project: Project, files: Iterable[Path]) -> tuple[dict[str, Claim], list[Problem]]:
    claims: dict[str, Claim] = {}
    problems: list[Problem] = []
    for path in files:
        named = project.named(path)
        try:
            text, tree = toml.read(path, named)
        except BuildError as error:
            problems += error.problems
            continue
        lines = {
            heading[1]: number
            for number, line in enumerate(text.splitlines(), start=1)
            if (heading := re.match(r'\[\s*"?([^\]"]+?)"?\s*\]', line))
        }
        source = {_FOR: tree.pop(_FOR)} if isinstance(tree.get(_FOR), str) else {}
        for name, body in tree.items():
            body = source | body if isinstance(body, dict) and "reported" in body else body
            where = f"{named}:{lines.get(name, 1)}"
            wrong = _wrong_with(name, body)
            if name in claims:
                wrong.append((f'claim "{name}" stands twice', f"see {claims[name].where}"))
            problems += [Problem(where, what, cure) for what, cure in wrong]
            if not wrong:
                claims[name] = _read(name, where, body)
    return claims, problems


def _read(name: str, where: str, body: dict[str, Any]) -> Claim:
    analysis, _, variant = body["result"].partition(" ")
    row, other = (_texts(body.get(key, {})) for key in ("row", "other"))
    rest = {key: body[key] for key in body.keys() - {"result", "row", "other"}}
    return Claim(name, where, analysis=analysis, variant=variant, row=row, other=other, **rest)


def verdict(claim: Claim, table: pa.Table) -> Verdict:
    """Test `claim` on its result.

    Raises `BuildError` for columns that are not there, and when it is not clear which row is meant.
    """
    table = _opened(claim, table) if claim.inside else table
    rows = _rows(claim, table, claim.row)
    others = _rows(claim, table, claim.row | claim.other) if claim.other else {}
    free = {*_free(claim, claim.row)}
    if len(others) == 1 and free <= claim.other.keys():
        others = dict.fromkeys(rows, next(iter(others.values())))
    elif both := sorted(free & claim.other.keys()):
        what = f'"{both[0]}" may be anything, but one value in the other row'
        raise _wrong(claim, what, f"let `other` name all of: {', '.join(sorted(free))}, or none")
    keys = [key for key in rows if not claim.other or key in others]
    if not keys:
        raise _wrong(claim, "no row has its other row", "let both have the same `every`")
    named = _named(claim, table)
    holding = [_judged(claim, rows[key], others.get(key, {}), named) for key in keys]
    key = min(keys, key=lambda key: abs(_number(rows[key][claim.show]) or 0))
    row, other = rows[key], others.get(key, {})
    others_texts = _shown(claim, other, named).items()
    return Verdict(
        holds=False if False in holding else None if None in holding else True,
        estimate=_number(row[claim.show]),
        low=_number(row.get(named.get("low", ""))),
        high=_number(row.get(named.get("high", ""))),
        n=None if (n := _number(row.get("n"))) is None or math.isinf(n) else int(n),
        rows=len(keys),
        failing=holding.count(False),
        shown=_shown(claim, row, named) | {f"other.{name}": text for name, text in others_texts},
    )


def _opened(claim: Claim, table: pa.Table) -> pa.Table:
    """A row for each entry of the lists that `inside` names; other lists are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = {one.name: one.type for one in table.schema if pa.types.is_list(one.type)}
    there = [name for name, kind in lists.items() if pa.types.is_struct(kind.value_type)]
    if claim.inside not in there:
        raise _wrong(claim, f'no lists of rows in "{claim.inside}"', nearest(claim.inside, there))
    column = table[claim.inside].combine_chunks()
    entries = pa.Table.from_struct_array(column.flatten())
    around = table.drop_columns(list(lists)).take(pc.list_parent_indices(column))
    for name in around.column_names:
        if name not in entries.column_names:
            entries = entries.append_column(name, around[name])
    return entries


def _rows(
    claim: Claim, table: pa.Table, filters: dict[str, list[str]]
) -> dict[Any, dict[str, Any]]:
    """The rows that are meant, by what the columns of `every` say in them."""
    for name in (*filters, *claim.every, claim.show):
        if name not in table.column_names:
            raise _wrong(claim, f'no column "{name}"', nearest(name, table.column_names))
    if wrong := values.refused(table, filters):
        raise _wrong(claim, *wrong)
    kept = values.keep(table, filters)
    several = _free(claim, filters)
    rows: dict[Any, dict[str, Any]] = {}
    for row in kept.slice(0, 10_000).to_pylist():
        key = (row[name] for name in several)
        rows[tuple(str(one) if isinstance(one, list | dict) else one for one in key)] = row
    if kept.num_rows != max(len(rows), 1):
        one = {name: texts[0] for name, texts in filters.items() if len(texts) == 1}
        cure = values.how_to_choose(table, one, kept)
        raise _wrong(claim, f"{kept.num_rows} rows match", cure)
    return rows


def _free(claim: Claim, filters: dict[str, list[str]]) -> list[str]:
    """The columns that may be anything, or one of several values."""
    return [*claim.every, *(name for name, texts in filters.items() if len(texts) > 1)]


def _judged(
    claim: Claim, row: dict[str, Any], other: dict[str, Any], named: dict[str, str]
) -> bool | None:
    """Whether one row, with its other one, passes; None when a number that it needs is missing."""
    tree = ast.parse(claim.holds, mode="eval").body
    known = _called(row, named) | {f"other.{k}": v for k, v in _called(other, named).items()}
    names = expression.names(tree)
    if unknown := sorted(names - known.keys()):
        raise _wrong(claim, f'no column "{unknown[0]}" to test', nearest(unknown[0], known))
    numbers = {name: _number(known[name]) for name in names}
    there = {name: value for name, value in numbers.items() if value is not None}
    if len(there) < len(numbers):
        return None
    try:
        return bool(expression.reckon(tree, there))
    except ZeroDivisionError:
        operands = ", ".join(f"{name} = {value:g}" for name, value in sorted(there.items()))
        raise _wrong(claim, f"its test divides by zero: {operands}", "multiply instead") from None


def _named(claim: Claim, table: pa.Table) -> dict[str, str]:
    """The columns that `estimate`, `low` and `high` stand for."""
    bounds = values.bounds(table, claim.show)
    named = {"estimate": claim.show}
    return named | (dict(zip(("low", "high"), bounds, strict=True)) if bounds else {})


def _called(row: dict[str, Any], named: dict[str, str]) -> dict[str, Any]:
    """A row with the names that a test may use."""
    return row | {name: row[column] for name, column in named.items() if column in row}


def _wrong_with(name: str, body: Any) -> list[tuple[str, str]]:
    """What keeps an entry of the file from being a claim, each with its cure."""
    if not isinstance(body, dict) or not _ID.fullmatch(name):
        return [(f'"{name}" is not a claim', "write [an-id] and its keys below")]
    wrong = [
        (f'claim "{name}" has no `{key}`', f"add {key} = …") for key in _NEEDED if key not in body
    ]
    for key, value in body.items():
        kind: Any = dict if key in ("row", "other") else list if key == "every" else str
        if key not in _KNOWN:
            wrong.append((f'unknown key "{key}"', nearest(key, _KNOWN)))
        elif not isinstance(value, kind):
            wrong.append((f"`{key}` is not a {_KINDS[kind]}", "see site_builder/post/claims.py"))
    if wrong:
        return wrong
    if "reported" in body and not body.get(_FOR):
        wrong.append(("`reported`, and not for what", f'add {_FOR} = "…", or at the file\'s head'))
    for key in ("row", "other"):
        wrong += [
            (f"`{key}`: {column} is no value", "write a text, a number, or a list of some")
            for column, value in body.get(key, {}).items()
            if value == [] or any(isinstance(one, dict | list) for one in _listed(value))
        ]
    if not all(isinstance(column, str) for column in body.get("every", ())):
        wrong.append(("`every` is not a list of columns", 'write such as ["k"]'))
    if not values.fits(body.get("format", "")):
        wrong.append((f'format "{body["format"]}" does not fit', 'write ".1f" or ".0%"'))
    if not expression.is_test(body["holds"]):
        cure = 'compare columns and numbers, such as "low > 0"'
        wrong.append((f'cannot read the test "{body["holds"]}"', cure))
    return wrong


_KINDS = {dict: "table", list: "list", str: "text"}


def _texts(row: dict[str, Any]) -> dict[str, list[str]]:
    """What a row is picked by, as texts: lists stand for any of their values."""
    return {
        name: [str(one).lower() if isinstance(one, bool) else str(one) for one in _listed(value)]
        for name, value in row.items()
    }


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _shown(claim: Claim, row: dict[str, Any], named: dict[str, str]) -> dict[str, str]:
    """A row's columns as the prose may print them."""
    texts = {
        name: values.text(value, claim.format if isinstance(value, float) else "")
        for name, value in _called(row, named).items()
        if not isinstance(value, list | dict)
    }
    if "low" in named and "low" in texts:
        texts["interval"] = f"{texts['low']} to {texts['high']}"
    return texts


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def _wrong(claim: Claim, what: str, cure: str) -> BuildError:
    return BuildError([Problem(claim.where, f'claim "{claim.id}" on {claim.result}: {what}', cure)])
