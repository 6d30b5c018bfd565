"""Heatmaps of effects: by layer, head, role and token, on one diverging scale, linked by pointing.

Every cell's row carries `role` (the words on the axis) and `layer`, where it has them. What is
pointed at in any chart, such a row and such a column, stays as it is, and the rest is dimmed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from site_builder.charts import highlight, marks, theme
from site_builder.charts.drawing import PICKED, Chart, Choices

Row = dict[str, Any]

ENDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Where a scale of shares may end, on either side of zero."""

STEP = 13
"""Height of a row in pixels: its name is as large as any other label."""

_INTERVAL = (
    "isValid(datum.low) ? format(datum.low, '.2f') + ' to ' + format(datum.high, '.2f') : 'none'"
)


def head(layer: int, number: int) -> str:
    """Return the name of a head of the model."""
    return f"{layer}.{number}"


def token(position: int, text: str) -> str:
    """Return what sorts as a position and what `tokens_axis` shows as its token.

    A space before a word gets a sign: on an axis it could not be seen.
    """
    shown = theme.visible(text)
    return f"{position:04d}" + (f"␣{shown[1:]}" if shown.startswith(" ") else shown)


def end_of_scale(values: Iterable[float], ends: Sequence[float] = ENDS) -> float:
    """Return the smallest of `ends` beyond which at most one value in fifty lies."""
    sizes = sorted(abs(value) for value in values) or [0.0]
    most = sizes[-1 - len(sizes) // 50]
    return next((end for end in ends if most <= end), ends[-1])


def colour(field: str, title: str | None, end: float | str) -> alt.Color:
    """Return a diverging colour that is transparent at zero, and so holds on any page.

    It rises faster at first, so that a small share can be told from none on a dark page, too.

    Args:
        end: where it ends on either side, or the name of a parameter that says it.
    """
    blue, orange = "40, 134, 218", "232, 112, 20"
    opaque = {1: 1, 1 / 4: 0.45, 1 / 1000: 0.06}
    beyond = "(datum.value > 0 ? '≥ ' : '≤ −') + format(abs(datum.value), '~g')"
    return alt.Color(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(
            domain=[
                *(alt.ExprRef(f"-{share:g} * {end}") for share in opaque),
                *(alt.ExprRef(f"{share:g} * {end}") for share in reversed(opaque)),
            ],
            range=[
                *(f"rgba({blue}, {alpha})" for alpha in opaque.values()),
                *(f"rgba({orange}, {alpha})" for alpha in reversed(opaque.values())),
            ],
            interpolate="rgb",
            clamp=True,
        ),
        legend=alt.Legend(
            gradientLength=110,
            values=alt.ExprRef(f"[-{end}, 0, {end}]"),
            labelExpr=f"abs(datum.value) < {end} ? '0' : {beyond}",
        ),
    )


def end_of_picked(name: str) -> alt.Parameter:
    """Return the parameter `name`: that field of the first of the rows that a reader picked."""
    return alt.param(name=name, expr=f"data('{PICKED}')[0].{name}")


def layers_axis(count: int, title: str = "layer") -> alt.X:
    """Return the x of layers 0 to `count` − 1."""
    values = list(range(0, count, 5 if count > 12 else 1))
    axis = alt.Axis(values=values, tickCount=len(values), labelAngle=0)
    return alt.X("layer:O", title=title, axis=axis)


def heads_axis(base: alt.Chart) -> tuple[alt.Chart, alt.X]:
    """Return the data with one number a head of the model, and its x, the layer above ".head"."""
    axis = alt.Axis(
        labelExpr="['' + floor(datum.value / 1000), '.' + datum.value % 1000]",
        labelAngle=0,
        labelFontSize=11,
        labelOverlap=False,
    )
    numbered = base.transform_calculate(at="1000 * datum.layer + datum.head")
    return numbered, alt.X("at:O", title="layer.head", axis=axis)


def roles_axis(present: Sequence[str]) -> alt.Y:
    """Return the y of roles, in reading order."""
    return alt.Y("role:N", title=None, sort=list(present), axis=_names_axis())


def tokens_axis() -> alt.Y:
    """Return the y of the tokens of a text, as `token` writes them."""
    axis = _names_axis(labelExpr="slice(datum.value, 4)")
    return alt.Y("token:N", title=None, axis=axis)


def _names_axis(**more: Any) -> alt.Axis:
    return alt.Axis(labelLimit=92, labelOverlap=False, **more)


def heatmap(
    base: alt.Chart,
    *,
    title: str | alt.TitleParams,
    x: alt.X,
    y: alt.Y,
    color: alt.Color,
    tooltip: Sequence[alt.Tooltip],
    end: float | str | None = None,
    at: Sequence[str] = ("role", "layer"),
) -> Chart:
    """Return a panel of cells, one a row of the data.

    Args:
        end: that of a diverging `colour`: cells well below zero get a minus sign, because neither
            a printer nor every reader tells its two colours apart.
        at: fields of `highlight` whose cells stand out.
    """
    cells: alt.Chart = base.mark_rect().encode(
        x=x,
        y=y,
        color=color,
        opacity=highlight.dimmed(*at),
        tooltip=list(tooltip),
    )
    chart: Chart = cells
    if end is not None:
        field = str(color["shorthand"]).partition(":")[0]
        below = base.transform_filter(f"datum.{field} < -{end} / 8")
        chart += below.mark_text(text="−", tooltip=None).encode(x=x, y=y)
    chart = chart.properties(title=title, width=theme.PANEL, height=alt.Step(STEP))
    return chart.add_params(*highlight.parameters(*at))


def means(records: Sequence[Row]) -> alt.Chart:
    """Return the data of a panel of means, their intervals as words for a tooltip."""
    return alt.Chart(theme.data(records)).transform_calculate(interval=_INTERVAL)


def picked(choices: Choices, *fields: str, **same: Iterable[Any]) -> alt.Chart:
    """Return the data of a panel whose rows a reader picks, cell by cell.

    Args:
        choices: each row is a line of cells, lists in it: the names of fields again for every cell
            would be most of the page's weight.
        fields: those that are lists.
        same: lists that all rows share.
    """
    base = alt.Chart(marks.picked(choices))
    for name, values in same.items():
        base = base.transform_calculate(**{name: json.dumps(list(values))})
    return base.transform_flatten([*same, *fields])


def at_layer(base: alt.Chart) -> alt.Chart:
    """Return a line at the layer that is pointed at in any chart of the page."""
    line: alt.Chart = base.transform_filter(highlight.match("layer")).mark_rule(strokeWidth=1.5)
    return line


def linked(curves: alt.LayerChart, *, of_roles: bool = False) -> Chart:
    """Mark in the layers of `parts.curves` what is pointed at, and return them.

    Args:
        curves: by layer, with their data.
        of_roles: whether each curve is a role, so that one of them can stand out.
    """
    base = alt.Chart().encode(x=curves.layer[0].encoding.x)
    # Under the curves: above, they would take the pointer from the values.
    curves.layer.insert(0, at_layer(base))
    if of_roles:
        curves.layer.insert(0, highlight.halo(base, "role").encode(y=alt.Y("estimate:Q")))
    return curves.add_params(*highlight.parameters(*(["role"] * of_roles), "layer"))
