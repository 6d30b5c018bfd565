"""Which earlier features drive the later ones that decide: `attribution cross-layer`.

The effect is on the pre-activation of a later feature, whose unit is its own: what is compared over
later features are shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing, DrawingError
from site_builder.figures import effects, saes

Row = dict[str, Any]
Target = tuple[str, int, str, int | None, int]

UNIT = "activation"
SHOWN = 14
"""Causes of a later feature that are drawn."""

TO = ("to_site", "to_layer", "to_role", "to_k_end", "to_feature")
COLUMNS = (
    *("part", "topics", "site", "layer", "role", "k_end", "feature", *TO, "group", "quantity"),
    *("method", "rank", "estimate", "low", "high", "share", "measured", "fires", "n"),
)
GROUPS = marks.Classes("group", "", ("top", "random"), (theme.colour("2"), theme.colour("7")))


def cross_layer(table: pa.Table) -> Drawing:
    """Draw what drives the later features: by layer, the strongest causes, and their check."""
    records = theme.rows(table, *COLUMNS, digits=3)
    targets = _targets(records)
    choices = _choices(records, targets)
    return Drawing(
        (
            _by_layer(records, targets),
            effects.strongest(choices, UNIT, "What drives one of them"),
            effects.sums(choices, UNIT, "The same, by layer"),
            *_checks(records),
            *_agreements(records),
        ),
        "What drives the later features that matter most to the decision: the effect of earlier "
        "features on a later one’s pre-activation, activation times gradient, with error terms "
        "held constant. In the heatmap a cell is the part that the features of a layer have, with "
        "its sign, in all that this layer gives (features, error and bias, sizes added up).",
        "A heatmap with a row for each later feature and a column for each earlier layer; points "
        "with intervals for the strongest causes of one later feature, and for sums over features, "
        "error and bias of each earlier layer; a scatter plot of measured against estimated "
        "effects, and their correlation by the later layer.",
        choices=choices,
        only={"template": "short"},
    )


def _key(row: Row) -> Target:
    return row["to_site"], row["to_layer"], row["to_role"], row["to_k_end"], row["to_feature"]


def _targets(records: Iterable[Row]) -> dict[Target, str]:
    """Later features by name, the last layer first, in the order of their effect.

    Raises:
        DrawingError: if there is none.
    """
    keys = {
        _key(row): row["to_layer"]
        for row in records
        if row["part"] == "sum" and row["to_feature"] is not None
    }
    if not keys:
        raise DrawingError("the result has no row with part sum", "measure it again")
    named = {}
    for key in sorted(keys, key=lambda key: -keys[key]):
        site, layer, role, k_end, feature = key
        named[key] = f"{saes.role(role, k_end)} {saes.feature(site, layer, feature)}"
    return named


def _choices(records: Iterable[Row], targets: Mapping[Target, str]) -> Choices:
    """Causes and sums by later feature; the strongest causes, whatever their layer."""
    found: dict[Target, dict[str, list[Row]]] = {key: {"feature": [], "sum": []} for key in targets}
    for row in records:
        if row["part"] in ("feature", "sum") and _key(row) in targets:
            found[_key(row)][row["part"]].append(row)
    options: dict[tuple[str, ...], list[Row]] = {}
    for key, name in targets.items():
        sizes = {
            _cause(row): abs(row["estimate"])
            for row in found[key]["feature"]
            if row["topics"] == "other"
        }
        largest = sorted(sizes, key=lambda cause: -sizes[cause])[:SHOWN]
        rows = [
            effects.feature(row, largest.index(_cause(row)) + 1)
            for row in found[key]["feature"]
            if _cause(row) in largest
        ]
        places = saes.places(found[key]["sum"])
        sums = [
            effects.sum_of(row, saes.name(row["site"], row["layer"])) for row in found[key]["sum"]
        ]
        options[(name,)] = rows + sorted(sums, key=lambda row: places.index(row["place"]))
    return Choices(("later feature",), options, next(iter(options)))


def _cause(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("site", "layer", "role", "k_end", "feature"))


def _by_layer(records: Iterable[Row], targets: Mapping[Target, str]) -> Chart:
    """The part of features in what each earlier layer gives to each later feature."""
    given: dict[tuple[Target, str], Row] = {}
    sums = [row for row in records if row["part"] == "sum" and _key(row) in targets]
    for row in sums:
        cell = given.setdefault((_key(row), saes.name(row["site"], row["layer"])), dict(row))
        cell[row["quantity"]] = row["estimate"]
    shown = []
    for (key, place), cell in given.items():
        size = sum(abs(cell.get(name) or 0) for name in ("features", "error", "bias"))
        shown.append(
            {
                **{name: cell.get(name) for name in effects.SUMS},
                **{"to": targets[key], "feature": saes.feature(key[0], key[1], key[4])},
                **{"place": place, "layer": cell["layer"], "n": cell["n"]},
                "part": theme.significant((cell.get("features") or 0) / (size or 1), 3),
            }
        )
    # Names are longer than roles; the axis takes what a phone can spare.
    names = alt.Axis(labelLimit=150, labelOverlap=False)
    return heatmap.heatmap(
        alt.Chart(theme.data(shown)),
        title=alt.TitleParams(
            "What drives later features",
            subtitle=["role, layer/feature", "colour: the part of features"],
        ),
        x=alt.X(
            "place:N",
            title="earlier layer",
            sort=saes.places(sums),
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y("to:N", title=None, sort=list(targets.values()), axis=names),
        color=heatmap.colour("part", None, 1.0),
        end=1.0,
        tooltip=[
            alt.Tooltip("to:N", title="later feature"),
            alt.Tooltip("place:N", title="earlier layer"),
            alt.Tooltip("part:Q", title="part of features", format=".2f"),
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in effects.SUMS),
            alt.Tooltip("n:Q", title="topics"),
        ],
        at=("feature", "layer"),
    )


def _checks(records: Iterable[Row]) -> Iterable[Chart]:
    """Causes that were really taken out, measured by estimated, all later features together."""
    shown = [effects.check_of(row) for row in records if row["part"] == "check"]
    if shown:
        yield effects.checks(shown, title="Causes really taken out", unit=UNIT, classes=GROUPS)


def _agreements(records: Iterable[Row]) -> Iterable[Chart]:
    """Correlation and slope by the layer of the later features."""
    words = {"pearson": "correlation", "slope": "slope"}
    shown = [
        {
            **{name: row[name] for name in (*effects.BOUNDS, "n")},
            "place": saes.name(row["to_site"], row["to_layer"]),
            "by": words[row["quantity"]],
        }
        for row in records
        if row["part"] == "agreement"
        and (row["group"], row["method"], row["layer"]) == ("all", "gradient", None)
    ]
    names = tuple(name for name in words.values() if name in {row["by"] for row in shown})
    if shown:
        colours = (theme.colour("2"), theme.colour("1"))
        yield marks.intervals(
            shown,
            title=alt.TitleParams(
                "Measured and estimated, by the later layer", subtitle=effects.ACTING
            ),
            x_title="",
            row="place",
            order=list(dict.fromkeys(row["place"] for row in shown)),
            classes=marks.Classes("by", "", names, colours),
            domain=marks.extent(shown, 0.0, 1.0),
            step=28,
            tooltip=[
                alt.Tooltip("place:N", title="later layer"),
                alt.Tooltip("by:N", title="quantity"),
                *marks.numbers("value"),
                alt.Tooltip("n:Q", title="cells"),
            ],
        )
