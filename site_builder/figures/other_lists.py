"""Lists by somebody else beside the model's own: does the model foresee the end of such a text?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.figures import prompts

Row = dict[str, Any]

FEWEST = 5
"""A mean over fewer lists than this is not drawn."""

QUANTITIES = {
    "logits": {
        "proxy_a": ("Proxy A", ", end against going on"),
        "proxy_b": ("Proxy B", ", blank against break"),
    },
    "nats": {
        "entropy": ("Entropy", " after the items"),
        "surprise": ("Surprise", " at the items’ own tokens"),
    },
}
PROMPTS = {"clean": "short", "corrupted": "long"}
MODEL, OTHER = theme.colour("7"), theme.colour("4")
LISTS = {
    "model, short": (MODEL, [1, 0], "circle"),
    "model, long": (MODEL, [2, 2], "square"),
    "other, short": (OTHER, [8, 3], "triangle-up"),
    "other, long": (OTHER, [8, 3, 2, 3], "diamond"),
}


def draw(table: pa.Table, *, variant: str = "", align: str = "end") -> Drawing:
    """Draw the means of both authors' lists by item, and how far they lie apart.

    Args:
        table: Entropy, proxies and surprise in lists by the model and by another author.
        variant: There is one, "".
        align: Whether the curves count items from the `end` or from the `start`.
    """
    theme.choose(variant, [""], "variant")
    theme.choose(align, ["end", "start"], "align")
    columns = ("part", "author", "condition", "quantity", "align", "place", "k", "estimate", "low")
    records = [
        row
        for row in theme.rows(table, *columns, "high", "n")
        if row["part"] != "list" and (row["n"] or FEWEST) >= FEWEST
    ]
    for row in records:
        row["template"] = PROMPTS[row["condition"]]
        row["lists"] = f"{row['author']}, {row['template']}"
    panels: list[Chart] = []
    for unit, quantities in QUANTITIES.items():
        panels += [
            _by_item(records, quantity, align, name + more, unit)
            for quantity, (name, more) in quantities.items()
        ]
        panels += [
            _by_place(records, "place", unit, "Last item and earlier ones"),
            _by_place(records, "difference", unit, "Other author’s minus the model’s"),
        ]
    return Drawing(
        tuple(panels),
        "Lists by another author beside the model’s own short lists, both read under the short and "
        "under the long prompt: item by item, at the last item and at all earlier ones, and the "
        "difference between the two. Surprise is −log p, a mean over the tokens of an item.",
        "For logits and for nats: two panels of mean curves with intervals, grey for the model’s "
        "lists, pink for the other author’s, with dots under the long prompt; then points with "
        "intervals at the last and at earlier items; then the differences about zero.",
    )


def _authors() -> marks.Classes:
    colours, dashes, shapes = zip(*LISTS.values(), strict=True)
    return marks.Classes(
        "lists", "", tuple(LISTS), colours, dashes, shapes, columns=2, at=("template",)
    )


def _by_item(records: Sequence[Row], quantity: str, align: str, title: str, unit: str) -> Chart:
    shown = [
        row
        for row in records
        if (row["part"], row["quantity"], row["align"]) == ("mean", quantity, align)
    ]
    # The model's lists may be longer, but there is nothing to hold them against.
    reach = max((abs(row["k"]) for row in shown if row["author"] == "other"), default=0)
    shown = [row for row in shown if abs(row["k"]) <= reach]
    return marks.curves(
        shown,
        title=title,
        x="k",
        x_title=f"item, counted from the {align}",
        y_title=f"mean, {unit}",
        domain=marks.extent(shown, 0.0),
        classes=_authors(),
        tooltip=[
            alt.Tooltip("lists:N", title="author, prompt"),
            alt.Tooltip("k:Q", title="item"),
            *marks.numbers(unit),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )


def _by_place(records: Sequence[Row], part: str, unit: str, title: str) -> Chart:
    """Return both quantities of a unit, at the last item and at the earlier ones."""
    names = {quantity: name for quantity, (name, _) in QUANTITIES[unit].items()}
    shown = [
        {**row, "where": f"{names[row['quantity']]}, {row['place']}"}
        for row in records
        if row["part"] == part and row["quantity"] in names
    ]
    classes = _authors() if part == "place" else prompts.templates(list(PROMPTS.values()))
    panel = marks.intervals(
        shown,
        title=title,
        x_title=f"mean, {unit}",
        row="where",
        order=[f"{name}, {place}" for name in names.values() for place in ("last", "earlier")],
        classes=classes,
        domain=marks.extent(shown, 0.0),
        tooltip=[
            alt.Tooltip("where:N", title="items"),
            alt.Tooltip(f"{classes.field}:N", title="lists"),
            *marks.numbers(unit),
        ],
        step=9 * len(classes.names) + 4,
    )
    panel.layer.insert(0, marks.zero())
    return panel
