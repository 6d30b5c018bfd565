"""What stands out in all charts at once: the mark that a reader points at, and the page's choice.

The page sets a parameter `at_FIELD` in every chart that declares it to the value that the field has
in the mark that is pointed at, as text, whatever chart that is in; while nothing is pointed at, to
what is chosen of it for the whole page, or to nothing. Only fields that a chart's rows have can
match, so a chart declares those alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from site_builder.charts import theme

DIM, HALF = 0.35, 0.65


def parameters(*fields: str) -> list[alt.Parameter]:
    """Return what a page sets to point at `fields` in a chart."""
    return [alt.param(name=f"at_{field}", value="") for field in fields]


def layered(layers: Sequence[alt.Chart], *fields: str, **properties: Any) -> alt.LayerChart:
    """Return charts over each other, in which a page can point at `fields`.

    Altair copies each layer four times to find what they share: it is told here.
    """
    whole = alt.LayerChart(**properties)
    whole["params"] = [one.param for one in parameters(*fields)] or alt.Undefined
    data = layers[0].data
    if data is not alt.Undefined and all(layer.data is data for layer in layers):
        whole.data = data
        layers = [layer.copy(deep=False) for layer in layers]
        for layer in layers:
            layer.data = alt.Undefined
    whole.layer = [*layers]
    return whole


def none(*fields: str) -> str:
    """Return the expression that nothing is pointed at, of these fields."""
    return " && ".join(f"at_{field} === ''" for field in fields)


def match(*fields: str) -> str:
    """Return the expression that a row has all that is pointed at, if anything is."""
    same = [_has(field) for field in fields]
    if len(same) == 1:
        return same[0]
    tests = [f"({none(field)} || {test})" for field, test in zip(fields, same, strict=True)]
    return f"!({none(*fields)}) && {' && '.join(tests)}"


def _has(field: str) -> str:
    """The expression that a row has what is pointed at of a field, be it a number or a text."""
    return f"'' + datum.{field} === at_{field}"


def dimmed(*fields: str) -> alt.OpacityValue:
    """Return the opacity of cells: those that have none of what is pointed at step back.

    A feature is in one layer: its own cells stand out from the others of its layer.
    """
    return alt.OpacityValue(**_dimmed(*fields))


def _dimmed(*fields: str) -> Any:
    others = [field for field in fields if field != "feature"]
    cross = " || ".join(map(_has, others))
    if "feature" not in fields:
        return alt.condition(f"({none(*fields)}) || {cross}", alt.value(1), alt.value(DIM))
    alone = f"{none('feature')} && ({cross})"
    return (
        alt.when(f"({none(*fields)}) || {_has('feature')} || ({alone})")
        .then(alt.value(1))
        .when(cross)
        .then(alt.value(HALF))
        .otherwise(alt.value(DIM))
    )


def band(base: alt.Chart, axis: alt.X | alt.Y, *fields: str, framed: bool = False) -> alt.Chart:
    """Return what marks the rows or columns that are meant.

    Args:
        base: has the rows.
        axis: on which they stand.
        fields: those to match.
        framed: whether a frame about cells, instead of a band behind marks.
    """
    rows = base.transform_filter(match(*fields)).transform_aggregate(
        groupby=[str(axis.shorthand).rpartition(":")[0]]
    )
    drawn: alt.Chart = (
        rows.mark_rect(filled=False, stroke=theme.colour("2"), strokeWidth=2)
        if framed
        else rows.mark_rect(color=theme.colour("fg"), opacity=0.12)
    )
    return drawn.encode(axis)


def beside(base: alt.Chart, axis: alt.Y, *fields: str) -> alt.Chart:
    """Return marks on the left of the rows of a heatmap that are meant, low as the rows may be."""
    drawn: alt.Chart = (
        band(base, axis, *fields)
        .mark_rect(color=theme.colour("fg"))
        .encode(x=alt.XValue(-6), x2=alt.X2Value(-1))
    )
    return drawn


def halo(base: alt.Chart, *fields: str, **mark: Any) -> alt.Chart:
    """Return wide, faint lines under the curves that are meant; `base` has their encoding.

    They have no colour of their own: a legend would take its looks from them.
    """
    drawn: alt.Chart = base.transform_filter(match(*fields)).mark_line(
        strokeWidth=7, opacity=0.25, color=theme.colour("fg"), **mark
    )
    return drawn


def ring(base: alt.Chart, *fields: str) -> alt.Chart:
    """Return rings about the points that are meant; `base` has their places."""
    drawn: alt.Chart = base.transform_filter(match(*fields)).mark_point(
        filled=False, size=150, strokeWidth=1.8, color=theme.colour("fg"), opacity=1
    )
    return drawn
