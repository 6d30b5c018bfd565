"""Figures that answer: a reader picks what a chart shows, and charts point at the same thing."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser import conftest

# Drawn in the place of a real one: the table only has to be there.
DRAWING = '''
"""A chart with menus, a heatmap linked to it, and a chart whose menu has one name in common."""

import altair as alt

from site_builder.drawing import PICKED, Choices, Drawing
from site_builder.figures import theme

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


def draw(table, *, variant="", part: int = 1):
    if part == 1:
        return bars(("length word", "topic"), FIRST)
    if part == 3:
        return bars(("topic",), LAST)
    cells = [{"role": role, "layer": layer} for role in ("item", "end") for layer in range(3)]
    cell = alt.Chart(theme.data(cells), width=theme.PANEL, height=100).mark_rect()
    role, layer = alt.param("at_role", ""), alt.param("at_layer", None)
    lit = "at_role === '' || datum.role === at_role && (at_layer === null || datum.layer === at_layer)"
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
"""
RIVERS = "Rivers & <b>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = conftest.copy(tmp_path_factory)
    (root / "site_builder/figures/dataset.py").write_text(DRAWING, "utf-8")
    (root / "content/index.md").write_text(CONTENT, "utf-8")
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

    def lit(self):
        """The roles and layers of the cells that are not dimmed, once the page is at rest."""
        self.page.wait_for_timeout(150)
        return self.cells.evaluate_all(
            """cells => cells.filter(cell => cell.getAttribute("opacity") === "0.9")
               .map(cell => cell.__data__.datum.role + cell.__data__.datum.layer).sort()"""
        )


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
    assert parse_qs(urlsplit(again.page.url).query) == {"topic": ["Fruits"], "template": ["short"]}
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


def test_other_figures_take_a_choice_over_alive_or_not(visit):
    seen = visit()
    first = Figure(seen, 1)
    first.pick("topic", RIVERS, f"length word short · topic {RIVERS}")
    last = Figure(seen, 3)
    assert last.said.inner_text() == f"topic {RIVERS}"
    last.pick("topic", "Fruits", "topic Fruits")
    asked = len([url for url in seen.requests if ".pick-" in url])

    assert first.menu("topic").input_value() == "Fruits"
    assert first.values() == [21, 22, 23]
    first.root.scroll_into_view_if_needed()
    first.said.get_by_text("topic Fruits").wait_for()
    assert first.values() == [11, 12]
    assert len([url for url in seen.requests if ".pick-" in url]) == asked + 1
    assert last.values() == [51]
    assert seen.complaints == []


def test_without_scripts_the_first_choice_stands_in_the_page(visit):
    seen = visit(java_script_enabled=False)
    figure = seen.page.locator(".post-figure").first

    assert figure.locator(".post-count").inner_text() == "length word short · topic Fruits"
    assert figure.locator("svg .mark-text.role-mark text").all_text_contents() == ["11", "12"]
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
