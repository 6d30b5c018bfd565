"""The model's text is shown as text, whatever is in it."""

import importlib
import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import altair as alt
import pytest

from site_builder.charts import render, theme
from site_builder.charts.drawing import BASE, Drawing
from tests.figures import tables, trace_tables

ODD = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% for x in y %}",
    "<< figure: entropy short-clean >>",
    "<!-- & -->",
]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.text, self.pictures, self.labels = [], "", [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        if tag == "img":
            self.pictures.append(dict(attrs))
        self.labels += [value for name, value in attrs if name == "aria-label"]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def read(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["lists", "prompt_pairs", "example", "ending", "asking", "trace"])
def test_text_in_a_drawing_is_text(name, odd):
    table = getattr(trace_tables if name == "trace" else tables, name)(odd=odd)
    drawing = importlib.import_module(f"site_builder.figures.{name}").draw(table)
    rendered = render.render(drawing, name, "0" * 16)

    for form in (rendered.html, rendered.inline):
        tags = read(form)
        assert odd in tags.text
        assert not {"script", "img"} & set(tags.found)
    for content in rendered.files.values():
        json.loads(content)


@pytest.mark.parametrize("odd", ODD)
def test_text_in_a_chart_is_text(odd):
    chart = (
        alt.Chart(theme.data([{"x": 1, "topic": odd}]), title=odd)
        .mark_point()
        .encode(x="x:Q", y=alt.Y("topic:N", axis=alt.Axis(labelLimit=1000)))
    )
    rendered = render.render(Drawing((chart,), "c", odd), "slug", "0" * 16)

    page = read(rendered.html)
    assert "script" not in page.found
    assert odd in page.labels[0]
    assert [picture["src"] for picture in page.pictures] == [
        f"{BASE}/figures/slug.00000000-1.{scheme}.svg" for scheme in ("light", "dark")
    ]
    inline = read(rendered.inline)
    assert odd in inline.text
    assert not {"script", "img"} & set(inline.found)
    ElementTree.fromstring(rendered.inline)
    for name, content in rendered.files.items():
        if name.endswith(".svg"):
            drawn = ElementTree.fromstring(content)
            assert odd in "".join(drawn.itertext())
            assert not list(drawn.iter("{http://www.w3.org/2000/svg}script"))


def test_characters_that_no_svg_can_hold_do_not_break_the_build():
    chart = alt.Chart(theme.data([{"x": 1}]), title="a\x0b\x00\uffffb").mark_point().encode(x="x:Q")

    assert "a\ufffd" in render.render(Drawing((chart,), "c", "d"), "slug", "0" * 16).html


def test_a_role_cannot_leave_its_class():
    from site_builder.figures.example import kind

    assert kind('x" onclick="y') == "role-xonclicky"


@pytest.mark.parametrize(
    ("token", "shown"), [("\n", "⏎"), ("  ", "␣␣"), ("\t", "⇥"), ("", "∅"), (" a", " a")]
)
def test_white_space_is_visible(token, shown):
    assert theme.visible(token) == shown
