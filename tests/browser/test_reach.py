"""Every page in a browser: by keyboard, for screen readers, on a phone, in print, without scripts."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import POST

PAGES = [*POST, "404.html"]
NARROW = {"width": 360, "reduced_motion": "reduce"}

# Looks at what has the focus: null when all has been seen, else what is wrong with it.
LOOK = """() => {
  const seen = (window.seen ??= new Set());
  const node = document.activeElement;
  if (!node || node === document.body || seen.has(node)) return null;
  seen.add(node);
  const next = node.nextElementSibling;
  const shown = [node, ...(node.labels ?? []), ...(next?.matches("label") ? [next] : [])];
  const visible = (part) => {
    const box = part.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth
      && box.bottom > 0 && box.top < innerHeight
      && part.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const ring = (part) => {
    const style = getComputedStyle(part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  };
  const covered = (part) => {
    const box = part.getBoundingClientRect();
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    return [0.1, 0.5, 0.9].every((share) => {
      const over = document.elementFromPoint((left + right) / 2, top + share * (bottom - top));
      return over && !part.contains(over) && !over.contains(part);
    });
  };
  const words = node.getAttribute("aria-label") || node.title || node.textContent.trim()
    || [...(node.labels ?? [])].map((label) => label.textContent.trim()).join(" ")
    || document.getElementById(node.getAttribute("aria-labelledby"))?.textContent;
  const wrong = [];
  if (!shown.some(visible)) wrong.push("not visible");
  if (!shown.some(ring)) wrong.push("no ring");
  if (shown.filter(visible).every(covered)) wrong.push("covered");
  if (!words) wrong.push("no name");
  return wrong.length ? `${wrong.join(", ")}: ${node.outerHTML.slice(0, 200)}` : "";
}"""

# What a pointer can reach and the keyboard did not. One radio button stands for its group.
MISSED = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .filter((node) => !node.disabled && node.tabIndex >= 0 && !window.seen.has(node))
  .map((node) => node.outerHTML.slice(0, 200))"""


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(params=PAGES, ids=lambda path: path.strip("/") or "index")
def path(request):
    return request.param


def test_these_are_all_pages(folder):
    built = {page.relative_to(folder).as_posix() for page in folder.rglob("*.html")}

    assert {name.removesuffix("index.html") for name in built} == set(PAGES)


@pytest.mark.parametrize("path", filter(None, PAGES))  # the post: below, figures opened
def test_axe_finds_nothing_and_nothing_complains(visit, path, scheme):
    seen = visit(path, color_scheme=scheme)
    seen.page.wait_for_load_state("networkidle")
    for summary in seen.page.locator("article summary:visible").all()[:8]:
        summary.click()
    seen.page.evaluate("scrollTo(0, 0)")
    found = Axe().run(seen.page)

    assert found.violations_count == 0, found.generate_report()[:3000]
    assert seen.complaints == []


def test_axe_finds_nothing_in_the_post_with_all_charts_alive(visit, scheme):
    seen = visit(color_scheme=scheme)
    seen.scroll_through()
    seen.page.eval_on_selector_all(
        ".post-figure details",
        "all => all.forEach((details, n) => { details.open = n % 3 === 0; })",
    )
    seen.page.evaluate("scrollTo(0, 0)")
    # A live chart is one picture with one description; its hidden thousands of marks only take time.
    seen.page.eval_on_selector_all(
        ".post-view > svg[aria-hidden=true]", "charts => charts.forEach(c => c.replaceChildren())"
    )
    found = Axe().run(seen.page)

    assert found.violations_count == 0, found.generate_report()[:3000]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit, path, width):
    seen = visit(path, width=width, reduced_motion="reduce")
    seen.page.wait_for_load_state("networkidle")
    seen.scroll_through()
    seen.page.evaluate("scrollTo(0, 0)")
    wrong = []
    for _ in range(3000):
        seen.page.keyboard.press("Tab")
        told = seen.page.evaluate(LOOK)
        if told is None:
            break
        wrong += filter(None, [told])

    assert wrong == []
    # The hint of the last term, left in passing, stays for a moment.
    seen.page.locator("#post-hint").wait_for(state="hidden")
    assert seen.page.evaluate(MISSED) == []


def test_the_first_key_skips_to_the_text(visit):
    seen = visit("provenance/")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")

    assert seen.page.evaluate("location.hash") == "#provenance"


def test_the_first_figure_is_a_dozen_keys_away(visit):
    seen = visit()
    seen.page.wait_for_load_state("networkidle")
    for _ in range(13):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.closest('.post-figure') !== null"):
            break
    else:
        pytest.fail(f"not there yet: {seen.page.evaluate('document.activeElement.outerHTML')}")


def test_headings_are_two_keys_away(visit):
    seen = visit("provenance/")
    seen.page.wait_for_load_state("networkidle")
    for key in ("Tab", "Tab", "Enter", "Tab"):
        seen.page.keyboard.press(key)

    assert seen.page.evaluate("document.activeElement.closest('#post-headings') !== null")


def test_contents_and_search_open_by_keyboard_on_a_phone(visit):
    seen = visit("provenance/", **NARROW)
    seen.page.wait_for_load_state("networkidle")
    contents = seen.page.locator(".md-sidebar--primary .md-nav__link[href='#what-came-from-what']")
    seen.page.keyboard.press("Tab")
    assert not contents.is_visible()
    seen.page.keyboard.press("Space")
    contents.wait_for()
    seen.page.keyboard.press("Space")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Space")
    seen.page.keyboard.type("Kaplan")
    seen.page.locator(".md-search-result__link[href*='#']").first.wait_for()


@pytest.mark.parametrize("by", ["pointer", "finger", "keyboard"])
def test_the_search_is_fetched_when_a_reader_turns_to_it(visit, by):
    seen = visit("provenance/", **({**NARROW, "has_touch": True} if by == "finger" else {}))
    seen.page.wait_for_load_state("networkidle")
    fetched = [url for url in seen.requests if "/search" in url and "assets/search." not in url]
    with seen.page.expect_response("**/search/search_index.json"):
        if by == "pointer":
            seen.page.locator(".md-search__input").hover()
        elif by == "finger":
            seen.page.locator("label[for='__search']:visible").first.tap()
        else:
            seen.page.keyboard.press("/")

    assert fetched == []
    assert seen.complaints == []


@pytest.mark.parametrize("word", ["Kaplan", "linkage"])
def test_search_finds_captions_and_leads_to_their_section(visit, word):
    seen = visit()
    seen.page.locator(".md-search__input").click()
    seen.page.keyboard.type(word)  # the theme listens to keys, and not to what is put in
    seen.page.locator(".md-search-result__link[href*='#']").first.click()
    seen.page.wait_for_url("**#*")

    heading = seen.page.locator(":target")
    assert re.fullmatch("H[1-4]", heading.evaluate("node => node.tagName"))
    assert word in seen.page.locator(".md-content").inner_text()
    assert seen.complaints == []


def test_a_page_never_scrolls_sideways_on_a_phone(visit, path):
    page = visit(path, **NARROW).page

    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_without_scripts_the_page_is_dark_for_who_prefers_it(visit, path, scheme):
    seen = visit(path, java_script_enabled=False, color_scheme=scheme)
    ground, text = seen.page.locator("body").evaluate(
        "body => [getComputedStyle(body).backgroundColor, getComputedStyle(body).color]"
    )
    other = {"light": "dark", "dark": "light"}[scheme]

    assert (luminance(ground) < 0.1) == (scheme == "dark")
    assert (luminance(text) > 0.5) == (scheme == "dark")
    assert seen.page.locator(f".only-{other}:visible").count() == 0
    assert seen.page.locator(".md-header__option:visible").count() == 0
    assert seen.complaints == []


def test_print_leaves_text_and_figures_on_white(visit, scheme):
    page = visit("", color_scheme=scheme).page
    page.emulate_media(media="print", color_scheme=scheme)
    left_out = (
        ".md-header, .md-sidebar, .md-footer, .post-pages, .post-controls, .headerlink, .only-dark"
    )

    assert page.locator(f":is({left_out}):visible").count() == 0
    assert page.locator(".post-figure:visible").count() > 10
    assert page.locator(".post-number:visible").count() > 10
    ground = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert luminance(ground) > 0.9 or ground == "rgba(0, 0, 0, 0)"


def test_a_printed_provenance_page_has_every_recipe_and_the_addresses_of_links(visit):
    page = visit("provenance/").page
    page.emulate_media(media="print")
    link = page.locator("article a[href^='https']").first
    printed = link.evaluate("node => getComputedStyle(node, '::after').content")

    assert page.locator(".post-origins dl").count() > 40
    assert (
        page.locator(".post-origins dl:visible").count() == page.locator(".post-origins dl").count()
    )
    assert link.get_attribute("href") in printed
