"""The pages with all measurements in a browser: their figures are held to what holds for the post's."""

import pytest

from tests.browser.pages import MEASUREMENTS
from tests.browser.test_page import FIGURES, UNDRAWN

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", MEASUREMENTS)
def test_every_chart_comes_alive_and_nothing_complains(visit, address, path, scheme):
    seen = visit(path, color_scheme=scheme)
    seen.scroll_through()

    charts = seen.page.locator("[data-vega]")
    assert charts.count() == seen.page.locator('[data-drawn="vega"]').count()
    assert seen.page.locator(".post-panel").count() == seen.page.locator(".post-view svg").count()
    assert seen.page.eval_on_selector_all(FIGURES, UNDRAWN) == []
    assert {url for url in seen.requests if not url.startswith((address, "data:"))} == set()
    ids = seen.page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)")
    assert sorted(set(ids)) == sorted(ids)
    assert seen.page.evaluate(OVERFLOW) == 0
    assert seen.complaints == []


@pytest.mark.parametrize("path", MEASUREMENTS)
def test_a_page_never_scrolls_sideways_on_a_phone_nor_needs_a_script(visit, path):
    page = visit(path, width=360, java_script_enabled=False).page
    for figure in page.locator(FIGURES).all():
        figure.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")

    assert page.evaluate(OVERFLOW) == 0
    for picture in page.locator(".post-body :is(svg.marks, img.only-light)").all():
        box = picture.bounding_box()
        assert box
        assert box["width"] > 100
        assert box["height"] > 50
    assert page.locator(".post-controls:visible").count() == 0


def test_each_page_is_listed_and_leads_to_its_section(folder):
    listed = (folder / "measurements/index.html").read_text("utf-8")
    for path in MEASUREMENTS[1:]:
        assert f'href="{path.removeprefix("measurements/")}"' in listed
        assert 'class="post-ref" href="../../#sec-' in (folder / path / "index.html").read_text(
            "utf-8"
        )
