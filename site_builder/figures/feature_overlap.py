"""Whether lists of one topic share their strongest features more than lists of different topics."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, highlight, theme
from site_builder.charts.drawing import Chart, Drawing, DrawingError
from site_builder.figures import prompts

Row = dict[str, Any]

DEALS = 2000
"""Shuffles of the topics; the real deal counts too, so p is never below 1 of `DEALS` + 1."""

QUANTITIES = {
    "within": "same topic",
    "between": "different topics",
    "difference": "difference",
}


def draw(table: pa.Table, *, variant: str) -> Drawing:
    """Draw the mean overlap of every two topics, and the mean within and between them."""
    theme.choose(variant, ["topics"], "variant")
    theme.need(table, "quantity", "p", "null_low", "null_high")
    pairs = theme.rows(
        theme.where(table, part="pair"),
        *("topic", "held_out", "other_topic", "other_held_out", "estimate", "n"),
        digits=3,
    )
    means = theme.rows(
        theme.where(table, part="mean"),
        *("quantity", "estimate", "low", "high", "n", "p", "null_low", "null_high"),
        digits=3,
    )
    found = {row["quantity"]: row for row in means}
    if missing := [name for name in QUANTITIES if name not in found]:
        raise DrawingError(f"the result has no mean {missing[0]}", "measure it again")
    p = found["difference"]["p"]
    return Drawing(
        (_pairs(pairs), _means([found[name] for name in QUANTITIES])),
        "Overlap of the strongest features of two lists (features in both / features in either), "
        "mean over pairs of different lists by their topics. If topics did not matter, the "
        "difference would lie in the grey band, from lists with their topics shuffled "
        f"({_chance(p)}).",
        "A heatmap of topics against topics, brighter where their lists share more features; and "
        "the mean overlap within a topic, between topics, and their difference with intervals, "
        "beside the band that shuffled topics give.",
        only={"template": "short"},
    )


def _chance(p: float | None) -> str:
    """Return p in words; rounded as drawn values are, its floor is still told from the next."""
    if p is None:
        return "not tested"
    sign, shown = ("≤", 1 / (DEALS + 1)) if p < 1.5 / (DEALS + 1) else ("=", p)
    return f"one-sided p {sign} {shown:.2g}"


def _pairs(records: list[Row]) -> Chart:
    held_out = {row["topic"]: row.pop("held_out") for row in records}
    for row in records:
        del row["other_held_out"]
    kept = [topic for topic, held in held_out.items() if held]
    topics = [f"{topic} †" if held else topic for topic, held in held_out.items()]
    base = (
        alt.Chart(theme.data(records))
        .transform_filter("isValid(datum.estimate)")
        .transform_calculate(row=prompts.marked(kept), column=prompts.marked(kept, "other_topic"))
    )
    x = alt.X("column:N", sort=topics, axis=None)
    axis = alt.Axis(labelLimit=120, labelOverlap=False)
    y = alt.Y("row:N", title=None, sort=topics, axis=axis)
    cells = base.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color(
            "estimate:Q",
            title="mean overlap",
            scale=alt.Scale(scheme=theme.SEQUENTIAL),
            legend=alt.Legend(tickCount=3, gradientLength=90),
        ),
        tooltip=[
            alt.Tooltip("row:N", title="topic"),
            alt.Tooltip("column:N", title="and"),
            alt.Tooltip("estimate:Q", title="mean overlap", format=".2f"),
            alt.Tooltip("n:Q", title="pairs of lists"),
        ],
    )
    others = base.transform_calculate(topic="datum.other_topic")
    return alt.LayerChart(
        layer=[
            cells,
            highlight.band(base, y, "topic", framed=True),
            highlight.band(others, x, "topic", framed=True),
        ],
        title=alt.TitleParams("Topic by topic", subtitle="columns as rows; † held-out topics"),
        width=theme.PANEL,
        height=alt.Step(heatmap.STEP),
    ).add_params(*highlight.parameters("topic"))


def _means(records: list[Row]) -> Chart:
    for row in records:
        row["name"] = QUANTITIES[row["quantity"]]
    base = alt.Chart(theme.data(records)).encode(
        y=alt.Y("name:N", title=None, sort=list(QUANTITIES.values()))
    )
    axis = alt.Axis(grid=True, domain=False, ticks=False, tickCount=5)
    tooltip = [
        alt.Tooltip("name:N", title="lists of"),
        alt.Tooltip("estimate:Q", title="mean overlap", format=".3f"),
        alt.Tooltip("low:Q", title="from", format=".3f"),
        alt.Tooltip("high:Q", title="to", format=".3f"),
        alt.Tooltip("n:Q"),
    ]
    shuffled = (
        base.transform_filter("isValid(datum.null_low)")
        .mark_bar(height=18, color=theme.colour("muted"), opacity=0.3)
        .encode(x=alt.X("null_low:Q", title=None, axis=axis), x2=alt.X2("null_high:Q"))
    )
    rules = base.mark_rule(strokeWidth=1.5, color=theme.colour("1")).encode(
        x=alt.X("low:Q", title=None, axis=axis), x2=alt.X2("high:Q")
    )
    points = base.mark_point().encode(x=alt.X("estimate:Q", title=None, axis=axis), tooltip=tooltip)
    return alt.LayerChart(
        layer=[shuffled, rules, points],
        title=alt.TitleParams("Mean overlap", subtitle="grey: 95 % of shuffles of the topics"),
        width=theme.PANEL,
        height=96,
    )
