"""How uncertain the model is about what follows an item: each list, and the mean over lists.

Lists of unequal length have no common last position, so means are aligned twice: from the start and
from the end. What is padding in a table of positions is absent here.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import highlight, marks, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.figures import prompts

SHOWN = 30
"""Positions that the panels of means show, from either end."""

MOST = 4.0
"""Nats at which the colour scale ends, one for all variants, so that colours can be compared."""

Records = list[dict[str, Any]]

WHERE = {
    "item": "at the last token of an item",
    "break": "at the line break after an item",
}
CONDITIONS = {
    "short-clean": (prompts.SHORT, [1, 0], "circle"),
    "short-corrupted": (prompts.SHORT, [2, 2], "square"),
    "long-clean": (prompts.LONG, [8, 3], "triangle-up"),
    "long-corrupted": (prompts.LONG, [8, 3, 2, 3], "diamond"),
    "none-clean": (prompts.NONE, [4, 2], "triangle-down"),
    "short": (prompts.SHORT, [1, 0], "circle"),
    "long": (prompts.LONG, [5, 3], "triangle-up"),
}


def draw(table: pa.Table, *, variant: str) -> Drawing:
    """Draw one condition list by list, the means of all, or what swapping the word adds."""
    position = "break" if variant.endswith("-break") else "item"
    name = variant.removesuffix("-break")
    theme.choose(name, ["compare", "swap", *CONDITIONS], "variant")
    if name == "compare":
        return _compare(table, position)
    if name == "swap":
        return _swap(table, position)
    return _condition(table, name, position)


def _condition(table: pa.Table, name: str, position: str) -> Drawing:
    theme.need(table, "part")
    lists = theme.rows(
        theme.where(table, part="list"), "topic", "sample", "k", "k_end", "entropy", digits=3
    )
    means = [
        {**row, "condition": name}
        for row in theme.rows(theme.where(table, part="mean"), *_MEAN)
        if row["quantity"] == "entropy" and row["n"] >= marks.FEWEST
    ]
    template, _, condition = name.partition("-")
    prompt = {
        "clean": "under the prompt it was sampled with",
        "corrupted": "with the length word of the prompt swapped and the list kept",
    }[condition]
    return Drawing(
        (
            _heatmap(lists, position),
            _mean(means, "start", "entropy", "Mean, from the first item"),
            _mean(means, "end", "entropy", "Mean, from the last item"),
        ),
        f"Entropy of the next token {WHERE[position]}, in lists sampled with “{template}”, "
        f"{prompt}. In the heatmap each row is one list, sorted by length; a list that was cut "
        "at the token limit has no known end and is not counted from it.",
        "A heatmap with one row a list and one column an item, and two curves of the mean with "
        "interval, counted from the first and from the last item. Higher means less certain.",
        only={"template": template},
    )


def _heatmap(lists: Records, position: str) -> Chart:
    """A row a list: first those that ended, then those cut at the token limit, each by length."""
    length: dict[tuple[str, int], int] = {}
    ended: dict[tuple[str, int], bool] = {}
    for row in lists:
        key = row["topic"], row["sample"]
        length[key] = max(length.get(key, 0), row["k"])
        ended[key] = row["k_end"] is not None
    keys = sorted(length, key=lambda key: (not ended[key], length[key]))
    order = {key: place for place, key in enumerate(keys)}
    cells = [
        {"list": order[row["topic"], row["sample"]], "k": row["k"], "entropy": row["entropy"]}
        for row in lists
    ]
    # What holds for a whole list is said once: thousands of cells would repeat it.
    known = [
        {"list": place, "topic": key[0], "sample": key[1], "items": ended[key] and length[key]}
        for key, place in order.items()
    ]
    longest, finished = max(length.values()), sum(ended.values())
    notes = [
        {"k": longest, "list": first, "said": f"{count} lists {what}"}
        for first, count, what in (
            (0, finished, "that ended"),
            (finished, len(keys) - finished, "cut at the limit"),
        )
        if count
    ]
    x = alt.X(
        "k:O",
        title="item, counted from the start",
        axis=alt.Axis(values=[1, *range(5, longest + 1, 5)], labelAngle=0, ticks=False),
    )
    y = alt.Y("list:O", axis=None, scale=alt.Scale(paddingInner=0))
    heat = (
        alt.Chart(theme.data(cells))
        .transform_lookup(
            "list", alt.LookupData(theme.data(known), "list", ["topic", "sample", "items"])
        )
        .transform_calculate(k_end="datum.items ? datum.k - datum.items - 1 : 'cut, not known'")
        .mark_rect()
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "entropy:Q",
                title="entropy, nats",
                scale=alt.Scale(scheme=theme.SEQUENTIAL, domain=[0, MOST], clamp=True),
                legend=alt.Legend(
                    tickCount=5, labelExpr=f"datum.value < {MOST} ? datum.label : '≥ {MOST:g}'"
                ),
            ),
            tooltip=[
                alt.Tooltip("topic:N", title="topic"),
                alt.Tooltip("sample:O", title="sample"),
                alt.Tooltip("k:O", title="item"),
                alt.Tooltip("k_end:N", title="from the end"),
                alt.Tooltip("entropy:Q", title="entropy, nats", format=".2f"),
            ],
        )
    )
    # A staircase leaves its upper right corner free.
    said = (
        alt.Chart(theme.data(notes))
        .mark_text(align="right", baseline="top", dx=4, dy=1, color=theme.colour("muted"))
        .encode(x=x, y=y, text=alt.Text("said:N"))
    )
    step = max(1, min(8, round(420 / len(keys))))
    return alt.LayerChart(
        layer=[heat, said, highlight.beside(alt.Chart(theme.data(known)), y, "topic")],
        title=f"Every list, {WHERE[position]}",
        width=theme.PANEL,
        height=step * len(keys),
    ).add_params(*highlight.parameters("topic"))


def _swap(table: pa.Table, position: str) -> Drawing:
    records = _enough(table)
    return Drawing(
        (
            _mean(records, "start", "entropy", "What the other word adds, from the first item"),
            _mean(records, "end", "entropy", "What the other word adds, from the last item"),
        ),
        f"Entropy of the next token {WHERE[position]} under the other length word minus under the "
        "list's own: the same lists, token by token, so the interval is that of the difference.",
        "Two panels of mean differences with intervals, counted from the first and from the last "
        "item; lists sampled with short solid, with long dashed. Zero is no difference.",
    )


def _enough(table: pa.Table) -> Records:
    return [
        row for row in theme.rows(table, "condition", *_MEAN) if (row["n"] or 0) >= marks.FEWEST
    ]


def _compare(table: pa.Table, position: str) -> Drawing:
    records = _enough(table)
    return Drawing(
        (
            _mean(records, "end", "entropy", "Entropy, from the last item"),
            _mean(records, "start", "entropy", "Entropy, from the first item"),
            _mean(records, "end", "varentropy", "Varentropy, from the last item"),
            _mean(records, "start", "varentropy", "Varentropy, from the first item"),
        ),
        f"Entropy and varentropy of the next token {WHERE[position]}: mean over lists, by the "
        "length word the list was sampled with, under that prompt (clean) and under the other "
        "one (corrupted).",
        "Four panels of mean curves with intervals: entropy and varentropy, counted from the last "
        "and from the first item. Lines with dots are corrupted.",
    )


_MEAN = ("part", "align", "k", "quantity", "estimate", "low", "high", "n")


def _mean(records: Records, align: str, quantity: str, title: str) -> Chart:
    shown = [
        {**row, "template": row["condition"].partition("-")[0]}
        for row in records
        if row["part"] == "mean"
        and (row["align"], row["quantity"]) == (align, quantity)
        and abs(row["k"]) <= SHOWN
    ]
    names = tuple(name for name in CONDITIONS if name in {row["condition"] for row in shown})
    unit = "nats" if quantity == "entropy" else "nats²"
    colours, dashes, shapes = zip(*(CONDITIONS[name] for name in names), strict=True)
    return marks.curves(
        shown,
        title=title,
        x="k",
        x_title=f"item, counted from the {align}",
        y_title=f"{quantity}, {unit}",
        domain=_domain(records, quantity),
        classes=marks.Classes(
            "condition", "", names, colours, dashes, shapes, columns=2, at=("template",)
        ),
        tooltip=[
            alt.Tooltip("condition:N", title="lists"),
            alt.Tooltip("k:Q", title="item"),
            *marks.numbers(f"{quantity}, {unit}", ".3f"),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )


def _domain(records: Records, quantity: str) -> tuple[float, float]:
    """One axis for both alignments, zero included."""
    ends = marks.extent((row for row in records if row["quantity"] == quantity), 0)
    low, high = (float(f"{end * 1.04:.3g}") if end else 0 for end in ends)
    return low, high
