"""The search of a built page finds words of any script."""

import pytest

from site_builder.site.build import build
from tests.browser.conftest import HANGS, serve
from tests.site_builder.conftest import project, shelves, write  # noqa: F401 (fixtures)


@pytest.fixture
def searched(browser, project):  # noqa: F811
    """The results for a word, on a page that has it."""
    write(
        project.content / "about.md",
        "# About\n\nŁukasz met Émile (über $x$), and chose θ; «Ærø», “naïve”, 漢字 and Ωmega.\n",
    )
    build(project, say=lambda _line: None)
    page = browser.new_page()
    page.set_default_timeout(HANGS)

    def find(word: str) -> str:
        page.locator(".md-search__input").fill(word)
        page.keyboard.press("End")  # the search listens to keys
        page.locator(".md-search-result__item", has_text=word).first.wait_for()
        return page.locator(".md-search-result__item").first.inner_text()

    with serve(project.site) as address:
        page.goto(address)
        page.locator(".md-search__input").click()
        yield find
    page.close()


def test_words_of_any_script_are_found(searched):
    for word in ("Łukasz", "Émile", "über", "θ", "Ærø", "naïve", "Ωmega"):
        assert "About" in searched(word), word
