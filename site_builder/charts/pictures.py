"""Pictures that need no script: lean SVG, with pixels where a chart has too many marks for it."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import vl_convert
from PIL import Image

from site_builder.charts import theme

_NAMESPACE = "http://www.w3.org/2000/svg"
_SVG = f"{{{_NAMESPACE}}}"
GROUND = {"light": "#fdfcfa", "dark": "#15181c"}  # --md-default-bg-color of post.css
EFFORT = 4  # of WebP: 6 takes 25 times as long for two per cent

_NEVER_SEEN = ("class", "font-family", "pointer-events", "role")
_DEFAULTS = {
    ("font-weight", "normal"),
    ("opacity", "1"),
    ("stroke-width", "1"),
    ("text-anchor", "start"),
    ("transform", "translate(0,0)"),
}
_LINE_DEFAULTS = {("x2", "0"), ("y2", "0")}
_INHERITED = (
    "fill",
    "fill-opacity",
    "font-size",
    "font-weight",
    "stroke",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
)


def inline_svg(svg: str, prefix: str, title: str, description: str) -> str:
    """Make an SVG fit to stand in a page: lean, named, described, with ids of its own.

    Its colours are the page's variables, so that one picture follows light and dark.
    """
    root = _lean(svg, prefix)
    for node in root.iter():
        node.tag = node.tag.removeprefix(_SVG)
    words = [("title", title)] + ([("desc", description)] if description else [])
    for place, (tag, text) in enumerate(words):
        node = ElementTree.Element(tag, {"id": f"{prefix}-{tag}"})
        node.text = text
        root.insert(place, node)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": " ".join(f"{prefix}-{tag}" for tag, _ in words),
    }
    return _written(root).decode()


def svg_file(svg: str, scheme: str) -> bytes:
    """Return an SVG that stands alone, in the colours of a scheme: no page lends it any."""
    return _written(_lean(theme.literal_colours(svg, scheme), "own"))


def worded_pixels(svg: str, scheme: str) -> bytes:
    """Return an SVG that stands alone, its marks drawn to pixels and its words left as words.

    The words are then in the reader's own fonts, as in any other picture and in the live chart.
    """
    root = ElementTree.fromstring(svg)
    _keep(root, words=False)
    pixels = base64.b64encode(_webp(_written(root).decode(), scheme))
    root = ElementTree.fromstring(theme.literal_colours(svg, scheme))
    _keep(root, words=True)
    _thin(root)
    width, height = size(svg)
    image = {"width": f"{width}", "height": f"{height}"}
    image["href"] = f"data:image/webp;base64,{pixels.decode()}"
    root.insert(0, ElementTree.Element(f"{_SVG}image", image))
    root.attrib["font-family"] = theme.FONT
    return _written(root)


def _keep(node: ElementTree.Element, *, words: bool) -> None:
    """Leave the words of axes, legends and titles, or all the rest; signs in cells are no words."""
    for child in list(node):
        kinds = child.get("class", "").split()
        if "mark-text" in kinds and "role-mark" not in kinds:
            if not words:
                node.remove(child)
            continue
        _keep(child, words=words)
        if words and not (child.tag == f"{_SVG}g" and len(child)):
            node.remove(child)


def _webp(svg: str, scheme: str) -> bytes:
    """Draw at twice the size, without loss; colours of the page are written in.

    On the page's ground: vl-convert 1.9 darkens what is half transparent on none.
    """
    crisp = svg.replace('class="mark-rect', 'shape-rendering="crispEdges" class="mark-rect')
    ground = f'<rect width="100%" height="100%" fill="{GROUND[scheme]}"/>'
    crisp = re.sub(r"^<svg[^>]*>", lambda found: found.group() + ground, crisp)
    png = vl_convert.svg_to_png(theme.literal_colours(crisp, scheme), scale=2)
    packed = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.save(packed, "WEBP", lossless=True, method=EFFORT)
    return packed.getvalue()


def marks(svg: str) -> int:
    """How many marks of an SVG that Vega drew can be seen; a pointer's targets cannot."""
    return len(re.findall(r'<path(?![^>]* opacity="0")', svg))


def size(svg: str) -> tuple[int, int]:
    """Return width and height in pixels of an SVG that Vega drew."""
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    width, height = (round(float(side)) for side in found.groups()) if found else (0, 0)
    return width, height


def _lean(svg: str, prefix: str) -> ElementTree.Element:
    """Say once what Vega says of every mark; half of the weight goes, nothing that is seen.

    vl-convert numbers ids by process: here they are `prefix` and a number of the picture's own.
    """
    root = ElementTree.fromstring(svg)
    _thin(root)
    root.attrib["font-family"] = theme.FONT
    names = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    own = {name: f"{prefix}-{number}" for number, name in enumerate(dict.fromkeys(names))}
    for node in root.iter():
        node.attrib = {
            name: own.get(value, value) if name == "id" else _refer(value, own)
            for name, value in node.attrib.items()
        }
    return root


def _thin(node: ElementTree.Element) -> None:
    for child in [child for child in node if _draws_nothing(child)]:
        node.remove(child)
    crisp = node.get("class", "").startswith("mark-rect")
    kept = {
        name: _short(value)
        for name, value in node.attrib.items()
        if name not in _NEVER_SEEN and not name.startswith("aria-")
    }
    unsaid = _DEFAULTS | (_LINE_DEFAULTS if node.tag == f"{_SVG}line" else set())
    node.attrib = {name: value for name, value in kept.items() if (name, value) not in unsaid}
    if crisp:
        node.attrib["shape-rendering"] = "crispEdges"
    for child in node:
        _thin(child)
    if node.tag != f"{_SVG}g":
        return
    # A group that says nothing is not needed, nor what all of its members say.
    members = [one for child in node for one in (child if _is_bare_group(child) else [child])]
    node[:] = members
    for name in _INHERITED:
        said = {member.get(name) for member in members}
        if len(members) > 1 and len(said) == 1 and None not in said:
            node.attrib[name] = members[0].attrib[name]
            for member in members:
                del member.attrib[name]


def _is_bare_group(node: ElementTree.Element) -> bool:
    return node.tag == f"{_SVG}g" and (not node.attrib or not len(node))


def _draws_nothing(node: ElementTree.Element) -> bool:
    """Vega lays an empty path about every group; targets of a pointer are transparent."""
    if node.get("opacity") == "0":
        return True
    if node.get("class") not in ("foreground", "background"):
        return False
    return node.get("d") in ("", "M0,0h0v0h0Z") or not {"fill", "stroke"} & set(node.attrib)


def _refer(value: str, own: dict[str, str]) -> str:
    found = re.fullmatch(r"url\(#(.+)\)", value)
    return f"url(#{own.get(found.group(1), found.group(1))})" if found else value


def _short(value: str) -> str:
    """Round lengths: a tenth of a pixel is not seen, a hundredth not even in a small mark."""

    def rounded(number: re.Match[str]) -> str:
        length = float(number.group())
        text = (f"{length:.1f}" if abs(length) >= 10 else f"{length:.2f}").rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    return re.sub(r"-?\d+\.\d+", rounded, value)


def _written(root: ElementTree.Element) -> bytes:
    """An SVG without a prefix at every name, whatever else was written before in this process."""
    ElementTree.register_namespace("", _NAMESPACE)
    return ElementTree.tostring(root)
