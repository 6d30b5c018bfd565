"""Figures that answer: a reader picks what a chart shows, and charts point at the same thing."""

import re
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import pytest

from tests.browser import conftest
from tests.conftest import copy_of_built

# Drawn in the place of a real one: the table only has to be there.
DRAWING = '''
"""A chart with menus, a heatmap linked to it, and a chart whose menu has one name in common."""

import altair as alt

from site_builder.charts.drawing import PICKED, Choices, Drawing
from site_builder.charts import highlight, theme

FIRST = {
    ("short", "Fruits"): {"item": 11, "end": 12},
    ("short", "Rivers & <b>"): {"item": 21, "end": 22, "break": 23},
    ("long", "Rivers & <b>"): {"item": 31},
}
LAST = {("Rivers & <b>",): {"item": 41}, ("Fruits",): {"item": 51}}


def bars(names, options):
    options = {
        option: [{"role": role, "layer": 0, "v": v} for role, v in values.items()]
        for option, values in options.items()
    }
    chosen = next(iter(options))
    data = alt.InlineData(values=options[chosen], name=PICKED)
    base = alt.Chart(data, width=theme.PANEL, height=alt.Step(30)).encode(x="v:Q", y="role:N")
    chart = alt.layer(base.mark_bar(), base.mark_text().encode(text="v:Q"))
    return Drawing((chart,), "Bars.", "Bars.", choices=Choices(names, options, chosen))


def topics():
    cells = [
        {"topic": topic, "feature": f"{layer}/7", "layer": layer, "template": "short"}
        for topic in ("Fruits", "Rivers & <b>")
        for layer in range(3)
    ]
    marks = alt.Chart(theme.data(cells), width=theme.PANEL, height=100).mark_rect()
    lit = [highlight.match(field) for field in ("topic", "feature")]
    opacity = alt.when(lit[0]).then(alt.value(0.9)).when(lit[1]).then(alt.value(0.8))
    marks = marks.encode(
        x="layer:O", y="topic:N", opacity=opacity.otherwise(alt.value(0.2)),
        tooltip=["topic:N", "feature:N"],
    )
    chart = marks.add_params(*highlight.parameters("topic", "feature"))
    return Drawing((chart,), "Topics.", "Topics.", only={"template": "short"})


def draw(table, *, variant="", part: int = 1):
    if part == 4:
        return topics()
    if part == 1:
        return bars(("length word", "topic"), FIRST)
    if part == 3:
        return bars(("topic",), LAST)
    cells = [{"role": role, "layer": layer} for role in ("item", "end") for layer in range(3)]
    cell = alt.Chart(theme.data(cells), width=theme.PANEL, height=100).mark_rect()
    role, layer = highlight.parameters("role", "layer")
    lit = f"at_role === '' || {highlight.match('role')} && (at_layer === '' || {highlight.match('layer')})"
    heat = cell.encode(
        x="layer:O", y="role:N", opacity=alt.condition(lit, alt.value(0.9), alt.value(0.2))
    )
    lines = alt.Chart(theme.data(cells), width=theme.PANEL, height=100).mark_line(strokeWidth=9)
    lines = lines.encode(x="layer:Q", y="role:N", detail="role:N")
    return Drawing((heat.add_params(role, layer), lines), "Cells.", "Cells.")
'''
FAR = "\n\n".join(["A line of text."] * 200)
CONTENT = f"""# A page

<< figure: dataset >>

<< figure: dataset part=2 >>

{FAR}

<< figure: dataset part=3 >>

<< figure: dataset part=4 >>
"""
RIVERS = "Rivers & <b>"


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    root = copy_of_built(built_post, tmp_path_factory.mktemp("post"))
    (root / "site_builder/figures/dataset.py").write_text(DRAWING, "utf-8")
    for study in (root / "analyses/studies").glob("*.toml"):  # would be one choice more
        study.write_text(study.read_text("utf-8").replace("offered = true", "offered = false"))
    conftest.show(root, CONTENT)
    return conftest.build(root)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


class Figure:
    """One of the figures of an open page, scrolled to and alive."""

    def __init__(self, seen, number):
        self.page = seen.page
        self.root = seen.page.locator(".post-figure").nth(number - 1)
        self.root.scroll_into_view_if_needed()
        self.root.locator("[data-drawn]").wait_for()
        self.form = self.root.locator("form")
        self.said = self.root.locator(".post-count")
        self.cells = self.root.locator(".post-view .mark-rect.role-mark path")

    def values(self):
        texts = self.root.locator(".post-view .mark-text.role-mark text")
        return sorted(map(int, texts.all_text_contents()))

    def menu(self, name):
        return self.form.locator(f"select[name='{name}']")

    def pick(self, name, value, said):
        self.menu(name).select_option(value)
        self.said.get_by_text(said, exact=True).wait_for()

    def disabled(self):
        return self.form.locator("option:disabled").all_inner_texts()

    def lit(self, opacity="0.9", of="role"):
        """Roles (or what else) and layers of the cells that stand out, once the page is at rest."""
        conftest.rest(self.page)
        return self.cells.evaluate_all(
            """(cells, [opacity, of]) => cells
               .filter(cell => cell.getAttribute("opacity") === opacity)
               .map(cell => cell.__data__.datum[of] + cell.__data__.datum.layer).sort()""",
            [opacity, of],
        )

    def everywhere(self):
        return self.form.locator(".post-everywhere:visible")

    def unmet(self):
        return self.root.locator(".post-unmet").all_inner_texts()


ALL = ["end0", "end1", "end2", "item0", "item1", "item2"]


def test_another_choice_is_drawn_with_its_own_values_and_size(visit):
    seen = visit()
    figure = Figure(seen, 1)
    picture = figure.root.locator(".post-view svg")
    low = picture.bounding_box()["height"]

    assert figure.values() == [11, 12]
    assert figure.said.inner_text() == "length word short · topic Fruits"
    figure.pick("topic", RIVERS, f"length word short · topic {RIVERS}")
    assert figure.values() == [21, 22, 23]
    assert picture.bounding_box()["height"] > low + 20
    figure.pick("topic", "Fruits", "length word short · topic Fruits")
    assert figure.values() == [11, 12]
    assert picture.bounding_box()["height"] == low
    assert seen.complaints == []


def test_the_address_keeps_the_choice(visit):
    seen = visit()
    figure = Figure(seen, 1)
    figure.pick("topic", RIVERS, f"length word short · topic {RIVERS}")
    figure.pick("length word", "long", f"length word long · topic {RIVERS}")
    asked = "?" + seen.page.url.partition("?")[2]
    again = visit(asked)
    figure = Figure(again, 1)

    assert figure.values() == [31]
    assert figure.said.inner_text() == f"length word long · topic {RIVERS}"
    assert figure.menu("topic").input_value() == RIVERS
    figure.pick("length word", "short", f"length word short · topic {RIVERS}")
    figure.pick("topic", "Fruits", "length word short · topic Fruits")
    assert parse_qs(urlsplit(again.page.url).query) == {}  # what stands in the page needs no key
    assert again.complaints == []


def test_what_does_not_go_together_cannot_be_picked(visit):
    seen = visit()
    figure = Figure(seen, 1)

    assert figure.disabled() == []
    figure.pick("topic", RIVERS, f"length word short · topic {RIVERS}")
    assert figure.disabled() == []
    figure.pick("length word", "long", f"length word long · topic {RIVERS}")
    assert figure.disabled() == ["Fruits (not with length word long)"]
    figure.pick("length word", "short", f"length word short · topic {RIVERS}")
    figure.pick("topic", "Fruits", "length word short · topic Fruits")
    assert figure.disabled() == ["long (not with topic Fruits)"]


def test_a_choice_that_is_not_there_gives_way_to_the_nearest(visit):
    figure = Figure(visit(), 1)
    figure.pick("length word", "long", f"length word long · topic {RIVERS}")

    assert figure.values() == [31]


@pytest.mark.parametrize(
    "query", ["?topic=%3Cimg%3E&template=x", "?topic=", "?dataset.topic=Fruits&tpic=x"]
)
def test_an_address_that_names_no_choice_changes_nothing(visit, query):
    seen = visit(query)

    assert Figure(seen, 1).values() == [11, 12]
    assert seen.complaints == []


def test_a_pick_is_its_figures_alone_until_it_is_wanted_everywhere(visit):
    seen = visit()
    first, last = Figure(seen, 1), Figure(seen, 3)
    last.pick("topic", "Fruits", "topic Fruits")
    last.pick("topic", RIVERS, f"topic {RIVERS}")
    assert last.everywhere().count() == 0  # that is what stands in the page
    last.pick("topic", "Fruits", "topic Fruits")
    first.root.scroll_into_view_if_needed()
    first.pick("topic", RIVERS, f"length word short · topic {RIVERS}")
    assert (first.values(), last.values()) == ([21, 22, 23], [51])
    assert Bar(seen).menu("Topic").input_value() == ""
    asked = len([url for url in seen.requests if ".pick-" in url])

    last.root.scroll_into_view_if_needed()
    last.everywhere().get_by_text("Use topic Fruits everywhere").click()
    assert first.menu("topic").input_value() == "Fruits"
    assert first.values() == [21, 22, 23]  # not near
    first.root.scroll_into_view_if_needed()
    first.said.get_by_text("topic Fruits").wait_for()
    assert first.values() == [11, 12]
    assert len([url for url in seen.requests if ".pick-" in url]) == asked + 1
    assert Bar(seen).asked() == {"topic": ["Fruits"]}
    assert first.everywhere().count() == last.everywhere().count() == 0
    assert seen.complaints == []


def test_the_pages_choice_takes_over_what_was_picked_before(visit):
    seen = visit(f"?dataset-3.topic=Fruits&topic={quote(RIVERS)}")
    last, bar = Figure(seen, 3), Bar(seen)
    last.said.get_by_text("topic Fruits").wait_for()
    assert last.values() == [51]
    bar.menu("Topic").select_option("")
    last.said.get_by_text(f"topic {RIVERS}").wait_for()
    assert bar.asked() == {}


def test_without_scripts_the_first_choice_stands_in_the_page(visit):
    seen = visit(java_script_enabled=False)
    figure = seen.page.locator(".post-figure").first

    assert figure.locator(".post-count").inner_text() == "length word short · topic Fruits"
    picture = figure.locator("img.only-light").get_attribute("src")
    drawn = seen.page.request.get(urljoin(seen.page.url, picture)).text()
    assert re.findall(r">(\d\d)</text>", drawn)[-2:] == ["11", "12"]
    assert seen.page.locator("form.post-controls:visible").count() == 0


def test_of_two_choices_the_last_one_is_shown_whatever_comes_first(visit):
    seen = visit()
    figure = Figure(seen, 1)
    held = []
    seen.page.route("**/*.pick-1.json", lambda route: held.append(route))
    figure.menu("topic").select_option(RIVERS)
    figure.pick("length word", "long", f"length word long · topic {RIVERS}")
    held[0].continue_()
    seen.page.wait_for_load_state("networkidle")

    assert figure.values() == [31]
    assert figure.said.inner_text() == f"length word long · topic {RIVERS}"
    assert seen.complaints == []


def test_rows_that_do_not_come_leave_what_is_shown_and_said(visit):
    seen = visit()
    figure = Figure(seen, 1)
    seen.page.route("**/*.pick-*.json", lambda route: route.abort())
    figure.menu("topic").select_option(RIVERS)
    seen.page.wait_for_load_state("networkidle")

    assert figure.values() == [11, 12]
    assert figure.said.inner_text() == "length word short · topic Fruits"


def test_what_the_pointer_is_on_stands_out_in_the_other_charts(visit):
    seen = visit()
    heat, bars = Figure(seen, 2), Figure(seen, 1)
    assert heat.lit() == ALL
    bars.cells.first.hover()
    assert heat.lit() == ["item0"]
    heat.cells.last.hover()
    (cell,) = heat.lit()
    assert cell == heat.cells.last.evaluate("({ __data__: { datum } }) => datum.role + datum.layer")
    seen.page.mouse.move(2, 2)
    assert heat.lit() == ALL
    assert seen.complaints == []


def test_a_curve_points_only_at_what_all_its_points_share(visit):
    heat = Figure(visit(), 2)
    heat.root.locator(".post-view .mark-line.role-mark path").first.hover(force=True)

    assert len(heat.lit()) == 3


def test_a_tap_points_until_the_next_tap(visit):
    seen = visit(has_touch=True)
    heat = Figure(seen, 2)
    heat.cells.first.tap()
    assert len(heat.lit()) == 1
    heat.root.locator("figcaption").tap(position={"x": 300, "y": 5})
    assert heat.lit() == ALL


def test_charts_without_links_are_not_drawn_again(visit):
    seen = visit()
    heat, bars = Figure(seen, 2), Figure(seen, 1)
    seen.page.evaluate(
        """() => {
            window.changes = 0;
            const chart = document.querySelector(".post-view");
            new MutationObserver((all) => (window.changes += all.length))
                .observe(chart, { attributes: true, childList: true, subtree: true });
        }"""
    )
    heat.cells.first.hover()

    assert len(heat.lit()) == 1
    assert bars.values() == [11, 12]
    assert seen.page.evaluate("changes") == 0


class Bar:
    """The choice of the whole page."""

    def __init__(self, seen):
        self.page = seen.page
        self.form = seen.page.get_by_role("form", name="One choice for all figures")
        self.said = self.form.locator(".post-heard")

    def menu(self, words):
        return self.form.get_by_label(words)

    def asked(self):
        return parse_qs(urlsplit(self.page.url).query)


def test_the_bar_offers_what_any_figure_does_and_drives_all(visit):
    seen = visit()
    bar = Bar(seen)
    first = Figure(seen, 1)
    assert bar.menu("Topic").locator("option").all_inner_texts() == ["any topic", "Fruits", RIVERS]
    assert bar.menu("Length word").locator("option").all_inner_texts() == [
        "any length word",
        "short",
        "long",
    ]
    assert bar.form.locator("select").count() == 2

    bar.menu("Topic").select_option(RIVERS)
    first.said.get_by_text(f"length word short · topic {RIVERS}").wait_for()
    assert first.values() == [21, 22, 23]
    assert bar.asked() == {"topic": [RIVERS]}
    first.pick("topic", "Fruits", "length word short · topic Fruits")
    assert bar.menu("Topic").input_value() == RIVERS
    assert bar.asked() == {"topic": [RIVERS], "dataset.topic": ["Fruits"]}
    assert seen.complaints == []


def test_a_reset_gives_every_figure_back_to_its_author(visit):
    seen = visit(f"?topic={quote(RIVERS)}&template=long&dataset.x=1")
    bar, first = Bar(seen), Figure(seen, 1)
    first.said.get_by_text(f"length word long · topic {RIVERS}").wait_for()
    bar.form.get_by_role("button", name="reset").click()
    first.said.get_by_text("length word short · topic Fruits").wait_for()

    assert bar.asked() == {"dataset.x": ["1"]}
    assert bar.form.get_by_role("button", name="reset").is_disabled()
    assert Figure(seen, 3).said.inner_text() == f"topic {RIVERS}"
    assert [Figure(seen, number).unmet() for number in (1, 3, 4)] == [[], [], []]


def test_the_keyboard_makes_the_choice(visit):
    seen = visit()
    bar, first = Bar(seen), Figure(seen, 1)
    bar.menu("Topic").focus()
    seen.page.keyboard.press("R")
    first.said.get_by_text(f"length word short · topic {RIVERS}").wait_for()
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("ArrowDown")
    first.said.get_by_text(f"length word long · topic {RIVERS}").wait_for()
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    first.said.get_by_text("length word short · topic Fruits").wait_for()

    assert seen.page.evaluate("document.activeElement.name") == "topic"


def test_a_figure_that_lacks_what_is_chosen_keeps_what_it_has_and_says_so(visit):
    seen = visit()
    bar, first = Bar(seen), Figure(seen, 1)
    bar.menu("Topic").select_option("Fruits")
    bar.menu("Length word").select_option("long")
    first.said.get_by_text(f"length word long · topic {RIVERS}").wait_for()

    assert first.unmet() == ["Not as chosen: it has no topic Fruits with length word long."]
    assert "(not with length word long)" in first.disabled()[0]
    assert (
        first.form.locator("option:disabled").get_attribute("title") == "not with length word long"
    )
    last = Figure(seen, 3)
    last.said.get_by_text("topic Fruits").wait_for()
    assert last.unmet() == []
    assert Figure(seen, 4).unmet() == ["Not as chosen: it has length word short only."]
    bar.menu("Length word").select_option("")
    first.root.scroll_into_view_if_needed()
    first.said.get_by_text("length word short · topic Fruits").wait_for()
    assert first.unmet() == Figure(seen, 4).unmet() == []


def wheel(page, pixels):
    """Turn the wheel, and let the page come to rest."""
    page.mouse.wheel(0, pixels)
    page.wait_for_timeout(250)
    conftest.rest(page)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_bar_gives_way_on_the_way_down_and_returns_on_the_way_up(visit, motion):
    seen = visit(reduced_motion=motion)
    bar = Bar(seen)
    Figure(seen, 3)
    seen.page.mouse.move(600, 500)
    seen.page.evaluate("scrollTo(0, 1500)")
    wheel(seen.page, 300)
    assert bar.form.bounding_box()["y"] < 10  # behind the header
    wheel(seen.page, -200)
    assert 40 < bar.form.bounding_box()["y"] < 100
    wheel(seen.page, 300)
    bar.menu("Topic").focus()
    wheel(seen.page, 300)
    assert 40 < bar.form.bounding_box()["y"] < 100  # it is in use
    moves = bar.form.evaluate("node => getComputedStyle(node).transitionDuration")
    assert (moves == "0s") == (motion == "reduce")


def test_the_bar_says_which_figures_answer_and_leads_to_them(visit):
    seen = visit("?topic=Fruits", width=390)
    bar = Bar(seen)
    assert bar.said.text_content() == "topic Fruits: 2 follow, 1 marks it, in 1 topics are pooled."
    summary = bar.form.locator("summary")
    assert summary.inner_text() == "2 follow, 1 marks it, in 1 topics are pooled"
    summary.click()
    assert bar.form.locator("li a").all_inner_texts() == [
        "Figure 1",
        "Figure 3",
        "Figure 4",
        "Figure 2",
    ]
    bar.form.get_by_role("link", name="Figure 4").click()
    assert seen.page.url.endswith("#dataset-4")
    assert not bar.form.locator(".post-choice-list").is_visible()


def test_on_a_phone_the_menus_are_behind_a_button(visit):
    seen = visit(width=390)
    bar = Bar(seen)
    assert not bar.menu("Topic").is_visible()
    bar.form.get_by_role("button", name="Choose for all figures").click()
    assert bar.menu("Topic").evaluate("node => node === document.activeElement")
    bar.menu("Topic").select_option(RIVERS)
    seen.page.keyboard.press("Escape")
    assert not bar.menu("Topic").is_visible()
    assert bar.asked() == {"topic": [RIVERS]}


def test_a_choice_that_no_figure_of_the_page_has_is_told(visit):
    seen = visit("?topic=%3Cimg%3E")
    bar, first = Bar(seen), Figure(seen, 1)
    bar.menu("Topic").select_option(RIVERS)
    first.said.get_by_text(f"topic {RIVERS}").wait_for()
    bar.menu("Topic").select_option("<img>")
    first.said.get_by_text("topic Fruits").wait_for()  # the author's again, not the last one
    assert bar.menu("Topic").locator("option:checked").inner_text() == "<img> (not on this page)"
    assert bar.said.text_content() == "topic <img>: 3 lack it, in 1 topics are pooled."
    assert Figure(seen, 1).unmet() == ["Not as chosen: it has no topic <img>."]
    assert bar.asked() == {"topic": ["<img>"]}
    assert seen.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_bar_hides_no_place_that_a_link_leads_to(visit, width):
    seen = visit("#dataset-4", width=width)
    figure = Figure(seen, 4)
    seen.page.evaluate("location.hash = ''; location.hash = '#dataset-4'")
    conftest.rest(seen.page)
    bar = Bar(seen).form.bounding_box()

    assert bar["height"] <= 44
    assert figure.root.bounding_box()["y"] >= min(
        bar["y"] + bar["height"], seen.page.viewport_size["height"] - 500
    )
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert seen.page.evaluate(overflow) == 0


def test_a_chosen_topic_stands_out_where_all_topics_are_shown(visit):
    seen = visit()
    bar, topics = Bar(seen), Figure(seen, 4)
    assert topics.lit(of="topic") == []
    bar.menu("Topic").select_option("Fruits")
    assert topics.lit(of="topic") == ["Fruits0", "Fruits1", "Fruits2"]
    topics.cells.last.hover()
    assert topics.lit(of="topic") == [f"{RIVERS}{layer}" for layer in range(3)]
    seen.page.mouse.move(2, 2)
    assert topics.lit(of="topic") == ["Fruits0", "Fruits1", "Fruits2"]


def test_what_is_about_a_feature_stands_out_with_it(visit):
    seen = visit()
    topics = Figure(seen, 4)
    seen.page.evaluate(
        """() => {
            const card = document.createElement("div");
            card.dataset.feature = "1/7";
            document.querySelector(".post-figure:last-of-type .post-body").append(card);
        }"""
    )
    card = seen.page.locator("[data-feature]")
    topics.cells.first.hover()
    assert len(topics.lit("0.8", of="feature")) == 1  # the same feature in the other topic
    assert card.get_attribute("class") in (None, "")
    topics.cells.nth(1).hover()
    conftest.rest(seen.page)
    assert card.get_attribute("class") == "is-meant"


def test_the_keyboard_reads_a_chart_and_points(visit):
    seen = visit()
    topics = Figure(seen, 4)
    chart = topics.root.locator(".post-view")
    assert chart.get_attribute("role") == "img"
    assert "Arrow keys" in chart.get_attribute("aria-label")
    chart.focus()
    told = topics.root.locator(".post-told")
    assert told.get_attribute("role") == "status"
    for key, words in (
        ("ArrowRight", "topic Fruits feature 0/7"),
        ("ArrowRight", "topic Fruits feature 1/7"),
        ("ArrowDown", f"topic {RIVERS} feature 1/7"),
        ("ArrowDown", f"topic {RIVERS} feature 1/7"),
        ("End", f"topic {RIVERS} feature 2/7"),
        ("ArrowLeft", f"topic {RIVERS} feature 1/7"),
        ("ArrowUp", "topic Fruits feature 1/7"),
    ):
        seen.page.keyboard.press(key)
        assert " ".join(told.text_content().split()) == words
    assert topics.lit("0.8", of="feature") == ["1/71"]
    seen.page.keyboard.press("Escape")
    assert told.text_content() == ""
    assert topics.lit("0.8", of="feature") == []
    chart.blur()
    assert told.count() == 0
    assert seen.complaints == []
