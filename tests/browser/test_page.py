"""The built page in a browser: every figure is drawn, nothing complains, nobody is shut out.

What it weighs is measured here too, and that its text waits for no script.
"""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import vl_convert

from tests.browser.test_reach import luminance

FIGURES = ".post-figure"
DATA = "measurements/02-data/"
"""The page with one list's tokens and with all lists."""

# One evaluation finds what has no size: images that did not load, drawings that are empty.
UNDRAWN = """figures => figures.flatMap(figure => {
  const seen = [...figure.querySelectorAll('.post-body svg, .post-body img')]
    .filter(picture => picture.checkVisibility() && !picture.parentNode.closest('svg'))
    .filter(picture => !picture.matches(':has(> defs:only-child)'));  // draws nothing by itself
  const empty = seen.filter(picture => {
    const box = picture.getBoundingClientRect();
    return box.width < 10 || box.height < 10 || picture.naturalWidth === 0;
  });
  const charts = figure.querySelector('.post-chart') && !seen.length;
  const body = figure.querySelector('.post-body').getBoundingClientRect();
  return empty.length || charts || body.height < 20 ? [figure.id] : [];
})"""


FIRST, FIRST_COMPRESSED = 700_000, 235_000
INDEX, INDEX_COMPRESSED = 350_000, 80_000
CHARTS_COMPRESSED = 160_000
WHOLE = 1_800_000
COMPRESSED_ALREADY = (".webp", ".png", ".woff2")


def sizes(folder: Path, requests: list[str]) -> tuple[int, int]:
    """Bytes of all that was asked for, plain and as a host compresses it."""
    plain = small = 0
    for url in dict.fromkeys(url for url in requests if url.startswith("http")):
        path = folder / unquote(urlsplit(url).path).lstrip("/")
        data = (path / "index.html" if path.is_dir() else path).read_bytes()
        plain += len(data)
        small += len(data) if path.suffix in COMPRESSED_ALREADY else len(gzip.compress(data, 6))
    return plain, small


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


def test_every_chart_comes_alive_and_nothing_complains(gone_through, address, scheme):
    seen = gone_through(scheme=scheme)

    charts = seen.page.locator("[data-vega]")
    assert charts.count() > 0
    assert charts.count() == seen.page.locator('[data-drawn="vega"]').count()
    assert seen.page.locator(".post-panel").count() == seen.page.locator(".post-view svg").count()
    assert seen.page.eval_on_selector_all(FIGURES, UNDRAWN) == []
    assert seen.complaints == []
    assert {url for url in seen.requests if not url.startswith((address, "data:"))} == set()


def test_nothing_is_kept_of_a_visit_but_whether_it_was_dark(visit):
    seen = visit()
    seen.scroll_through()
    kept = seen.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")

    assert seen.page.context.cookies() == []
    assert kept == ["/.__palette"]


def test_every_id_is_used_once(visit):
    ids = visit().page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)")

    assert sorted(set(ids)) == sorted(ids)


def test_charts_load_only_when_they_are_near(gone_through):
    seen = gone_through()
    first = [url for url in seen.first if url.endswith(".chart.json")]

    assert len(first) < len([url for url in seen.requests if url.endswith(".chart.json")])


def test_every_chart_that_is_offered_opens_in_a_vega_lite_editor(folder):
    offered = sorted((folder / "figures").glob("*.vl.json"))

    assert len(offered) > 30
    for path in offered:
        assert vl_convert.vegalite_to_svg(path.read_text("utf-8")).startswith("<svg"), path.name


def test_without_scripts_every_figure_is_there(visit, scheme):
    seen = visit(java_script_enabled=False, color_scheme=scheme)
    page = seen.page
    for more in page.locator(".post-rest > summary").all():
        more.click()
    for figure in page.locator(FIGURES).all():
        figure.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")

    assert page.locator(FIGURES).count() > 0
    for picture in page.locator(f".post-body :is(svg.marks, img.only-{scheme})").all():
        box = picture.bounding_box()
        assert box
        assert box["width"] > 100
        assert box["height"] > 50
    assert page.locator(".post-controls:visible").count() == 0
    assert seen.complaints == []


@pytest.mark.parametrize("width", [1280, 1920, 768, 360])
def test_the_page_never_scrolls_sideways(gone_through, width):
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert gone_through(width).page.evaluate(overflow) == 0


def test_text_in_charts_is_legible_on_a_phone(gone_through):
    sizes = gone_through(360).page.eval_on_selector_all(
        ".post-view svg text",
        """texts => texts.filter(text => text.textContent).map(text =>
            parseFloat(getComputedStyle(text).fontSize)
            * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))""",  # some stand upright
    )

    assert sizes
    assert min(sizes) >= 10


def test_a_chart_tells_its_values(gone_through):
    seen = gone_through()
    mark = seen.page.locator(".post-view .mark-symbol.role-mark path, .post-view .mark-rect path")
    mark.first.scroll_into_view_if_needed()
    mark.first.hover(force=True)

    seen.page.locator("#vg-tooltip-element.visible td.value").first.wait_for()
    assert seen.complaints == []


def test_the_page_keeps_its_budgets(gone_through, folder, scheme):
    seen = gone_through(scheme=scheme)
    plain, small = sizes(folder, seen.first)

    index = (folder / "index.html").read_bytes()
    assert len(index) <= INDEX
    assert len(gzip.compress(index, 6)) <= INDEX_COMPRESSED
    assert plain <= FIRST, f"first view {plain:,}"
    assert small <= FIRST_COMPRESSED, f"first view {small:,} compressed"
    assert not any("/charts." in url for url in seen.first)  # no chart is near yet

    (charts,) = {url for url in seen.requests if "/charts." in url}
    assert sizes(folder, [charts])[1] <= CHARTS_COMPRESSED
    plain, small = sizes(folder, seen.requests)
    assert small <= WHOLE, f"whole page {small:,} compressed, {plain:,} plain"
    assert seen.complaints == []


def test_forced_colours_leave_words_in_charts_legible(gone_through, scheme):
    page = gone_through(scheme=scheme).page
    page.emulate_media(forced_colors="active")
    try:
        ground, *fills = page.evaluate(
            """() => [getComputedStyle(document.body).backgroundColor, ...new Set(
                [...document.querySelectorAll('.post-view svg text')]
                  .map(n => getComputedStyle(n).fill))]"""
        )
    finally:
        page.emulate_media(forced_colors="none")

    assert fills
    for fill in fills:
        assert abs(luminance(fill) - luminance(ground)) > 0.5, (fill, ground)


def test_the_text_and_the_pictures_wait_for_no_script(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(address)

    assert page.locator("h1").is_visible()
    assert page.locator("article p").count() > 50
    figure = page.locator(".post-figure:has(.post-chart)").first
    figure.scroll_into_view_if_needed()
    picture = figure.locator("img:visible").first
    picture.wait_for()
    assert picture.evaluate("node => node.decode().then(() => node.naturalWidth)") > 100
    context.close()


def test_a_choice_leaves_the_next_figures_their_colours(visit):
    """Gradients named by the page's address are lost when a choice changes the address."""
    seen = visit()
    menu = seen.page.locator(".post-choice select[name='topic']")
    menu.wait_for()
    menu.select_option("Fruits")
    seen.page.wait_for_function("location.search.includes('Fruits')")
    seen.page.locator("#patching-resid .post-chart").scroll_into_view_if_needed()
    seen.page.locator("#patching-resid .post-chart[data-drawn]").wait_for()
    names = seen.page.eval_on_selector_all(
        "#patching-resid .post-view svg [fill^='url']",
        "nodes => nodes.map(n => n.getAttribute('fill'))",
    )

    assert names
    assert all(name.startswith("url(#") for name in names)


def test_dark_and_light_change_without_drawing_again(visit):
    seen = visit(color_scheme="light")
    seen.page.locator(".post-chart[data-vega]").first.scroll_into_view_if_needed()
    text = seen.page.locator(".post-view svg text").first
    before = text.evaluate("node => getComputedStyle(node).fill")
    seen.page.locator("label[for='__palette_1']").first.click()

    assert text.evaluate("node => getComputedStyle(node).fill") != before


def test_a_strip_shows_the_list_that_is_picked_and_the_address_keeps_it(visit):
    seen = visit(DATA)
    strip = seen.page.locator(".post-strip").first
    strip.scroll_into_view_if_needed()
    tokens = strip.locator(".token[role=option]")
    tokens.first.wait_for()
    before = tokens.all_inner_texts()
    topics = strip.locator("select[name=topic]")
    topics.select_option(index=1)
    seen.page.wait_for_function(
        "before => [...document.querySelectorAll('.post-strip [role=option]')]"
        ".map(token => token.innerText).join() !== before",
        arg=",".join(before),
    )
    strip.locator("select[name=colour]").select_option("entropy")
    chosen = topics.input_value()

    again = visit(f"{DATA}?{seen.page.url.partition('?')[2]}")
    strip = again.page.locator(".post-strip").first
    strip.scroll_into_view_if_needed()
    strip.locator(".token[role=option]").first.wait_for()
    assert strip.locator("select[name=topic]").input_value() == chosen
    assert strip.locator(".by-value").count() == 1
    assert seen.complaints == again.complaints == []


def test_a_strip_is_read_with_the_keyboard(visit):
    seen = visit(DATA)
    strip = seen.page.locator(".post-strip").first
    strip.scroll_into_view_if_needed()
    listbox = strip.get_by_role("listbox")
    strip.locator(".post-readout", has_text="probability").wait_for()
    listbox.focus()
    seen.page.keyboard.press("End")
    last = strip.locator(".post-readout").inner_text()
    seen.page.keyboard.press("ArrowLeft")

    assert "probability" in last
    assert strip.locator(".post-readout").inner_text() != last
    assert strip.locator('[aria-selected="true"]').count() == 1


def test_a_strip_waits_for_its_numbers(visit):
    seen = visit("404.html")
    held = []
    seen.page.route("**/figures/*.json", lambda route: held.append(route))
    seen.page.goto(seen.page.url.replace("404.html", DATA))
    strip = seen.page.locator(".post-strip").first
    strip.scroll_into_view_if_needed()
    strip.get_by_role("listbox").focus()
    for key in ("End", "ArrowLeft"):
        seen.page.keyboard.press(key)
    strip.locator("select[name=colour]").select_option("entropy")
    assert held
    seen.page.unroute("**/figures/*.json")  # which lets go of what was held
    strip.locator(".post-readout", has_text="probability").wait_for()

    assert seen.complaints == []


def test_lists_are_searched(visit):
    seen = visit(DATA)
    lists = seen.page.locator(".post-lists").first
    lists.scroll_into_view_if_needed()
    word = lists.locator(".items").first.inner_text().split("·")[0].strip()
    lists.locator("input[name=text]").fill(word)
    lists.locator("mark").first.wait_for()

    assert word in lists.locator(".post-hits li").first.inner_text()
    assert "of" in lists.locator(".post-count").inner_text()
    lists.locator("input[name=text]").fill("zzzz no such item zzzz")
    seen.page.wait_for_function("() => !document.querySelector('.post-lists .post-hits li')")
    assert lists.locator(".post-count").inner_text().startswith("0 of")
    assert seen.complaints == []


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_contents_mark_the_heading_that_a_click_led_to_and_nothing_covers_it(visit, width):
    seen = visit(width=width)
    seen.page.wait_for_load_state("networkidle")
    links = seen.page.locator(".md-nav--secondary a.md-nav__link:visible")
    assert links.count() > 20
    for place in range(0, links.count() - 3, 4):  # the last ones may be too low to reach the top
        name = links.nth(place).get_attribute("href")
        links.nth(place).click()
        marked = seen.page.locator(".md-nav--secondary .md-nav__link--active:visible").last
        seen.page.locator(f".md-nav__link--active[href='{name}']:visible").wait_for()
        heading = seen.page.locator(f"[id='{name[1:]}']").bounding_box()["y"]
        bar = seen.page.locator(".post-choice").bounding_box()

        assert marked.get_attribute("href") == name
        assert heading < 150
        assert not bar["y"] <= heading < bar["y"] + bar["height"]
