"""Single features that really move the decision: tested one by one, with random ones beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing
from site_builder.figures import agreement, saes

Row = dict[str, Any]

SHOWN = 20
"""Features of a layer and group that are drawn."""

SURVIVES, FAILS = "top, survives", "top, does not"
LUCKY, RANDOM = "random, survives", "random, does not"
KINDS = marks.Classes(
    "kind",
    "",
    (SURVIVES, FAILS, LUCKY, RANDOM),
    (theme.colour("2"), theme.colour("5"), theme.colour("1"), theme.colour("7")),
    shapes=("circle", "square", "triangle-up", "cross"),
    columns=2,
)
COLUMNS = (
    *("site", "layer", "group", "rank", "feature", "effect", "value", "estimate", "low", "high"),
    *("moved", "n", "p", "q", "survives"),
)
_TOLD = [
    alt.Tooltip("feature:N"),
    alt.Tooltip("kind:N", title="cells"),
    *marks.numbers("change, logits", ".3f"),
    alt.Tooltip("q:Q", title="q", format=".2~g"),
    alt.Tooltip("moved:Q", title="changes lists"),
    alt.Tooltip("n:Q", title="of"),
]


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw the changes of one layer's features, and of all of them by what was expected."""
    theme.choose(variant, [""], "variant")
    records = [_told(row) for row in theme.rows(table, *COLUMNS, digits=3)]
    choices = _choices(records)
    counts = [
        f"{sum(bool(row['survives']) for row in of)} of {len(of)}"
        for group in ("top", "random")
        for of in [[row for row in records if row["group"] == group]]
    ]
    return Drawing(
        (_layer(choices), _expected(records)),
        "What setting one feature to its mean under the other prompt, at the deciding token, does "
        "to the difference of logits between ending and going on, on held-out topics. A feature "
        "survives if its change differs from zero after correction (Benjamini and Hochberg, false "
        "discovery rate 5 %), within the top features and, apart, within the random ones, which "
        f"tell what the test makes of features that nobody chose: {counts[0]} top features "
        f"survive, {counts[1]} random ones do.",
        "Points with intervals for the features of one layer, top ones and matched random ones, "
        "marked by whether they survive the correction; and a scatter plot of the measured change "
        "against what attribution expected.",
        choices=choices,
        only={"template": "short"},
    )


def _told(row: Row) -> Row:
    """Add to a feature its name, and whether it survives in words."""
    kinds = (SURVIVES, FAILS) if row["group"] == "top" else (LUCKY, RANDOM)
    name = saes.feature(row["site"], row["layer"], row["feature"])
    return {**row, "feature": name, "kind": kinds[not row["survives"]]}


def _choices(records: Sequence[Row]) -> Choices:
    places = saes.places(records)
    options: dict[tuple[str, ...], list[Row]] = {(place,): [] for place in places}
    kept = ("feature", "kind", "estimate", "low", "high", "q", "moved", "n", "layer")
    for row in sorted(records, key=lambda row: (row["group"] != "top", row["rank"])):
        shown = options[(saes.name(row["site"], row["layer"]),)]
        if row["rank"] <= SHOWN:
            label = f"{len(shown):03d} {row['feature']}"
            shown.append({"label": label, **{name: row[name] for name in kept}})
    return Choices(("layer",), options, (saes.usual(places),))


def _layer(choices: Choices) -> Chart:
    panel = marks.intervals(
        alt.Chart(marks.picked(choices)),
        title=alt.TitleParams("One feature at a time", subtitle="top ones, then random ones"),
        x_title="change of the contrast, logits",
        row="label",
        order=None,
        classes=KINDS,
        domain=(None, None),
        step=15,
        apart=False,
        at=("feature", "layer"),
        tooltip=_TOLD,
    )
    panel.layer.insert(0, marks.zero())
    return panel


def _expected(records: Sequence[Row]) -> Chart:
    """Measured by attributed, all layers: taking an effect away is a change the other way."""
    kept = ("feature", "kind", "low", "high", "q", "moved", "n", "layer", "estimate")
    shown = [
        {
            **{name: row[name] for name in kept},
            **{
                "measured": row["estimate"],
                "guess": None if row["effect"] is None else -row["effect"],
            },
        }
        for row in records
    ]
    return agreement.points(
        alt.Chart(theme.data(shown)),
        title="Every feature, measured by attributed",
        unit="logits",
        classes=KINDS,
        tooltip=[*_TOLD, alt.Tooltip("guess:Q", title="attributed", format=".3f")],
        at=("feature", "layer"),
    )
