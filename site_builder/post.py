"""The post as a whole: its pages and sections, every directive in them, and the result behind each.

Everything that can be wrong is looked for before anything is drawn, and reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from site_builder import runner
from site_builder.directives import BLOCKS, Directive, scan
from site_builder.errors import BuildError, Problem, nearest
from site_builder.fingerprint import signature
from site_builder.project import Project
from site_builder.store import ResultId, Store
from site_builder.values import RESERVED

NOUNS = {"figure": "Figure", "tokens": "Figure", "table": "Table", "feature": "Feature card"}
_TYPES: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: {"true": True, "false": False}[text],
}

_TOLD = {
    "int": ("a whole number", "3"),
    "float": ("a number", "0.5"),
    "bool": ("true or false", "true"),
}


@dataclass
class Use:
    """One use of a result in the prose.

    state is "fresh", "stale" (with reasons) or "missing"; number counts figures or tables; slug is
    the block's id in the page, and of its files.
    """

    directive: Directive
    id: ResultId
    state: str = "missing"
    reasons: list[str] = field(default_factory=list)
    number: int = 0
    slug: str = ""

    @property
    def noun(self) -> str:
        """What the block is called: Figure, Table or Feature card; each is numbered apart."""
        return NOUNS[self.directive.kind]

    @property
    def stem(self) -> str:
        """What the block's id begins with: "entropy-compare", "feature-26-1201"."""
        named = self.directive.options["feature"] if self.directive.kind == "feature" else ""
        words = filter(None, (self.id.analysis, self.id.variant, named))
        return "-".join(words).replace("_", "-").replace("/", "-")


class Post:
    """Pages of Markdown whose directives name results."""

    def __init__(self, project: Project, study: str = "") -> None:
        self.project = project
        self.store = Store(project)
        self.study = study or project.study
        self.uses: dict[tuple[str, int], Use] = {}
        self.problems: list[Problem] = []
        self._sections: set[Path] = set()

    def pages(self) -> list[Path]:
        """The files that become pages; sections are parts of them."""
        sections = self.project.content / "sections"
        found = sorted(self.project.content.rglob("*.md"))
        return [path for path in found if not path.is_relative_to(sections)]

    def collect(self) -> None:
        """Find every directive and check it against the shelves; problems are kept, not raised."""
        self.uses.clear()
        self.problems.clear()
        self.store.forget()
        self._sections.clear()
        self.project.settings(self.study)
        counts: dict[str, int] = {}
        slugs: dict[str, int] = {}
        for page in self.pages():
            for directive in self._walk(page):
                use = self._checked(directive)
                if use is None:
                    continue
                self.uses[directive.where, directive.start] = use
                if directive.kind != "value":
                    counts[use.noun] = use.number = counts.get(use.noun, 0) + 1
                    stem = use.stem
                    slugs[stem] = slugs.get(stem, 0) + 1
                    use.slug = stem if slugs[stem] == 1 else f"{stem}-{slugs[stem]}"

    def unlisted(self) -> list[Problem]:
        """Sections that no page shows: a draft, or a forgotten line."""
        here = self.project.content / "sections"
        return [
            Problem(self.project.named(path), "no page lists this section", f"add {line}")
            for path in sorted(here.glob("*.md"))
            if path not in self._sections and (line := f"<< section: {path.stem} >>")
        ]

    def judge(self) -> None:
        """Say of each use whether its result is fresh, stale or missing."""
        for use in self.uses.values():
            if not self.store.path(use.id).is_file():
                use.state, use.reasons = "missing", [f"measured by {self.store.command(use.id)}"]
                continue
            try:
                use.reasons = self.store.why_stale(use.id)
                use.state = "stale" if use.reasons else "fresh"
            except BuildError as error:
                self.problems += error.problems
                use.state, use.reasons = "missing", [p.what for p in error.problems]

    def resolve(
        self,
        run: str = "missing",
        *,
        strict: bool = False,
        say: Callable[[str], None],
        quiet: bool = False,
    ) -> None:
        """Collect and judge, measure what `run` ("never", "missing", "stale") allows.

        Raises `BuildError` with every problem of every page.
        """
        self.collect()
        self.judge()
        if self.problems:
            raise BuildError(sorted(self.problems))
        wanted = {"never": (), "missing": ("missing",), "stale": ("missing", "stale")}[run]
        ids = list(dict.fromkeys(use.id for use in self.uses.values() if use.state in wanted))
        if ids and runner.has_lab():
            runner.measure(
                self.store,
                ids,
                lambda id: needs(self.store, id, stale=run == "stale"),
                say=say,
                quiet=quiet,
            )
            self.judge()
        for use in self.uses.values():
            if use.state == "missing":
                cure = f"run: {self.store.command(use.id)}" + (
                    "" if runner.has_lab() else f" ({runner.LAB_CURE})"
                )
                self.problems.append(
                    Problem(use.directive.where, f'no result for "{use.id}"', cure)
                )
            elif use.state == "stale" and strict:
                what = f'"{use.id}" is stale: {"; ".join(use.reasons)}'
                self.problems.append(
                    Problem(use.directive.where, what, f"run: {self.store.command(use.id)}")
                )
        if self.problems:
            raise BuildError(sorted(self.problems))

    def fill(self, text: str, page: Path, place: Callable[[Use], str]) -> str:
        """A page's Markdown with sections put in and every directive replaced by `place(use)`.

        `text` may be the file without its front matter, and with other blanks, as hosts hand it on:
        its lines are counted from the end.
        """
        lines = [part.rstrip().count("\n") for part in (_read(page), text)]
        first = lines[0] - lines[1] + 1
        return self._filled(text, self.project.named(page), first, place)

    def _filled(self, text: str, name: str, first: int, place: Callable[[Use], str]) -> str:
        lines = text.split("\n")
        for directive in reversed(scan(text, name, first)[0]):
            line = lines[directive.line]
            if directive.kind == "section":
                path = self._section(directive)
                inner = (
                    self._filled(_read(path), self.project.named(path), 1, place) if path else ""
                )
                put = f"\n{inner}\n"
            else:
                use = self.uses.get((directive.where, directive.start))
                put = place(use) if use else ""
            before, after = line[: directive.start], line[directive.end :]
            if directive.kind in BLOCKS:
                # A blank line only where there is none: a second one would end a footnote.
                if directive.line and lines[directive.line - 1].strip(" \t>"):
                    before = f"{before.rstrip()}\n{before}"
                if directive.line + 1 < len(lines) and lines[directive.line + 1].strip(" \t>"):
                    after = f"{after}\n"
            lines[directive.line] = before + put + after
        return "\n".join(lines)

    def _walk(self, page: Path) -> Iterator[Directive]:
        """The directives of a page as they are read, those of its sections in their place."""
        try:
            directives, problems = scan(_read(page), self.project.named(page))
        except UnicodeDecodeError:
            where = self.project.named(page)
            self.problems.append(Problem(where, "not UTF-8", "save it as UTF-8"))
            return
        self.problems += problems
        inside = page.is_relative_to(self.project.content / "sections")
        for directive in directives:
            if directive.kind != "section":
                yield directive
            elif inside:
                what = "a section cannot hold a section"
                self.problems.append(Problem(directive.where, what, "list it in the page"))
            elif path := self._section(directive):
                if path in self._sections:
                    what = f'section "{directive.name}" stands twice'
                    self.problems.append(Problem(directive.where, what, "keep one"))
                    continue
                self._sections.add(path)
                yield from self._walk(path)

    def _section(self, directive: Directive) -> Path | None:
        path = self.project.content / "sections" / f"{directive.name}.md"
        if path.is_file():
            return path
        known = [p.stem for p in (self.project.content / "sections").glob("*.md")]
        what = f'no section "{directive.name}"'
        self.problems.append(Problem(directive.where, what, nearest(directive.name, known)))
        return None

    def _checked(self, directive: Directive) -> Use | None:
        """The use that a directive makes of a result, if there is nothing wrong with it."""
        study = directive.options.get("study", self.study)
        found: list[Problem] = []

        def wrong(what: str, cure: str) -> None:
            found.append(Problem(directive.where, what, cure))

        known = self.project.measurements()
        drawings = self.project.drawings()
        if study not in self.project.studies():
            wrong(f'unknown study "{study}"', nearest(study, self.project.studies()))
        is_value = directive.kind == "value"
        names = known if is_value else {name: known[name] for name in known if name in drawings}
        if directive.name in known.keys() - names.keys():
            drawing = f"site_builder/figures/{directive.name}.py"
            wrong(f'"{directive.name}" is measured but not drawn', f"write {drawing}")
        elif directive.name not in names:
            wrong(f'unknown {directive.kind} "{directive.name}"', nearest(directive.name, names))
        else:
            self._check_shelves(directive, wrong)
        self.problems += found
        return None if found else Use(directive, ResultId(study, directive.name, directive.variant))

    def _check_shelves(self, directive: Directive, wrong: Callable[[str, str], None]) -> None:
        project = self.project
        try:
            path = project.measurements()[directive.name]
            variants = signature(project.root, path, "run").variants
            if directive.variant not in variants:
                shown = directive.variant or "(none)"
                what = f'"{directive.name}" has no variant "{shown}"'
                wrong(what, nearest(directive.variant, filter(None, variants)))
            if directive.kind != "value":
                taken = signature(
                    project.builder, project.drawings()[directive.name], "draw"
                ).options
                for name, value in directive.options.items():
                    if name == "study":
                        continue
                    if name not in taken:
                        what = f'unknown option "{name}" of {directive.kind} "{directive.name}"'
                        wrong(what, nearest(name, (*taken, "study")))
                    elif not _converts(value, taken[name]):
                        what, example = _TOLD[taken[name]]
                        wrong(f'option {name}="{value}" is not {what}', f"write {name}={example}")
            elif set(directive.options) <= set(RESERVED) - {"show"}:
                wrong("a value needs to know which row", "add column=value, such as template=short")
        except BuildError as error:
            self.problems += error.problems

    def options(self, use: Use) -> dict[str, object]:
        """A use's options in the types that its drawing declares."""
        path = self.project.drawings()[use.id.analysis]
        taken = signature(self.project.builder, path, "draw").options
        given = use.directive.options
        return {k: _TYPES.get(taken[k], str)(v) for k, v in given.items() if k != "study"}


def needs(store: Store, id: ResultId, *, stale: bool) -> bool:
    """Whether a result has to be measured: it is missing, unusable, or (if asked) stale."""
    if not store.path(id).is_file():
        return True
    try:
        return bool(store.why_stale(id)) if stale else False
    except BuildError:
        return True


def _converts(value: str, kind: str) -> bool:
    try:
        _TYPES.get(kind, str)(value)
    except (ValueError, KeyError):
        return False
    return True


def _read(path: Path) -> str:
    return path.read_text("utf-8")
