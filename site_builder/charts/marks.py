"""Pieces of several drawings: curves with bands, and rows of estimates with their intervals.

Records are dictionaries with `estimate`, `low` and `high`; `low` and `high` may be None where no
interval exists, and then none is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from site_builder.charts import highlight, theme
from site_builder.charts.drawing import PICKED, Choices

Records = Sequence[dict[str, Any]]
Domain = tuple[float | None, float | None]
"""Ends of an axis; None leaves an end to the data."""

FEWEST = 10
"""A mean over fewer than this is not drawn."""

_SAMPLE: dict[str, Any] = {"symbolType": "M-2.4,0L2.4,0", "labelOffset": 10, "columnPadding": 16}
"""A line in a legend, long enough to show its dashes: colours alone are lost on paper."""


@dataclass(frozen=True)
class Classes:
    """How the classes of a figure are told apart: by colour, and by dash or shape as well."""

    field: str
    title: str
    names: tuple[str, ...]
    colours: tuple[str, ...]
    dashes: tuple[Sequence[int], ...] = tuple(theme.DASHES)
    shapes: tuple[str, ...] = theme.SHAPES
    columns: int = 3
    at: tuple[str, ...] = ()
    """Fields of `highlight` that all rows of a class share."""

    def of_lines(self) -> dict[str, Any]:
        """Return the channels of lines: colour and dash, in one legend."""
        return {
            "color": alt.Color(**self._channel(self.colours, **_SAMPLE)),
            "strokeDash": alt.StrokeDash(**self._channel(self.dashes, **_SAMPLE)),
        }

    def of_points(self, *, legend: bool = True) -> dict[str, Any]:
        """Return the channels of points: colour and shape, in one legend if any.

        It has no title: beside the names of rows a phone has no room for one.
        """
        return {
            "color": alt.Color(**self._channel(self.colours, legend, title=None)),
            "shape": alt.Shape(**self._channel(self.shapes, legend, title=None)),
        }

    def _channel(self, looks: Sequence[Any], legend: bool = True, **more: Any) -> dict[str, Any]:
        shown = {"title": self.title or None, "columns": self.columns, **more}
        return {
            "shorthand": f"{self.field}:N",
            "scale": alt.Scale(domain=list(self.names), range=list(looks[: len(self.names)])),
            "legend": shown if legend and len(self.names) > 1 else None,
        }


def numbers(title: str = "", form: str = ".2f") -> list[alt.Tooltip]:
    """Return what a tooltip says of an estimate: the value under its title, and the interval."""
    return [
        alt.Tooltip("estimate:Q", title=title or alt.Undefined, format=form),
        alt.Tooltip("low:Q", title="from", format=form),
        alt.Tooltip("high:Q", title="to", format=form),
    ]


def extent(records: Iterable[dict[str, Any]], *known: float) -> tuple[float, float]:
    """Return both ends of an axis that has all estimates, intervals and `known` values."""
    sides = (row[side] for row in records for side in ("estimate", "low", "high"))
    ends = [*known, *(end for end in sides if end is not None)]
    return min(ends), max(ends)


def picked(choices: Choices) -> alt.InlineData:
    """Return the rows of a reader's choice as the data of a chart."""
    return alt.InlineData(values=tuple(choices.options[choices.chosen]), name=PICKED)


def curves(
    records: Records | alt.Chart,
    *,
    title: str,
    x: str,
    x_title: str,
    y_title: str,
    classes: Classes,
    tooltip: Sequence[alt.Tooltip],
    domain: Domain = (0, None),
    percent: bool = False,
    steps: bool = False,
    height: int = 170,
) -> alt.LayerChart:
    """Return a panel with one line a class and its interval as a band.

    Args:
        records: what is drawn, or a chart that has it as its data: what a reader picks.
    """
    path: dict[str, Any] = {"interpolate": "step-after"} if steps else {}
    # What the height means stands under the title: beside the axis it would cost a phone's width.
    axis = alt.Axis(format="%", title=None) if percent else alt.Axis(title=None)
    scale = _scale(domain)
    base = _base(records).encode(
        x=alt.X(
            f"{x}:Q",
            title=x_title,
            scale=alt.Scale(nice=False, zero=False),
            axis=alt.Axis(tickMinStep=1),
        ),
        y=alt.Y("estimate:Q", scale=scale, axis=axis),
    )
    opacity = 0.16 if len(classes.names) <= 3 else 0.09  # many bands would hide the lines
    band = base.mark_area(fillOpacity=opacity, **path).encode(
        y=alt.Y("low:Q", scale=scale, axis=axis),
        y2=alt.Y2("high:Q"),
        color=classes.of_lines()["color"],
    )
    line = base.mark_line(**path).encode(**classes.of_lines())
    # Invisible and large, so that a pointer near a value finds its tooltip.
    targets = base.mark_point(size=120, opacity=0).encode(tooltip=list(tooltip))
    halo = highlight.halo(base, *classes.at, **path).encode(detail=alt.Detail(f"{classes.field}:N"))
    return highlight.layered(
        [*([halo] if classes.at else []), band, line, targets],
        *classes.at,
        title=alt.TitleParams(title, subtitle=y_title),
        width=theme.PANEL,
        height=height,
    )


def zero() -> alt.Chart:
    """Return a line at zero, across the rows of `intervals`."""
    line: alt.Chart = alt.Chart(theme.data([{}])).mark_rule().encode(x=alt.XDatum(0))
    return line


def intervals(
    records: Records | alt.Chart,
    *,
    title: str | alt.TitleParams,
    x_title: str,
    row: str,
    order: Sequence[str] | None,
    classes: Classes,
    tooltip: Sequence[alt.Tooltip],
    domain: Domain = (0, None),
    percent: bool = False,
    step: int = 22,
    apart: bool = True,
    bounded: bool = True,
    at: Sequence[str] = (),
) -> alt.LayerChart:
    """Return a panel with a row for each value of `row`: its estimate and interval.

    Args:
        records: as for `curves`.
        order: of the rows; None for rows that a reader picks, whose names sort as they begin: with
            four characters that are not shown, as those of `heat.token`.
        apart: whether the classes of a row stand under each other.
        bounded: whether estimates have intervals.
        at: fields of `highlight` that all rows of the data at a row of the panel share.
    """
    scale, axis = _scale(domain), alt.Axis(grid=True, domain=False, ticks=False, tickCount=5)
    if percent:
        axis["format"] = "%"
    names = alt.Axis(labelLimit=170, labelPadding=8)
    y = alt.Y(f"{row}:N", title=None, axis=names)
    if order is None:
        names["labelExpr"] = "slice(datum.value, 4)"
    else:
        y["sort"] = list(order)
    data = _base(records)
    base = data.encode(x=alt.X("estimate:Q", title=x_title, scale=scale, axis=axis), y=y)
    if apart and len(classes.names) > 1 and classes.field != row:
        # A band also for points alone: a row that stands out is then as high as all its classes.
        apart_by = alt.YOffset(
            f"{classes.field}:N", sort=list(classes.names), scale=alt.Scale(type="band")
        )
        base = base.encode(yOffset=apart_by)
    channels = classes.of_points(legend=classes.field != row)  # rows may say it already
    rules = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("low:Q", title=x_title, scale=scale, axis=axis),
        x2=alt.X2("high:Q"),
        color=channels["color"],
    )
    points = base.mark_point().encode(**channels, tooltip=list(tooltip))
    return highlight.layered(
        [
            *([highlight.band(data, y, *at)] if at else []),
            *([rules] if bounded else []),
            points,
        ],
        *at,
        title=title,
        width=theme.PANEL,
        height=alt.Step(step, **{"for": "position"}) if order is None else step * len(order),
    )


def _base(records: Records | alt.Chart) -> alt.Chart:
    return records if isinstance(records, alt.Chart) else alt.Chart(theme.data(records))


def _scale(domain: Domain) -> alt.Scale:
    low, high = domain
    scale = alt.Scale(zero=low == 0, nice=high is None)
    if low is not None:
        scale["domainMin"] = low
    if high is not None:
        scale["domainMax"] = high
    return scale
