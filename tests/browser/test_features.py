"""Feature cards in a browser: one in the prose, and a gallery of hundreds that opens at once."""

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.browser import conftest
from tests.conftest import copy_of_built
from tests.figures import feature_tables
from tests.site_builder.conftest import put

MANY = 500
NODES = 60
"""Elements that a closed card may have: hundreds of cards are opened at once."""

FIRST = "26/63"
HOSTILE = '"><img src=x onerror=alert(1)>'
# In the place of the real one: the table only has to be there.
STUB = '"""A stub."""\n\nVARIANTS = ({!r},)\n\n\ndef run(lab, *, variant=""):\n    """Nothing."""\n'
TABLES = {
    ("feature", ""): feature_tables.feature(MANY, odd=HOSTILE),
    ("feature_activation", ""): feature_tables.feature_activation(odd=HOSTILE),
    ("feature_presence", ""): feature_tables.feature_presence(),
    ("feature_overlap", "topics"): feature_tables.feature_overlap(),
    ("feature_clusters", ""): feature_tables.feature_clusters(),
}
INDEX = f"""# A page

<< feature: {FIRST} >>

<< feature: 28/398 >>

<< figure: feature_activation 26/63 >>

<< figure: feature_presence >>

<< figure: feature_overlap topics >>

<< figure: feature_clusters >>
"""
GALLERY = """# Feature cards

<< table: feature >>
"""


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    root = copy_of_built(built_post, tmp_path_factory.mktemp("post"))
    (root / "content/index.md").write_text(INDEX, "utf-8")
    (root / "content/features.md").write_text(GALLERY, "utf-8")
    shutil.rmtree(root / "content/claims")  # they are about other results, as all other pages are
    shutil.rmtree(root / "content/measurements")
    for page in (root / "content").glob("*.md"):
        if page.name not in ("index.md", "features.md"):
            page.unlink()
    project = Project(root)
    for (name, variant), table in TABLES.items():
        (root / f"analyses/{name}.py").write_text(STUB.format(variant), "utf-8")
        put(Store(project), ResultId(project.study, name, variant), table)
    return conftest.build(root)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


def names(page) -> list[str]:
    cards = page.locator("details.card:not([hidden]) .card-name")
    return cards.all_text_contents()


def order(page, how: str) -> int:
    """Choose an order; returns how many elements were put somewhere else."""
    return page.evaluate(
        """how => {
          const watch = new MutationObserver(() => {});
          watch.observe(document.querySelector("article"), { childList: true, subtree: true });
          const menu = document.querySelector("select[name=order]");
          menu.value = how;
          menu.dispatchEvent(new Event("input", { bubbles: true }));
          return watch.takeRecords().reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
        }""",
        how,
    )


def test_hundreds_of_cards_are_small_and_each_is_moved_at_most_once(visit):
    page = visit("features/").page
    assert len(names(page)) == MANY
    inside = page.eval_on_selector_all(
        "details.card", "cards => Math.max(...cards.map(c => c.querySelectorAll('*').length))"
    )
    assert inside <= NODES
    assert 1 < order(page, "firing") <= MANY + 2  # the count and its note are written anew
    assert len(names(page)) == MANY


def test_cards_are_ordered_by_what_is_asked(visit):
    seen = visit("features/")
    page = seen.page
    plain = names(page)
    for how in ("attributed", "measured", "firing"):
        order(page, how)
        sizes = page.eval_on_selector_all(
            "details.card", f"cards => cards.map(card => Math.abs(card.dataset.{how}))"
        )
        assert sizes == sorted(sizes, reverse=True)
    order(page, "layer")
    layers = page.eval_on_selector_all("details.card", "cards => cards.map(c => +c.dataset.layer)")
    assert layers == sorted(layers)
    order(page, "measured")
    assert names(page) == plain
    assert seen.complaints == []


def test_cards_are_chosen_by_layer_and_text_and_the_address_keeps_it(visit):
    seen = visit("features/")
    seen.page.locator("select[name=layer]").select_option("26")
    seen.page.locator("input[name=text]").fill("/63")
    order(seen.page, "attributed")

    again = visit("features/" + seen.page.url.partition("/features/")[2])
    for page in (seen.page, again.page):
        page.locator(".post-count").get_by_text(f"of {MANY} cards").wait_for()
        assert names(page) == [FIRST]
    assert again.page.locator("select[name=order]").input_value() == "attributed"
    assert seen.complaints == again.complaints == []


def test_the_keyboard_reaches_each_card_and_opens_it(visit):
    seen = visit("features/")
    page = seen.page
    page.locator("select[name=order]").focus()
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.parentNode.id"))
    page.keyboard.press("Enter")
    page.locator(f"#{reached[-1]} .card-body").wait_for()

    assert reached == page.eval_on_selector_all(
        "details.card", "cards => cards.slice(0, 3).map(card => card.id)"
    )
    assert seen.complaints == []


def test_a_card_has_an_address_of_its_own(visit):
    seen = visit("features/#f-28-398")
    card = seen.page.locator("#f-28-398")
    card.locator(".card-body").wait_for()
    seen.page.wait_for_function("scrollY > 1000")

    assert card.get_attribute("open") is not None
    link = card.locator(".card-near a[href^='#f-']").first
    link.click()
    other = seen.page.locator(f"details{link.get_attribute('href')}")
    other.locator(".card-body").wait_for()
    assert seen.complaints == []


def test_details_come_only_when_they_are_asked_for(visit):
    seen = visit("features/")
    seen.page.wait_for_load_state("networkidle")

    assert [url for url in seen.requests if url.endswith(".htm")] == []


def test_details_that_do_not_come_leave_the_link_to_them(visit):
    seen = visit("features/")
    seen.page.route("**/*.htm", lambda route: route.abort())
    card = seen.page.locator("details.card").first
    card.locator("summary").click()
    seen.page.wait_for_load_state("networkidle")

    assert card.locator(".card-more a").count() == 1


def test_without_scripts_every_card_is_there_and_leads_to_its_details(visit):
    seen = visit("features/", java_script_enabled=False)
    page = seen.page

    assert len(names(page)) == MANY
    assert page.locator("form.post-controls:visible").count() == 0
    page.locator("details.card summary").first.click()
    page.locator(".card-more a").first.click()
    page.locator(".card-body").wait_for()
    assert page.locator(".card-example").count() > 5
    assert "that were not chosen" in page.locator("body").inner_text()


def test_a_card_in_the_prose_has_all_it_holds_without_scripts(visit):
    page = visit(java_script_enabled=False).page
    card = page.locator("#feature-26-63")

    assert card.locator(".card-example").count() > 5
    assert card.locator("svg.spark").count() == 4
    assert card.locator(".post-number").inner_text() == "Feature card 1"
    assert card.locator(".card-near a").last.is_visible()


def test_text_of_the_model_stays_text_in_the_page_and_in_what_is_put_in(visit):
    seen = visit("features/")
    card = seen.page.locator("details.card").first
    card.locator("summary").click()
    card.locator(".card-body").wait_for()

    assert HOSTILE in card.locator(".card-tokens").first.inner_text()
    assert seen.page.locator(".post-cards img").count() == 0
    assert visit().page.locator(".card img").count() == 0
    assert seen.complaints == []


def test_the_figures_come_alive_and_answer_a_choice(visit):
    seen = visit()
    seen.scroll_through()
    figure = seen.page.locator("#feature-activation")
    figure.scroll_into_view_if_needed()  # what is not near is drawn anew only when it is
    bars = figure.locator(".post-view").first.locator(".mark-rect.role-mark path")
    before = bars.count()
    figure.locator("select[name='length word']").select_option("long")
    figure.locator(".post-count").get_by_text("length word long").wait_for()

    assert before > 20
    assert seen.page.locator(".post-panel").count() == seen.page.locator(".post-view svg").count()
    assert seen.complaints == []


def test_a_card_that_is_opened_before_the_script_comes_is_filled_when_it_does(visit):
    page = visit().page
    held = []
    page.route(re.compile(r"/gallery[^/]*\.js"), lambda route: held.append(route))
    page.goto(page.url + "features/")
    page.locator("details.card summary").first.click()
    page.wait_for_function("() => document.querySelector('details.card').open")
    assert page.locator(".card-body").count() == 0
    while not held:
        page.wait_for_timeout(50)

    held[0].continue_()

    page.locator(".card-body").wait_for()


@pytest.mark.parametrize("path", ["", "features/"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_cards_never_scroll_sideways(visit, path, width):
    page = visit(path, width=width).page
    if path:
        page.locator("details.card summary").first.click()
        page.locator(".card-body").wait_for()

    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "features/"])
def test_axe_finds_no_violation(visit, path, scheme):
    seen = visit(path, color_scheme=scheme)
    if path:
        seen.page.locator("details.card summary").first.click()
        seen.page.locator(".card-body").wait_for()
        # One card stands for all: hundreds of the same only take time.
        seen.page.eval_on_selector_all(
            "details.card", "cards => cards.slice(9).forEach(card => card.remove())"
        )
    found = Axe().run(seen.page)

    assert found.violations_count == 0, found.generate_report()[:3000]
