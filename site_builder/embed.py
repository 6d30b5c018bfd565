"""From a drawing to what stands in the page: SVG or images that need no script, and Vega for more.

A chart is compiled once, here, so that the browser needs neither Vega-Lite nor `eval`. What comes
out depends on the drawing alone: the same bytes in every run and every process.
"""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import vl_convert
from markupsafe import Markup

from site_builder import pictures
from site_builder.compact import by_column, compact
from site_builder.drawing import BASE, PICKED
from site_builder.figures import theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from site_builder.drawing import Chart, Choices, Drawing

MOST_MARKS = 150
"""Above this a picture is of pixels: as SVG it would weigh several times as much."""

SCHEMES = ("light", "dark")

Spec = dict[str, Any]
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Rendered:
    """A drawing in its final form.

    Attributes:
        html: What the page shows; files are named `BASE/figures/NAME`.
        inline: The same in one piece, for feeds and for hosts that carry no files.
        files: Name to content, all beginning with slug and digest.
        interactive: Whether there is a Vega specification to load.
    """

    html: str
    inline: str
    files: dict[str, bytes]
    interactive: bool


def render(drawing: Drawing, slug: str, digest: str) -> Rendered:
    """Render `drawing` under the name `slug`; `digest` tells its versions apart.

    A drawing's own HTML names its files by `theme.FILES` + the end of their name.
    """
    stem = f"{slug}.{digest[:8]}"
    own = {f"{stem}.{name}": content for name, content in sorted(drawing.files.items())}
    if isinstance(drawing.body, Markup):
        body = str(drawing.body)
        linked = body.replace(theme.FILES, f"{BASE}/figures/{stem}.")
        alone = body.replace(theme.FILES, "").replace(BASE, ".")
        return Rendered(linked, alone, own, interactive=False)

    specs, compiled, files = charts(drawing.body, drawing.choices, stem)
    said = controls = ""
    followers: list[int] = []
    if drawing.choices:
        followers = _followers(drawing.choices, compiled)
        said = _said(drawing.choices)
        controls = _controls(drawing.choices, stem) + said
    # Menus stand over the first panel that follows them; if all do, over all, which stay in line.
    all_follow = len(followers) == len(specs) > 1
    panels: list[Panel] = []
    for number, (spec, vega) in enumerate(zip(specs, compiled, strict=True), start=1):
        words = _title(spec) or drawing.caption, "" if panels else drawing.description
        panel, images = _panel(vl_convert.vega_to_svg(vega), f"{stem}-{number}", words)
        if followers[:1] == [number] and not all_follow:
            panel = panel._replace(html=controls + panel.html, inline=said + panel.inline)
        panels.append(panel)
        files |= images
    over = (controls, said) if all_follow else ("", "")
    return Rendered(
        html=_chart(
            [(panel.html, panel.height) for panel in panels],
            over[0],
            f"{stem}.chart.json",
            drawing.only,
        ),
        inline=_chart([(panel.inline, panel.height) for panel in panels], over[1]),
        files=files | own,
        interactive=True,
    )


def charts(
    panels: Sequence[Chart], choices: Choices | None, stem: str
) -> tuple[list[Spec], list[Spec], dict[str, bytes]]:
    """A drawing's charts, as Vega-Lite and as Vega, and the files that make them live."""
    specs = [vega_lite(chart) for chart in panels]
    compiled = [vl_convert.vegalite_to_vega(spec) for spec in specs]
    files = {
        f"{stem}.vl.json": written(_one_specification(specs)),
        f"{stem}.chart.json": written(compact(compiled)),
    }
    return specs, compiled, files | picks(choices, stem)


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


def _panel(svg: str, name: str, words: tuple[str, str]) -> tuple[Panel, dict[str, bytes]]:
    """Return the picture of a chart in the page, and the files that it links to.

    Args:
        svg: as Vega drew it.
        name: of the files, without scheme and kind.
        words: title, and description if it stands here.
    """
    height = pictures.size(svg)[1]
    if pictures.marks(svg) <= MOST_MARKS:
        images = {f"{name}.{scheme}.svg": pictures.svg_file(svg, scheme) for scheme in SCHEMES}
        inline = pictures.inline_svg(svg, name.replace(".", "-"), *words)
    else:
        images = {f"{name}.{scheme}.webp": pictures.webp(svg, scheme) for scheme in SCHEMES}
        inline = _images({file: _data_url(image) for file, image in images.items()}, svg, words)
    linked = _images({file: f"{BASE}/figures/{file}" for file in images}, svg, words)
    return Panel(linked, inline, height), images


def _chart(
    panels: list[tuple[str, int]],
    over: str,
    vega: str = "",
    only: Mapping[str, str] | None = None,
) -> str:
    """Lay panels out in two columns, in their order, as equal in height as they can be.

    What is `over` them goes over both columns.

    Columns are decided here because a browser would balance them anew when a chart comes alive.
    """
    heights = [height for _, height in panels]
    cut = min(
        range(1, len(panels) + 1),
        key=lambda place: max(sum(heights[:place]), sum(heights[place:])),
    )
    columns = [
        "".join(f'<div class="post-panel">{picture}</div>' for picture, _ in part)
        for part in (panels[:cut], panels[cut:])
        if part
    ]
    content = f'<div class="post-over">{over}</div>' if over else ""
    content += "".join(f'<div class="post-column">{column}</div>' for column in columns)
    source = f' data-vega="{BASE}/figures/{vega}"' if vega else ""
    if only:
        source += f' data-only="{_text(written(dict(only)).decode())}"'
    return f'<div class="post-chart"{source}>{content}</div>'


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
    return {name: _writable(cells) for name, cells in by_column(rows).items()}


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


def vega_lite(chart: Chart) -> Spec:
    """A chart as Vega-Lite that Altair has checked."""
    return themed(chart.to_dict())


def themed(spec: Spec) -> Spec:
    """A chart's specification in our theme, and in strings that the page can hold."""
    spec = _writable(spec)
    # The theme is ours alone: none of Altair's global state decides how a page looks.
    spec["config"] = theme.CONFIG
    return spec


def _writable(value: Any) -> Any:
    """Replace, in every string, what no SVG can hold and what makes vl-convert end the process."""
    if isinstance(value, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_writable(key): _writable(entry) for key, entry in value.items()}
    return [_writable(entry) for entry in value] if isinstance(value, list | tuple) else value


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
    return html.escape(_writable(value))


def _data_url(image: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(image).decode()}"


def written(value: object) -> bytes:
    """JSON that is the same in every run."""
    text = json.dumps(
        value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )
    return text.encode()
