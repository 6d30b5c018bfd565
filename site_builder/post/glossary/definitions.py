"""Terms as Python-Markdown's definition lists have them: each on a line, below them what they mean.

    hazard
    hazard rate
    :   Of the units that are still there, the share that ends at the next step.

Terms above one definition mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from site_builder.core.errors import Problem
from site_builder.post.sections import markup

_MARKS = r"[ >*+-]*(?:\d+\.)?[ ]*"  # of quotations and lists, in which definitions may stand


@dataclass(frozen=True)
class Term:
    """A term as it stands in its 0-based `line`."""

    name: str
    where: str
    line: int

    @property
    def word(self) -> str:
        """The term as ids have it; what has the same one is the same term."""
        return re.sub(r"\W+", "-", self.name.casefold()).strip("-")


def of(text: str, named: str) -> tuple[list[Term], list[Problem]]:
    """The terms that a text defines, and what is wrong with them; `named` is its file."""
    known: dict[str, Term] = {}
    problems: list[Problem] = []
    for name, line in _written(text):
        term = Term(name, f"{named}:{line + 1}", line)
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


def _written(text: str) -> list[tuple[str, int]]:
    """Every term with its 0-based line, as the host will read the text."""
    from markdown import Markdown  # most posts are built again without a look at this page

    lines = markup.read(text).prose.split("\n")
    root = Markdown(extensions=["def_list"]).parser.parseDocument([*lines]).getroot()
    found, line = [], -1
    for node in root.iter("dt") if root is not None else ():
        name = (node.text or "").strip()
        whole = re.compile(rf"{_MARKS}{re.escape(name)}\s*")
        later = (at for at in range(line + 1, len(lines)) if whole.fullmatch(lines[at]))
        line = next(later, line)
        found.append((" ".join(name.split()), line))
    return found
