"""The heads of a path as a graph: stages from left to right, edges as thick as what they carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, DrawingError
from site_builder.charts.tables import number

Row = dict[str, Any]

DECISION = "decision"
STAGES = {"early": "early head", "middle": "middle head", "late": "late head"}
NAMES = {"early": "early heads", "middle": "middle", "late": "late heads", DECISION: DECISION}
WIDEST = 9.0  # pixels of the strongest edge
CLEAR = 0.14  # of a column's width, that an edge leaves about a node
AT = 0.5  # where on its way an edge's number stands
ABOVE = 0.1  # and how far above it at least


def stages(records: Iterable[Row]) -> dict[str, list[str]]:
    """The heads of each stage that has any, in the order of the network.

    Raises:
        DrawingError: if there is none.
    """
    found: dict[str, list[str]] = {}
    for row in records:
        if row["part"] == "set" and row["stage"]:
            heads = found.setdefault(row["stage"], [])
            if row["sender"] not in heads:
                heads.append(row["sender"])
    if not found:
        raise DrawingError("the result has no row with part set", "measure it again")
    return {name: found[name] for name in STAGES if name in found}


def graph(sets: Sequence[Row], edges: Sequence[Row], by_stage: Mapping[str, list[str]]) -> Chart:
    """Draw the heads with what each restores alone, and the edges of the path with what they carry.

    Args:
        sets: a row a head: `sender` and its share.
        edges: a row an edge: `sender`, `receiver` and its share.
    """
    columns = [*by_stage, DECISION]
    places = _places({**by_stage, DECISION: [DECISION]}, columns)
    alone = {row["sender"]: row for row in sets}
    nodes = [
        {
            **{"head": name, "x": x, "y": y, "share": ""},
            **{
                side: alone[name][side]
                for side in ("estimate", "low", "high", "n")
                if name in alone
            },
            **({"share": _percent(alone[name]["estimate"], 0)} if name in alone else {}),
        }
        for name, (x, y) in places.items()
    ]
    most = max(abs(row["estimate"]) for row in edges)
    lines = [_line(row, places, abs(row["estimate"]) / most) for row in edges]
    axis = alt.Axis(
        labelExpr=f"{[NAMES[name] for name in columns]}[datum.value]",
        values=list(range(len(columns))),
        title=None,
        domain=False,
        ticks=False,
    )
    x = alt.X("x:Q", scale=alt.Scale(domain=[-0.3, len(columns) - 0.7], nice=False), axis=axis)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[-1.45, 1.45], nice=False), axis=None)
    told = [alt.Tooltip("edge:N"), *marks.numbers("share"), alt.Tooltip("n:Q", title="lists")]
    base = alt.Chart(theme.data(lines)).encode(
        x=x,
        y=y,
        color=alt.Color(
            "sign:N",
            scale=alt.Scale(
                domain=["towards the clean answer", "away from it"],
                range=[theme.colour("1"), theme.colour("2")],
            ),
            legend=None,
        ),
    )
    drawn = base.mark_rule(strokeCap="butt").encode(
        x2=alt.X2("x2:Q"),
        y2=alt.Y2("y2:Q"),
        strokeWidth=alt.StrokeWidth(
            "size:Q", scale=alt.Scale(domain=[0, most], range=[0.8, WIDEST]), legend=None
        ),
        strokeDash=alt.condition("datum.estimate < 0", alt.value([4, 3]), alt.value([1, 0])),
        opacity=alt.Opacity(
            "size:Q", scale=alt.Scale(domain=[0, most], range=[0.35, 0.85]), legend=None
        ),
        tooltip=told,
    )
    numbers = (
        alt.Chart(theme.data(lines))
        .mark_text(fontSize=11)
        .encode(x=alt.X("mid_x:Q"), y=alt.Y("mid_y:Q"), text=alt.Text("number:N"), tooltip=told)
    )
    of_nodes = alt.Chart(theme.data(nodes)).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("head:N", title="alone"),
            *marks.numbers("share"),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )
    return alt.LayerChart(
        layer=[
            drawn,
            of_nodes.mark_point(size=60, color=theme.colour("fg")),
            of_nodes.mark_text(dy=-13, fontWeight="bold").encode(text=alt.Text("head:N")),
            of_nodes.mark_text(dy=15, color=theme.colour("muted")).encode(text=alt.Text("share:N")),
            numbers,
        ],
        title=alt.TitleParams(
            "The path", subtitle="under a head: alone; on an edge: heard along it alone"
        ),
        width=theme.PANEL,
        height=230,
    )


def _places(by_column: Mapping[str, Sequence[str]], columns: Sequence[str]) -> dict[str, Any]:
    """Where the nodes stand: those of a column spread evenly about the middle."""
    found = {}
    for x, column in enumerate(columns):
        names = by_column[column]
        for rank, name in enumerate(names):
            y = 0.0 if len(names) == 1 else 1 - 2 * rank / (len(names) - 1)
            found[name] = (float(x), y if len(names) > 2 else 0.7 * y)
    return found


def _line(row: Row, places: Mapping[str, tuple[float, float]], part: float) -> Row:
    """An edge from node to node, that leaves room about both; its number stands above it.

    Args:
        part: of the strongest edge's share.
    """
    (x, y), (x2, y2) = places[row["sender"]], places[row["receiver"]]
    start, stop = CLEAR / (x2 - x), 1 - CLEAR / (x2 - x)
    return {
        **{side: row[side] for side in ("estimate", "low", "high", "n")},
        **{"edge": f"{row['sender']} → {row['receiver']}", "size": abs(row["estimate"])},
        **{"sign": "away from it" if row["estimate"] < 0 else "towards the clean answer"},
        **{"number": _percent(row["estimate"], 1)},
        **{"x": x + start * (x2 - x), "y": y + start * (y2 - y)},
        **{"x2": x + stop * (x2 - x), "y2": y + stop * (y2 - y)},
        **{
            "mid_x": x + AT * (x2 - x),
            "mid_y": y + AT * (y2 - y) + ABOVE + 0.08 * part + 0.1 * abs(y2 - y),
        },
    }


def _percent(share: float, digits: int) -> str:
    return number(share, f".{digits}%")
