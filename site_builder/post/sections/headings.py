"""Headings: the one that a section is known by, and braces that are no attributes.

Python-Markdown takes what stands in braces at a heading's end for attributes, and leaves it out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from site_builder.post.sections.labels import Fault, Put

_HASH = re.compile(r"(?P<level>#{1,6})(?P<gap>[ ]*)(?P<title>[^\n]*?)[ ]*#*[ ]*\Z")
_INDENTED = re.compile(r"[ ]{1,3}#{1,6}[ ]")
_UNDERLINE = re.compile(r"(=+|-+)[ ]*\Z")
_ATTRIBUTES = re.compile(
    r"[ ]*\{:?[ ]*(?P<list>(?:[#.][\w:.-]+|[\w:-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"'{}]+))"
    r"(?:[ ]+(?:[#.][\w:.-]+|[\w:-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"'{}]+)))*)[ ]*\}\Z"
)
_ID = re.compile(r"(?:^|[ ])#([\w:.-]+)")
_NUMBER = re.compile(r"(?P<number>[0-9]+(?:-[0-9]+)*)-(?P<word>.*)")
_KEPT = re.compile(r"(?P<as_is>(?P<ticks>`+).+?(?P=ticks)|\$[^$]+\$|\\\(.+?\\\)|\\.)|[ ]\{")


class Heading(NamedTuple):
    """A heading of two: its 0-based line, its title, and the attributes that its author gives."""

    line: int
    title: str
    attributes: str

    @property
    def anchor(self) -> str:
        """The id that its author gives it, or ""."""
        found = _ID.search(self.attributes)
        return found[1] if found else ""


def numbered(stem: str) -> tuple[str, str]:
    """The number of a section's file, and its name without it: "3.5", "entropy"."""
    found = _NUMBER.fullmatch(stem)
    if not found:
        return "", stem
    return ".".join(str(int(part)) for part in found["number"].split("-")), found["word"]


def of_section(prose: str, text: str) -> Heading | Fault:
    """The heading that a section begins with, or what is wrong with it."""
    lines, raw = prose.split("\n"), text.split("\n")
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        alone = not number or not lines[number - 1].strip()
        underlined = alone and line.strip() and _UNDERLINE.match(below)
        if not (line.startswith("#") or _INDENTED.match(line) or underlined):
            continue
        found = _HASH.match(raw[number].strip() if underlined else raw[number].lstrip())
        title = found["title"] if found else raw[number].strip()
        if not found or found["level"] != "##" or not found["gap"] or line.startswith(" "):
            what = f'a section\'s heading is no "{raw[number].strip()}"'
            what += " with a line below it" if underlined else ""
            return Fault(number, what, f"write ## {title.strip() or 'Title'}")
        given = _ATTRIBUTES.search(title)
        bare = title[: given.start()] if given else title
        return Heading(number, bare, given["list"] if given else "")
    return Fault(0, "this section has no heading", "begin it with ## Title")


def puts(prose: str, text: str, first: Heading | None, stem: str) -> list[Put]:
    """What keeps the braces of headings, and gives a section's `first` its number and anchor."""
    number, word = numbered(stem)
    found = []
    raw = text.split("\n")
    for at, line in enumerate(prose.split("\n")):
        heading = _HASH.match(raw[at]) if line.startswith("#") else None
        if not heading:
            continue
        start, title = heading.start("title"), heading["title"]
        given = _ATTRIBUTES.search(title)
        end = start + (given.start() if given else len(title))
        for brace in _KEPT.finditer(raw[at], start, end):
            if not brace["as_is"]:
                found.append(Put(at, brace.end() - 1, brace.end() - 1, "\\"))
        if first and at == first.line:
            if number:
                found.append(Put(at, start, start, f"{number} "))
            others = " ".join(one for one in first.attributes.split() if one[0] != "#")
            anchor = first.anchor or f"sec-{word}"
            found.append(Put(at, end, len(raw[at]), f" {{ #{anchor} {others}".rstrip() + " }"))
    return found
