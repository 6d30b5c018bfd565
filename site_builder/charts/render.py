"""From a drawing to what stands in the page: SVG or images that need no script, and Vega for more.

What comes out depends on the drawing alone: the same bytes in every run and every process.
"""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from site_builder.charts import pictures, theme
from site_builder.charts.chart import SCHEMES, Converted, Spec, as_json, vega_lite, writable
from site_builder.charts.columns import Placed, laid_out
from site_builder.charts.drawing import BASE, PICKED, DrawingError
from site_builder.charts.pieces import Pieces
from site_builder.charts.vega.checks import check
from site_builder.charts.vega.compact_spec import by_column, compact
from site_builder.charts.vega.marked import marked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from site_builder.charts.drawing import Choices, Drawing


@dataclass(frozen=True)
class Rendered:
    """A drawing in its final form.

    Attributes:
        html: What the page shows; files are named `BASE/figures/NAME`.
        inline: The same in one piece, for feeds and for hosts that carry no files.
        files: Name to content, all beginning with slug and digest.
        interactive: Whether there is a Vega specification to load.
        marks: What each panel marks of what is pointed at or chosen: field -> values.
    """

    html: str
    inline: str
    files: dict[str, bytes]
    interactive: bool
    marks: tuple[dict[str, list[str]], ...] = ()


def render(
    drawing: Drawing,
    slug: str,
    digest: str,
    pieces: Pieces | None = None,
    leading: Sequence[int] = (),
) -> Rendered:
    """Render `drawing` under the name `slug`; `digest` tells its versions apart.

    What is among `pieces` is not made again. A drawing's own HTML names its files by `theme.FILES`
    + the end of their name. The panels whose numbers are `leading` stand open, in this order.

    Raises:
        DrawingError: a leading panel that the drawing does not have.
    """
    stem = f"{slug}.{digest[:8]}"
    own = {f"{stem}.{name}": content for name, content in sorted(drawing.files.items())}
    if isinstance(drawing.body, Markup):
        if leading:
            raise DrawingError("the drawing has no panels", "take panels= out")
        body = str(drawing.body)
        linked = body.replace(theme.FILES, f"{BASE}/figures/{stem}.")
        alone = body.replace(theme.FILES, "").replace(BASE, ".")
        return Rendered(linked, alone, own, interactive=False)

    pieces = pieces or Pieces()
    specs = [vega_lite(chart) for chart in drawing.body]
    # Of what a reader picks, some choices may be empty: the rows of all are what there is to show.
    options = drawing.choices.options.values() if drawing.choices else ()
    picked = [row for rows in options for row in rows]
    for number, spec in enumerate(specs, start=1):
        given = spec.get("datasets", {}) | ({PICKED: picked} if picked else {})
        check(spec | {"datasets": given}, number)
    charts = [
        Converted.of(chart, spec, pieces) for chart, spec in zip(drawing.body, specs, strict=True)
    ]
    compiled = [chart.vega for chart in charts]
    files = {
        f"{stem}.vl.json": written(_one_specification(specs)),
        f"{stem}.chart.json": pieces.recall(
            f"charts {as_json(specs)}", lambda: written(compact(compiled))
        ),
    }
    files |= picks(drawing.choices, stem)
    said = controls = ""
    followers: list[int] = []
    if drawing.choices:
        followers = _followers(drawing.choices, compiled)
        said = _said(drawing.choices)
        controls = _controls(drawing.choices, stem) + said
    # Menus stand over the first panel that follows them; if all do, over all, which stay in line.
    all_follow = len(followers) == len(specs) > 1
    panels: list[Panel] = []
    for number, (spec, chart) in enumerate(zip(specs, charts, strict=True), start=1):
        words = _title(spec) or drawing.caption, "" if panels else drawing.description
        panel, images = _panel(chart, f"{stem}-{number}", words)
        if followers[:1] == [number] and not all_follow:
            panel = panel._replace(html=controls + panel.html, inline=said + panel.inline)
        panels.append(panel)
        files |= images
    over = (controls, said) if all_follow else ("", "")
    titles = map(_title, specs)
    both = [
        (Placed(panel.html, panel.height, title), Placed(panel.inline, panel.height, title))
        for panel, title in zip(panels, titles, strict=True)
    ]
    attributes = _attributes(f"{stem}.chart.json", drawing.only)
    return Rendered(
        html=laid_out([one for one, _ in both], over[0], attributes, followers, leading),
        inline=laid_out([one for _, one in both], over[1], leading=leading),
        files=files | own,
        interactive=True,
        marks=tuple(marked(spec, picked) for spec in specs),
    )


def picks(choices: Choices | None, stem: str) -> dict[str, bytes]:
    """The rows of each choice, by column."""
    options = choices.options.values() if choices else ()
    return {
        f"{stem}.pick-{number}.json": written(_columns(rows)) for number, rows in enumerate(options)
    }


class Panel(NamedTuple):
    """One chart's picture, linked and in one piece, and its height in pixels."""

    html: str
    inline: str
    height: int


def _panel(chart: Converted, name: str, words: tuple[str, str]) -> tuple[Panel, dict[str, bytes]]:
    """Return the picture of a chart in the page, and the files that it links to.

    Args:
        chart: as it was converted.
        name: of the files, without scheme and kind.
        words: title, and description if it stands here.
    """
    svg = chart.svg
    if chart.images:
        images = {f"{name}.{scheme}.svg": image for scheme, image in chart.images.items()}
        inline = _images({file: _data_url(image) for file, image in images.items()}, svg, words)
    else:
        images = {f"{name}.{scheme}.svg": pictures.svg_file(svg, scheme) for scheme in SCHEMES}
        inline = pictures.inline_svg(svg, name.replace(".", "-"), *words)
    linked = _images({file: f"{BASE}/figures/{file}" for file in images}, svg, words)
    return Panel(linked, inline, pictures.size(svg)[1]), images


def _attributes(vega: str, only: Mapping[str, str]) -> str:
    """Where a live chart's specification is, and what it shows alone."""
    source = f' data-vega="{BASE}/figures/{vega}"'
    if only:
        source += f' data-only="{_text(written(dict(only)).decode())}"'
    return source


def _followers(choices: Choices, compiled: list[Spec]) -> list[int]:
    """Which panels, counted from 1, show the picked rows.

    Checks that a reader who picks another choice, then the first one again, sees what stood there.
    """
    shown = {
        number: _columns(data.get("values", []))
        for number, spec in enumerate(compiled, start=1)
        for data in spec.get("data", [])
        if data["name"] == PICKED
    }
    # As JSON, because that is what the compiler made of a chart's tuples.
    chosen = json.loads(written(_columns(choices.options[choices.chosen])))
    if not shown:
        raise ValueError(f'there are choices, but no chart has a data set named "{PICKED}"')
    if any(columns != chosen for columns in shown.values()):
        raise ValueError(f'a data set named "{PICKED}" has other rows than the chosen ones')
    return list(shown)


def _controls(choices: Choices, stem: str) -> str:
    """A menu a name, hidden until a script can answer it.

    `data-picks` has each choice as places in the menus; its own place ends its file's name. Without
    autocompletion no browser changes the menus of a page that it shows again.
    """
    menus = [list(dict.fromkeys(values)) for values in zip(*choices.options, strict=True)]
    picks = [
        [menu.index(value) for menu, value in zip(menus, option, strict=True)]
        for option in choices.options
    ]
    labels = ""
    for name, menu, chosen in zip(choices.names, menus, choices.chosen, strict=True):
        options = "".join(
            f"<option{' selected' if value == chosen else ''}>{_text(value)}</option>"
            for value in menu
        )
        select = f'<select name="{_text(name)}">{options}</select>'
        labels += f"<label>{_text(name[:1].upper() + name[1:])} {select}</label>"
    return (
        f'<form class="post-controls" data-picks="{written(picks).decode()}" '
        f'data-rows="{BASE}/figures/{stem}.pick-" autocomplete="off" hidden>{labels}</form>'
    )


def _said(choices: Choices) -> str:
    pairs = zip(choices.names, choices.chosen, strict=True)
    words = " · ".join(f"{name} {value}" for name, value in pairs)
    return f'<p class="post-count">{_text(words)}</p>'


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows by column, in strings that the page can hold."""
    return {name: writable(cells) for name, cells in by_column(rows).items()}


def _images(sources: dict[str, str], svg: str, words: tuple[str, str]) -> str:
    """A picture in both schemes, of which the page shows one; names end with scheme and kind.

    Its words are said once, by what holds both.
    """
    width, height = pictures.size(svg)
    told = _text(". ".join(word.rstrip(".") for word in words if word) + ".")
    shape = f'width="{width}" height="{height}" loading="lazy" alt=""'
    images = "".join(
        f'<img class="only-{name.split(".")[-2]}" src="{source}" {shape}>'
        for name, source in sources.items()
    )
    return f'<div class="post-picture" role="img" aria-label="{told}">{images}</div>'


def _one_specification(specs: list[Spec]) -> Spec:
    """One document that opens in any Vega-Lite editor, whatever the number of panels.

    Variables count only at the top of a document, so that is where those of the panels go.
    """
    if len(specs) == 1:
        return specs[0]
    top: dict[str, Any] = {}
    panels = []
    for spec in specs:
        panel = {key: value for key, value in spec.items() if key not in ("$schema", "config")}
        params = panel.pop("params", [])
        if own := [param for param in params if "select" in param]:
            panel["params"] = own
        for param in params:
            if "select" not in param and top.setdefault(param["name"], param) != param:
                raise ValueError(f'panels differ in the variable "{param["name"]}"')
        panels.append(panel)
    whole: Spec = {"$schema": specs[0]["$schema"], "config": theme.CONFIG, "vconcat": panels}
    return whole | ({"params": [*top.values()]} if top else {})


def _title(spec: Spec) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _text(value: str) -> str:
    return html.escape(writable(value))


def _data_url(image: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(image).decode()}"


def written(value: object) -> bytes:
    """JSON that is the same in every run."""
    text = json.dumps(
        value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )
    return text.encode()
