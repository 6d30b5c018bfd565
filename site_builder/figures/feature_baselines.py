"""One feature at the deciding token beside directions that need no autoencoder.

The feature is that of the largest effect of all autoencoders, or one that an option names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Drawing

Row = dict[str, Any]

COLUMNS = (
    *("part", "name", "strongest", "change", "topics", "topic", "held_out", "before", "after"),
    *("estimate", "low", "high", "raw", "span", "n"),
)
FEATURE = {
    "exchanged": "exchanged",
    "removed": "removed",
    "other mean": "mean, other prompt",
    "own mean": "mean, own prompt",
}
DIRECTIONS = {
    "stream": "the whole stream",
    "mean direction": "along the difference of means",
    "along feature": "along the feature’s direction",
    "exchanged": "the feature’s activation",
    "random": "a random direction, as far",
}
TOPICS = marks.Classes(
    "topics", "", ("held-out", "all"), (theme.colour("1"), theme.colour("7")), columns=2
)


def draw(table: pa.Table, *, variant: str = "", feature: str = "") -> Drawing:
    """Draw what exchanging it takes away beside its baselines, and ways to change it.

    Args:
        table: Shares by feature and change.
        variant: There is one, "".
        feature: Its name, as layer/feature; by default the one of the largest effect.
    """
    theme.choose(variant, [""], "variant")
    records = theme.rows(table, *COLUMNS)
    strongest = next((row["name"] for row in records if row["strongest"]), "")
    name = theme.choose(feature or strongest, [row["name"] for row in records], "feature")
    shares = [row for row in records if row["name"] == name and row["part"] == "share"]
    return Drawing(
        (
            _shares(shares, DIRECTIONS, "Exchanged with the other prompt", "what is exchanged"),
            _shares(shares, FEATURE, f"Ways to change {name}", "its activation is"),
        ),
        "What a change at the deciding token takes away of what the length word does there, after "
        f"the block of {name}. Exchanged: the list’s own value under the other prompt is put in, "
        "of the feature, of the stream along one direction, or of the whole stream; a random "
        "direction moves the stream as far as the feature does. The difference of means comes from "
        "topics that are not held out, without the list’s own. Ways to change the feature: before "
        "and after are in the tooltips.",
        "Two panels of points with intervals, a row a change: shares of the word’s effect that are "
        "taken away, on held-out topics and on all.",
        only={"template": "short"},
    )


def _shares(records: Sequence[Row], names: dict[str, str], title: str, said: str) -> Chart:
    """A row a change, held-out topics and all."""
    shown = [
        {
            **{name: row[name] for name in ("topics", "estimate", "low", "high", "n")},
            **{name: row[name] for name in ("before", "after", "raw")},
            "change": names[row["change"]],
        }
        for row in records
        if row["change"] in names
    ]
    return marks.intervals(
        shown,
        title=alt.TitleParams(title, subtitle=said),
        x_title="share of the word’s effect",
        row="change",
        order=list(names.values()),
        classes=TOPICS,
        domain=marks.extent(shown, 0.0, 1.0),
        percent=True,
        step=34,
        tooltip=[
            alt.Tooltip("change:N"),
            alt.Tooltip("topics:N"),
            *marks.numbers("share"),
            alt.Tooltip("raw:Q", title="logits", format=".2f"),
            alt.Tooltip("before:Q", title="activation before", format=".1f"),
            alt.Tooltip("after:Q", title="and after", format=".1f"),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )
