"""The post as a whole: its pages and sections, every directive in them, and the result behind each.

Everything that can be wrong is looked for before anything is drawn, and reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.post import claims, validation
from site_builder.post.directives import BLOCKS, Directive, scan
from site_builder.post.labels import Put
from site_builder.post.references import References
from site_builder.post.source import Front, Text, front, look, normalised, text_of
from site_builder.post.uses import NOUNS, Part, Use
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

Wanted = Use | Part | Directive | str
"""A use or a part; a directive that cannot be shown; or a line that cannot be read: "file:line"."""

Place = Callable[[Wanted], str]
"""What stands for it."""


MARK = "<!-- section {} -->"


class Post:
    """Pages of Markdown whose directives name results; `drafts` are among them if asked for."""

    def __init__(self, project: Project, study: str = "", *, drafts: bool = False) -> None:
        self.project = project
        self.drafts = drafts
        self.store = Store(project)
        self.study = study or project.study
        self.uses: dict[tuple[str, int], Use] = {}
        self.parts: dict[tuple[str, int], Part] = {}
        self.named: dict[str, Use] = {}
        self.claims: dict[str, claims.Claim] = {}
        self.references = References(self.project, self.named)
        self.problems: list[Problem] = []

    def pages(self) -> list[Path]:
        """The files that become pages, the post first; sections are parts of them."""
        sections = self.project.content / "sections"
        found = sorted(below(self.project.content, ".md"), key=lambda p: (p.name != "index.md", p))
        return [
            path for path in found if not path.is_relative_to(sections) and not self.is_draft(path)
        ]

    def front(self) -> Front:
        """What the first page's front matter says of the post."""
        return front(self.project, self.project.content / "index.md")[0]

    def is_draft(self, path: Path) -> bool:
        """Whether a page or a section is to be left out, as its front matter says."""
        return not self.drafts and front(self.project, path)[0].draft

    def blocks(self) -> list[Use]:
        """The uses that are numbered blocks, in the order of reading."""
        return [use for use in self.uses.values() if use.directive.kind in NOUNS]

    def url(self, page: Path) -> str:
        """Where a page is in the site: "" for the first one, "features/" for features.md.

        Where mkdocs.yml says `use_directory_urls: false`, it is "index.html", "features.html".
        """
        path = page.relative_to(self.project.content).with_suffix("")
        if self.project.config.get("use_directory_urls") is False:
            return f"{path.as_posix()}.html"
        return "".join(f"{part}/" for part in path.parts if part != "index")

    def file(self, page: Path) -> str:
        """The file of the site that a page becomes: "features/index.html"."""
        url = self.url(page)
        return url if url.endswith(".html") else f"{url}index.html"

    def way(self, page: Path, target: Path) -> str:
        """The address of one page as another one's links have it."""
        return f"{self.base(page)}/{self.url(target)}"

    def base(self, page: Path, *, of_file: bool = False) -> str:
        """The way from a page, or from its Markdown file, to the root."""
        name = page.relative_to(self.project.content).as_posix()
        return "/".join([".."] * (name if of_file else self.url(page)).count("/")) or "."

    def collect(self) -> None:
        """Find every directive and check it against the shelves; problems are kept, not raised."""
        self.uses.clear()
        self.parts.clear()
        self.store.forget()
        self.project.settings(self.study)
        self.claims, self.problems = claims.load(self.project)
        if not (self.project.content / "index.md").is_file():
            self.problems.append(Problem("content/index.md", "no such page", "write the first one"))
        self.problems += validation.claims(self.project, self.claims)
        self.references = References(self.project, self.named)
        for page in self.pages():
            for directive in self._walk(page, page):
                self._take(directive, page)
        self._number()
        self.problems += self.references.check()

    def reread(self, section: Path) -> list[Use]:
        """Read one section again; everything else stays as it was collected. Returns its uses."""
        known = self.references.sections.get(section.stem)
        if known is None:
            return []
        start = f"{self.project.named(section)}:"
        self.problems = [one for one in self.problems if not one.where.startswith(start)]
        others = {place: use for place, use in self.uses.items() if not place[0].startswith(start)}
        # The uses of a section stand together; what comes before them still does.
        before = len([*takewhile(others.__contains__, self.uses)])
        self.uses = {}
        for directive in self._walk(section, known.page):
            self._take(directive, known.page)
        found, around = self.uses, [*others.items()]
        self.uses = {**dict(around[:before]), **found, **dict(around[before:])}
        self._number()
        return [*found.values()]

    def _take(self, directive: Directive, page: Path) -> None:
        """Keep what a directive asks for, in the order of reading."""
        place = directive.where, directive.start
        if directive.kind in ("ref", "cite"):
            self.references.see(directive)
        elif directive.kind == "page":
            wrong = validation.part(self.project, directive)
            self.problems += wrong
            if not wrong:
                self.parts[place] = Part(directive, page)
        elif use := self._use(directive, page):
            self.uses[place] = use

    def _number(self) -> None:
        """Count the blocks, each noun apart, and give each a name of its own."""
        counts: dict[str, int] = {}
        slugs: dict[str, int] = {}
        self.named.clear()
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
        made = {use.directive.name for use in self.uses.values() if use.directive.kind == "claim"}
        return [
            *(
                Problem(self.project.named(path), "no page lists this section", f"add {line}")
                for path in below(here, ".md")
                if path.stem not in self.references.sections
                and not self.is_draft(path)
                and (line := f"<< section: {path.stem} >>")
            ),
            *self.references.uncited(),
            *(
                Problem(claim.where, f'no sentence makes the claim "{name}"', f"add {mark}")
                for name, claim in self.claims.items()
                if name not in made and (mark := f"<< claim: {name} >>")
            ),
        ]

    def judge(self, uses: Iterable[Use] | None = None) -> None:
        """Say of each use whether its result is fresh, stale or missing."""
        found: dict[ResultId, tuple[str, list[str]]] = {}
        for use in self.uses.values() if uses is None else uses:
            if use.id not in found:
                found[use.id] = self._state(use.id)
            use.state, use.reasons = found[use.id]

    def _state(self, id: ResultId) -> tuple[str, list[str]]:
        if not self.store.path(id).is_file():
            return "missing", [f"measured by {self.store.command(id)}"]
        try:
            reasons = self.store.why_stale(id)
        except BuildError as error:
            self.problems += error.problems
            return "missing", [problem.what for problem in error.problems]
        return "stale" if reasons else "fresh", reasons

    def fill(self, text: str, page: Path, place: Place) -> str:
        """A page's Markdown with sections put in and every directive replaced by `place`.

        `text` may be the file without its front matter, and with other blanks, as hosts hand it on:
        its lines are counted from the end.
        """
        text = normalised(text)
        lines = [part.rstrip().count("\n") for part in (text_of(page), text)]
        first = lines[0] - lines[1] + 1
        return "\n".join(self._filled(text, page, page, first, place)[0])

    def _filled(
        self, text: str, source: Path, page: Path, first: int, place: Place
    ) -> tuple[list[str], list[str]]:
        """A text's lines with everything put in, and what ends all that it leaves open."""
        lines = text.split("\n")
        directives, problems = self._scan(text, source, first)
        seen = self._look(text, source)
        puts = list(seen.puts)
        for directive in directives:
            line = lines[directive.line]
            put = self._put(directive, page, place, seen)
            if directive.kind in BLOCKS:
                # A blank line only where there is none: a second one would end a footnote.
                if directive.line and lines[directive.line - 1].strip(" >"):
                    put = f"\n{line[: directive.start]}{put}"
                if directive.line + 1 < len(lines) and lines[directive.line + 1].strip(" >"):
                    put = f"{put}\n"
            puts.append(Put(directive.line, directive.start, directive.end, put))
        for number, start, end, put in sorted(puts, reverse=True):
            lines[number] = lines[number][:start] + put + lines[number][end:]
        # Only a preview fills what cannot be read; it is told behind its line, or at the end.
        named = self.project.named(source)
        for number in {int(problem.where.rpartition(":")[2]) - first for problem in problems}:
            lines[number] += f"\n\n{place(f'{named}:{first + number}')}\n"
        told = dict.fromkeys(f"{named}:{first + fault.line}" for fault in seen.faults)
        return lines, [*seen.ends, *(f"\n{place(where)}\n" for where in told)]

    def _put(self, directive: Directive, page: Path, place: Place, seen: Text) -> str:
        """What stands in a page's Markdown for one directive."""
        if directive.kind == "section":
            path = self._section(directive)
            if path and self.is_draft(path):
                return ""
            return self.section(path, page, place) if path else place(directive)
        if directive.kind in ("ref", "cite"):
            raw = any(start <= directive.line <= end for start, end in seen.raw)
            link = self.references.link(directive, page, self.way if raw else None)
            return link or place(directive)
        key = directive.where, directive.start
        return place(self.uses.get(key) or self.parts.get(key) or directive)

    def section(self, path: Path, page: Path, place: Place) -> str:
        """A section's Markdown as its page has it, between marks that a preview finds again."""
        inner, ends = self._filled(text_of(path), path, page, 1, place)
        return "\n".join(["", MARK.format(path.stem), "", *inner, *ends, "", MARK.format(""), ""])

    def _walk(self, source: Path, page: Path) -> Iterator[Directive]:
        """The directives of a page as they are read, those of its sections in their place."""
        try:
            text = text_of(source)
        except UnicodeDecodeError:
            where = self.project.named(source)
            self.problems.append(Problem(where, "not UTF-8", "save it as UTF-8"))
            return
        directives, problems = self._scan(text, source)
        self.problems += problems
        self.problems += front(self.project, source)[1]
        seen, named = self._look(text, source), self.project.named(source)
        self.problems += (
            Problem(f"{named}:{fault.line + 1}", fault.what, fault.cure) for fault in seen.faults
        )
        inside = source.is_relative_to(self.project.content / "sections")
        if inside:
            self.references.section(source, page, seen.heading)
        for directive in directives:
            if directive.kind != "section":
                yield directive
            elif inside:
                what = "a section cannot hold a section"
                self.problems.append(Problem(directive.where, what, "list it in the page"))
            elif (path := self._section(directive)) and not self.is_draft(path):
                if path.stem in self.references.sections:
                    what = f'section "{directive.name}" stands twice'
                    self.problems.append(Problem(directive.where, what, "keep one"))
                    continue
                yield from self._walk(path, page)

    def _scan(
        self, text: str, source: Path, first: int = 1
    ) -> tuple[list[Directive], list[Problem]]:
        """What `scan` finds, once as long as the text is the same."""
        named = self.project.named(source)

        def make() -> list[list[dict[str, Any]]]:
            directives, problems = scan(text, named, first)
            return [[*map(vars, directives)], [*map(vars, problems)]]

        directives, problems = self.project.memory.recall("scan", [text, named, first], make)
        return [Directive(**one) for one in directives], [Problem(**one) for one in problems]

    def _look(self, text: str, source: Path) -> Text:
        """What `look` finds, once as long as the text is the same."""
        inside = source.is_relative_to(self.project.content / "sections")
        stem = source.stem if inside else ""
        return Text.of(
            self.project.memory.recall("look", [text, stem], lambda: [*look(text, stem)])
        )

    def _section(self, directive: Directive) -> Path | None:
        path = self.project.content / "sections" / f"{directive.name}.md"
        if path.is_file():
            return path
        known = [p.stem for p in below(self.project.content / "sections", ".md")]
        what = f'no section "{directive.name}"'
        self.problems.append(Problem(directive.where, what, nearest(directive.name, known)))
        return None

    def _use(self, directive: Directive, page: Path) -> Use | None:
        """The use that a directive makes of a result, if there is nothing wrong with it."""
        if directive.kind == "claim":
            wrong = validation.mark(directive, self.claims)
        else:
            wrong = validation.shelves(self.project, directive, self.study)
        self.problems += wrong
        if wrong:
            return None
        if directive.kind == "claim":
            claim = self.claims[directive.name]
            return Use(directive, ResultId(self.study, claim.analysis, claim.variant), page)
        study = directive.options.get("study", self.study)
        return Use(directive, ResultId(study, directive.name, directive.variant), page)
