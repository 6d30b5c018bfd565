"""The opening figure: a list is read without scripts, picked, and written step by step."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import conftest

CONTENT = """# A page

<< figure: ending >>

<< figure: logit_difference example >>
"""
FIGURE = ".post-figure:has(.ending)"
ROWS = ".ending-list tr"


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    return conftest.post_of(CONTENT, built_post, tmp_path_factory)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


class Opening:
    """The first opening figure of an open page."""

    def __init__(self, seen):
        self.seen = seen
        self.page = seen.page
        self.root = seen.page.locator(FIGURE).first
        self.root.scroll_into_view_if_needed()
        self.said = self.root.locator(".ending-said")

    def rows(self):
        """What can be seen of the list: its rows' texts."""
        rows = self.root.locator(ROWS).all()
        return [row.inner_text() for row in rows if row.is_visible()]

    def menu(self, name):
        return self.root.locator(f"select[name={name}]")

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def pick(self, name, value):
        self.menu(name).select_option(value)
        self.settle()

    def settle(self):
        """Wait until the list that was asked for has come, or has failed to."""
        self.root.locator('.ending-scroll[aria-busy="false"]').wait_for()

    def end(self):
        return self.root.locator(".ending-end td")


@pytest.fixture
def files(folder):
    """The lists of each topic, as the page's script reads them."""
    page = (folder / "index.html").read_text("utf-8")
    options = re.findall(r'<option data-file="([^"]+)"[^>]*>([^<]+)</option>', page)
    return {
        topic: json.loads((folder / file).read_text("utf-8"))
        for file, topic in options
        if "/ending." in file
    }


def test_without_scripts_a_whole_list_is_there(visit):
    opening = Opening(visit(java_script_enabled=False))
    table = opening.root.get_by_role("table")

    assert len(opening.rows()) > 2
    assert table.locator("thead th").all_inner_texts()[2:] == [
        "asked for\nshort",
        "asked for\nlong",
    ]
    for row in opening.root.locator(ROWS).all():
        assert all(
            re.fullmatch(r"<?[\d.]+\s%|–", text) for text in row.locator("td").all_inner_texts()[1:]
        )
    assert "The model ended the list here." in opening.end().inner_text()
    assert opening.root.locator("form:visible").count() == 0


def test_the_script_writes_the_rows_that_stand_in_the_page(visit):
    """Another list and back: the same texts and the same marks, so both round alike."""
    opening = Opening(visit())
    body = opening.root.locator(".ending-list")
    squeezed = """node => node.innerHTML.trim().replaceAll(' class=""', "")
        .replace(/>\\s+</g, "><")"""
    opening.button("One item back").click()
    opening.button("Next item").click()
    before, end = body.evaluate(squeezed), opening.end().inner_text()
    topic = opening.menu("topic").input_value()
    sample = opening.menu("sample").input_value()
    opening.pick("topic", "Fruits" if topic != "Fruits" else "Animals")
    assert body.evaluate(squeezed) != before
    opening.pick("topic", topic)
    opening.pick("sample", sample)

    assert body.evaluate(squeezed) == before
    assert opening.end().inner_text() == end
    assert opening.seen.complaints == []


def test_any_list_can_be_picked_and_the_address_keeps_it(visit, files):
    opening = Opening(visit())
    lists = files["Fruits"]["long"]
    number = next(number for number, one in lists.items() if not one["ended"])
    opening.pick("topic", "Fruits")
    opening.pick("template", "long")
    opening.pick("sample", number)
    again = Opening(visit("?" + opening.page.url.partition("?")[2]))
    again.settle()

    for one in (opening, again):
        assert one.root.locator(f"{ROWS} th").all_inner_texts() == lists[number]["items"]
        assert "The list met its limit" in one.end().inner_text()
        assert "a long list of Fruits" in " ".join(
            one.root.locator(".ending-asked").inner_text().split()
        )
        assert (
            one.root.locator(".ending-means:visible th").first.inner_text().count("long lists") == 1
        )
        assert one.seen.complaints == []
    assert again.said.inner_text() == f"The list was cut after {len(lists[number]['items'])} items."


@pytest.mark.parametrize(
    "query", ["?topic=%3Cimg%3E&ending.sample=x", "?ending.step=-3", "?ending.sample=99"]
)
def test_an_address_that_names_no_list_changes_little(visit, query):
    opening = Opening(visit(query))
    opening.page.wait_for_load_state("networkidle")

    assert len(opening.rows()) > 0
    assert opening.seen.complaints == []


def test_the_list_is_gone_through_with_the_keyboard(visit):
    opening = Opening(visit())
    whole = opening.rows()
    slider = opening.root.get_by_role("slider")
    slider.focus()
    opening.page.keyboard.press("Home")
    assert opening.rows() == whole[:1]
    assert not opening.end().is_visible()
    opening.page.keyboard.press("ArrowRight")
    assert opening.rows() == whole[:2]
    item, _, short, long = whole[1].split("\t")
    for told in (f"Item 2, “{item}”", short, long, "It went on."):
        assert told in opening.said.text_content()
    assert slider.get_attribute("aria-valuetext") == opening.said.text_content()
    opening.button("Next item").press("Enter")
    assert opening.rows() == whole[:3]
    assert "ending.step=3" in opening.page.url
    opening.button("One item back").press("Enter")
    slider.focus()
    opening.page.keyboard.press("End")
    assert opening.rows() == whole
    assert opening.end().is_visible()
    assert "ending.step" not in opening.page.url
    assert opening.button("Next item").get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_it_plays_to_its_end_and_can_be_paused(visit, motion):
    opening = Opening(visit(reduced_motion=motion))
    whole = len(opening.rows())
    height = opening.root.bounding_box()["height"]
    opening.page.clock.install(time=0)
    opening.page.clock.pause_at(1000)
    opening.button("Play").click()
    assert len(opening.rows()) == 1
    opening.page.clock.run_for(1500)
    written = len(opening.rows())
    assert 1 < written < whole
    svg = opening.root.locator(f"{ROWS}.is-now td > svg")
    moves = svg.evaluate("node => getComputedStyle(node).animationName")
    assert moves == {"reduce": "none", "no-preference": "ending-grow"}[motion]
    opening.button("Pause").click()
    opening.page.clock.run_for(5000)
    assert len(opening.rows()) == written
    opening.button("Play").click()
    opening.page.clock.run_for(30000)
    assert len(opening.rows()) == whole
    assert opening.end().is_visible()
    assert opening.button("Play").is_visible()
    assert opening.root.bounding_box()["height"] == height


def test_a_long_list_scrolls_in_its_own_window(visit, files):
    number, longest = max(
        files["Animals"]["long"].items(), key=lambda entry: len(entry[1]["items"])
    )
    opening = Opening(visit(f"?topic=Animals&template=long&ending.sample={number}"))
    opening.settle()
    window = opening.root.locator(".ending-scroll")
    top = opening.page.evaluate("scrollY")
    slider = opening.root.get_by_role("slider")
    slider.press("Home")
    assert window.evaluate("node => node.scrollTop") == 0
    slider.press("End")

    assert len(opening.rows()) == len(longest["items"]) > 20
    assert window.evaluate("node => node.scrollTop") > 100
    assert window.bounding_box()["height"] < 800
    assert opening.page.evaluate("scrollY") == top


def test_a_list_is_picked_for_this_figure_until_it_is_wanted_everywhere(visit):
    seen = visit()
    opening = Opening(seen)
    other = seen.page.locator("#logit-difference-example form select[name=topic]")
    before = other.input_value()
    opening.pick("topic", "Fruits")
    assert other.input_value() == before
    assert "ending.topic=Fruits" in seen.page.url
    opening.button("Use topic Fruits everywhere").click()
    assert other.input_value() == "Fruits"
    assert "?topic=Fruits" in seen.page.url
    assert "ending.topic" not in seen.page.url
    seen.page.locator("#logit-difference-example .post-chart").scroll_into_view_if_needed()
    other.wait_for()
    other.select_option("Animals")

    assert opening.menu("topic").input_value() == "Fruits"
    assert opening.root.locator("[data-topic]").inner_text() == "Fruits"
    seen.page.locator("form.post-choice").get_by_label("Topic").select_option("Colors")
    assert (opening.menu("topic").input_value(), other.input_value()) == ("Colors", "Colors")
    assert seen.complaints == []


def test_of_two_choices_the_last_one_is_shown(visit, files):
    opening = Opening(visit())
    held = []
    number = list(files).index("Fruits")
    opening.page.route(f"**/*.topic-{number}.json", lambda route: held.append(route))
    opening.menu("topic").select_option("Fruits")
    while not held:
        conftest.rest(opening.page)
    opening.menu("topic").select_option("Animals")
    opening.root.locator("[data-topic]").get_by_text("Animals", exact=True).wait_for()
    held[0].continue_()
    opening.page.wait_for_load_state("networkidle")

    assert opening.root.locator("[data-topic]").inner_text() == "Animals"


def test_lists_that_do_not_come_leave_what_is_shown(visit):
    opening = Opening(visit())
    before = opening.rows(), opening.root.locator("[data-topic]").inner_text()
    opening.page.route("**/*.topic-*.json", lambda route: route.abort())
    opening.pick("topic", "Fruits")

    assert (opening.rows(), opening.root.locator("[data-topic]").inner_text()) == before


def test_on_paper_every_step_is_shown(visit):
    opening = Opening(visit("?ending.step=1"))
    assert len(opening.rows()) == 1
    opening.page.emulate_media(media="print")

    assert len(opening.rows()) > 2
    assert opening.end().is_visible()
    assert opening.root.locator("form:visible").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation_at_a_step(visit, scheme, width):
    seen = visit("?ending.step=2", color_scheme=scheme, width=width)
    found = Axe().run(seen.page, context=FIGURE)

    assert len(Opening(seen).rows()) == 2
    assert found.violations_count == 0, found.generate_report()[:3000]
