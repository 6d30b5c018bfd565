"""From a drawing to what stands in the page: SVG or images that need no script, and Vega for more.

A chart is compiled once, here, so that the browser needs neither Vega-Lite nor `eval`. What comes
out depends on the drawing alone: the same bytes in every run and every process.
"""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import vl_convert
from markupsafe import Markup

from site_builder.drawing import BASE
from site_builder.figures import theme

if TYPE_CHECKING:
    from site_builder.drawing import Chart, Drawing

MOST_MARKS = 500
"""Above this a chart is an image: as SVG it would weigh more than the rest of the page."""

Spec = dict[str, Any]
_SVG = "{http://www.w3.org/2000/svg}"
_SAID_ONCE = ("font-family", "role")
_OPAQUE = ("opacity", "1")
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
        return Rendered(linked, body.replace(theme.FILES, ""), own, interactive=False)

    specs = [_vega_lite(chart) for chart in drawing.body]
    files = {
        f"{stem}.vl.json": _json(_one_specification(specs)),
        f"{stem}.vg.json": _json([vl_convert.vegalite_to_vega(spec) for spec in specs]),
    }
    linked, inline = "", ""
    for number, spec in enumerate(specs, start=1):
        name = f"{stem}-{number}"
        svg = vl_convert.vegalite_to_svg(spec)
        label = _title(spec) or drawing.caption
        if svg.count("<path") <= MOST_MARKS:
            picture = _inline_svg(svg, f"{slug}-{digest[:8]}-{number}", label, drawing.description)
            linked += _panel(picture)
            inline += _panel(picture)
            continue
        images = {scheme: _png(svg, scheme) for scheme in ("light", "dark")}
        files |= {f"{name}.{scheme}.png": image for scheme, image in images.items()}
        alt = f"{label.rstrip('.')}. {drawing.description}"
        linked += _panel(
            "".join(
                _image(svg, scheme, f"{BASE}/figures/{name}.{scheme}.png", alt) for scheme in images
            )
        )
        inline += _panel(
            "".join(_image(svg, scheme, _data_url(image), alt) for scheme, image in images.items())
        )
    return Rendered(
        html=f'<div class="post-chart" data-vega="{BASE}/figures/{stem}.vg.json">{linked}</div>',
        inline=f'<div class="post-chart">{inline}</div>',
        files=files | own,
        interactive=True,
    )


def _vega_lite(chart: Chart) -> Spec:
    spec: Spec = _writable(chart.to_dict())
    # The theme is ours alone: none of Altair's global state decides how a page looks.
    spec["config"] = theme.CONFIG
    return spec


def _writable(value: Any) -> Any:
    """Replace, in every string, what no SVG can hold and what makes vl-convert end the process."""
    if isinstance(value, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_writable(key): _writable(entry) for key, entry in value.items()}
    return [_writable(entry) for entry in value] if isinstance(value, list) else value


def _one_specification(specs: list[Spec]) -> Spec:
    """One document that opens in any Vega-Lite editor, whatever the number of panels."""
    if len(specs) == 1:
        return specs[0]
    panels = [
        {key: value for key, value in spec.items() if key not in ("$schema", "config")}
        for spec in specs
    ]
    return {"$schema": specs[0]["$schema"], "config": theme.CONFIG, "vconcat": panels}


def _title(spec: Spec) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _panel(picture: str) -> str:
    return f'<div class="post-panel">{picture}</div>'


def _inline_svg(svg: str, prefix: str, title: str, description: str) -> str:
    """Make an SVG fit to stand in a page: named, described, with ids of its own, and lean."""
    root = ElementTree.fromstring(svg)
    # vl-convert numbers its ids by process: two figures of one page would share them.
    names = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    own = {name: f"{prefix}-{number}" for number, name in enumerate(dict.fromkeys(names))}
    for node in root.iter():
        node.tag = node.tag.removeprefix(_SVG)
        for child in [child for child in node if _draws_nothing(child)]:
            node.remove(child)
        node.attrib = {
            name: _lean(own.get(value, value) if name == "id" else _refer(value, own))
            for name, value in node.attrib.items()
            if name not in _SAID_ONCE and not name.startswith("aria-") and (name, value) != _OPAQUE
        }
    words = [("title", title), ("desc", description)]
    for place, (tag, text) in enumerate(words):
        node = ElementTree.Element(tag, {"id": f"{prefix}-{tag}"})
        node.text = text
        root.insert(place, node)
    root.attrib |= {
        "font-family": theme.FONT,
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-desc",
    }
    return ElementTree.tostring(root, encoding="unicode")


def _draws_nothing(node: ElementTree.Element) -> bool:
    """Vega lays an empty path about every group; targets of a pointer are transparent."""
    if node.get("opacity") == "0":
        return True
    empty = node.get("d") in ("", "M0,0h0v0h0Z")
    return empty and node.get("class") in ("foreground", "background")


def _refer(value: str, own: dict[str, str]) -> str:
    found = re.fullmatch(r"url\(#(.+)\)", value)
    return f"url(#{own.get(found.group(1), found.group(1))})" if found else value


def _lean(value: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number.group()):.4g}", value)


def _png(svg: str, scheme: str) -> bytes:
    """Draw at twice the size; an image does not see the page's colours, so they are written in."""
    crisp = svg.replace('class="mark-rect', 'shape-rendering="crispEdges" class="mark-rect')
    return _packed(vl_convert.svg_to_png(theme.literal_colours(crisp, scheme), scale=2))


def _packed(png: bytes) -> bytes:
    """Compress a PNG's pixels again, thoroughly: a third of vl-convert's size."""
    chunks, pixels, at = [], b"", 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : end - 4]
        if kind == b"IDAT":
            pixels += content
        elif kind != b"IEND":
            chunks.append((kind, content))
        at = end
    chunks += [(b"IDAT", zlib.compress(zlib.decompress(pixels), 9)), (b"IEND", b"")]
    return png[:8] + b"".join(
        len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    )


def _image(svg: str, scheme: str, url: str, alt: str) -> str:
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    width, height = (round(float(side)) for side in size.groups()) if size else (0, 0)
    return (
        f'<img class="only-{scheme}" src="{url}" width="{width}" height="{height}" '
        f'loading="lazy" decoding="async" alt="{html.escape(alt)}">'
    )


def _data_url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


def _json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()
