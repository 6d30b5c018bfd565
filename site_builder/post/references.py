"""Where the prose points: at figures and sections of the post by name, and at works by key.

A section's number is that of its file: `03-5-entropy.md` is section 3.5; a file without one, such
as `appendix.md`, is called by its title. What is pointed at is written as a Markdown link, so that
every host resolves it.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from site_builder.core.errors import Problem, nearest, plain
from site_builder.core.project import Project
from site_builder.post.bibliography import works as bibliography
from site_builder.post.directive import Directive
from site_builder.post.formula import Formula
from site_builder.post.sections.headings import Heading, numbered
from site_builder.post.uses import Use

Way = Callable[[Path, Path], str]
"""The way from one page's address to another's."""


@dataclass(frozen=True)
class Section:
    """A section as the page shows it; `id` is the one that its author gives its heading, or ""."""

    stem: str
    page: Path
    title: str
    id: str = ""

    @property
    def number(self) -> str:
        """ "3.5" of the file 03-5-entropy; "" when it has none."""
        return numbered(self.stem)[0]

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return self.id or f"sec-{numbered(self.stem)[1]}"

    @property
    def called(self) -> str:
        """How the prose calls it."""
        return f"Section {self.number}" if self.number else self.title


@dataclass(frozen=True)
class Equation:
    """A formula that has a name, and with it a number."""

    number: int
    page: Path
    where: str


class References:
    """Everything that the post's prose can point at, and what it points at that is not there.

    `named` are the blocks by what a reference calls them, filled as they are found.
    """

    def __init__(self, project: Project, named: Mapping[str, Use]) -> None:
        self.project = project
        self.named = named
        self.sections: dict[str, Section] = {}
        self.equations: dict[str, Equation] = {}
        self.problems: list[Problem] = []
        self.cited: dict[str, int] = {}
        self._mentions: list[Directive] = []
        self._broken: list[str] = []

    @cached_property
    def works(self) -> dict[str, bibliography.Work]:
        """The bibliography by key."""
        project = self.project

        def load() -> tuple[list[list[Any]], list[Path]]:
            works, broken, problems = bibliography.load(project)
            kept: list[list[Any]] = [[*map(vars, works.values())], broken, [*map(vars, problems)]]
            return kept, [project.root / bibliography.FILE]

        works, self._broken, problems = project.memory.read("works", load)
        self.problems += [Problem(**one) for one in problems]
        return {one["key"]: bibliography.Work(**one) for one in works}

    def mention(self, directive: Directive) -> None:
        """Take note of a reference by name: what it names may come later."""
        self._mentions.append(directive)

    def cite(self, directive: Directive) -> None:
        """Number the works that a directive cites, in the order of reading."""
        for key in directive.name.split():
            if key in self.works:
                self.cited.setdefault(key, len(self.cited) + 1)
            elif key not in self._broken:  # which has been told, at its line
                what = f'no work "{key}" in {bibliography.FILE}'
                self.problems.append(Problem(directive.where, what, nearest(key, self.works)))

    def section(self, path: Path, page: Path, heading: Heading | None) -> None:
        """Take note of a section that `page` shows."""
        title, anchor = (heading.title, heading.anchor) if heading else (path.stem, "")
        self.sections[path.stem] = Section(path.stem, page, title, anchor)

    def count(self, formulas: Mapping[Formula, Path]) -> list[Problem]:
        """Number the formulas that have a name, in this order; `formulas` tell their pages."""
        self.equations.clear()
        problems = []
        for formula, page in formulas.items():
            if first := self.equations.get(formula.label):
                what = f'equation "{formula.label}" stands in {first.where} already'
                problems.append(Problem(formula.where, what, "give one of them another name"))
            elif formula.label:
                number = len(self.equations) + 1
                self.equations[formula.label] = Equation(number, page, formula.where)
        return problems

    def of(self, directive: Directive) -> Section | None:
        """The section that a directive stands in."""
        source = Path(directive.where.rpartition(":")[0])
        return self.sections.get(source.stem) if source.parent.name == "sections" else None

    def check(self) -> list[Problem]:
        """What the prose points at and is not there; call it when all has been seen."""
        for directive in self._mentions:
            if self._target(directive) is None:
                known = self.named.keys() | self.sections.keys() | self.equations.keys()
                what = f'nothing on the page is called "{directive.named}"'
                self.problems.append(
                    Problem(directive.where, what, nearest(directive.named, known))
                )
        return self.problems

    def uncited(self) -> list[Problem]:
        """Works that nothing cites."""
        return [
            Problem(work.where, f'nothing cites "{key}"', f"write << cite: {key} >> or remove it")
            for key, work in self.works.items()
            if key not in self.cited
        ]

    def reference(self, directive: Directive, page: Path, raw: Way | None = None) -> str:
        """A link from `page` to what a directive names, as Markdown; "" if that is not there.

        In HTML, where no Markdown is read, it is HTML; `raw` then tells the way to another page.
        """
        target = self._target(directive)
        return link(page, *target, "ref", raw=raw) if target else ""

    def citation(self, directive: Directive, page: Path, raw: Way | None = None) -> str:
        """Links from `page` to the works that a directive cites, likewise."""
        home = self.project.content / "index.md"
        links = []
        for key in directive.name.split():
            if key not in self.cited:
                return ""
            work = self.works[key]
            at = directive.options.get(key, "")
            number = f"{self.cited[key]}, {at if raw else attribute(at)}" if at else self.cited[key]
            name, title = f"\\[{number}\\]", f"{work.short}: {work.title}"
            links.append(link(page, name, home, work.anchor, "cite", title, raw=raw))
        return (Markup() if raw else "").join(links)

    def _target(self, directive: Directive) -> tuple[str, Path, str] | None:
        """The words, page and id of what a `ref` names."""
        if use := self.named.get(directive.named):
            return f"{use.noun} {use.number}", use.page, use.slug
        if equation := self.equations.get(directive.named):
            return f"Equation {equation.number}", equation.page, directive.named
        section = self.sections.get(directive.named)
        return (section.called, section.page, section.anchor) if section else None


def link(
    page: Path,
    name: str,
    target: Path,
    anchor: str,
    kind: str,
    title: str = "",
    *,
    raw: Way | None,
    id: str = "",
) -> str:
    """A link from one page to a place of another, as Markdown or, if `raw`, as HTML."""
    if raw is None:
        titled = f' title="{attribute(title)}"' if title else ""
        titled += f" #{id}" if id else ""
        return f"[{name}]({_way(page, target)}#{anchor}){{ .post-{kind}{titled} }}"
    titled = f' title="{html.escape(plain(title))}"' if title else ""
    titled += f' id="{html.escape(id)}"' if id else ""
    way = html.escape(f"{'' if page == target else raw(page, target)}#{anchor}")
    text = html.escape(name.replace("\\", ""))
    return Markup(f'<a class="post-{kind}" href="{way}"{titled}>{text}</a>')


def attribute(text: str) -> str:
    """Text that fits into a quoted attribute of a Markdown link, and is not Markdown there."""
    text = re.sub(r"[\"{}\s]+", " ", plain(text))
    return re.sub(r"[*_`\[\]\\$<>]", lambda sign: f"&#{ord(sign[0])};", text)


def _way(page: Path, target: Path) -> str:
    return "" if page == target else Path(os.path.relpath(target, page.parent)).as_posix()
