"""What a built page refers to is there, and its content-security policy lets it through.

The HTML of the prose is looked through as the host made it, raw HTML included; the figures, which
are put in later, refer to nothing that their author wrote. What is wrong is told at the line of the
Markdown that wrote it.
"""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag

from markdown_it import MarkdownIt

from site_builder.core.errors import Problem, nearest
from site_builder.post.kinds.table import KINDS
from site_builder.post.post import Post
from site_builder.post.sections import markup
from site_builder.post.sections.text import text_of
from site_builder.site.policy import csp

_FOOTNOTE = re.compile(r"^\[\^[^\]\n]+\]:", re.MULTILINE)  # which CommonMark takes for a link's end
_ID = re.compile(r'\sid="([^"]+)"')
_OWN_ID = re.compile(r'<[A-Za-z][^<>]*?\sid="([^"]+)"')
_OUTSIDE = re.compile(r"(https://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?|mailto:\S+@\S+)")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_NO_TAG = re.compile(r"<!--.*?-->|(?<=<script>).*?(?=</script)", re.DOTALL)
_TAG = re.compile(r"<([A-Za-z][\w-]*+)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_RAW = re.compile(rf"&lt;&lt;\s*(?:{'|'.join(KINDS)})\b[^\n<]*?&gt;&gt;")
_SHOWN = re.compile(r"<(code|pre)\b.*?</\1>|<span class=\"post-value\".*?</span>", re.DOTALL)

_FETCHED = {
    "audio": {"src": "media-src"},
    "embed": {"src": "object-src"},
    "form": {"action": "form-action"},
    "frame": {"src": "frame-src"},
    "iframe": {"src": "frame-src"},
    "image": {"href": "img-src", "xlink:href": "img-src"},
    "img": {"src": "img-src", "srcset": "img-src"},
    "input": {"src": "img-src"},
    "object": {"data": "object-src"},
    "script": {"src": "script-src"},
    "source": {"src": "media-src", "srcset": "img-src"},
    "track": {"src": "media-src"},
    "video": {"src": "media-src", "poster": "img-src"},
}
"""What a page fetches by which attribute, and the directive of its policy that lets it."""

_REFER = {"a", "area", "link", *_FETCHED}


class Reference(NamedTuple):
    """Something that a tag refers to; `by` is the policy's directive, "" for a link."""

    tag: str
    target: str
    by: str


def references(text: str) -> Iterator[Reference]:
    """Everything that a piece of HTML refers to or is styled by, in its order."""
    for tag, rest in _TAG.findall(_NO_TAG.sub("", text)):
        tag = tag.lower()
        if tag == "style":
            yield Reference(tag, "<style>", "style-src")
        if "=" not in rest or not (tag in _REFER or "style" in rest.lower()):
            continue
        given = {
            name.lower(): html.unescape(one or other or bare).strip()
            for name, one, other, bare in _ATTRIBUTE.findall(rest)
        }
        if "style" in given:
            yield Reference(tag, given["style"], "style-src")
        if tag in ("a", "area") and "href" in given:
            yield Reference(tag, given["href"], "")
        elif tag == "link" and "stylesheet" in given.get("rel", ""):
            yield Reference(tag, given.get("href", ""), "style-src")
        for name, by in _FETCHED.get(tag, {}).items():
            if given.get(name):
                parts = given[name].split(",") if name == "srcset" else [given[name]]
                yield from (Reference(tag, part.split()[0], by) for part in parts if part.strip())


def wrong(post: Post, site: Path, pages: Mapping[Path, str]) -> list[Problem]:
    """What is wrong on the pages: each one's file, and the HTML of its prose."""

    @cache
    def ids(file: str) -> frozenset[str]:
        return frozenset(map(html.unescape, _ID.findall(Path(file).read_text("utf-8"))))

    @cache
    def end(way: str, folder: str) -> str:
        """The file that a link from a folder leads to, or ""."""
        path = f"{site}{way}" if way.startswith("/") else f"{folder}/{way}"
        path = f"{path}/index.html" if os.path.isdir(path) else path  # noqa: PTH112
        return path if os.path.isfile(path) else ""  # noqa: PTH113

    def lost(target: str, page: str) -> str | None:
        """The cure for what a built page refers to, or None if it is there."""
        address, _, anchor = target.partition("#")
        if _ELSEWHERE.match(address):
            return None if _OUTSIDE.fullmatch(address) else "write a whole https address"
        way = unquote(address.partition("?")[0])
        file = end(way, page.rpartition("/")[0]) if way else page
        if not file:
            return "no such page or file"
        if anchor and file.endswith(".html") and unquote(anchor) not in ids(file):
            return nearest(f"#{unquote(anchor)}", [f"#{name}" for name in ids(file)])
        return None

    found: list[Problem] = []
    for page, text in pages.items():
        told, file = partial(_told, post, page), f"{site}/{post.file(page)}"
        for one in dict.fromkeys(references(text)):
            is_local = not _ELSEWHERE.match(one.target)
            if one.by == "style-src" and one.tag != "link":
                what = f"the style of this {one.tag} is blocked by the page's policy"
                found += told(one.tag, one.target, what, "give it a class instead")
            elif one.by and not csp.allows(one.by, one.target):
                what = f'the {one.tag} "{one.target}" is blocked by the page\'s policy'
                copied = not is_local and csp.allows(one.by, "")
                found += told(
                    one.tag, one.target, what, "copy it into content/" if copied else "link to it"
                )
            elif is_local or not one.by:
                cure = lost(one.target, file)
                found += told(one.tag, one.target, "", cure) if cure else ()
        for name, count in Counter(_OWN_ID.findall(text)).items():
            if count > 1:
                found += told("", name, f'the id "{name}" stands twice on the page', "rename one")
        for raw in dict.fromkeys(_RAW.findall(_SHOWN.sub("", text)) if "&lt;&lt;" in text else ()):
            written = html.unescape(raw)
            if any(written in text_of(source) for source in _sources(post, page)):
                found += told(
                    "", written, f"{written} is published as it stands", "put it in the text"
                )
    return found


def _told(post: Post, page: Path, tag: str, target: str, what: str, cure: str) -> Iterator[Problem]:
    """The problem at each line of a page's Markdown that wrote `target`, else at the page.

    Without `what` it is a link, which the host may have written in another way.
    """
    texts = [(post.project.named(source), text_of(source)) for source in _sources(post, page)]
    lines = [
        (f"{named}:{line}", written)
        for named, text in texts
        for line, by, written in post.project.memory.recall("links", text, partial(_written, text))
        if by == tag and (written == target or (not what and _key(written) == _key(target)))
    ]
    lines = [one for one in lines if one[1] == target] or lines
    if not lines:
        word = re.compile(rf"(?<![\w-]){re.escape(target)}(?![\w-])")
        lines = [
            (f"{named}:{number}", target)
            for named, text in texts
            for number, line in enumerate(text.split("\n"), start=1)
            if word.search(line)
        ]
    for where, written in lines or [(post.project.named(page), target)]:
        yield Problem(where, what or f'the link "{written}" leads nowhere', cure)


def _sources(post: Post, page: Path) -> list[Path]:
    """The files that a page is made of."""
    sections = post.references.sections.values()
    here = post.project.content / "sections"
    return [page, *(here / f"{one.stem}.md" for one in sections if one.page == page)]


def _written(text: str) -> list[tuple[int, str, str]]:
    """Every target in a text, in Markdown or in HTML: its line, its tag, what it is."""
    # Four blanks are an admonition's or a footnote's text here, as in `directives`.
    markdown, found = MarkdownIt("commonmark").disable("code"), []
    for token in markdown.parse(_FOOTNOTE.sub("", text)):
        line = token.map[0] + 1 if token.map else 0
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                line += 1
            elif child.type == "link_open":
                found.append((line, "a", str(child.attrs["href"])))
            elif child.type == "image":
                found.append((line, "img", str(child.attrs["src"])))
    prose = markup.read(text).prose
    for tag in _TAG.finditer(prose):
        line = prose.count("\n", 0, tag.start()) + 1
        found += [(line, one.tag, one.target) for one in references(tag[0])]
    return found


def _key(target: str) -> tuple[str, str]:
    """What a link has in common with what the host makes of it: its last name, and the anchor."""
    address, anchor = urldefrag(target)
    name = unquote(address).rstrip("/").rpartition("/")[2]
    name = re.sub(r"\.(md|html)$", "", name)
    return ("" if name in (".", "..", "index") else name), unquote(anchor)


def as_built(target: str, *, flat: bool = False) -> str:
    """A link to a Markdown file as the host writes it: `features.md#x` is `features/#x`.

    Where pages are no folders, it is `features.html#x`.
    """
    address, anchor = urldefrag(target)
    if flat and address.endswith(".md"):
        address = f"{address.removesuffix('.md')}.html"
    elif address.endswith(".md") and "://" not in address:
        address = re.sub(r"(^|/)index\.md$", r"\1", address)
        address = re.sub(r"\.md$", "/", address) or "./"
    return f"{address}#{anchor}" if anchor else address
