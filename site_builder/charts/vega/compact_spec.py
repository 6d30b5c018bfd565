"""Compiled charts as the page loads them: what is said twice stands once, rows stand by column.

The page's script puts them together again (`assets/charts/src/unfold.js`). A file is
`{"parts": […], "charts": […]}`, where `{"$": n}` stands for part n, and parts name earlier parts
alone. The rows of a data set are `{"rows": count, "columns": {name: column}}`, a column being

- a list: the values, a row each;
- `{"all": value}`: the same value in every row;
- `{"of": [value, …], "at": column}`: a few values, and which of them each row has;
- `{"steps": [step, count, …]}`: whole numbers by their differences, the first from 0;
- `{"over": n, "is": column}`: numbers as whole numbers of n-ths.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

SHORTEST = 30
"""Characters of JSON from which a repeated part is worth a name."""

DIGITS = 4
"""Digits told of a column's largest number; the others end where it ends."""

DECIMALS = 3
"""Decimals always told: no tooltip shows more."""

_BENT = ("log", "symlog", "pow", "sqrt")
"""Scales on which a small number is far from zero."""

_REFERENCE = "$"
_ENCODER = json.JSONEncoder(
    allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
)
_LONG_NAME = re.compile(r"\bdata-[0-9a-f]{32}\b")


def compact(charts: list[dict[str, Any]]) -> dict[str, Any]:
    """Fold the compiled Vega `charts` of one figure into one object.

    Numbers are rounded to what can be seen: a ten-thousandth of their column's largest.

    Raises:
        ValueError: for a key that stands for a part, or a cell that is an object.
    """
    names: dict[str, str] = {}
    return _parts([_chart(chart, names) for chart in charts])


def plain(charts: list[dict[str, Any]]) -> dict[str, Any]:
    """The same object with nothing folded or rounded: larger, and made at once."""
    return {
        "parts": [],
        "charts": [
            chart
            | {
                "data": [
                    data | ({"values": _plainly(data["values"])} if "values" in data else {})
                    for data in chart.get("data", [])
                ]
            }
            for chart in charts
        ],
    }


def by_column(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows by column, so that a name is written once; what a row does not have is None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _plainly(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"rows": len(rows), "columns": by_column(rows)}


def _chart(chart: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Put rows into columns, and short names in place of Vega-Lite's digests."""
    bent = any(scale.get("type") in _BENT for scale in chart.get("scales", []))
    rows = {data["name"]: data["values"] for data in chart.get("data", []) if "values" in data}
    rest = {key: value for key, value in chart.items() if key != "$schema"}
    rest["data"] = [
        {key: value for key, value in data.items() if key != "values"}
        for data in chart.get("data", [])
    ]

    def short(found: re.Match[str]) -> str:
        return names.setdefault(found.group(), f"rows-{len(names)}")

    told: dict[str, Any] = json.loads(_LONG_NAME.sub(short, _json(rest)))
    for data, own in zip(told["data"], rest["data"], strict=True):
        if own["name"] in rows:
            data["values"] = _table(rows[own["name"]], None if bent else DIGITS)
    return told


def _table(rows: list[dict[str, Any]], digits: int | None) -> dict[str, Any]:
    columns = {name: _column(cells, digits) for name, cells in by_column(rows).items()}
    return {"rows": len(rows), "columns": columns}


def _column(values: list[Any], digits: int | None) -> Any:
    """The shortest way to write `values`."""
    flat = [cell for value in values for cell in (value if isinstance(value, list) else [value])]
    if any(isinstance(cell, dict | list) for cell in flat):
        raise ValueError("a cell of a chart's data is an object")
    numbers = [abs(cell) for cell in flat if _is_number(cell)]
    ways: list[Any] = [values]
    if digits and any(isinstance(cell, float) for cell in flat):
        place = max(DECIMALS, digits - 1 - math.floor(math.log10(max(numbers) or 1)))
        ways = [_each(values, lambda number: round(number, place))]
        if len(numbers) + flat.count(None) == len(flat):
            whole = _each(values, lambda number: round(number * 10**place))
            ways.append({"over": 10**place, "is": whole})
    distinct = {_json(value): value for value in ways[0]}
    if len(distinct) == 1:
        return {"all": ways[0][0]}
    if len(distinct) < len(values):
        place_of = {text: place for place, text in enumerate(distinct)}
        at = [place_of[_json(value)] for value in ways[0]]
        ways += [{"of": list(distinct.values()), "at": way} for way in (at, _steps(at))]
    if all(type(value) is int for value in values):
        ways.append(_steps(values))
    return min(ways, key=lambda way: len(_json(way)))


def _each(values: list[Any], change: Callable[[float], Any]) -> list[Any]:
    return [
        _each(value, change)
        if isinstance(value, list)
        else change(value)
        if _is_number(value)
        else value
        for value in values
    ]


def _steps(values: list[int]) -> dict[str, list[int]]:
    steps: list[int] = []
    for before, value in pairwise([0, *values]):
        if steps and steps[-2] == value - before:
            steps[-1] += 1
        else:
            steps += [value - before, 1]
    return {"steps": steps}


def _parts(charts: list[dict[str, Any]]) -> dict[str, Any]:
    """Give every part that stands more than once a number, and let it stand once."""
    seen = Counter[str]()

    def count(value: Any) -> None:
        if not isinstance(value, dict | list | str):  # no number is worth a name
            return
        text = _json(value)
        if len(text) < SHORTEST:
            return
        seen[text] += 1
        if seen[text] == 1 and isinstance(value, dict | list):
            for inside in value.values() if isinstance(value, dict) else value:
                count(inside)

    parts: list[Any] = []
    places: dict[str, int] = {}

    def fold(value: Any) -> Any:
        if not isinstance(value, dict | list | str):
            return value
        text = _json(value)
        if len(text) < SHORTEST or seen[text] < 2:
            return inner(value)
        if text not in places:
            part = inner(value)
            places[text] = len(parts)
            parts.append(part)
        return {_REFERENCE: places[text]}

    def inner(value: Any) -> Any:
        if isinstance(value, list):
            return [fold(one) for one in value]
        if not isinstance(value, dict):
            return value
        if _REFERENCE in value:
            raise ValueError(f'a chart has the key "{_REFERENCE}"')
        return {key: fold(one) for key, one in value.items()}

    count(charts)
    return {"parts": parts, "charts": [fold(chart) for chart in charts]}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: Any) -> str:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)  # most of what there is, and what the encoder would write
    return _ENCODER.encode(value)
