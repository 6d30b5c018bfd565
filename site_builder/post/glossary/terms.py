"""The post's terms, each defined once in `content/glossary.md`, and where they are used.

`<< term: hazard >>` leads from any sentence to the definition, which leads to the first of them.
Upper and lower case are one, and so is a plural with s. What else the page says is its author's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from site_builder.core.errors import Problem, nearest
from site_builder.core.project import Project
from site_builder.post.glossary import definitions
from site_builder.post.glossary.definitions import Term
from site_builder.post.references import References, Way, attribute, link
from site_builder.post.sections.labels import Put
from site_builder.post.sections.text import text_of
from site_builder.post.uses import Link

FILE = "content/glossary.md"
_READERS = ("def_list", "extra")
"""Extensions of Python-Markdown that read definitions, with or without their package's name."""

_HEADING = re.compile(r"#{1,6}[ ]+(.+?)[ ]*#*(?:[ ]*\{[^{}]*\})?[ ]*")


class Glossary:
    """The terms of a project, and where the post uses each of them first."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.path = project.root / FILE
        self.problems: list[Problem] = []
        self.first: dict[str, Link] = {}

    @cached_property
    def terms(self) -> dict[str, Term]:
        """Every term by its name in small letters, in the order of the page."""

        def load() -> tuple[list[list[dict[str, Any]]], list[Path]]:
            try:
                terms, problems = definitions.of(text_of(self.path), FILE)
            except (FileNotFoundError, UnicodeDecodeError):  # there is none, or its page tells
                terms, problems = [], []
            return [[*map(vars, terms)], [*map(vars, problems)]], [self.path]

        terms, problems = self.project.memory.read("glossary", load)
        self.problems += [Problem(**one) for one in problems]
        return {_key(one["name"]): Term(**one) for one in terms}

    def find(self, name: str) -> Term | None:
        """The term that a directive names."""
        key = _key(name)
        return self.terms.get(key) or self.terms.get(key.removesuffix("s"))

    def check(self) -> list[Problem]:
        """What is wrong with the page itself, and with how its host reads it."""
        extensions = self.project.config.get("markdown_extensions") or []
        known = {name for one in extensions for name in ([one] if isinstance(one, str) else one)}
        if self.terms and not {name.rpartition(".")[2] for name in known} & {*_READERS}:
            what, cure = "no extension reads the glossary's definitions", "add - def_list"
            self.problems.append(Problem("mkdocs.yml", what, f"{cure} to markdown_extensions"))
        return self.problems

    def unknown(self, name: str, where: str) -> Problem:
        """What is said of a term that is defined nowhere."""
        names = [term.name for term in self.terms.values()]
        cure = nearest(_key(name), names) if names else f"define it in {FILE}"
        return Problem(where, f'unknown term "{name}"', cure)

    def read(self, links: Iterable[Link]) -> None:
        """Take note of the links to terms, in the order of reading; the page's own do not count."""
        self.first.clear()
        for one in links:
            term = self.find(one.directive.name)
            if term and one.page != self.path:
                self.first.setdefault(term.word, one)

    def link(self, asked: Link, raw: Way | None = None) -> str:
        """A link to a term's definition, from where the post uses it first with an id."""
        term = self.find(asked.directive.name)
        if term is None:
            return ""
        shown = asked.directive.options.get("as", asked.directive.name)
        id = f"used-{term.word}" if self.first.get(term.word) is asked else ""
        name, anchor = shown if raw else attribute(shown), f"term-{term.word}"
        return link(asked.page, name, self.path, anchor, "term", raw=raw, id=id)

    def puts(self, references: References) -> Iterator[Put]:
        """What goes behind each term on its page: the way to where it is used first, and an id."""
        lines = text_of(self.path).split("\n")
        for term in self.terms.values():
            end, first = len(lines[term.line]), self.first.get(term.word)
            place = f" {self._place(term, first, references)}" if first else ""
            yield Put(term.line, end, end, f"{place} {{ #term-{term.word} }}")

    def _place(self, term: Term, first: Link, references: References) -> str:
        """The link to where a term is used first."""
        section = references.of(first.directive)
        called = section.called if section else _above(first) or first.page.stem
        name = attribute(f"first used in {called}")
        return link(self.path, name, first.page, f"used-{term.word}", "first", raw=None)


def _above(first: Link) -> str:
    """The heading that a page's own sentence stands under."""
    lines = text_of(first.page).split("\n")[: first.directive.line]
    return next((found[1] for line in reversed(lines) if (found := _HEADING.fullmatch(line))), "")


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
