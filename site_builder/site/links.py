"""Links that lead nowhere: checked on the built pages, told at the line that wrote them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from markdown_it import MarkdownIt

from site_builder.core.errors import Problem, nearest
from site_builder.core.files import below
from site_builder.post.post import Post

_FOOTNOTE = re.compile(r"^\[\^[^\]\n]+\]:", re.MULTILINE)  # which CommonMark takes for a link's end
_ID = re.compile(r'\sid="([^"]+)"')
_OUTSIDE = re.compile(r"(https://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?|mailto:\S+@\S+)")


def dead(post: Post, site: Path) -> list[Problem]:
    """Every link and picture of the prose whose end is not there."""

    @cache
    def ids(page: Path) -> frozenset[str]:
        return frozenset(map(html.unescape, _ID.findall(page.read_text("utf-8"))))

    def wrong(target: str, page: Path) -> str | None:
        """The cure for a link that stands in a built page, or None if it leads somewhere."""
        address, anchor = urldefrag(target)
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None if _OUTSIDE.fullmatch(address) else "write a whole https address"
        end = page
        if parts.path:
            way = unquote(parts.path)
            end = site / way.lstrip("/") if way.startswith("/") else page.parent / way
            end = end / "index.html" if end.is_dir() else end
        if not end.is_file():
            return "no such page or file"
        if anchor and end.suffix == ".html" and unquote(anchor) not in ids(end):
            return nearest(f"#{unquote(anchor)}", [f"#{name}" for name in ids(end)])
        return None

    found: list[Problem] = []
    for source, line, target in _written(post):
        where = f"{post.project.named(source)}:{line}"
        page = _page_of(post, source, site)
        at = as_built(target)
        if page.is_file() and (cure := wrong(at, page)):
            found.append(Problem(where, f'the link "{target}" leads nowhere', cure))
    return found


def _written(post: Post) -> Iterator[tuple[Path, int, str]]:
    """Every link and picture in the Markdown: its file, its line, where it leads."""
    for path in below(post.project.content, ".md"):
        text = path.read_text("utf-8")
        for line, target in post.project.memory.recall("links", text, partial(_links, text)):
            yield path, line, target


def _links(text: str) -> list[tuple[int, str]]:
    # Four blanks are an admonition's or a footnote's text here, as in `directives`.
    markdown, found = MarkdownIt("commonmark").disable("code"), []
    for token in markdown.parse(_FOOTNOTE.sub("", text)):
        line = token.map[0] + 1 if token.map else 0
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                line += 1
            elif child.type in ("link_open", "image"):
                found.append((line, str(child.attrs["href" if "href" in child.attrs else "src"])))
    return found


def _page_of(post: Post, source: Path, site: Path) -> Path:
    """The built page that shows what a file says."""
    section = post.references.sections.get(source.stem)
    page = section.page if section and "sections" in source.parts else source
    stem = page.relative_to(post.project.content).with_suffix("")
    folder = site / (stem.parent if stem.name == "index" else stem)
    return folder / "index.html"


def as_built(target: str) -> str:
    """A link to a Markdown file as the host writes it: `features.md#x` is `features/#x`."""
    address, anchor = urldefrag(target)
    if address.endswith(".md") and "://" not in address:
        address = re.sub(r"(^|/)index\.md$", r"\1", address)
        address = re.sub(r"\.md$", "/", address) or "./"
    return f"{address}#{anchor}" if anchor else address
