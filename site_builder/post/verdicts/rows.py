"""The rows of a result that a claim is about, by what may be anything in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.post import values
from site_builder.post.claims import Claim

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 100_000
"""Rows that a claim may be about."""

Key = tuple[Any, ...]
T = TypeVar("T")

AT = "\0at"
"""A column beside those of a result: where in it a row stands, or the rows that it was made of."""


@dataclass(frozen=True)
class Row:
    """What stands in a row, and which rows of the result it was made of."""

    cells: Mapping[str, Any]
    at: str


NONE = Row({}, "")
"""What stands beside a row that has no other one."""


def one_each(claim: Claim, table: pa.Table, filters: Mapping[str, list[str]]) -> dict[Key, Row]:
    """The rows that are meant, one for all that the free columns say."""
    several = free(claim, filters)
    rows: dict[Key, Row] = {}
    kept = picked(claim, table, filters, [*claim.every, claim.show])
    for cells in kept.to_pylist():
        at = str(cells.pop(AT))
        rows[key_of(cells, several)] = Row(cells, at)
    if kept.num_rows != max(len(rows), 1):
        raise unclear(claim, table, filters, kept)
    return rows


def picked(
    claim: Claim, table: pa.Table, filters: Mapping[str, list[str]], names: Iterable[str]
) -> pa.Table:
    """The rows that `filters` leave, with their place; these and `names` have to be columns."""
    import pyarrow as pa

    for name in (*filters, *names):
        if name not in table.column_names:
            raise wrong(claim, f'no column "{name}"', nearest(name, table.column_names))
    if refused := values.refused(table, filters):
        raise wrong(claim, *refused)
    if AT not in table.column_names:
        table = table.append_column(AT, pa.array(range(table.num_rows)))
    kept = values.keep(table, dict(filters))
    if kept.num_rows > MOST:
        raise wrong(claim, f"{kept.num_rows:,} rows match, more than {MOST:,}", "choose fewer")
    return kept


def key_of(cells: Mapping[str, Any], names: Iterable[str]) -> Key:
    """What a row says in some columns, in a form that can be looked up."""
    found = (cells[name] for name in names)
    return tuple(str(one) if isinstance(one, list | dict) else one for one in found)


def free(claim: Claim, filters: Mapping[str, list[str]]) -> list[str]:
    """The columns that may be anything, or one of several values, but for those of units."""
    several = (name for name, texts in filters.items() if len(texts) > 1)
    return [name for name in (*claim.every, *several) if name not in claim.unit_columns]


def beside(claim: Claim, rows: Iterable[Key], others: Mapping[Key, T]) -> dict[Key, T]:
    """The other row of each row: its own or, if it names all that is free, one for all of them."""
    there = {*free(claim, claim.row)}
    if len(others) == 1 and there <= claim.other.keys():
        return dict.fromkeys(rows, next(iter(others.values())))
    if both := sorted(there & claim.other.keys()):
        what = f'"{both[0]}" may be anything, but one value in the other row'
        raise wrong(claim, what, f"let `other` name all of: {', '.join(sorted(there))}, or none")
    return {key: others[key] for key in rows if key in others}


def opened(claim: Claim, table: pa.Table) -> pa.Table:
    """A row for each entry of the lists that `inside` names; other lists are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = {one.name: one.type for one in table.schema if pa.types.is_list(one.type)}
    there = [name for name, kind in lists.items() if pa.types.is_struct(kind.value_type)]
    if claim.inside not in there:
        raise wrong(claim, f'no lists of rows in "{claim.inside}"', nearest(claim.inside, there))
    column = table[claim.inside].combine_chunks()
    entries = pa.Table.from_struct_array(column.flatten())
    around = table.drop_columns(list(lists)).take(pc.list_parent_indices(column))
    for name in around.column_names:
        if name not in entries.column_names:
            entries = entries.append_column(name, around[name])
    return entries


def unclear(
    claim: Claim, table: pa.Table, filters: Mapping[str, list[str]], kept: pa.Table
) -> BuildError:
    """That no row matches, or several where one is meant."""
    one = {name: texts[0] for name, texts in filters.items() if len(texts) == 1}
    cure = values.how_to_choose(table, one, kept.drop_columns([AT]))
    return wrong(claim, f"{kept.num_rows} rows match", cure)


def wrong(claim: Claim, what: str, cure: str) -> BuildError:
    """What keeps a claim from being tested."""
    return BuildError([Problem(claim.where, f'claim "{claim.id}" on {claim.result}: {what}', cure)])
