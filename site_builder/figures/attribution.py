"""Features that make the model end its list: the strongest, sums, and how far to believe them.

Effects are gradient × activation. Features were chosen on topics that are not held out; what is to
be believed is their effect on held-out ones. `cross-layer` is drawn by `feature_links`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing, DrawingError
from site_builder.figures import agreement, effects, feature_links, roles, saes

Row = dict[str, Any]

METRICS = {
    "logit-difference": (
        "logits",
        "the difference of logits",
        "The effect of features on the difference of logits between ending and going on, at the "
        "deciding token: above zero a feature speaks for the end.",
    ),
    "log-prob": (
        "nats",
        "−ln p",
        "The effect of features on −ln p of the token that the model wrote at the deciding place: "
        "above zero a feature makes that token less likely.",
    ),
}
AGAINST = {"zero": "zero", "corrupted": "the other prompt"}
TAKEN_OUT = {"zero": "Cells set to zero", "corrupted": "Cells set as under the other prompt"}
SHOWN = 15
"""Features of a layer that are drawn."""

COLUMNS = (
    *("part", "template", "against", "topics", "topic", "site", "layer", "role", "k_end"),
    *("feature", "group", "quantity", "method", "rank", "estimate", "low", "high", "share"),
    *("measured", "integrated", "fires", "n"),
)
GROUPS = marks.Classes(
    "group", "", ("top", "random"), (theme.colour("2"), theme.colour("7")), shapes=theme.SHAPES
)


def draw(table: pa.Table, *, variant: str = "logit-difference") -> Drawing:
    """Draw the features that decide, or (`cross-layer`) those that drive them."""
    theme.choose(variant, [*METRICS, "cross-layer"], "variant")
    if variant == "cross-layer":
        return feature_links.cross_layer(table)
    unit, metric, what = METRICS[variant]
    records = theme.rows(table, *COLUMNS, digits=3)
    choices = _choices(records)
    return Drawing(
        (
            effects.strongest(choices, unit),
            effects.sums(choices, unit),
            _by_role(choices),
            *_checks(records, unit),
            *_agreements(records),
            *_integrated(records, unit),
        ),
        f"{what} Each is its activation times the gradient, compared with its activation under "
        "the other length word, or with zero; error terms, what the autoencoder does not explain, "
        "are held constant and shown beside. Compared with zero, the parts add up to x·∂m/∂x, "
        f"and not to {metric}: shares of the decision can be "
        "read only against the other prompt, and only to first order. The strongest features were "
        "chosen on the other topics: believe the held-out ones. In the scatter plots cells are "
        "really taken out, and estimates are right on the dashed line.",
        "Points with intervals for the strongest features of one layer, held out and chosen on; "
        "points with intervals for the sums over features, error and bias of each layer; a heatmap "
        "of the sums over features by layer and role; scatter plots of measured against estimated "
        "effects, and their correlation and slope by layer.",
        choices=choices,
    )


def _choices(records: Iterable[Row]) -> Choices:
    """Features and sums, by layer, length word and what activations are compared with."""
    features: dict[tuple[str, ...], list[Row]] = {}
    sums: dict[tuple[str, ...], list[Row]] = {}
    found = [row for row in records if row["part"] in ("feature", "sum")]
    for row in found:
        of = row["template"], AGAINST[row["against"]]
        place = saes.name(row["site"], row["layer"])
        if row["part"] == "sum":
            if row["role"] is None or row["quantity"] == "features":
                sums.setdefault(of, []).append(effects.sum_of(row, place))
        elif row["rank"] <= SHOWN:
            features.setdefault((place, *of), []).append(effects.feature(row, row["rank"]))
    places = saes.places(found)
    options = {
        key: effects.with_end([*features[key], *sums.get(key[1:], ())])
        for key in sorted(features, key=lambda key: places.index(key[0]))
    }
    if not options:
        raise DrawingError("the result has no row with part feature", "measure it again")
    usual = saes.usual(places)
    first = usual, "short", AGAINST["corrupted"]
    chosen = min(
        options, key=lambda key: [part != own for part, own in zip(key, first, strict=True)]
    )
    return Choices(("layer", "length word", "compared with"), options, chosen)


def _by_role(choices: Choices) -> Chart:
    """Sums over features, layer by role; colours end where those of the picked ones do."""
    base = effects.picked(choices, "role").add_params(heatmap.end_of_picked("end"))
    rows = [row for rows in choices.options.values() for row in rows if row["what"] == "role"]
    present = {row["role"] for row in rows}
    order = [role for role in (saes.START, *roles.ROLES) if role in present]
    return heatmap.heatmap(
        base,
        title="Sums over features, by role",
        x=alt.X("place:N", title="layer", sort=effects.places(rows), axis=alt.Axis(labelAngle=0)),
        y=heatmap.roles_axis(order),
        color=heatmap.colour("estimate", "effect", "end"),
        end="end",
        tooltip=[alt.Tooltip("place:N", title="layer"), alt.Tooltip("role:N"), *marks.numbers()],
    )


def _checks(records: Sequence[Row], unit: str) -> Iterable[Chart]:
    """Cells that were really taken out, measured by estimated."""
    for against, title in TAKEN_OUT.items():
        of = [row for row in records if row["against"] == against]
        shown = [effects.check_of(row) for row in of if row["part"] == "check"]
        over_all = [row for row in of if row["part"] == "agreement" and row["layer"] is None]
        if shown:
            said = effects.agreement_of(over_all)
            yield effects.checks(shown, title=title, unit=unit, said=said, classes=GROUPS)


def _agreements(records: Sequence[Row]) -> Iterable[Chart]:
    """Correlation and slope, layer by layer."""
    found = [
        row
        for row in records
        if (row["part"], row["group"]) == ("agreement", "all")
        # By integrated gradients only one layer was measured, which has a row of its own.
        and not (row["layer"] is None and row["method"] == "integrated")
    ]
    ways = {
        ("zero", "gradient"): "zero",
        ("corrupted", "gradient"): "the other prompt",
        ("corrupted", "integrated"): "the same, integrated",
    }
    shown = [
        {
            **{name: row[name] for name in (*effects.BOUNDS, "quantity", "n", "layer")},
            "by": ways[row["against"], row["method"]],
            "place": effects.ALL if row["layer"] is None else saes.name(row["site"], row["layer"]),
        }
        for row in found
        if (row["against"], row["method"]) in ways
    ]
    names = tuple(name for name in ways.values() if name in {row["by"] for row in shown})
    colours = tuple(theme.colour(str(number + 1)) for number in range(len(names)))
    layers = saes.places(row for row in found if row["layer"] is not None)
    for quantity, title in (
        ("pearson", "Correlation of estimated and measured"),
        ("slope", "Slope, measured per estimated"),
    ):
        rows = [row for row in shown if row["quantity"] == quantity]
        if rows:
            yield marks.intervals(
                rows,
                title=alt.TitleParams(title, subtitle=effects.ACTING),
                x_title="",
                row="place",
                order=[*layers, effects.ALL],
                classes=marks.Classes("by", "", names, colours, columns=2),
                domain=marks.extent(rows, 0.0, 1.0),
                step=12 * len(names) + 4,
                at=("layer",),
                tooltip=[
                    alt.Tooltip("place:N", title="layer"),
                    alt.Tooltip("by:N", title="against"),
                    *marks.numbers("value"),
                    alt.Tooltip("n:Q", title="cells"),
                ],
            )


def _integrated(records: Sequence[Row], unit: str) -> Iterable[Chart]:
    """A whole layer at once, by gradient and by integrated gradients, list by list."""
    found = [row for row in records if row["part"] == "integrated"]
    fields = {agreement.PLAIN: "estimate", agreement.INTEGRATED: "integrated"}
    shown = [
        {"topic": row["topic"], "measured": row["measured"], "guess": row[field], "by": method}
        for row in found
        for method, field in fields.items()
    ]
    if shown:
        yield agreement.points(
            alt.Chart(theme.data(shown)),
            title=f"All of layer {saes.places(found)[0]}, each held-out list",
            unit=unit,
            classes=agreement.methods(fields),
            at=("topic",),
            tooltip=[
                alt.Tooltip("topic:N"),
                *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("measured", "guess")),
                agreement.METHOD,
            ],
        )
