"""Entropy towards the end of a list: short and long lists, each under either prompt, in one look.

A list has no length in common with another, so each panel counts its items twice: from the first
on the left, from the last on the right. All panels share one scale.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import highlight, marks, tables, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.figures import prompts

SHOWN = 8
"""Items that a panel shows from either side."""

LAST = 2 * SHOWN + 1
"""Where the last item stands on the axis; one place between the two sides is empty."""

CONDITIONS = {
    "short-clean": ("Short lists, asked for short", "short", prompts.SHORT),
    "short-corrupted": ("The same short lists, asked for long", "short", prompts.SHORT),
    "long-clean": ("Long lists, asked for long", "long", prompts.LONG),
    "long-corrupted": ("The same long lists, asked for short", "long", prompts.LONG),
}
"""In this order the page's columns are the lists, and its rows the prompts."""

Records = list[dict[str, Any]]


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw a panel for each condition.

    Args:
        table: Means by item of each condition, and what the last item changes.
        variant: There is one, "".
    """
    theme.choose(variant, [""], "variant")
    records = theme.rows(table, "part", "condition", "align", "k", "estimate", "low", "high", "n")
    means = [
        {**row, "at": row["k"] if row["align"] == "start" else LAST + 1 + row["k"]}
        for row in records
        if row["part"] == "mean" and row["n"] >= marks.FEWEST and abs(row["k"]) <= SHOWN
    ]
    changes = {row["condition"]: row for row in records if row["part"] == "change"}
    top = float(f"{1.04 * marks.extent(means, 0)[1]:.3g}")
    return Drawing(
        tuple(
            _panel([row for row in means if row["condition"] == name], changes[name], top)
            for name in CONDITIONS
            if name in changes
        ),
        f"{_said(list(changes.values()))} Mean entropy of the next token at the last token of an "
        "item, counted from the first item and, of the lists that ended, from the last one. Over "
        "each panel stands the change at the last item from the item before, on the same lists, "
        "with its interval. Few lists reach far, and other lists do so on either side.",
        "Four panels with the same axes: short lists and long lists, each under the prompt that "
        "they were sampled with and under the other one; a curve with its interval for the first "
        f"{SHOWN} items and one for the last {SHOWN}, the last item marked.",
    )


def _said(changes: Records) -> str:
    """In how many conditions the last item changes entropy beyond its interval."""
    bounded = [row for row in changes if row["low"] is not None and row["high"] is not None]
    rises = sum(row["low"] > 0 for row in bounded)
    falls = sum(row["high"] < 0 for row in bounded)
    seen = f"is seen to rise in {rises or 'none'} of {len(changes)} conditions"
    return f"At the last item entropy {seen} and to fall in {falls or 'none'}."


def _panel(shown: Records, change: dict[str, Any], top: float) -> Chart:
    title, template, colour = CONDITIONS[change["condition"]]
    shown = [{**row, "template": template} for row in shown]
    cell = tables.estimate(change, "+.2f")
    places = {row["at"] for row in shown}
    ticks = [at for at in (1, 3, 5, 7, LAST - 7, LAST - 5, LAST - 3, LAST) if at in places]
    x = alt.X(
        "at:Q",
        title="item, from the first … and from the last",
        scale=alt.Scale(domain=[0.5, LAST + 0.5], nice=False),
        axis=alt.Axis(
            values=ticks,
            tickCount=len(ticks),
            labelExpr=f"datum.value === {LAST} ? 'last' : datum.value < {SHOWN + 1} "
            f"? '' + datum.value : '−' + ({LAST + 1} - datum.value)",
            labelOverlap=False,
        ),
    )
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("estimate:Q", scale=scale, axis=alt.Axis(title=None))
    base = alt.Chart(theme.data(shown)).encode(x=x, y=y, detail=alt.Detail("align:N"))
    last = base.transform_filter(f"datum.at === {LAST}")
    layers = [
        last.mark_rule(strokeDash=[2, 3]).encode(y=alt.YValue(0), y2=alt.Y2Value("height")),
        highlight.halo(base, "template"),
        base.mark_area(fillOpacity=0.16, color=colour).encode(
            y=alt.Y("low:Q", scale=scale), y2=alt.Y2("high:Q")
        ),
        base.mark_line(color=colour),
        last.mark_point(color=colour, size=50),
        base.mark_point(size=120, opacity=0).encode(
            tooltip=[
                alt.Tooltip("k:Q", title="item"),
                *marks.numbers("entropy, nats", ".3f"),
                alt.Tooltip("n:Q", title="lists"),
            ]
        ),
    ]
    return highlight.layered(
        layers,
        "template",
        title=alt.TitleParams(
            title, subtitle=f"nats; at the last item {cell.text} {cell.under}".strip()
        ),
        width=theme.PANEL,
        height=150,
    )
