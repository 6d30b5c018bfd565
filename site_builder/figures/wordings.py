"""Which wordings move a model: what the length that is asked for does to the odds of ending."""

from __future__ import annotations

from collections import Counter

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Drawing

ITEMS = {3: ("1", "circle"), 5: ("7", "square"), 9: ("3", "triangle-up")}
"""The items after which it is shown, with colour and shape."""


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw the difference that each wording makes after the items of `ITEMS`.

    Args:
        table: The means over topics, by wording and item.
        variant: There is one, "".
    """
    theme.choose(variant, [""], "variant")
    columns = ("part", "wording", "shown", "k", "estimate", "low", "high", "n")
    means = [
        row for row in theme.rows(table, *columns) if row["part"] == "mean" and row["k"] in ITEMS
    ]
    asked = list(dict.fromkeys((row["wording"], row["shown"]) for row in means))
    names = _names(asked)
    records = [
        {**row, "asked": names[row["wording"], row["shown"]], "item": _item(row["k"])}
        for row in means
    ]
    colours, shapes = zip(*ITEMS.values(), strict=True)
    classes = marks.Classes(
        "item", "", tuple(map(_item, ITEMS)), tuple(map(theme.colour, colours)), shapes=shapes
    )
    panel = marks.intervals(
        records,
        title=alt.TitleParams(
            "First length minus second", subtitle="difference of proxy A after an item, logits"
        ),
        x_title="logits",
        row="asked",
        order=list(names.values()),
        classes=classes,
        tooltip=[
            alt.Tooltip("wording:N", title="wording"),
            alt.Tooltip("shown:N", title="lengths of the lists before"),
            alt.Tooltip("item:N", title="after"),
            *marks.numbers("logits"),
            alt.Tooltip("n:Q", title="topics"),
        ],
        domain=marks.extent(records, 0.0),
        step=30,
    )
    panel.layer.insert(0, marks.zero())
    return Drawing(
        (panel,),
        "How much likelier an end is when the first length of a wording is asked for instead of "
        "the second, after the third, fifth and ninth of ten given items: mean difference of "
        "proxy A over topics. In brackets how long the lists are that are shown before, where one "
        "wording stood behind several.",
        "A row for each wording, with a point and an interval for each of three items, about a "
        "line at zero.",
    )


def _names(asked: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What each row is called: its wording, and what is shown before where that tells it apart."""
    often = Counter(wording for wording, _ in asked)
    return {
        (wording, shown): wording.replace("{topic}", "…").rstrip(":")
        + (f" ({shown.replace(' ', '')})" if often[wording] > 1 else "")
        for wording, shown in asked
    }


def _item(k: int) -> str:
    return f"item {k}"
