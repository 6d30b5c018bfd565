"""The two proxies of ending, item by item: how far the model leans towards the end of the list."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.drawing import Chart, Drawing
from site_builder.figures import parts, theme

FEWEST = 10
"""A mean over fewer lists than this is not drawn."""

Records = list[dict[str, Any]]

PROXIES = {"proxy_a": "Proxy A, end against going on", "proxy_b": "Proxy B, blank against break"}
CURVES = {
    "short, clean": (theme.SHORT, [1, 0]),
    "short, corrupted": (theme.SHORT, [3, 3]),
    "long, clean": (theme.LONG, [1, 0]),
    "long, corrupted": (theme.LONG, [3, 3]),
}


def draw(table: pa.Table, *, variant: str = "mean") -> Drawing:
    """Draw the mean of both proxies over lists, from the last item and from the first."""
    theme.choose(variant, ["mean"], "variant")
    columns = ("template", "condition", "proxy", "align", "k", "estimate", "low", "high", "n")
    records = [
        {**row, "lists": f"{row['template']}, {row['condition']}"}
        for row in theme.rows(table, *columns)
        if row["n"] >= FEWEST
    ]
    return Drawing(
        tuple(
            _mean(records, proxy, align, f"{name}, from the {side} item")
            for proxy, name in PROXIES.items()
            for align, side in (("end", "last"), ("start", "first"))
        ),
        "How far the model leans towards ending (A) and towards a blank (B) where it decides: mean "
        "difference of logits over lists, by the length word the list was sampled with, under that "
        "prompt (clean) and under the other one (corrupted). Above zero the end is the likelier.",
        "Four panels of mean curves with intervals: proxies A and B, counted from the last and "
        "from the first item. Solid lines are clean, dashed ones corrupted.",
    )


def _mean(records: Records, proxy: str, align: str, title: str) -> Chart:
    shown = [row for row in records if (row["proxy"], row["align"]) == (proxy, align)]
    names = tuple(name for name in CURVES if name in {row["lists"] for row in shown})
    colours, dashes = zip(*(CURVES[name] for name in names), strict=True)
    of_proxy = [row for row in records if row["proxy"] == proxy]
    return parts.curves(
        shown,
        title=title,
        x="k",
        x_title=f"item, counted from the {align}",
        y_title="difference of logits",
        domain=(min(row["low"] for row in of_proxy), max(0.0, *(row["high"] for row in of_proxy))),
        classes=parts.Classes("lists", "", names, colours, dashes, columns=2),
        tooltip=[
            alt.Tooltip("lists:N", title="lists"),
            alt.Tooltip("k:Q", title="item"),
            alt.Tooltip("estimate:Q", title="difference, logits", format=".2f"),
            alt.Tooltip("low:Q", title="from", format=".2f"),
            alt.Tooltip("high:Q", title="to", format=".2f"),
            alt.Tooltip("n:Q", title="lists counted"),
        ],
    )
