"""How far estimates agree with what they estimate: point by point, by site and by layer.

Records of agreement carry `where` (the site, in words) and `by` (the method, one of `METHODS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from site_builder.charts import heatmap, highlight, theme
from site_builder.charts import marks as parts
from site_builder.charts.drawing import Chart

Row = dict[str, Any]

PLAIN, CORRECTED, INTEGRATED = "plain", "corrected", "integrated"
METHODS = {
    PLAIN: (theme.colour("1"), "square"),
    CORRECTED: (theme.colour("2"), "circle"),
    INTEGRATED: (theme.colour("3"), "triangle-up"),
}

METHOD = alt.Tooltip("by:N", title="estimate")
_NUMBERS = [
    alt.Tooltip("where:N", title="site"),
    *parts.numbers("value", ".3f"),
    alt.Tooltip("n:Q", title="patches"),
]


def methods(names: Iterable[str]) -> parts.Classes:
    """Return the classes of the estimates that occur, in the field `by`."""
    present = set(names)
    shown = tuple(name for name in METHODS if name in present)
    colours, shapes = zip(*(METHODS[name] for name in shown), strict=True)
    return parts.Classes("by", "", shown, colours, shapes=shapes, columns=2)


def points(
    base: alt.Chart,
    *,
    title: str,
    unit: str,
    classes: parts.Classes,
    tooltip: Sequence[alt.Tooltip],
    said: Sequence[str] = (),
    at: Sequence[str] = (),
) -> Chart:
    """Return points of `measured` by `guess`, and the line on which a guess is right.

    Args:
        said: more lines to stand under the title.
        at: fields of `highlight` that the data has.
    """
    across, up = f"estimated, {unit}", f"measured, {unit}"
    ends = base.transform_aggregate(
        a="min(measured)", b="min(guess)", c="max(measured)", d="max(guess)"
    ).transform_calculate(low="min(datum.a, datum.b)", high="max(datum.c, datum.d)")
    right = ends.mark_rule(strokeDash=[4, 3]).encode(
        x=alt.X("low:Q", title=across), x2=alt.X2("high:Q"), y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
    )
    places = base.encode(
        x=alt.X("guess:Q", title=across, axis=alt.Axis(grid=True, tickCount=5)),
        y=alt.Y("measured:Q", axis=alt.Axis(title=None)),
    )
    marks = places.mark_point(fillOpacity=0.6).encode(tooltip=list(tooltip), **classes.of_points())
    return highlight.layered(
        [right, *([highlight.ring(places, *at)] if at else []), marks],
        *at,
        title=alt.TitleParams(title, subtitle=[up, *said] if said else up),
        width=theme.PANEL,
        height=230,
    )


def by_site(records: Sequence[Row], quantity: str, title: str) -> Chart:
    """Return a quantity over all layers, a row a site, for each method."""
    shown = [row for row in records if row["quantity"] == quantity and row["layer"] is None]
    return parts.intervals(
        shown,
        title=title,
        x_title="",
        row="where",
        order=list(dict.fromkeys(row["where"] for row in shown)),
        classes=methods(row["by"] for row in shown),
        domain=parts.extent(shown, 1.0),
        tooltip=[*_NUMBERS, METHOD],
    )


def by_layer(records: Iterable[Row]) -> Chart:
    """Return the correlation layer by layer, a line a site, corrected where that is possible."""
    best: dict[tuple[str, int], Row] = {}
    for row in records:
        if row["quantity"] == "pearson" and row["layer"] is not None:
            place = row["where"], row["layer"]
            best[place] = row if row["by"] == CORRECTED else best.get(place, row)
    shown = list(best.values())
    corrected = any(row["by"] == CORRECTED for row in shown)
    names = tuple(dict.fromkeys(row["where"] for row in shown))
    colours = tuple(theme.colour(str(number + 1)) for number in range(len(names)))
    curves = parts.curves(
        shown,
        title="Correlation by layer",
        x="layer",
        x_title="layer",
        y_title="Pearson, queries and keys corrected" if corrected else "Pearson",
        domain=parts.extent(shown, 1.0),
        classes=parts.Classes("where", "", names, colours),
        tooltip=[alt.Tooltip("layer:Q"), *_NUMBERS],
    )
    return heatmap.linked(curves)
