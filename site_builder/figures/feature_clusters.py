"""Features against lists, both sides ordered by hierarchical clustering, their trees drawn.

Cells and both trees stand in one coordinate system: a leaf has width 1, trees grow outwards from
the cells, and their height is a distance, 1 − correlation, scaled to a part of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import highlight, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.figures import prompts

Row = dict[str, Any]

TREE = 0.16
"""Height of a tree as a share of the cells' extent."""

CELL = 4
"""Height of a feature's row in pixels."""

BELOW = 1.5
"""Rows under the cells, where lists of the topic that is meant are marked."""


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw the cluster map; topics and features are told where the pointer is."""
    theme.choose(variant, [""], "variant")
    cells = theme.rows(
        theme.where(table, part="cell"),
        *("name", "layer", "topic", "held_out", "sample", "value", "x", "y"),
        digits=2,
    )
    links = theme.rows(theme.where(table, part="link"), "side", "link", "across", "height")
    fits = {
        row["side"]: row["estimate"]
        for row in theme.rows(
            table.filter(pa.compute.equal(table["part"], "fit")), "side", "estimate"
        )
    }
    told = ", ".join(f"{value:.2f} for {side}" for side, value in fits.items() if value is not None)
    return Drawing(
        (_map(cells, links),),
        "Activation of card features in short lists, the mean over the list’s own tokens, each "
        "feature scaled to its largest, with features and lists ordered so that similar ones are "
        "neighbours: average linkage on 1 − correlation. Features are not centred, so those that "
        "are always on make lists alike. How well the trees keep the distances, as a correlation: "
        f"{told or 'not defined'}.",
        "A heatmap with a row a feature and a column a list, a tree of lists above it and a tree "
        "of features on its left; branches that join low are similar.",
        only={"template": "short"},
    )


def _map(cells: Sequence[Row], links: Sequence[Row]) -> Chart:
    count = {side: max(row[side] for row in cells) + 1 for side in "xy"}
    names = {
        row["y"]: {"y": row["y"], "feature": row["name"], "layer": row["layer"]} for row in cells
    }
    lists = {row["x"]: row for row in cells}
    values: dict[int, list[float | None]] = {y: [None] * count["x"] for y in names}
    for row in cells:
        values[row["y"]][row["x"]] = row["value"]
    records = [
        {**names[y], "value": values[y], "x": list(range(count["x"]))} for y in sorted(names)
    ]
    known = [
        {
            "x": x,
            "topic": row["topic"],
            "sample": row["sample"],
        }
        for x, row in sorted(lists.items())
    ]
    marked = prompts.marked(row["topic"] for row in lists.values() if row["held_out"])
    # Places in one picture, not quantities: both axes are without marks.
    x_scale = alt.Scale(domain=[-0.5 - TREE * count["x"], count["x"] - 0.5], nice=False)
    y_scale = alt.Scale(
        domain=[-0.5 - TREE * count["y"], count["y"] + BELOW], nice=False, reverse=True
    )
    x = alt.X("left:Q", axis=None, scale=x_scale)
    y = alt.Y("top:Q", axis=None, scale=y_scale)
    heatmap = (
        alt.Chart(theme.data(records))
        .transform_flatten(["x", "value"])
        .transform_lookup("x", alt.LookupData(theme.data(known), "x", ["topic", "sample"]))
        .transform_calculate(
            **{"left": "datum.x - 0.5", "right": "datum.x + 0.5"},
            **{"top": "datum.y - 0.5", "under": "datum.y + 0.5", "marked": marked},
        )
        .mark_rect()
        .encode(
            x=x,
            x2=alt.X2("right:Q"),
            y=y,
            y2=alt.Y2("under:Q"),
            opacity=highlight.dimmed("feature", "layer"),
            color=alt.Color(
                "value:Q",
                title="share of the feature's largest",
                scale=alt.Scale(scheme=theme.SEQUENTIAL, domain=[0, 1]),
                legend=alt.Legend(format="%", values=[0, 0.5, 1]),
            ),
            tooltip=[
                alt.Tooltip("feature:N"),
                alt.Tooltip("marked:N", title="topic"),
                alt.Tooltip("sample:O"),
                alt.Tooltip("value:Q", title="share of its largest", format=".0%"),
            ],
        )
    )
    trees = (
        alt.Chart(theme.data(_branches(links, count)))
        .mark_line(
            strokeWidth=0.8, color=theme.colour("muted"), strokeCap="butt", strokeJoin="miter"
        )
        .encode(x=x, y=y, detail=alt.Detail("branch:N"), order=alt.Order("point:Q"))
    )
    chosen = (
        alt.Chart(theme.data(known))
        .transform_filter(highlight.match("topic"))
        .transform_calculate(
            **{"left": "datum.x - 0.5", "right": "datum.x + 0.5"},
            **{"top": f"{count['y']}", "under": f"{count['y'] + BELOW}"},
        )
        .mark_rect(color=theme.colour("fg"))
        .encode(x=x, x2=alt.X2("right:Q"), y=y, y2=alt.Y2("under:Q"))
    )
    chart: alt.LayerChart = alt.LayerChart(
        layer=[heatmap, trees, chosen],
        title=alt.TitleParams(
            "Features and lists", subtitle="rows: features; columns: short lists"
        ),
        width=theme.PANEL,
        height=round(max(CELL * count["y"], 120) * (1 + TREE)),
    ).add_params(*highlight.parameters("feature", "layer", "topic"))
    return chart


def _branches(links: Sequence[Row], count: dict[str, int]) -> list[Row]:
    """Return the corners of every branch: lists above the cells, features on their left."""
    rows: list[Row] = []
    for side in ("lists", "features"):
        mine = [row for row in links if row["side"] == side]
        most = max((max(row["height"]) for row in mine), default=0) or 1
        extent = count["x" if side == "features" else "y"]
        for row in mine:
            for point, (across, height) in enumerate(
                zip(row["across"], row["height"], strict=True)
            ):
                out = theme.significant(-0.5 - TREE * extent * height / most)
                across = theme.significant(float(across))
                left, top = (across, out) if side == "lists" else (out, across)
                rows.append(
                    {"branch": f"{side[0]}{row['link']}", "point": point, "left": left, "top": top}
                )
    return rows
