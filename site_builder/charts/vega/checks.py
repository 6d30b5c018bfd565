"""What a chart would draw wrongly without a word: names read otherwise, zeros, nothing to show.

Vega-Lite draws an empty picture, or every point on one line, where a reader sees no fault at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from site_builder.charts.drawing import DrawingError

Rows = list[dict[str, Any]]

_PATH = re.compile(r"(?<!\\)[.\[\]]")
_UNDER = ("layer", "concat", "hconcat", "vconcat")
_PLACES = ("x", "y")


class _Field(NamedTuple):
    """What one channel of a part of a chart reads, and the rows that it is given."""

    channel: str
    name: str
    log: bool
    rows: Rows
    made: bool


def check(spec: Mapping[str, Any], number: int) -> None:
    """Check a chart, the `number`th of its figure, before it is drawn.

    Raises:
        DrawingError: naming the chart, the column and why nothing right would be seen.
    """
    fields = list(_fields(spec, spec, [], False))
    chart = f"chart {number}"
    given = [one.rows for one in fields if not one.made]
    if given and not any(given):
        raise DrawingError(f"{chart} has no rows to show", "measure it again, or draw what it has")
    for one in fields:
        if one.made or not one.rows:
            continue
        if _PATH.search(one.name) and any(one.name in row for row in one.rows):
            read = _PATH.split(one.name)[0]
            what = f'{chart} reads "{one.name}" as a part of "{read}", which is no column'
            raise DrawingError(what, f'write "{_PATH.sub(_escaped, one.name)}", or rename it')
        if one.log and any(_is_number(value) and value <= 0 for value in _values(one)):
            what = f'{chart} shows "{_column(one)}" on a log scale, where 0 and less have no place'
            raise DrawingError(what, "leave these rows out, or use a symlog scale")
    for place in _PLACES:
        here = [one for one in fields if one.channel == place and not one.made and one.rows]
        if here and not any(_is_there(value) for one in here for value in _values(one)):
            names = ", ".join(dict.fromkeys(f'"{_column(one)}"' for one in here))
            what = f"{chart} has no values of {names} to show along its {place} axis"
            raise DrawingError(what, "measure it again, or draw what it has")


def _fields(
    spec: Mapping[str, Any], top: Mapping[str, Any], rows: Rows, made: bool
) -> Iterator[_Field]:
    """Every field of a chart's parts; `made` are those that a transform or an axis works out."""
    if "data" in spec:
        data = spec["data"]
        rows = top["datasets"].get(data.get("name"), data.get("values", []))
        made = not isinstance(rows, list | tuple) or ("values" not in data and "name" not in data)
    made = made or any("filter" not in one for one in spec.get("transform", []))
    rows = [] if made else list(rows)
    for channel, told in spec.get("encoding", {}).items():
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, dict) and isinstance(one.get("field"), str):
                own = made or any(key in one for key in ("aggregate", "bin", "timeUnit"))
                log = (one.get("scale") or {}).get("type") == "log"
                yield _Field(channel, one["field"], log, rows, own)
    for under in _UNDER:
        for part in spec.get(under, []):
            yield from _fields(part, top, rows, made)
    if isinstance(spec.get("spec"), dict):
        yield from _fields(spec["spec"], top, rows, made)


def _column(field: _Field) -> str:
    return re.sub(r"\\(.)", r"\1", field.name)


def _values(field: _Field) -> Iterator[Any]:
    return (row.get(_column(field)) for row in field.rows)


def _escaped(sign: re.Match[str]) -> str:
    return f"\\{sign[0]}"


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
