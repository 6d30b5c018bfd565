"""How drawings stand in the page: small, the same every time, readable without a script."""

import json
import re
import subprocess
import sys

import altair as alt
from markupsafe import Markup

from site_builder import embed
from site_builder.drawing import Drawing
from site_builder.figures import theme

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


def test_a_chart_is_an_svg_with_name_and_description():
    html = render(chart(title="Title")).html

    assert 'role="img"' in html
    assert re.search(r"<title [^>]*>Title</title><desc [^>]*>A description.</desc>", html)
    assert "style=" not in html


def test_colours_of_text_follow_the_page():
    assert f'fill="{theme.colour("fg")}"' in render(chart(title="Title")).html


def test_ids_are_the_figures_own_and_every_reference_holds():
    html = render(chart(), chart()).html
    ids = re.findall(r'\bid="([^"]+)"', html)

    assert len(ids) == len(set(ids))
    assert all(name.startswith("heat-01234567-") for name in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    assert "url(#" in html


def test_bytes_are_the_same_in_every_process():
    code = (
        "import hashlib, sys; from tests.figures.test_embed import chart, render;"
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
        name = f"heat.01234567-1.{scheme}.png"
        assert rendered.files[name].startswith(b"\x89PNG")
        assert f'src="{embed.BASE}/figures/{name}"' in rendered.html
    assert re.search(r'width="\d+" height="\d+" loading="lazy"', rendered.html)
    assert 'alt="A caption. A description."' in rendered.html


def test_the_inline_form_needs_no_file():
    inline = render(chart(), chart(800)).inline

    assert embed.BASE not in inline
    assert "data:image/png;base64," in inline
    assert "data-vega" not in inline


def test_the_page_gets_compiled_vega_and_readers_get_vega_lite():
    rendered = render(chart(), chart())
    compiled = json.loads(rendered.files["heat.01234567.vg.json"])
    written = json.loads(rendered.files["heat.01234567.vl.json"])

    assert [spec["$schema"].split("/")[-2] for spec in compiled] == ["vega", "vega"]
    assert len(written["vconcat"]) == 2
    assert "vega-lite" in written["$schema"]
    assert rendered.interactive


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
