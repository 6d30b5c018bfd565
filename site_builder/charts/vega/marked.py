"""Which values of which fields a chart can mark: by its own parameters and its own rows.

A page that offers one choice for all its figures tells by this whether a chart answers a choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from site_builder.charts.drawing import PICKED

AT = "at_"
"""What a parameter's name begins with whose value is a field's: see `highlight`."""

Rows = Sequence[Mapping[str, Any]]


def marked(spec: Mapping[str, Any], picked: Rows = ()) -> dict[str, list[str]]:
    """Return the fields that a Vega-Lite chart marks, each with the values that its rows have.

    Args:
        spec: with its rows, as data sets or in line.
        picked: the rows of all that a reader may pick, if the chart shows them.
    """
    fields = {name.removeprefix(AT) for name in _parameters(spec) if name.startswith(AT)}
    rows = [*_rows(spec)]
    if any(data.get("name") == PICKED for data in _found(spec, "data")):
        rows += picked
    found = {field: _values(row[field] for row in rows if field in row) for field in fields}
    return {field: values for field, values in sorted(found.items()) if values}


def _parameters(spec: Any) -> Iterator[str]:
    for params in _found(spec, "params"):
        yield from (str(one["name"]) for one in params if isinstance(one, Mapping))


def _rows(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All rows of data sets, and those that stand in line."""
    sets = [*spec.get("datasets", {}).values()]
    sets += [data["values"] for data in _found(spec, "data") if "values" in data]
    for rows in sets:
        yield from (row for row in rows if isinstance(row, Mapping))


def _found(value: Any, key: str) -> Iterator[Any]:
    """What stands under a key of a specification, wherever that is; rows are not looked through."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            if name == key:
                yield inside
            if name not in ("datasets", "values"):
                yield from _found(inside, key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _found(one, key)


def _values(cells: Iterable[Any]) -> list[str]:
    """Cells as the page's scripts write them, each once; a list in a cell is one cell each."""
    found: dict[str, None] = {}
    for cell in cells:
        for one in cell if isinstance(cell, list | tuple) else (cell,):
            if one is not None:
                whole = isinstance(one, float) and one.is_integer()
                found[str(int(one) if whole else one)] = None
    return list(found)
