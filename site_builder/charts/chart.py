"""One chart: its Vega-Lite, as Vega, and as pictures.

A chart is compiled once, here, so that the browser needs neither Vega-Lite nor `eval`.
"""

from __future__ import annotations

import base64
import datetime as dt
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
_CALLS = re.compile(
    r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?<![\w.])(?P<call>timeFormat|timeParse|timeOffset"""
    r"|timeSequence|datetime|year|quarter|month|date|dayofyear|day|week|hours|minutes|seconds"
    r"|milliseconds)\("
)
_EXPRESSIONS = ("expr", "signal", "test", "update", "filter", "init")
_UTC = {
    "datetime": "utc",
    "timeFormat": "utcFormat",
    "timeOffset": "utcOffset",
    "timeParse": "utcParse",
    "timeSequence": "utcSequence",
}
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
    vega: Spec = utc(vl_convert.vegalite_to_vega(spec))  # as text, some numbers lose their last bit
    svg = vl_convert.vega_to_svg(as_json(vega))
    images: dict[str, str] = {}
    if pictures.marks(svg) > MOST_MARKS:
        for scheme in SCHEMES:
            images[scheme] = base64.b64encode(pictures.worded_pixels(svg, scheme)).decode()
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


def utc(vega: Spec) -> Spec:
    """Compiled Vega whose times are those of UTC.

    A date is the start of its day there. By the clock of the machine that builds the page, and by
    that of who reads it, it would be another day.
    """
    written = as_json({name: part for name, part in vega.items() if name != "data"})
    plans = [{k: v for k, v in data.items() if k != "values"} for data in vega.get("data", [])]
    if not re.search(r"[tT]ime|\bdate|\bday|\bmonth|\byear", written + as_json(plans)):
        return vega
    made: Spec = _utc(vega)
    return made


def _utc(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        if key in ("type", "formatType") and value == "time":
            return "utc"
        return _CALLS.sub(_utc_call, value) if key in _EXPRESSIONS else value
    if isinstance(value, dict):
        zone = {"timezone": "utc"} if value.get("type") == "timeunit" else {}
        told = {k: v if k == "values" else _utc(v, k) for k, v in value.items()}
        return told | zone
    return [_utc(entry, key) for entry in value] if isinstance(value, list) else value


def _utc_call(found: re.Match[str]) -> str:
    name = found["call"]
    return found[0] if name is None else f"{_UTC.get(name, f'utc{name}')}("


def writable(value: Any) -> Any:
    """Make every value one that a page can hold.

    Of strings what no SVG can hold, and what makes vl-convert end the process, is replaced. Times
    become text; so do whole numbers of which a browser would show another one.
    """
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
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
