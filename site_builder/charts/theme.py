"""How all figures look: colours, shapes, type; and the small helpers that drawings share.

Colours of text, axes and classes are CSS variables with a literal fallback, so that one SVG follows
the page's light and dark scheme. A colour that Vega interpolates must be literal. No colour speaks
alone: classes also differ by shape or dash, or are labelled where they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import altair as alt
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from site_builder.charts.drawing import DrawingError
from site_builder.core.project import Project

FILES = "\x02files\x03"
"""Stands for the start of a file's URL in a drawing's HTML."""

PANEL = 340
"""Width of a panel in pixels, axes included: a phone shows it at about its own size."""

LIGHT = {
    "fg": "#24272b",
    "muted": "#5c636b",
    "axis": "#a3a9af",
    "grid": "#e6e8ea",
    # Okabe and Ito (2008), the lightest ones last; black is a grey here.
    "1": "#0072b2",
    "2": "#d55e00",
    "3": "#009e73",
    "4": "#cc79a7",
    "5": "#e69f00",
    "6": "#56b4e9",
    "7": "#555555",
    "8": "#b8a800",
    # A sequence for up to six ordered classes: viridis without its palest end.
    "s1": "#440154",
    "s2": "#414487",
    "s3": "#2a788e",
    "s4": "#22a884",
    "s5": "#5cb84a",
    "s6": "#a8a800",
}
DARK = {
    "fg": "#e3e5e8",
    "muted": "#a4abb3",
    "axis": "#6b727a",
    "grid": "#30353b",
    "1": "#4aa8e0",
    "2": "#f0803c",
    "3": "#2fc294",
    "4": "#dd94bd",
    "5": "#f0b63a",
    "6": "#8ccbf2",
    "7": "#b9bdc2",
    "8": "#e8dc5a",
    "s1": "#a88bd8",
    "s2": "#7f96dd",
    "s3": "#4fabc4",
    "s4": "#3cc79c",
    "s5": "#8fd66a",
    "s6": "#e6df4e",
}


def colour(name: str) -> str:
    """Return the CSS colour `name`, a key of `LIGHT`, with its light value as the fallback."""
    return f"var(--fig-{name}, {LIGHT[name]})"


def literal_colours(svg: str, scheme: str) -> str:
    """Replace the page's variables in `svg` by their values in the scheme "light" or "dark"."""
    values = DARK if scheme == "dark" else LIGHT
    return re.sub(r"var\(--fig-(\w+), [^)]*\)", lambda found: values[found.group(1)], svg)


SEQUENTIAL: Final = "viridis"
DIVERGING: Final = "blueorange"
DASHES = ([1, 0], [5, 3], [2, 2], [8, 3, 2, 3], [10, 4], [1, 3])
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")

FONT = "Helvetica Neue, Segoe UI, Roboto, Liberation Sans, Arial, DejaVu Sans Condensed, sans-serif"
"""Fonts of a reader's own system; the widths that vl-convert measures are close to all of them.

`system-ui` and its kin are not: some systems have a font of a sixth more width under that name.
"""

_AXIS = {
    "domainColor": colour("axis"),
    "tickColor": colour("axis"),
    "gridColor": colour("grid"),
    "labelColor": colour("muted"),
    "titleColor": colour("fg"),
    "labelFontSize": 11,
    "titleFontSize": 11.5,
    "titleFontWeight": "normal",
    "titlePadding": 7,
    "labelPadding": 4,
    "tickSize": 4,
    "domain": False,
    "ticks": False,
}

CONFIG: dict[str, Any] = {
    "aria": False,  # the page describes the figure as a whole; a label a mark is noise and weight
    "background": None,
    # The last number of an axis is half outside: on the right there is room for it.
    "padding": {"left": 5, "right": 8, "top": 4, "bottom": 4},
    "autosize": {"type": "fit-x", "contains": "padding"},
    "font": FONT,
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisX": {"labelFlush": False, "grid": False, "domain": True, "ticks": True, "tickCount": 6},
    "axisY": {"tickCount": 5},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "titleColor": colour("muted"),
        "titleOrient": "left",
        "titlePadding": 12,
        "titleLimit": 260,
        "labelColor": colour("fg"),
        "labelFontSize": 11,
        "symbolStrokeWidth": 2,
        "symbolSize": 60,
        "offset": 6,
        "gradientStrokeColor": None,
        "gradientLength": 140,
        "gradientThickness": 9,
    },
    "header": {"labelColor": colour("fg"), "titleColor": colour("fg"), "labelFontSize": 11},
    "title": {
        "color": colour("fg"),
        "subtitleColor": colour("muted"),
        "fontSize": 12.5,
        "subtitleFontSize": 11,
        "fontWeight": 600,
        "anchor": "start",
        "frame": "bounds",
        "offset": 12,
    },
    "line": {"strokeWidth": 2, "strokeCap": "round", "color": colour("1")},
    "area": {"color": colour("1")},
    "rule": {"color": colour("axis")},
    "point": {"size": 34, "filled": True, "color": colour("1"), "opacity": 1},
    "text": {"color": colour("fg"), "fontSize": 11},
}


def need(table: pa.Table, *columns: str) -> None:
    """Check that `table` has all `columns`.

    Raises:
        DrawingError: naming the missing columns and those there are.
    """
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise DrawingError(
            f"the result has no column {', '.join(map(repr, missing))} "
            f"(it has {', '.join(table.column_names) or 'none'})",
            "measure it again, or draw what it has",
        )


def choose(value: str, among: Iterable[str], name: str) -> str:
    """Return `value` if it is one of `among`.

    Raises:
        DrawingError: naming the option and what it may be.
    """
    options = list(dict.fromkeys(among))
    if value not in options:
        raise DrawingError(
            f'{name} "{value}" is not in the result', f"use one of: {', '.join(options)}"
        )
    return value


def refuse(variant: str, **given: tuple[str, str]) -> None:
    """Let no option be given that a variant has no use for; each comes with its default.

    Raises:
        DrawingError: naming the first that is given, and the variant.
    """
    for name, (value, default) in given.items():
        if value != default:
            raise DrawingError(f"{variant} has no use for {name}={value}", "leave it out")


EXACT = 9
"""Digits of numbers that become text: what is rounded twice may be off by one."""


def rows(table: pa.Table, *columns: str, digits: int = 4) -> list[dict[str, Any]]:
    """Return `columns` of `table` row by row, floats rounded to `digits` significant digits.

    More digits than a reader can see would be most of a page's weight.
    """
    need(table, *columns)
    form = f"%.{digits}g"
    cells = {name: table[name].to_pylist() for name in columns}
    for name in cells:
        if pa.types.is_floating(table.schema.field(name).type):
            cells[name] = [
                None if value is None or not math.isfinite(value) else float(form % value)
                for value in cells[name]
            ]
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def significant(value: Any, digits: int = 4) -> Any:
    """Round a float to `digits` significant digits; NaN and infinities become None."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def where(table: pa.Table, **equal: object) -> pa.Table:
    """Return the rows of `table` whose columns equal the given values.

    Raises:
        DrawingError: if a column is missing, or if no row is left.
    """
    need(table, *equal)
    keep = table
    for name, value in equal.items():
        keep = keep.filter(pa.compute.equal(keep[name].cast(_plain(keep[name].type)), value))
    if not keep.num_rows:
        asked = ", ".join(f"{name} {value}" for name, value in equal.items())
        raise DrawingError(f"the result has no row with {asked}", "measure it again")
    return keep


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def unique(table: pa.Table, column: str) -> list[Any]:
    """Return the values of `column` in the order in which they first appear, nulls left out."""
    need(table, column)
    return [value for value in dict.fromkeys(table[column].to_pylist()) if value is not None]


def data(records: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Return `records` as the data of a chart.

    Altair copies lists with all that is in them for every encoding, and leaves a tuple alone.
    """
    return alt.InlineData(values=tuple(records))


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def markup(template: str, **values: Any) -> Markup:
    """Fill a template of the current folder's project, or of the engine; values are escaped."""
    folders = Project.find().template_folders
    return Markup(_environment(folders).get_template(template).render(values))


def visible(token: str) -> str:
    """Return a token as it can be seen: a break or a blank has a sign of its own."""
    if token and not token.strip(" "):
        return "␣" * len(token)
    return token.replace("\n", "⏎").replace("\t", "⇥") or "∅"
