"""One list under each intervention, in a browser: with and without scripts, picked, on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import conftest

CONTENT = """# A page

<< figure: ending >>

<< figure: interventions topic=Countries sample=3 >>
"""
FIGURE = ".post-figure:has(.interventions)"


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    return conftest.post_of(CONTENT, built_post, tmp_path_factory)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


def figure(seen):
    found = seen.page.locator(FIGURE)
    found.scroll_into_view_if_needed()
    return found


def shown(found, name):
    """A column's visible lines, and how its list ended."""
    column = found.locator(f"[data-intervention='{name}']")
    lines = [line for line in column.locator("ol li").all() if line.is_visible()]
    return [line.inner_text() for line in lines], column.locator(".interventions-end").inner_text()


def test_without_scripts_a_list_stands_under_each_intervention(visit):
    found = figure(visit(java_script_enabled=False))
    same, end = shown(found, "unchanged")
    longer, cut = shown(found, "logit bias")

    assert found.locator("form").is_hidden()
    assert end == f"ended after {len(same)} items"
    assert longer[: len(same)] == same
    assert cut.startswith("cut after")
    fold = found.locator("[data-intervention='logit bias'] details")
    fold.locator("summary").click()
    assert len(shown(found, "logit bias")[0]) == int(cut.split()[2]) + 1  # one item was cut


def test_a_list_that_is_picked_stands_in_every_column_and_in_the_address(visit):
    seen = visit()
    found = figure(seen)
    before = shown(found, "unchanged")
    found.locator("select[name=sample]").select_option("5")
    count = found.locator(".post-count", has_text="topic Countries · sample 5")
    count.wait_for()

    assert shown(found, "unchanged") != before
    assert "interventions.sample=5" in seen.page.url
    again = visit(seen.page.url.partition("/")[2].partition("/")[2].partition("/")[2])
    other = figure(again)
    other.locator(".post-count", has_text="sample 5").wait_for()
    assert shown(other, "unchanged") == shown(found, "unchanged")
    assert shown(other, "top") == shown(found, "top")
    assert seen.complaints == again.complaints == []


def test_it_follows_the_topic_of_the_page(visit):
    seen = visit("?topic=Colors")
    found = figure(seen)
    found.locator(".post-count", has_text="topic Colors").wait_for()
    same, _ = shown(found, "unchanged")

    marked = found.locator("[data-intervention='unchanged'] li[data-new]")
    assert same
    assert marked.count() == 0


def test_lists_ends_and_points_stand_in_line(visit):
    found = figure(visit(width=1440))
    for part in ("interventions-list", "interventions-hazard"):
        tops = found.locator(f".{part}").evaluate_all(  # at one time: the page may still move
            "parts => parts.map(part => part.getBoundingClientRect().top)"
        )
        assert max(tops) - min(tops) < 1
    assert found.locator(".post-body").bounding_box()["height"] < 900


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_shuts_nobody_out(visit, scheme):
    seen = visit(width=390, color_scheme=scheme)
    found = figure(seen)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

    assert seen.page.evaluate(overflow) == 0
    columns = [one.bounding_box() for one in found.locator("[data-intervention]").all()]
    assert all(box["x"] + box["width"] <= 391 for box in columns)
    assert Axe().run(seen.page, context=FIGURE).response["violations"] == []
