"""A page's or a section's text as the host reads it, and what stands in front of it.

Hosts normalise a page before any extension sees it, and never see a section's file. Both are read
here, so that a section gets what a page gets, and a column means the same to whoever counts it.
"""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from site_builder.core.errors import Problem
from site_builder.core.project import Project
from site_builder.post.sections import headings, labels, markup
from site_builder.post.sections.headings import Heading
from site_builder.post.sections.labels import Fault, Put

TAB = 4
"""Python-Markdown's width of a tab."""

_EMPTY = re.compile(r"^ +$", re.MULTILINE)
_DIRECTIVE = re.compile(r"<<[^<>\n]*")
_OPENS = re.compile(r"<<\s*[A-Za-z][\w-]*\s*:")
_ODD_BLANK = re.compile('("[^"\n]*")|([\u200b\u200c\u200d\u2060\ufeff\u00ad])|((?![ \n])\\s)')
_FRONT = re.compile(r"-{3}[ ]*\n(?P<yaml>.*?\n)(?:-{3}|\.{3})[ ]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"[ ]{0,3}[A-Za-z0-9_-]+:(?:\s|$)")


_MEANT = {"draft": "draft", "date": "date", "authors": "authors", "author": "authors"}
"""Keys as they are meant, by how they are written in small letters."""


class Front(NamedTuple):
    """What the front matter of a file says of it; dates as ISO text."""

    draft: bool = False
    date: str = ""
    authors: tuple[str, ...] = ()
    title: str = ""


class Text(NamedTuple):
    """What is to be put into a text, what ends it, where it is raw HTML, what is wrong with it."""

    puts: list[Put]
    ends: list[str]
    raw: list[tuple[int, int]]
    faults: list[Fault]
    heading: Heading | None

    def is_raw(self, line: int) -> bool:
        """Whether Markdown is not read in a 0-based line."""
        return any(first <= line <= last for first, last in self.raw)

    @classmethod
    def of(cls, kept: list[Any]) -> Text:
        """The same, from what JSON made of it."""
        puts, ends, raw, faults, heading = kept
        return cls(
            [Put(*one) for one in puts],
            ends,
            [(first, last) for first, last in raw],
            [Fault(*one) for one in faults],
            Heading(*heading) if heading else None,
        )


def look(text: str, section: str = "") -> Text:
    """Look through a text; a `section` gets labels of its own, a number, an end to all it opens."""
    seen = markup.read(text)
    puts, faults = labels.read(seen.prose, section)
    for one in seen.open:
        faults.append(
            Fault(one.line, f"{one.what} is not closed", f"close it: {one.closer.lstrip('> ')}")
        )
    for line, tag in seen.stray:
        faults.append(Fault(line, f"</{tag}> closes nothing", "remove it, or open it before"))
    heading = headings.of_section(seen.prose, text) if section else None
    if isinstance(heading, Fault):
        faults.append(heading)
        heading = None
    puts += headings.puts(seen.prose, text, heading, section)
    return Text(puts, [one.closer for one in seen.open], seen.raw, faults, heading)


def normalised(text: str) -> str:
    """The text as Python-Markdown reads it; inside a directive, every blank is a plain one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\2", "").replace("\3", "")
    text = _EMPTY.sub("", text.expandtabs(TAB))
    return _DIRECTIVE.sub(lambda found: _ODD_BLANK.sub(_plain, found[0]), text)


def text_of(path: Path) -> str:
    """A file's text as the host reads it; front matter leaves empty lines, so that lines count."""
    return behind_front(normalised(path.read_text("utf-8-sig")))


def behind_front(text: str) -> str:
    """A text whose front matter has become empty lines."""
    found = _FRONT.match(text)
    return "\n" * found[0].count("\n") + text[found.end() :] if found else text


def front(project: Project, path: Path) -> tuple[Front, list[Problem]]:
    """The front matter of a page or a section, and what is wrong with it."""

    def make() -> tuple[list[Any], list[Path]]:
        try:
            said, problems = _front(path.read_text("utf-8-sig"), project.named(path))
        except (OSError, UnicodeDecodeError):  # whoever reads the text will tell
            said, problems = Front(), []
        return [[*said], [*map(vars, problems)]], [path]

    (draft, day, authors, title), problems = project.memory.read(f"front {path}", make)
    return Front(draft, day, tuple(authors), title), [Problem(**one) for one in problems]


def _plain(found: re.Match[str]) -> str:
    """A blank that looks like one, or like nothing, as a plain one or nothing."""
    quoted, nothing, _ = found.groups()
    return quoted or ("" if nothing else " ")


def _front(text: str, named: str) -> tuple[Front, list[Problem]]:
    problems: list[Problem] = []

    def wrong(line: int, what: str, cure: str) -> None:
        problems.append(Problem(f"{named}:{line}", what, cure))

    text = text.replace("\r\n", "\n").replace("\t", " ")
    lines = [*text.split("\n"), ""]
    found = _FRONT.match(text)
    if not found:
        if lines[0].rstrip() == "---" and _KEY.match(lines[1]):
            wrong(1, "the front matter has no end", "close it with a line ---")
        elif _KEY.match(lines[0]):
            what = "the first line is taken for front matter, and left out"
            wrong(1, what, "put it between lines of ---, or begin with another word")
        return Front(), problems
    for number, line in enumerate(found["yaml"].split("\n"), 2):
        if _OPENS.search(line):
            wrong(number, "a directive cannot stand in the front matter", "put it in the text")
    import yaml  # most sections have none

    try:
        said = yaml.safe_load(found["yaml"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or error
        wrong(mark.line + 2 if mark else 1, f"the front matter is not YAML ({why})", "mend it")
        return Front(), problems
    if not isinstance(said, dict):
        if said is not None:
            wrong(1, "the front matter is no list of key: value", "write title: …")
        return Front(), problems
    at = partial(_line, lines)
    for key in map(str, said):
        meant = _MEANT.get(key.lower())
        if meant and meant != key:
            wrong(at(key), f"{key} says nothing here", f"write {meant}: …")
    draft, day, authors = said.get("draft", False), said.get("date", ""), said.get("authors", [])
    if not isinstance(draft, bool):
        wrong(at("draft"), f'draft is not true or false but "{draft}"', "write draft: true")
        draft = True  # rather unpublished than published by mistake
    if draft is True and named == "content/index.md":
        wrong(at("draft"), "the first page is a draft: there would be no post", "take that out")
    if day and not isinstance(day, date):
        wrong(at("date"), f'date is no day but "{day}"', "write date: 2026-03-31")
        day = ""
    authors = [authors] if isinstance(authors, str) else authors
    if not isinstance(authors, list) or not all(isinstance(one, str) for one in authors):
        wrong(at("authors"), "authors is no list of names", "write authors: [Ada Lovelace]")
        authors = []
    title = str(said.get("title") or "")
    return Front(draft, day and day.isoformat(), tuple(authors), title), problems


def _line(lines: list[str], key: str) -> int:
    return next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)
