"""The map of the trace: what each place that leads at some depth holds, from depth to depth."""

from __future__ import annotations

import math
from typing import Any

from site_builder.figures import trace_words
from site_builder.figures.trace_rows import Trace

WIDTH, HEIGHT = 340.0, 84.0
LETTER, LINE = 4.4, 11.0  # width of a letter of a label, height of its line
Row = dict[str, Any]


def curves(trace: Trace) -> Row:
    """Return the curves as SVG paths, with their bands, and the depths of the steps.

    A curve is labelled where it is highest among those depths at which it leads.
    """
    leaders = list(dict.fromkeys(trace.leader(depth) for depth in range(trace.blocks + 1)))
    made = []
    for place in leaders:
        held = [by_place[place] for by_place in trace.stream]
        points = [_point(trace, depth, row["estimate"]) for depth, row in enumerate(held)]
        highs = [_point(trace, depth, _or(row, "high")) for depth, row in enumerate(held)]
        lows = [_point(trace, depth, _or(row, "low")) for depth, row in enumerate(held)]
        led = [depth for depth in range(trace.blocks + 1) if trace.leader(depth) == place]
        middle = led[len(led) // 2]
        name = trace_words.place(*place).removeprefix("the ")
        beside = math.ceil(len(name) * LETTER / 2 / WIDTH * trace.blocks)
        near = held[max(middle - beside, 0) : middle + beside + 1]
        made.append(
            {
                "line": "M" + "L".join(points),
                "band": f"M{'L'.join(highs)}L{'L'.join(reversed(lows))}z",
                "name": name,
                "x": round(WIDTH * middle / trace.blocks, 1),
                "y": round(_y(max(_or(row, "high") for row in near)) - 5, 1),
            }
        )
    _part(made)
    depths = [movers[0]["depth"] for movers in trace.steps]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "places": made,
        "steps": [(round(WIDTH * depth / trace.blocks, 1), depth) for depth in depths],
    }


def _part(made: list[Row]) -> None:
    """Lift labels that would stand in one another: the higher one, until it is free."""
    placed: list[Row] = []
    for one in sorted(made, key=lambda one: -one["y"]):
        while any(_meet(one, other) for other in placed):
            one["y"] = round(one["y"] - LINE / 3, 1)
        placed.append(one)


def _meet(one: Row, other: Row) -> bool:
    across = (len(one["name"]) + len(other["name"])) * LETTER / 2
    return bool(abs(one["x"] - other["x"]) < across and abs(one["y"] - other["y"]) < LINE)


def _or(row: Row, side: str) -> float:
    value: float = row["estimate"] if row[side] is None else row[side]
    return value


def _y(share: float) -> float:
    return HEIGHT * (1 - min(max(share, -0.1), 1.05))


def _point(trace: Trace, depth: int, share: float) -> str:
    return f"{WIDTH * depth / trace.blocks:.4g} {_y(share):.4g}"
