"""Every mark is a door: by mouse, finger and key, to a card or a list beside the page, and back."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import conftest

PANEL = ".post-aside[open]"
CELLS = ".mark-rect.role-mark path"
POINTS = ".mark-symbol.role-mark path"


@pytest.fixture
def place(folder):
    """Return a function that tells on which page a figure is."""
    index = json.loads((folder / "figures/index.json").read_text("utf-8"))
    return lambda slug: index[slug]["page"]


def alive(seen, slug):
    """A figure, scrolled to, once its charts are alive."""
    figure = seen.page.locator(f"#{slug}")
    figure.scroll_into_view_if_needed()
    figure.locator("[data-drawn]").wait_for()
    return figure


def asked(page):
    return parse_qs(urlsplit(page.url).query)


def about(mark, *names):
    """Fields of the row behind a mark, as text."""
    datum = mark.evaluate(
        "(node, names) => names.map(name => `${node.__data__.datum[name]}`)", names
    )
    return dict(zip(names, datum, strict=True))


def test_a_click_on_a_features_mark_opens_its_card_and_the_way_back_closes_it(visit, place):
    seen = visit(place("feature-presence"))
    page = seen.page
    figure = alive(seen, "feature-presence")
    cell = figure.locator(CELLS).nth(30)
    name = about(cell, "feature")["feature"]
    cell.hover()
    assert "leads-on" in figure.locator(".post-view").get_attribute("class")
    cell.click()
    panel = page.locator(PANEL)
    panel.locator(".card-body").wait_for()

    assert panel.locator("h2").inner_text() == f"Feature {name}"
    assert panel.locator(".card-name").inner_text() == name
    assert asked(page) == {"pin": [f"feature:{name}"]}
    own = panel.get_by_role("link", name="Its own place among all cards").get_attribute("href")
    assert own.endswith(f"features/#f-{name.replace('/', '-')}")
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    assert page.evaluate("document.activeElement.matches('#feature-presence .post-view')")
    assert asked(page) == {}
    page.go_back()
    panel.locator(".card-body").wait_for()
    page.go_back()
    panel.wait_for(state="detached")
    assert seen.complaints == []


def test_a_features_label_at_an_axis_leads_to_its_card_too(visit, place):
    seen = visit(place("feature-presence"))
    label = alive(seen, "feature-presence").get_by_text(re.compile(r"^\d+/\d+$")).nth(2)
    name = label.text_content()
    label.click()

    assert asked(seen.page) == {"pin": [f"feature:{name}"]}
    seen.page.locator(f"{PANEL} .card-name").get_by_text(name, exact=True).wait_for()
    assert seen.complaints == []


def test_a_key_reads_a_mark_enters_it_and_comes_back_to_it(visit, place):
    seen = visit(place("feature-presence"))
    page = seen.page
    view = alive(seen, "feature-presence").locator(".post-view")
    view.focus()
    page.keyboard.press("ArrowRight")
    told = page.locator("#feature-presence .post-told")
    words = told.text_content()
    page.keyboard.press("Enter")
    page.locator(f"{PANEL} .card-body").wait_for()
    assert page.evaluate("document.activeElement.id") == "post-aside-title"
    page.keyboard.press("Escape")
    assert view.evaluate("node => node === document.activeElement")
    assert told.text_content() == words


def test_a_tap_tells_values_and_a_button_beside_them_leads_on(visit, place):
    seen = visit(place("patching-resid"), width=390, has_touch=True)
    page = seen.page
    cell = alive(seen, "patching-resid").locator(".post-view").first.locator(CELLS).nth(40)
    cell.tap()
    told = page.locator("#patching-resid .post-told")
    for words in ("role", "blocks passed", about(cell, "layer")["layer"]):
        assert words in told.text_content()
    assert told.get_by_role("button").count() == 0
    assert page.locator(PANEL).count() == 0
    seen = visit(place("feature-presence"), width=390, has_touch=True)
    page = seen.page
    figure = alive(seen, "feature-presence")
    figure.locator(CELLS).nth(30).tap()
    figure.locator(".post-told button").tap()
    panel = page.locator(PANEL)
    panel.locator(".card-body").wait_for()
    box = panel.bounding_box()
    assert (round(box["x"]), round(box["width"])) == (0, 390)
    assert box["y"] > 300
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0


def test_a_topics_mark_opens_its_lists_and_a_link_shows_one_in_the_opening_figure(visit, place):
    seen = visit(place("list-statistics-tokens-per-item"))
    page = seen.page
    figure = alive(seen, "list-statistics-tokens-per-item")
    figure.evaluate(
        "node => node.querySelectorAll('.post-body details').forEach(fold => { fold.open = true; })"
    )
    of_topic = (
        "marks => marks.findIndex(mark => mark.__data__.tooltip && mark.__data__.datum.topic)"
    )
    mark = figure.locator(POINTS).nth(figure.locator(POINTS).evaluate_all(of_topic))
    topic = about(mark, "topic")["topic"]
    mark.click(force=True)
    panel = page.locator(PANEL)
    panel.locator("tbody tr").first.wait_for()
    assert panel.locator("h2").inner_text() == f"Lists of {topic}"
    items = panel.locator("tbody th").all_inner_texts()
    panel.get_by_role("link", name="item by item").click()
    page.locator("#ending [data-topic]").get_by_text(topic, exact=True).wait_for()
    page.wait_for_function(
        """items => [...document.querySelectorAll("#ending .ending-list th > span")]
          .map(item => item.textContent).join() === items""",
        arg=",".join(items),
    )
    assert page.locator("form.post-choice select[name=topic]").input_value() == ""
    assert seen.complaints == []


def test_a_row_of_the_lists_loads_the_figures_that_have_it(visit, place):
    seen = visit(place("lists"))
    page = seen.page
    lists = page.locator("#lists")
    lists.scroll_into_view_if_needed()
    row = lists.locator("[data-door]:visible").first
    row.locator("button").click()
    fields = json.loads(row.get_attribute("data-door"))
    panel = page.locator(PANEL)
    panel.locator("tbody tr").first.wait_for()
    wanted = {name: fields[name] for name in ("topic", "template", "sample")}
    page.locator("#example").scroll_into_view_if_needed()
    page.wait_for_function(
        """wanted => Object.entries(wanted).every(([name, value]) =>
          document.querySelector(`#example select[name=${name}]`).value === value)""",
        arg=wanted,
    )
    there = panel.get_by_role("link", name="item by item").get_attribute("href")
    keys = parse_qs(urlsplit(there).query)
    assert keys == {f"ending.{name}": [value] for name, value in wanted.items()}
    assert there.endswith("#ending")
    assert seen.complaints == []


def test_a_pin_holds_in_other_figures_and_goes_along_to_other_pages(visit, place):
    seen = visit(f"{place('patching-attn-out')}?topic=Colors")
    page = seen.page
    figure = alive(seen, "patching-attn-out")
    first, second = (figure.locator(".post-view").nth(place) for place in (0, 1))
    first.locator(CELLS).nth(40).click()
    page.mouse.move(2, 300)
    conftest.rest(page)
    dim = "cells => new Set(cells.map(cell => cell.getAttribute('opacity'))).size"
    assert second.locator(CELLS).evaluate_all(dim) == 2
    assert page.locator(f"{PANEL}.is-folded").inner_text().startswith("Pinned: layer")
    pins = asked(page)["pin"]
    page.locator(".post-pages a", has_text="Feature").click()
    page.wait_for_url("**/features/**")
    assert asked(page) == {"topic": ["Colors"], "pin": pins}
    page.locator(f"{PANEL}.is-folded").wait_for()
    page.get_by_role("button", name="Close and let go").click()
    assert asked(page) == {"topic": ["Colors"]}
    assert seen.complaints == []


@pytest.mark.parametrize(
    "pin", ["feature:<img src=x>", "feature:30/999999", "topic:<b>", "x:y", ":"]
)
def test_a_pin_that_means_nothing_is_text_and_breaks_nothing(visit, pin):
    seen = visit(f"claims/?pin={pin}")
    seen.page.wait_for_load_state("networkidle")

    assert seen.page.locator(".post-aside :is(img, b)").count() == 0
    assert seen.page.locator(PANEL).count() == (0 if pin == ":" else 1)
    assert seen.complaints == []


def test_a_panel_that_cannot_be_filled_says_so(visit, place):
    seen = visit(place("feature-presence"))
    seen.page.route("**/figures/index.json", lambda route: route.abort())
    alive(seen, "feature-presence").locator(CELLS).nth(30).click()

    seen.page.locator(PANEL).get_by_text("could not be fetched").wait_for()


def test_a_card_that_was_opened_before_its_script_came_is_filled(visit, address):
    seen = visit("claims/")
    held = []
    seen.page.route("**/gallery.*.js", lambda route: held.append(route))
    seen.page.goto(f"{address}features/", wait_until="domcontentloaded")
    card = seen.page.locator("details.card").first
    card.locator("summary").click()
    while not held:
        conftest.rest(seen.page)
    held[0].continue_()

    card.locator(".card-body").wait_for()


def test_a_number_tells_its_interval_to_pointer_key_and_finger(visit):
    seen = visit(has_touch=True)
    page = seen.page
    number = page.locator(".post-value[data-told]").first
    words = number.get_attribute("data-told")
    box = page.locator("#post-number-told")
    number.hover()
    assert box.inner_text() == words
    page.mouse.move(2, 300)
    assert not box.is_visible()
    number.focus()
    assert box.inner_text() == words
    page.keyboard.press("Escape")
    assert not box.is_visible()
    number.blur()
    number.tap()
    assert box.inner_text() == words
    page.locator("h1").tap()
    assert not box.is_visible()


def test_without_scripts_a_number_still_tells_its_interval(visit):
    page = visit(java_script_enabled=False).page

    assert re.search(r"\d", page.locator(".post-value[title]").first.get_attribute("title"))


def test_pointing_leaves_a_figure_its_size(visit):
    seen = visit()
    figure = alive(seen, "list-statistics-items")
    sizes = """node => [node.getBoundingClientRect().height,
      ...[...node.querySelectorAll(".post-view svg")].map(svg => svg.getAttribute("viewBox"))]"""
    before = figure.evaluate(sizes)
    for view in figure.locator(".post-view:visible").all():
        view.locator(POINTS).last.hover(force=True)
        conftest.rest(seen.page)
        assert figure.evaluate(sizes) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_in_the_panel_and_paper_leaves_it_out(visit, scheme, width):
    seen = visit("claims/?pin=feature:28/1147", color_scheme=scheme, width=width)
    panel = seen.page.locator(PANEL)
    panel.locator(".card-body").wait_for()
    found = Axe().run(seen.page, context=PANEL)

    assert found.violations_count == 0, found.generate_report()[:3000]
    seen.page.emulate_media(media="print")
    assert not panel.is_visible()
