"""In which topics' lists a feature is among those that move the decision to end most."""

from __future__ import annotations

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, highlight, theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import prompts


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw a heatmap of features, layer by layer, and topics; held-out topics are marked."""
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "name", "layer", "order", "topic", "held_out", "estimate", "n", "overall", digits=3
    )
    for row in records:
        row["feature"] = row["name"]
        row["marked"] = row["topic"] + " †" * row["held_out"]
    features = {row["feature"]: row for row in sorted(records, key=lambda row: row["order"])}
    topics = list(dict.fromkeys(row["marked"] for row in records))
    layers = [row["layer"] for row in features.values()]
    # A line above the first feature of each layer but the first.
    starts = [
        {"feature": name}
        for place, name in enumerate(features)
        if place and layers[place] != layers[place - 1]
    ]
    y = alt.Y(
        "feature:N",
        title=None,
        sort=list(features),
        axis=alt.Axis(labelOverlap=False, labelLimit=92),
    )
    x = alt.X(
        "marked:N",
        title=None,
        sort=topics,
        axis=alt.Axis(labelAngle=-90, labelLimit=120, labelOverlap=False),
    )
    base = alt.Chart(theme.data([_cell(row) for row in records])).transform_calculate(
        marked=prompts.marked(row["topic"] for row in records if row["held_out"])
    )
    cells = heatmap.heatmap(
        base,
        title=alt.TitleParams("By topic", subtitle="rows: layer/feature; † held-out topics"),
        x=x,
        y=y,
        color=alt.Color(
            "estimate:Q",
            title="share of the topic's lists",
            scale=alt.Scale(scheme=theme.SEQUENTIAL, domain=[0, 1]),
            legend=alt.Legend(format="%", values=[0, 0.5, 1]),
        ),
        tooltip=[
            alt.Tooltip("feature:N"),
            alt.Tooltip("marked:N", title="topic"),
            alt.Tooltip("estimate:Q", title="share of its lists", format=".0%"),
            alt.Tooltip("n:Q", title="lists"),
            alt.Tooltip("overall:Q", title="mean, not held out", format=".0%"),
        ],
        at=("feature", "layer"),
    )
    lines = (
        alt.Chart(theme.data(starts))
        .mark_rule(yOffset=-heatmap.STEP / 2, strokeWidth=2, color=theme.colour("fg"))
        .encode(y=y)
    )
    topic = highlight.band(base, x, "topic", framed=True)
    chart = alt.LayerChart(layer=[cells, *([lines] if starts else []), topic])
    return Drawing(
        (chart.add_params(*highlight.parameters("topic")),),
        f"The {len(features)} features that are most often among the ten strongest of their "
        "autoencoder by |effect| on the decision, whose sign is not shown: the share of a topic's "
        "short lists in which each is. They were chosen on the topics that are not held out.",
        "A heatmap with a row a feature, ordered by layer with a line between layers, and a column "
        "a topic; brighter is a larger share of the topic's lists.",
        only={"template": "short"},
    )


def _cell(row: dict[str, object]) -> dict[str, object]:
    return {name: row[name] for name in ("feature", "layer", "topic", "estimate", "n", "overall")}
