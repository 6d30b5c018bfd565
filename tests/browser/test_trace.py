"""The trace: read without scripts, walked step by step, by depth, by list and by reading on."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import conftest

CONTENT = """# A page

<< figure: trace >>

<< figure: ending >>
"""
FIGURE = ".post-figure:has(.trace)"
DEPTHS = [1, 3, 12, 14, 21, 30]


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    return conftest.post_of(CONTENT, built_post, tmp_path_factory)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


@pytest.fixture(scope="module")
def files(folder):
    """The lists by topic, and the means, as the page's script reads them."""
    page = (folder / "index.html").read_text("utf-8")
    options = re.findall(r'<option value="([^"]+)" data-file="([^"]+\.json)"', page)
    found = {topic: json.loads((folder / file).read_text("utf-8")) for topic, file in options}
    means = re.search(r'data-means="([^"]+)"', page)[1]
    return found, json.loads((folder / means).read_text("utf-8"))


class Walk:
    """The trace of an open page, once its stage is there."""

    def __init__(self, seen, *, live=True):
        self.page, self.seen = seen.page, seen
        self.root = seen.page.locator(FIGURE)
        if live:
            self.root.scroll_into_view_if_needed()
            seen.page.locator(".trace.is-live").wait_for()
        self.stage = self.root.locator(".trace-stage")
        self.slider = self.root.get_by_role("slider")
        self.said = self.root.locator(".trace-said")
        self.read = self.root.locator(".trace-readout")

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def pick(self, name, value):
        self.stage.locator(f"select[name={name}]").select_option(value)
        self.settle()

    def settle(self):
        self.page.locator('.trace-stage[aria-busy="false"]').wait_for()

    def depth(self):
        return int(self.slider.input_value())

    def inks(self):
        """How opaque each token is, in reading order, below zero with a minus."""
        return self.stage.locator(".trace-ink path").evaluate_all(
            """paths => paths.map(path => (path.classList.contains("is-below") ? -1 : 1)
              * Math.round(100 * path.getAttribute("fill-opacity")) / 100)"""
        )

    def numbers(self):
        return self.stage.locator(".trace-numbers text").all_text_contents()

    def arcs(self):
        return self.stage.locator(".trace-arcs path").count()


def ink(percent):
    size = round(0.8 * (min(abs(percent), 100) / 100) ** 0.5 + 1e-9, 2)
    return -size if percent < 0 else size


def test_without_scripts_each_step_is_a_panel(visit):
    walk = Walk(visit(java_script_enabled=False), live=False)
    panels = walk.root.locator(".trace-panel")

    assert panels.count() == len(DEPTHS)
    assert all(panel.is_visible() for panel in panels.all())
    assert walk.root.locator(".trace-map").is_visible()
    assert not walk.stage.is_visible()
    tells = walk.root.locator(".trace-tells").all_inner_texts()
    assert all(re.search(r"\d+\s% \(\d+ to \d+\)", told) for told in tells)
    # What is drawn once and used in all has the face and the size that it is laid out for.
    wide = panels.first.evaluate("""panel => panel.querySelector(":scope > use").getBBox().width""")
    assert wide > 200


def test_the_stage_shows_what_the_panels_do(visit):
    plain = Walk(visit(java_script_enabled=False), live=False)
    panels = [
        (
            sorted(panel.locator(".trace-numbers text").all_text_contents()),
            panel.locator(".trace-arcs path").evaluate_all("n => n.map(p => p.getAttribute('d'))"),
            panel.locator(".trace-names text").all_text_contents(),
        )
        for panel in plain.root.locator(".trace-panel").all()
    ]
    walk = Walk(visit("?trace.depth=1"))
    for step, (numbers, ways, names) in enumerate(panels, 1):
        assert walk.depth() == DEPTHS[step - 1]
        assert sorted(walk.numbers()) == numbers
        drawn = walk.stage.locator(".trace-arcs path")
        assert drawn.evaluate_all("n => n.map(p => p.getAttribute('d'))") == ways
        assert walk.stage.locator(".trace-names text").all_text_contents() == names
        assert walk.said.inner_text().startswith(f"Step {step} of 6, after")
        if step < len(panels):
            walk.button("Next step").click()
    assert walk.button("Next step").get_attribute("aria-disabled") == "true"
    assert walk.seen.complaints == []


def test_ink_is_what_each_token_holds(visit, files):
    lists, _ = files
    walk = Walk(visit("?trace.depth=17"))
    own = lists["City Names"]["own"]

    assert walk.inks() == pytest.approx([ink(value) for value in own[17]], abs=0.011)
    assert "After 17 blocks: the earlier items 29 %" in walk.said.inner_text()
    assert walk.arcs() == 0  # nothing was moved by a head of the path just here
    walk.pick("ink", "role")
    assert "ink=role" in walk.page.url
    assert "means over lists" in walk.read.inner_text()


def test_keys_go_by_step_and_by_block(visit):
    walk = Walk(visit("?trace.depth=12"))
    walk.button("Next step").press("ArrowRight")
    assert walk.depth() == 14
    walk.button("Next step").press("ArrowLeft")
    assert walk.depth() == 12
    walk.slider.press("ArrowRight")
    assert walk.depth() == 13
    assert walk.slider.get_attribute("aria-valuetext") == walk.said.text_content()
    assert "trace.depth=13" in walk.page.url
    walk.button("One step back").press("Enter")
    assert walk.depth() == 12
    walk.button("After 21 blocks").press("Enter")
    assert walk.depth() == 21
    assert "and writes at" in walk.said.text_content()
    assert walk.root.locator("li[aria-current=step]").count() == 1


def test_a_token_is_read_by_pointer_and_by_key(visit, files):
    lists, means = files
    walk = Walk(visit("?trace.depth=14"))
    tokens = lists["City Names"]["tokens"]
    word = next(place for place, token in enumerate(tokens) if token[0] == "short")
    walk.stage.locator(".trace-ink path").nth(word).hover()
    mean, low, high = means["means"][14][tokens[word][4]]
    own = lists["City Names"]["own"][14][word]
    assert walk.read.inner_text() == (
        f"short, in this list alone: {own} %; the length word, all its tokens, mean over lists: "
        f"{mean} % ({low} to {high})."
    )
    walk.stage.locator("> svg").first.press("ArrowRight")
    assert walk.read.inner_text().startswith("list, in this list alone:")
    walk.stage.locator("> svg").first.press("ArrowDown")
    assert not walk.read.inner_text().startswith("list,")


def test_a_list_that_was_not_patched_by_token_says_so(visit, files):
    lists, means = files
    walk = Walk(visit("?trace.depth=21"))
    opening = walk.page.locator(".ending select[name=topic]")
    before = opening.input_value()
    walk.pick("topic", "Rivers")
    roles = [role for *_, role in lists["Rivers"]["tokens"]]
    held = [means["means"][21][role][0] if role >= 0 else 0 for role in roles]

    assert walk.stage.locator("select[name=ink]").is_disabled()
    assert walk.inks() == pytest.approx([ink(value) for value in held], abs=0.011)
    assert walk.read.inner_text().startswith("Ink: means over lists, all tokens of a role")
    assert walk.arcs() > 0
    # What is picked here is this figure's alone, and a link shows the same.
    assert opening.input_value() == before != "Rivers"
    again = Walk(visit("?" + walk.page.url.partition("?")[2]))
    assert again.stage.locator("select[name=topic]").input_value() == "Rivers"
    assert again.inks() == walk.inks()
    walk.pick("topic", "City Names")
    assert walk.stage.locator("select[name=ink]").input_value() == "own"
    assert walk.read.inner_text().startswith("Ink: this list alone")


def test_another_length_word_is_said_not_to_be_shown(visit):
    walk = Walk(visit("?template=long"))

    assert "length word short only" in walk.root.locator(".post-unmet").inner_text()


def test_reading_on_walks_the_steps_until_a_reader_takes_over(visit):
    walk = Walk(visit())
    steps = walk.root.locator(".trace-steps > li")
    middle = "node => scrollBy(0, node.getBoundingClientRect().top - innerHeight / 2 + 40)"
    for step in (1, 3, 5, 2):
        steps.nth(step).evaluate(middle)
        walk.root.locator(f'li.is-now[data-depth="{DEPTHS[step]}"]').wait_for()
        assert walk.depth() == DEPTHS[step]
    assert "trace.depth" not in walk.page.url
    walk.slider.press("Home")
    steps.nth(4).evaluate(middle)
    conftest.rest(walk.page)

    assert walk.depth() == 0


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_arcs_are_drawn_along_their_way_only_for_who_wants_motion(visit, motion):
    walk = Walk(visit("?trace.depth=14", reduced_motion=motion))
    arc = walk.stage.locator(".trace-arcs path").first

    moves = arc.evaluate("node => getComputedStyle(node).animationName")
    assert moves == {"reduce": "none", "no-preference": "trace-go"}[motion]


def test_lists_that_do_not_come_leave_what_is_shown(visit):
    walk = Walk(visit("?trace.depth=14"))
    before = walk.inks()
    walk.page.route("**/*.list-*.json", lambda route: route.abort())
    walk.stage.locator("select[name=topic]").select_option("Rivers")
    conftest.rest(walk.page)

    assert walk.inks() == before


def test_on_a_phone_the_sentence_stands_under_the_picture(visit):
    walk = Walk(visit("?trace.depth=14", width=390))

    assert "Head 13.7 reads" in walk.said.inner_text()
    assert not walk.root.locator(".trace-steps").is_visible()
    wide = walk.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_on_paper_every_step_is_a_panel(visit):
    walk = Walk(visit("?trace.depth=14"))
    walk.page.emulate_media(media="print")

    assert all(panel.is_visible() for panel in walk.root.locator(".trace-panel").all())
    assert not walk.stage.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation_at_a_step(visit, scheme, width):
    walk = Walk(visit("?trace.depth=14", color_scheme=scheme, width=width))
    found = Axe().run(walk.page, context=FIGURE)

    assert found.violations_count == 0, found.generate_report()[:3000]
