"""What opens over the text: the claims of a paragraph, the meaning of a term."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

SIGN, LIST = ".post-sign", ".post-sign + :popover-open"
TERM, HINT = "article a.post-term", ".post-hint:popover-open"
PHONE = {"width": 390, "has_touch": True, "reduced_motion": "reduce"}
INSIDE = """node => {
  const { left, top, right, bottom } = node.getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}"""
SMALL = """signs => signs.map((sign) => [sign.textContent, sign.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(scope="module")
def claims(folder):
    return {one["id"]: one for one in json.loads((folder / "claims.json").read_bytes())}


def several(page):
    """A sign of several claims, all of which hold."""
    sign = page.locator(SIGN).filter(has_text="✓ 3").filter(has_not=page.locator("b")).first
    sign.scroll_into_view_if_needed()
    return sign


def test_a_sign_opens_its_claims_with_their_numbers_and_ways_to_their_tests(visit, claims):
    seen = visit()
    sign = several(seen.page)
    assert sign.get_attribute("aria-label") == "3 claims: all hold"
    sign.click()
    seen.page.locator(f"{LIST} small").nth(2).wait_for()
    ways = seen.page.locator(f"{LIST} a")
    told = seen.page.locator(f"{LIST} small").all_inner_texts()

    ids = [way.get_attribute("href").partition("claims/#")[2] for way in ways.all()]
    assert ways.all_inner_texts() == [f"✓ {claims[one]['says']}" for one in ids]
    for one, text in zip(ids, told, strict=True):
        assert text.startswith("holds on ")
        assert claims[one]["shown"]["estimate"] in text
        if claims[one]["low"] is not None:
            assert f"({claims[one]['shown']['interval']})" in text
    ways.nth(1).click()
    assert seen.page.locator(".post-claim-row:target").get_attribute("id") == ids[1]
    assert seen.complaints == []


def test_a_list_opens_again_as_it_was(visit):
    page = visit().page
    sign = several(page)
    shown = []
    for _ in range(2):
        sign.click()
        page.locator(f"{LIST} small").nth(2).wait_for()
        shown.append(page.locator(LIST).inner_text())
        page.keyboard.press("Escape")
        assert page.locator(LIST).count() == 0

    assert shown[0] == shown[1]


def test_a_sign_is_opened_and_left_by_keyboard(visit):
    page = visit().page
    sign = several(page)
    sign.focus()
    page.keyboard.press("Enter")
    page.locator(f"{LIST} small").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.post-sign + [popover]') !== null")
    page.keyboard.press("Escape")

    assert page.locator(LIST).count() == 0
    assert sign.evaluate("node => document.activeElement === node")


@pytest.mark.parametrize("width", [390, 1280])
def test_signs_are_as_large_as_a_finger_and_no_higher_than_their_lines(visit, width):
    page = visit(width=width).page

    assert page.locator(SIGN).count() > 50
    assert page.eval_on_selector_all(SIGN, SMALL) == []
    sign = several(page)
    parent = sign.locator("xpath=..")
    height = parent.evaluate("node => node.offsetHeight")
    sign.evaluate("node => { node.style.display = 'none'; }")
    assert parent.evaluate("node => node.offsetHeight") in (height, height - line_of(parent))


def line_of(paragraph):
    """A line's height in pixels: without its sign a paragraph may have one less."""
    return round(paragraph.evaluate("node => parseFloat(getComputedStyle(node).lineHeight)"))


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_tapped_list_is_in_the_window(visit, place):
    page = visit(**PHONE).page
    sign = getattr(page.locator(SIGN), place)
    sign.scroll_into_view_if_needed()
    sign.tap()
    page.locator(f"{LIST} small").first.wait_for()

    assert page.locator(LIST).evaluate(INSIDE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts_a_sign_opens_links_to_the_tests(visit):
    page = visit(java_script_enabled=False).page
    several(page).click()
    ways = page.locator(f"{LIST} a")

    assert ways.count() == 3
    id = ways.first.get_attribute("href").partition("#")[2]
    assert ways.first.inner_text() == f"✓ {id.replace('-', ' ').replace('_', ' ')}"
    ways.first.click()
    assert page.locator(".post-claim-row:target").get_attribute("id") == id


def test_on_paper_there_is_the_sign_alone(visit):
    page = visit().page
    sign = several(page)
    sign.click()
    page.emulate_media(media="print")

    assert sign.is_visible()
    assert page.locator(".post-sign + [popover]:visible").count() == 0


def test_the_page_of_claims_leads_back_to_the_sentence(visit):
    page = visit("claims/").page
    back = page.locator('.post-claim-test a[href*="#said-"]').nth(40)
    place = back.get_attribute("href").partition("#")[2]
    back.click()
    page.wait_for_url(f"**/#{place}")
    paragraph = page.locator(f'[id="{place}"]').locator("xpath=ancestor::*[self::p or self::li][1]")

    page.wait_for_function("() => scrollY > 0")
    assert paragraph.evaluate(
        "node => { const { top, bottom } = node.getBoundingClientRect();"
        " return bottom > 0 && top < innerHeight; }"
    )


def test_statements_are_on_the_page_of_claims_and_not_repeated_in_the_post(folder, claims):
    index = (folder / "index.html").read_text("utf-8")
    unreported = [one["says"] for one in claims.values() if not one["reported"]]

    assert len(unreported) > 100
    assert [says for says in unreported if says in index] == []


def test_axe_finds_nothing_in_an_open_list_and_an_open_hint(visit, scheme):
    seen = visit("glossary/", color_scheme=scheme)
    term = seen.page.locator(TERM).first
    term.hover()
    seen.page.locator(HINT).wait_for()
    found = Axe().run(seen.page)
    assert found.violations_count == 0, found.generate_report()[:3000]

    seen = visit(color_scheme=scheme, **PHONE)
    several(seen.page).tap()
    seen.page.locator(f"{LIST} small").first.wait_for()
    found = Axe().run(seen.page, context=f"{LIST}")
    assert found.violations_count == 0, found.generate_report()[:3000]


def explained(page, term):
    """What the hint says of a term, when it is there."""
    page.locator(HINT).wait_for()
    assert term.get_attribute("aria-describedby") == page.locator(HINT).get_attribute("id")
    return " ".join(page.locator(HINT).inner_text().split())


def defined(page, term):
    """The definition of a term on the glossary's own page."""
    id = term.get_attribute("href").partition("#")[2]
    text = page.locator(f'[id="{id}"] ~ dd').first.inner_text()
    return " ".join(text.split()) + " Glossary"


@pytest.mark.parametrize("by", ["pointer", "keyboard"])
def test_a_term_is_explained_while_it_is_asked_for(visit, by):
    seen = visit("glossary/")
    page, term = seen.page, seen.page.locator(TERM).nth(2)
    term.scroll_into_view_if_needed()
    if by == "pointer":
        term.hover()
    else:
        page.keyboard.press("Tab")  # a focus that is seen
        term.focus()

    assert explained(page, term) == defined(page, term)
    if by == "pointer":
        page.locator(f"{HINT} a").last.hover()  # it can be gone to
        page.wait_for_timeout(500)
        assert page.locator(HINT).count() == 1
        page.mouse.move(0, 0)
        page.locator(HINT).wait_for(state="hidden")
    else:
        page.keyboard.press("Escape")
        assert page.locator(HINT).count() == 0
    assert seen.complaints == []


def test_a_tap_explains_a_term_and_a_click_follows_it(visit):
    page = visit("glossary/", **PHONE).page
    term = page.locator(TERM).nth(4)
    address = page.url
    term.scroll_into_view_if_needed()
    term.tap()
    assert explained(page, term) == defined(page, term)
    assert page.locator(HINT).evaluate(INSIDE)
    assert page.url == address
    page.locator(f"{HINT} a").last.tap()
    page.wait_for_url(f"**/{term.get_attribute('href')}")

    page = visit("glossary/").page
    term = page.locator(TERM).nth(4)
    term.click()
    assert page.url.endswith(term.get_attribute("href"))


def test_a_term_is_a_link_without_scripts(visit):
    page = visit("glossary/", java_script_enabled=False).page
    term = page.locator(TERM).first
    id = term.get_attribute("href").partition("#")[2]
    term.click()

    assert page.locator("dt:target").get_attribute("id") == id


def test_a_term_that_was_left_before_the_script_came_is_not_explained(visit):
    """Who goes on by key is faster than the script that explains: its hint would stay for good."""
    page, held = visit("glossary/").page, []
    page.route("**/assets/terms.*.js", lambda route: held.append(route))
    term = page.locator(TERM).nth(2)
    page.keyboard.press("Tab")  # a focus that is seen
    with page.expect_request("**/assets/terms.*.js"):
        term.focus()
    term.blur()
    held[0].continue_()
    page.locator("#post-hint").wait_for(state="attached")
    page.evaluate("() => new Promise((done) => setTimeout(done, 500))")  # a hint takes 150 ms

    assert not page.locator("#post-hint").is_visible()
    assert term.get_attribute("aria-describedby") is None
