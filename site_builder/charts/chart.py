"""One chart: its Vega-Lite, as Vega, and as pictures.

A chart is compiled once, here, so that the browser needs neither Vega-Lite nor `eval`.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import vl_convert

from site_builder.charts import pictures, theme

if TYPE_CHECKING:
    from site_builder.charts.drawing import Chart
    from site_builder.charts.pieces import Pieces

MOST_MARKS = 150
"""Above this a picture is of pixels: as SVG it would weigh several times as much."""

SCHEMES = ("light", "dark")

Spec = dict[str, Any]
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Converted(NamedTuple):
    """A chart as Vega; as SVG, of which too many marks leave the head alone; then as images."""

    vega: Spec
    svg: str
    images: dict[str, bytes]

    @classmethod
    def of(cls, chart: Chart, spec: Spec, pieces: Pieces) -> Converted:
        """Convert what `vega_lite` made of a chart; Altair's error if that is no Vega-Lite."""
        found = json.loads(
            pieces.recall(as_json(spec), lambda: as_json(_convert(chart, spec)).encode())
        )
        images = {name: base64.b64decode(image) for name, image in found.pop("images").items()}
        return cls(**found, images=images)


def _convert(chart: Chart, spec: Spec) -> Spec:
    _check(chart, spec)
    vega: Spec = vl_convert.vegalite_to_vega(spec)  # as text, some numbers lose their last bit
    svg = vl_convert.vega_to_svg(as_json(vega))
    images: dict[str, str] = {}
    if pictures.marks(svg) > MOST_MARKS:
        for scheme in SCHEMES:
            images[scheme] = base64.b64encode(pictures.webp(svg, scheme)).decode()
        svg = svg[: svg.index(">") + 1]
    return {"vega": vega, "svg": svg, "images": images}


def _check(chart: Chart, spec: Spec) -> None:
    """Check a chart as a whole: Altair would do so with every part of it, as it is made."""
    try:
        type(chart).validate({k: v for k, v in spec.items() if k not in ("config", "datasets")})
    except Exception:
        chart.to_dict()  # says in better words what is wrong
        raise


def vega_lite(chart: Chart) -> Spec:
    """A chart as Vega-Lite in our theme; nobody has checked it."""
    return themed(_as_dict(chart))


def themed(spec: Spec) -> Spec:
    """A chart's specification in our theme, and in strings that the page can hold."""
    spec = writable(spec)
    # The theme is ours alone: none of Altair's global state decides how a page looks.
    spec["config"] = theme.CONFIG
    return spec


def writable(value: Any) -> Any:
    """Replace, in every string, what no SVG can hold and what makes vl-convert end the process."""
    if isinstance(value, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {writable(key): writable(entry) for key, entry in value.items()}
    return [writable(entry) for entry in value] if isinstance(value, list | tuple) else value


def _as_dict(chart: Chart) -> Spec:
    """What `to_dict` writes: it makes layers anew, with two copies of each, before it does so."""
    if type(chart) is not alt.LayerChart:
        return chart.to_dict(validate=False)
    own = vars(chart)["_kwds"].copy()
    data, layers = own.pop("data"), own.pop("layer")
    inside: dict[str, Any] = {"top_level": False, "pre_transform": False, "datasets": {}}
    spec: Spec = {"$schema": alt.SCHEMA_URL}
    if data is not alt.Undefined:
        alone = alt.Chart(data, mark="point").to_dict(validate=False, context=inside)
        spec["data"], inside["data"] = alone["data"], data
    spec |= alt.TopLevelLayerSpec(layer=[], **own).to_dict(validate=False)
    spec["layer"] = [layer.to_dict(validate=False, context=inside) for layer in layers]
    return spec | {name: rows for name, rows in inside.items() if name == "datasets" and rows}


def as_json(value: Any) -> str:
    """JSON for who compiles and draws, in the order in which the chart says things."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
