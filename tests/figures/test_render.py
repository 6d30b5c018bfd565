"""How drawings stand in the page: small, the same every time, readable without a script."""

import base64
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import altair as alt
import pytest
import vl_convert
from markupsafe import Markup
from PIL import Image, ImageChops

from site_builder.charts import pictures, theme
from site_builder.charts import render as embed
from site_builder.charts.chart import vega_lite
from site_builder.charts.drawing import PICKED, Choices, Drawing

DIGEST = "0123456789abcdef"


def chart(marks: int = 5, **more) -> alt.Chart:
    rows = [{"x": n % 40, "y": n // 40, "z": n / marks} for n in range(marks)]
    return (
        alt.Chart(theme.data(rows), width=theme.PANEL, height=100, **more)
        .mark_rect(clip=True)
        .encode(x="x:O", y="y:O", color=alt.Color("z:Q", scale=alt.Scale(scheme="viridis")))
    )


def render(*panels: alt.Chart) -> embed.Rendered:
    return embed.render(Drawing(panels, "A caption.", "A description."), "heat", DIGEST)


def test_a_chart_in_one_piece_is_an_svg_with_name_and_description():
    html = render(chart(title="Title")).inline

    assert 'role="img"' in html
    assert re.search(r"<title [^>]*>Title</title><desc [^>]*>A description.</desc>", html)
    assert "style=" not in html


def test_the_page_shows_a_picture_in_the_colours_of_each_scheme():
    rendered = render(chart(title="Title"), chart(title="Second"))
    pictures = re.findall(r'<img class="only-(\w+)" src="(.*?)" (.*?)>', rendered.html)

    assert [scheme for scheme, *_ in pictures] == ["light", "dark"] * 2
    for scheme, source, shape in pictures:
        svg = ElementTree.fromstring(rendered.files[source.removeprefix(f"{embed.BASE}/figures/")])
        assert svg.get("width") in shape
        assert re.search(r'height="\d+" loading="lazy"', shape)
        told = ElementTree.tostring(svg, encoding="unicode")
        assert (theme.DARK if scheme == "dark" else theme.LIGHT)["fg"] in told
        assert "var(" not in told
    # The description is of the whole figure: told once, not again with every panel.
    assert 'role="img" aria-label="Title. A description."' in rendered.html
    assert 'role="img" aria-label="Second."' in rendered.html


def test_pictures_are_lean_and_draw_the_same():
    """Rendered, not read: what left the SVG must not have been seen."""
    vega = vl_convert.vegalite_to_vega(vega_lite(chart(60, title="Title")))
    svg = vl_convert.vega_to_svg(vega)
    lean = pictures.svg_file(svg, "light").decode()
    plain = theme.literal_colours(svg, "light")
    crisp = plain.replace('class="mark-rect', 'shape-rendering="crispEdges" class="mark-rect')
    # The font is said once, by the root, and this renderer asks for it where the text is.
    crisp = re.sub(r'font-family="[^"]*"', "", crisp)
    lean_image, image = (
        Image.open(io.BytesIO(vl_convert.svg_to_png(one, scale=2))).convert("RGBA")
        for one in (re.sub(r'font-family="[^"]*"', "", lean), crisp)
    )
    difference = ImageChops.difference(lean_image, image).convert("L")

    assert len(lean) < 0.6 * len(plain)
    assert lean_image.size == image.size
    assert sum(difference.histogram()[64:]) / (image.width * image.height) < 0.002


def test_colours_of_text_follow_the_page():
    assert f'fill="{theme.colour("fg")}"' in render(chart(title="Title")).inline


def test_ids_are_the_figures_own_and_every_reference_holds():
    html = render(chart(), chart()).inline
    ids = re.findall(r'\bid="([^"]+)"', html)

    assert len(ids) == len(set(ids))
    assert all(name.startswith("heat-01234567-") for name in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    assert "url(#" in html


def test_bytes_are_the_same_in_every_process():
    code = (
        "import hashlib, sys; from tests.figures.test_render import chart, render;"
        "[render(chart()) for _ in range(int(sys.argv[1]))]; r = render(chart(), chart(800));"
        "print(hashlib.sha256(repr(r).encode()).hexdigest())"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code, warm_up], capture_output=True, text=True, check=True
        ).stdout
        for warm_up in ("0", "2")
    )

    assert first == second


def test_many_marks_become_images_for_both_schemes():
    rendered = render(chart(800))

    assert "<svg" not in rendered.html
    for scheme in ("light", "dark"):
        name = f"heat.01234567-1.{scheme}.svg"
        picture = ElementTree.fromstring(rendered.files[name])
        (pixels,) = (node.attrib["href"] for node in picture.iter() if node.tag.endswith("image"))
        assert base64.b64decode(pixels.removeprefix("data:image/webp;base64,")).startswith(b"RIFF")
        assert f'src="{embed.BASE}/figures/{name}"' in rendered.html
    assert re.search(r'width="\d+" height="\d+" loading="lazy"', rendered.html)
    assert 'aria-label="A caption. A description."' in rendered.html


def test_the_words_of_a_picture_of_pixels_are_words_in_the_fonts_of_all_others():
    heat = chart(800, title="A title")
    signs = alt.Chart(heat.data).mark_text(text="−").encode(x="x:O", y="y:O")
    files = render(heat + signs).files
    picture = ElementTree.fromstring(files["heat.01234567-1.light.svg"])
    words = ["".join(node.itertext()) for node in picture.iter() if node.tag.endswith("text")]

    assert {"A title", "x", "y", "0", "39"} <= set(words)
    assert "−" not in words  # signs in cells are pixels, as the cells are
    assert picture.get("font-family") == theme.FONT
    (image,) = (node for node in picture.iter() if node.tag.endswith("image"))
    pixels = Image.open(io.BytesIO(base64.b64decode(image.attrib["href"].partition(",")[2])))
    assert pixels.size == (2 * int(picture.get("width")), 2 * int(picture.get("height")))
    # Where the title stands there is nothing but the page's ground.
    assert pixels.crop((0, 0, pixels.width, 30)).getcolors() == [
        (pixels.width * 30, (253, 252, 250))
    ]


def test_the_inline_form_needs_no_file():
    inline = render(chart(), chart(800)).inline

    assert embed.BASE not in inline
    assert "data:image/svg+xml;base64," in inline
    assert "data-vega" not in inline


def test_the_page_gets_compiled_vega_and_readers_get_vega_lite():
    rendered = render(chart(), chart())
    folded = json.loads(rendered.files["heat.01234567.chart.json"])
    written = json.loads(rendered.files["heat.01234567.vl.json"])

    assert len(folded["charts"]) == 2
    assert len(written["vconcat"]) == 2
    assert "vega-lite" in written["$schema"]
    assert rendered.interactive


def test_variables_of_panels_stand_at_the_top_of_what_readers_get():
    panels = [chart().add_params(alt.param(name="at_x", value=0)) for _ in range(2)]
    coloured = [
        panel.encode(
            opacity=alt.when("datum.x === at_x").then(alt.value(1)).otherwise(alt.value(0))
        )
        for panel in panels
    ]
    written = json.loads(render(*coloured).files["heat.01234567.vl.json"])
    other = chart().add_params(alt.param(name="at_x", value=1))

    assert written["params"] == [{"name": "at_x", "value": 0}]
    assert vl_convert.vegalite_to_svg(written).startswith("<svg")
    with pytest.raises(ValueError, match='panels differ in the variable "at_x"'):
        render(panels[0], other)


def test_html_finds_its_own_files():
    drawing = Drawing(
        Markup('<p data-lists="{}x.json"></p>').format(Markup(theme.FILES)),
        "c",
        "d",
        {"x.json": b"[]"},
    )
    rendered = embed.render(drawing, "lists", DIGEST)

    assert f'"{embed.BASE}/figures/lists.01234567.x.json"' in rendered.html
    assert rendered.files == {"lists.01234567.x.json": b"[]"}
    assert not rendered.interactive


ODD = '"><img src=x onerror=alert(1)> \x02base\x03'


def picker(chosen=("short", "Fruits"), shown=None, data=PICKED) -> Drawing:
    options = {
        ("short", "Fruits"): [{"x": 1, "y": 2.5}, {"x": 2}],
        ("short", ODD): [{"x": 3, "y": 0.5, "z": ODD}],
        ("long", ODD): [],
    }
    rows = options.get(chosen, []) if shown is None else shown
    panel = alt.Chart(alt.InlineData(values=rows, name=data), width=100).encode(x="x:Q", y="y:Q")
    layers = alt.layer(panel.mark_line(), panel.mark_point().transform_filter("datum.y > 1"))
    return Drawing((layers,), "c", "d", choices=Choices(("length word", "topic"), options, chosen))


def test_menus_that_all_panels_follow_stand_over_all_so_that_these_stay_in_line():
    one = picker()
    both = embed.render(replace(one, body=one.body * 2), "curve", DIGEST)

    assert re.search(
        r'data-vega="[^"]*"><div class="post-over"><form .*?</p></div><div class="post-col',
        both.html,
    )
    assert both.inline.startswith(
        '<div class="post-chart post-columns"><div class="post-over"><p class="post-c'
    )
    assert "post-over" not in embed.render(one, "curve", DIGEST).html


def test_choices_are_menus_that_a_script_shows_and_words_that_need_none():
    rendered = embed.render(picker(), "curve", DIGEST)
    # Over the first panel that follows the choice, not over those that stay as they are.
    form, said = re.search(
        '<div class="post-panel" data-follows>(<form.*</form>)(<p class="post-count.*?</p>)<',
        rendered.html,
    ).groups()

    assert re.match(r'<form class="post-controls" [^>]* hidden>', form)
    assert "<label>Length word " in form
    assert re.findall(r'<select name="(.*?)"', form) == ["length word", "topic"]
    assert re.findall(r"<option selected>(.*?)<", form) == ["short", "Fruits"]
    assert re.findall(r"<option>(.*?)<", form)[0] == "long"
    assert said == '<p class="post-count">length word short · topic Fruits</p>'
    assert said in rendered.inline
    assert "<form" not in rendered.inline


def test_every_choice_has_a_file_of_its_rows_by_column():
    rendered = embed.render(picker(), "curve", DIGEST)
    form = rendered.html.partition("</form>")[0]
    picks = json.loads(re.search('data-picks="(.*?)"', form)[1])
    (start,) = re.findall('data-rows="(.*?)"', form)
    files = [
        rendered.files[f"{start}{number}.json".removeprefix(f"{embed.BASE}/figures/")]
        for number in range(len(picks))
    ]

    assert picks == [[0, 0], [0, 1], [1, 1]]
    assert files[0] == b'{"x":[1,2],"y":[2.5,null]}'
    assert json.loads(files[1])["z"][0].startswith('"><img src=x')
    assert files[2] == b"{}"
    assert sum(".pick-" in name for name in rendered.files) == len(picks)
    assert rendered == embed.render(picker(), "curve", DIGEST)


def test_choices_are_text():
    rendered = embed.render(picker(("short", ODD)), "curve", DIGEST)

    assert "<img src" not in rendered.html
    assert (
        "topic &quot;&gt;&lt;img src=x onerror=alert(1)&gt; \ufffdbase\ufffd</p>" in rendered.inline
    )
    assert embed.BASE not in rendered.inline


def test_the_page_finds_the_rows_by_their_name():
    rendered = embed.render(picker(), "c", DIGEST)
    (compiled,) = json.loads(rendered.files["c.01234567.chart.json"])["charts"]

    assert [data["name"] for data in compiled["data"] if "values" in data] == [PICKED]


@pytest.mark.parametrize(
    ("drawing", "refusal"),
    [
        (picker(shown=[{"x": 9, "y": 9}]), "other rows than the chosen ones"),
        (picker(data="own"), "no chart has a data set named"),
        (picker(chosen=("long", "Fruits")), "long"),
    ],
)
def test_charts_that_do_not_show_the_choice_are_refused(drawing, refusal):
    with pytest.raises((ValueError, KeyError), match=refusal):
        embed.render(drawing, "curve", DIGEST)
