"""Definitions as Python-Markdown reads them: terms, each on a line, and below them what they mean.

    hazard
    hazard rate
    :   Of the units that are still there, the share that ends at the next step.

Terms above one definition mean the same. What a definition goes on with is indented by four blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from site_builder.core.errors import Problem
from site_builder.post.sections import markup

_DEFINES = re.compile(r"[ ]{0,3}:[ ]{1,3}\S")
_BEGINS = re.compile(r"[ ]{4}|[ ]{0,3}(?:#|:[ ])")  # a line that is no term


@dataclass(frozen=True)
class Term:
    """A term as it stands in its 0-based `line`; its definition ends with the line `last`."""

    name: str
    where: str
    line: int
    last: int

    @property
    def word(self) -> str:
        """The term as ids have it; what has the same one is the same term."""
        return re.sub(r"\W+", "-", self.name.casefold()).strip("-")


def of(text: str, named: str) -> tuple[list[Term], list[Problem]]:
    """The terms that a text defines, and what is wrong with them; `named` is its file."""
    lines = markup.read(text).prose.split("\n")
    known: dict[str, Term] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        if not _DEFINES.match(line):
            continue
        for at in _above(lines, number):
            name = " ".join(lines[at].split())
            term = Term(name, f"{named}:{at + 1}", at, _last(lines, number))
            if not term.word:
                problems.append(Problem(term.where, f'"{name}" is no term', "write it in letters"))
            elif first := known.get(term.word):
                what = f'term "{name}" is defined twice'
                problems.append(Problem(term.where, what, f"see {first.where}"))
            else:
                known[term.word] = term
    if not (known or problems):
        cure = "write a term on a line, and below it its definition behind `:   `"
        problems.append(Problem(named, "the glossary defines no term", cure))
    return [*known.values()], problems


def _above(lines: list[str], number: int) -> Iterator[int]:
    """The lines with the terms that a definition is of; none of a second definition."""
    first = number
    if number and not lines[number - 1].strip():  # they may be a paragraph of their own
        first = number - 1
    start = first
    while start and lines[start - 1].strip() and not _BEGINS.match(lines[start - 1]):
        start -= 1
    yield from range(start, first)


def _last(lines: list[str], number: int) -> int:
    """The last line of a definition: what follows a blank line is a part of it if indented."""
    last = number
    for at in range(number + 1, len(lines)):
        line = lines[at]
        if not line.strip():
            continue
        if line.startswith("    ") or (at == last + 1 and not _BEGINS.match(line)):
            last = at
        else:
            break
    return last
