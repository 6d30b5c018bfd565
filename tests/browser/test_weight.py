"""What the page weighs, in a real browser, and that its text waits for no script."""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

FIRST, FIRST_COMPRESSED = 1_300_000, 350_000
CHARTS_COMPRESSED = 160_000
WHOLE = 3_000_000
COMPRESSED_ALREADY = (".webp", ".png", ".woff2")


def sizes(folder: Path, requests: list[str]) -> tuple[int, int]:
    """Bytes of all that was asked for, plain and as a host compresses it."""
    plain = small = 0
    for url in dict.fromkeys(url for url in requests if url.startswith("http")):
        path = folder / unquote(urlsplit(url).path).lstrip("/")
        data = (path / "index.html" if path.is_dir() else path).read_bytes()
        plain += len(data)
        small += len(data) if path.suffix in COMPRESSED_ALREADY else len(gzip.compress(data, 6))
    return plain, small


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_page_keeps_its_budgets(visit, folder, color_scheme):
    seen = visit(color_scheme=color_scheme)
    seen.page.wait_for_load_state("networkidle")
    plain, small = sizes(folder, seen.requests)

    assert plain <= FIRST, f"first view {plain:,}"
    assert small <= FIRST_COMPRESSED, f"first view {small:,} compressed"
    assert not any("/charts." in url for url in seen.requests)  # no chart is near yet

    seen.scroll_through()
    (charts,) = {url for url in seen.requests if "/charts." in url}
    assert sizes(folder, [charts])[1] <= CHARTS_COMPRESSED
    plain, small = sizes(folder, seen.requests)
    assert small <= WHOLE, f"whole page {small:,} compressed, {plain:,} plain"
    print(f"\nwhole page, {color_scheme}: {plain:,} bytes, {small:,} compressed")
    assert seen.complaints == []


def test_the_text_and_the_pictures_wait_for_no_script(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(address)

    assert page.locator("h1").is_visible()
    assert page.locator("article p").count() > 50
    figure = page.locator(".post-figure:has(.post-chart)").first
    figure.scroll_into_view_if_needed()
    picture = figure.locator("img:visible").first
    picture.wait_for()
    assert picture.evaluate("node => node.decode().then(() => node.naturalWidth)") > 100
    context.close()
