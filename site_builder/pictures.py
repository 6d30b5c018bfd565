"""Pictures that need no script: SVG fit for a page, and images of charts too large for one."""

from __future__ import annotations

import re
import zlib
from xml.etree import ElementTree

import vl_convert

from site_builder.figures import theme

_SVG = "{http://www.w3.org/2000/svg}"
_SAID_ONCE = ("font-family", "role")
_OPAQUE = ("opacity", "1")
GROUND = {"light": "#fdfcfa", "dark": "#15181c"}  # --md-default-bg-color of post.css
LEVEL = 6  # of zlib: 9 takes several times as long for a few per cent


def inline_svg(svg: str, prefix: str, title: str, description: str) -> str:
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


def marks(svg: str) -> int:
    """How many marks of an SVG that Vega drew can be seen; a pointer's targets cannot."""
    return len(re.findall(r'<path(?![^>]* opacity="0")', svg))


def png(svg: str, scheme: str) -> bytes:
    """Draw at twice the size; an image does not see the page's colours, so they are written in.

    On the page's ground: vl-convert 1.9 darkens what is half transparent on none.
    """
    crisp = svg.replace('class="mark-rect', 'shape-rendering="crispEdges" class="mark-rect')
    ground = f'<rect width="100%" height="100%" fill="{GROUND[scheme]}"/>'
    crisp = re.sub(r"^<svg[^>]*>", lambda found: found.group() + ground, crisp)
    return _packed(vl_convert.svg_to_png(theme.literal_colours(crisp, scheme), scale=2))


def size(svg: str) -> tuple[int, int]:
    """Return width and height in pixels of an SVG that Vega drew."""
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    width, height = (round(float(side)) for side in found.groups()) if found else (0, 0)
    return width, height


def _packed(png: bytes) -> bytes:
    """Compress a PNG's pixels again: a third of vl-convert's size."""
    chunks, pixels, at = [], b"", 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : end - 4]
        if kind == b"IDAT":
            pixels += content
        elif kind != b"IEND":
            chunks.append((kind, content))
        at = end
    chunks += [(b"IDAT", zlib.compress(zlib.decompress(pixels), LEVEL)), (b"IEND", b"")]
    return png[:8] + b"".join(
        len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    )
