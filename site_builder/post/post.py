"""The post as a whole: its pages and sections, every directive in them, and the result behind each.

Everything that can be wrong is looked for before anything is drawn, and reported at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below, listed
from site_builder.core.project import Project
from site_builder.post import choices, claims, formulas
from site_builder.post.addresses import Addresses
from site_builder.post.directive import Directive
from site_builder.post.directives import scan
from site_builder.post.formula import Formula
from site_builder.post.glossary.terms import Glossary
from site_builder.post.kinds import claim, term, validation
from site_builder.post.kinds.table import KINDS
from site_builder.post.references import References
from site_builder.post.sections.text import (
    Front,
    Text,
    behind_front,
    front,
    look,
    normalised,
    text_of,
)
from site_builder.post.source import Show, Shown, Source
from site_builder.post.uses import Asked, Inclusion, Link, Part, Use
from site_builder.results.reasons import Reason, State
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

K = TypeVar("K", bound=Directive | Formula)
T = TypeVar("T")

MARK = "<!-- section {} -->"


class Post(Addresses):
    """Pages of Markdown whose directives name results; `drafts` are among them if asked for."""

    def __init__(self, project: Project, study: str = "", *, drafts: bool = False) -> None:
        super().__init__(project)
        self.drafts = drafts
        self.store = Store(project)
        self.study = study or project.study
        self.uses: dict[Directive, Use] = {}
        self.parts: dict[Directive, Part] = {}
        self.terms: dict[Directive, Link] = {}
        self.formulas: dict[Formula, Path] = {}
        self.named: dict[str, Use] = {}
        self.claims: dict[str, claims.Claim] = {}
        self.choices: list[dict[str, str]] = []
        self.references = References(self.project, self.named)
        self.glossary = Glossary(self.project)
        self.problems: list[Problem] = []
        self._sources: dict[Path, Source] = {}

    def pages(self) -> list[Path]:
        """The files that become pages, the post first; sections are parts of them."""
        sections = self.project.content / "sections"
        paths = sorted(below(self.project.content, ".md"), key=lambda p: (p.name != "index.md", p))
        return [
            path for path in paths if not path.is_relative_to(sections) and not self.is_draft(path)
        ]

    def front(self) -> Front:
        """What the first page's front matter says of the post."""
        return front(self.project, self.project.content / "index.md")[0]

    def title(self, page: Path) -> str:
        """What a page is called: by its front matter, else by its file."""
        return front(self.project, page)[0].title or page.stem

    def is_draft(self, path: Path) -> bool:
        """Whether a page or a section is to be left out, as its front matter says."""
        return not self.drafts and front(self.project, path)[0].draft

    def blocks(self) -> list[Use]:
        """The uses that are numbered blocks, in the order of reading."""
        return [use for use in self.uses.values() if use.noun]

    def page_with(self, part: str) -> Path | None:
        """The first page that has a part, such as "page: claims"; None where none has."""
        return next((one.page for one in self.parts.values() if str(one.directive) == part), None)

    def places(self) -> dict[str, str]:
        """The page of everything that has a name: blocks, sections, equations, by their ids."""
        references = self.references
        pages = {use.slug: use.page for use in self.blocks()}
        pages |= {one.anchor: one.page for one in references.sections.values()}
        pages |= {name: one.page for name, one in references.equations.items()}
        return {name: self.url(page) for name, page in pages.items()}

    def collect(self) -> None:
        """Find every directive and check it against the shelves; problems are kept, not raised."""
        self.uses.clear()
        self.parts.clear()
        self.terms.clear()
        self.formulas.clear()
        self._sources.clear()
        self.store.forget()
        self.project.settings(self.study)
        self.claims, self.problems = claims.load(self.project)
        self.choices, wrong = choices.load(self.project)
        self.problems += wrong
        if not (self.project.content / "index.md").is_file():
            self.problems.append(Problem("content/index.md", "no such page", "write the first one"))
        self.problems += validation.claims(self.project, self.claims)
        self.references = References(self.project, self.named)
        self.glossary = Glossary(self.project)
        for page in self.pages():
            self._read(page, page)
        for draft in filter(self.is_draft, below(self.project.content, ".md")):
            self.problems += front(self.project, draft)[1]  # it may be none, but for a word
        self._number()
        self.problems += [*self.references.check(), *self.glossary.check()]

    def reread(self, section: Path) -> list[Use]:
        """Read one section again; everything else stays as it was collected. Returns its uses."""
        known = self.references.sections.get(section.stem)
        if known is None:
            return []
        start = f"{self.project.named(section)}:"
        self.problems = [one for one in self.problems if not one.where.startswith(start)]
        uses, formulas, terms = self.uses, self.formulas, self.terms
        self.uses, self.formulas, self.terms = {}, {}, {}
        self._sources.pop(section, None)
        self._read(section, known.page)
        mine = self.uses
        self.uses = _instead(uses, start, mine)
        self.formulas = _instead(formulas, start, self.formulas)
        self.terms = _instead(terms, start, self.terms)
        self._number()
        return [*mine.values()]

    def _read(self, path: Path, page: Path) -> None:
        """Read a page, or a section of it, and keep what its directives ask for."""
        try:
            text = text_of(path)
        except UnicodeDecodeError:
            where = self.project.named(path)
            self.problems.append(Problem(where, "not UTF-8", "save it as UTF-8"))
            return
        named = self.project.named(path)
        inside = path.is_relative_to(self.project.content / "sections")
        seen = self._look(text, path.stem if inside else "")
        source = self._sources[path] = Source(named, text, seen, *self._scan(text, named))
        self.problems += [*source.unread, *front(self.project, path)[1]]
        self.problems += [
            Problem(f"{named}:{one.line + 1}", one.what, one.cure) for one in seen.faults
        ]
        if inside:
            self.references.section(path, page, seen.heading)
        for directive in source.found:
            if isinstance(directive, Formula):
                self.formulas[directive] = page
                continue
            asked = self._take(directive, page)
            if isinstance(asked, Link):
                asked.in_html = seen.is_raw(directive.line)
            if isinstance(asked, Asked):
                source.asked[directive] = asked
            else:
                self.problems += asked

    def _take(self, directive: Directive, page: Path) -> Asked | list[Problem]:
        """What a directive asks for, kept in the order of reading; else all that is wrong."""
        kind = KINDS[directive.kind]
        asked = kind.take(self, directive, page)
        match asked:
            case Use():
                asked.noun = kind.noun
                self.uses[directive] = asked
            case Link() if directive.kind == term.NAME:
                self.terms[directive] = asked
            case Part():
                self.parts[directive] = asked
            case Inclusion():
                self._read(asked.path, page)
        return asked

    def _number(self) -> None:
        """Count the blocks, each noun apart; give blocks, and the places of claims, their ids."""
        claim.place(self.uses.values())
        self.glossary.read(self.terms.values())
        counts: dict[str, int] = {}
        slugs: dict[str, int] = {}
        self.named.clear()
        wrong = self.references.count(self.formulas)
        self.problems += [one for one in wrong if one not in self.problems]
        for use in self.blocks():
            self.named.setdefault(use.directive.named, use)
            counts[use.noun] = use.number = counts.get(use.noun, 0) + 1
            stem = use.stem
            slugs[stem] = slugs.get(stem, 0) + 1
            use.slug = stem if slugs[stem] == 1 else f"{stem}-{slugs[stem]}"

    def newest(self) -> str:
        """When the newest result that the post shows was measured, as an ISO time; "" if none."""
        ids = {use.id for use in self.uses.values()}
        return max((self.store.recipe(id).made_at for id in ids), default="")

    def unused(self) -> list[Problem]:
        """Sections that no page shows, works that nothing cites, claims that no sentence makes."""
        here = self.project.content / "sections"
        made = {of.name for of in self.uses if of.kind == claim.NAME}
        if claims.PREDICTIONS in map(str, self.parts):  # their page says them
            made |= {name for name, one in self.claims.items() if one.is_prediction}
        return [
            *(
                Problem(self.project.named(path), "no page lists this section", f"add {line}")
                for path in listed(here, ".md")
                if path.stem not in self.references.sections
                and not self.is_draft(path)
                and (line := f"<< section: {path.stem} >>")
            ),
            *self.references.uncited(),
            *(
                Problem(one.where, f'no sentence makes the claim "{name}"', f"add {mark}")
                for name, one in self.claims.items()
                if name not in made and (mark := f"<< claim: {name} >>")
            ),
        ]

    def predicted(self) -> list[Use]:
        """What predictions are read off, if a page shows them: a build does not measure it."""
        page = self.page_with(claims.PREDICTIONS)
        found = [
            Use(
                Directive(claim.NAME, name, "", {}, one.where),
                page,
                ResultId(one.study, one.analysis, one.variant),
            )
            for name, one in self.claims.items()
            if page and one.is_prediction
        ]
        self.judge(found)
        return found

    def judge(self, uses: Iterable[Use] | None = None) -> None:
        """Say of each use whether its result is fresh, stale or missing."""
        states: dict[ResultId, tuple[State, list[Reason]]] = {}
        for use in self.uses.values() if uses is None else uses:
            if use.id not in states:
                states[use.id] = self._state(use.id)
            use.state, use.reasons = states[use.id]

    def _state(self, id: ResultId) -> tuple[State, list[Reason]]:
        if not self.store.path(id).is_file():
            return "missing", [Reason("unmeasured", self.store.command(id))]
        try:
            reasons = self.store.why_stale(id)
        except BuildError as error:
            self.problems += error.problems
            return "missing", [Reason("unreadable", problem.what) for problem in error.problems]
        return "stale" if reasons else "fresh", reasons

    def fill(self, page: Path, show: Show, given: str | None = None) -> str:
        """A page's Markdown with sections put in, and what stands for every directive.

        `given` is its text as a host hands it on: see `Source.filled`.
        """

        def put(shown: Shown) -> str:
            return self.section(shown.path, show) if isinstance(shown, Inclusion) else show(shown)

        if page not in self._sources:
            what = "this page came, or became UTF-8, after the post was read"
            raise BuildError([Problem(self.project.named(page), what, "build again")])
        puts = self.glossary.puts(self.references) if page == self.glossary.path else ()
        return "\n".join(self._sources[page].filled(put, given, puts))

    def page_of(self, text: str) -> Path | None:
        """The page that ends with `text`, if possible with nothing but front matter before it."""
        text = behind_front(normalised(text)).strip()
        whole = {
            page: self._sources[page].text.strip() for page in self.pages() if page in self._sources
        }
        ending = (page for page in whole if whole[page].endswith(text))
        return min(ending, key=lambda page: whole[page] != text, default=None)

    def section(self, path: Path, show: Show) -> str:
        """A section's Markdown as its page has it, between marks that a preview finds again."""
        if path not in self._sources:  # it is told why
            return show(self.project.named(path))
        source = self._sources[path]
        inner = [*source.filled(show), *source.ends(show)]
        return "\n".join(["", MARK.format(path.stem), "", *inner, "", MARK.format(""), ""])

    def _scan(self, text: str, named: str) -> tuple[list[Directive], list[Formula], list[Problem]]:
        """What stands in a text, found once as long as it is the same."""

        def make() -> list[list[dict[str, Any]]]:
            directives, unread = scan(text, named)
            in_text, wrong = formulas.scan(text, named)
            return [[*map(vars, all)] for all in (directives, in_text, [*unread, *wrong])]

        directives, in_text, wrong = self.project.memory.recall("scan", [text, named], make)
        return (
            [Directive(**one) for one in directives],
            [Formula(**one) for one in in_text],
            [Problem(**one) for one in wrong],
        )

    def _look(self, text: str, stem: str) -> Text:
        """What `look` finds, once as long as the text is the same."""
        recall = self.project.memory.recall
        return Text.of(recall("look", [text, stem], lambda: [*look(text, stem)]))


def _instead(all: Mapping[K, T], start: str, found: Mapping[K, T]) -> dict[K, T]:
    """`found` in the place of what stood in the section whose lines begin with `start`."""
    others = {of: one for of, one in all.items() if not of.where.startswith(start)}
    # What a section holds stands together; what comes before it still does.
    before = len([*takewhile(others.__contains__, all)])
    around = [*others.items()]
    return {**dict(around[:before]), **found, **dict(around[before:])}
