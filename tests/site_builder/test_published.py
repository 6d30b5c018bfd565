"""What is published: plain files that work from any folder, each page under a policy of its own."""

import re
from html.parser import HTMLParser

import pytest

from site_builder.core.project import Project
from site_builder.site.build import build
from tests.site_builder.conftest import write

PAGES = """
    # More

    << page: provenance summary >>

    << page: provenance results >>

    << page: claims >>
    """


@pytest.fixture
def pages(project: Project, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The pages of the toy post, by name, and one in a folder below."""
    monkeypatch.delenv("SITE_URL", raising=False)
    write(project.content / "more.md", PAGES)
    build(Project(project.root), run="never", say=lambda _line: None)
    found = {
        path.relative_to(project.site).as_posix(): path.read_text("utf-8")
        for path in project.site.rglob("*.html")
    }
    assert found.keys() == {"index.html", "more/index.html", "404.html"}
    return found


class Addresses(HTMLParser):
    """All that a page fetches or leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = ("href", "src", "action", "poster", "data-vega", "data-file", "data-url")
        self.found += [value or "" for name, value in attrs if name in named]


def test_no_address_of_a_page_begins_at_the_root_of_a_server(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        if name == "404.html":  # shown in place of any address, so it must know its own
            continue
        addresses = Addresses(text).found
        assert len(addresses) > 10
        assert [one for one in addresses if one.startswith(("/", "http://127", "file:"))] == []


def test_each_page_carries_its_own_policy(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        policies = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert len(policies) == 1, name
        assert policies[0].startswith("default-src 'none'; script-src 'self' 'sha256-")


def test_no_page_has_a_style_or_a_handler_that_the_policy_would_refuse(
    pages: dict[str, str],
) -> None:
    for name, text in pages.items():
        assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=|<style", text), name
