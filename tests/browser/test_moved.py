"""Links to what has moved: whatever the post once showed on its first page is still found there."""

import json
import re
from pathlib import Path

import pytest

OLD = (Path(__file__).parent / "old_links.txt").read_text("utf-8").split()
"""The ids of all figures, tables, cards and sections when the post was one page."""


def test_every_old_link_leads_to_a_place_that_is_there(folder):
    places = json.loads((folder / "places.json").read_text("utf-8"))
    pages = {page: (folder / page / "index.html").read_text("utf-8") for page in places.values()}

    assert len(OLD) > 60
    for name in OLD:
        page = pages[places[name]]
        assert f'id="{name}"' in page
        figure = re.search(rf'<figure [^>]*id="{name}"[^>]*data-study="([^"]+)"', page)
        assert figure is None or figure[1] == "smollm2-135m-instruct"  # not another model's


@pytest.mark.parametrize("name", ["patching-v", "sec-appendix"])
def test_an_old_link_leads_to_the_page_that_has_it_now(visit, folder, name):
    places = json.loads((folder / "places.json").read_text("utf-8"))
    assert places[name] != ""
    page = visit(f"?topic=Colors#{name}").page

    page.wait_for_url(f"**/{places[name]}?topic=Colors#{name}")
    assert page.locator(f"#{name}").count() == 1


def test_a_link_within_an_open_page_is_followed_and_an_unknown_one_left_alone(visit, folder):
    seen = visit()
    seen.page.evaluate("location.hash = '#nowhere'")
    with seen.page.expect_response("**/places.json"):
        seen.page.evaluate("location.hash = '#nowhere-else'")
    assert seen.page.url.endswith("/#nowhere-else")

    seen.page.evaluate("location.hash = '#feature-tests'")

    seen.page.wait_for_url("**/measurements/08-ablation/#feature-tests")
    assert seen.complaints == []
