"""The post as an Atom feed of one entry: the whole text, with pictures and without scripts.

Links are absolute when mkdocs.yml has a `site_url`; without one they are relative to the feed.
"""

from __future__ import annotations

import html
import re
import uuid
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from urllib.parse import urljoin
from xml.etree import ElementTree

from site_builder.core.cache import Memory
from site_builder.core.digests import sha256

ATOM = "http://www.w3.org/2005/Atom"
XML = "http://www.w3.org/XML/1998/namespace"

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_KEPT = {
    *("href", "src", "alt", "title", "width", "height", "id", "scope", "colspan", "rowspan"),
    *("lang", "dir", "start", "datetime", "open"),
}
_DROPPED_TAGS = {"form", "button", "script", "style", "template", "svg", "input", "link"}
_DROPPED_CLASSES = {"headerlink", "only-dark", "post-more", "post-readout"}
_VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "source", "track", "wbr"}


@dataclass(frozen=True)
class Entry:
    """What a feed says: words as text, `updated` as an ISO time, `content` as the page's HTML.

    `published` is a day or a time, or "" where nobody has said it.

    The content may come in pieces: what of it was read before is not read again.
    """

    title: str
    summary: str
    authors: tuple[str, ...]
    rights: str
    updated: str
    content: list[str]
    published: str = ""


def files(entry: Entry, base: str, memory: Memory) -> dict[str, bytes]:
    """The feed, by its path in the site; `base` is the site's address or ""."""
    static = _Static(base)
    for piece in entry.content:
        text, whole = memory.recall(
            "feed", [sha256(piece.encode()), base], partial(_alone, piece, base)
        )
        if whole and static.rests:
            static.out.append(text)
        else:
            static.feed(piece)
    static.close()
    return {"feed.xml": _atom(entry, base, "".join(static.out))}


def _atom(entry: Entry, base: str, content: str) -> bytes:
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {f"{{{XML}}}lang": "en"})
    address = base or uuid.uuid5(uuid.NAMESPACE_URL, entry.title).urn
    one = ElementTree.Element(f"{{{ATOM}}}entry")

    def put(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> None:
        node = ElementTree.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
        node.text = _NO_XML.sub("\ufffd", text) or None

    for parent, id in ((feed, f"{address}#feed"), (one, address)):
        put(parent, "id", id)
        put(parent, "title", entry.title)
        put(parent, "updated", entry.updated)
        put(parent, "link", rel="alternate", type="text/html", href=base or "./")
        for name in entry.authors:
            put(ElementTree.SubElement(parent, f"{{{ATOM}}}author"), "name", name)
        put(parent, "rights", entry.rights)
    put(feed, "link", rel="self", type="application/atom+xml", href=urljoin(base, "feed.xml"))
    put(feed, "subtitle", entry.summary)
    if entry.published:
        day = entry.published if "T" in entry.published else f"{entry.published}T00:00:00Z"
        put(one, "published", day)
    put(one, "summary", entry.summary)
    put(one, "content", content, type="html")
    feed.append(one)
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _alone(piece: str, base: str) -> tuple[str, bool]:
    """What a piece becomes by itself, and whether it leaves nothing open for the next one."""
    static = _Static(base)
    static.feed(piece)
    return "".join(static.out), static.rests


class _Static(HTMLParser):
    """Writes a page's HTML again without what needs style or script, its links from `base`."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=False)
        self.base = base
        self.out: list[str] = []
        self._dropping: list[str] = []  # open tags since one that is left out

    @property
    def rests(self) -> bool:
        """Whether what comes next stands for itself."""
        return not self._dropping and not self.rawdata

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag with the attributes that mean something elsewhere."""
        given = dict(attrs)
        classes = set((given.get("class") or "").split())
        if self._dropping or (
            tag in _DROPPED_TAGS
            or given.keys() & {"hidden", "popover"}
            or classes & _DROPPED_CLASSES
        ):
            if tag not in _VOID:
                self._dropping.append(tag)
            return
        words = [tag]
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                words.append(f'{name}="{html.escape(urljoin(self.base, value))}"')
            elif name in _KEPT:
                words.append(name if value is None else f'{name}="{html.escape(value)}"')
        self.out.append(f"<{' '.join(words)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that ends itself has nothing to leave out."""
        if tag in _VOID:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """End what is written, or what is left out."""
        if not self._dropping:
            self.out.append(f"</{tag}>")
        elif tag in self._dropping:
            while self._dropping.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Write text."""
        if not self._dropping:
            self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        """Write a character's name as it stands."""
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a character's number as it stands."""
        self.handle_data(f"&#{name};")
