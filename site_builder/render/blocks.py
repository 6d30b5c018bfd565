"""Results as HTML: numbers in the prose, and blocks with all a reader may ask of a figure."""

from __future__ import annotations

import html
import json
import re
import traceback
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.core import modules
from site_builder.core.digests import digest, sha256
from site_builder.core.errors import BuildError, Problem
from site_builder.measure.policy import missing
from site_builder.post.directive import Directive
from site_builder.post.formula import Formula
from site_builder.post.kinds.table import KINDS
from site_builder.post.post import Post
from site_builder.post.source import Shown
from site_builder.post.uses import Link, Nothing, Part, Use
from site_builder.post.values import Value
from site_builder.render import mathematics
from site_builder.render.bidi import isolated
from site_builder.render.claim_marks import Verdicts
from site_builder.render.figure import Fragment
from site_builder.render.figures import Fragments
from site_builder.render.frame import Frame
from site_builder.render.other_studies import Studies
from site_builder.render.outline import outline

INDEX = "figures/index.json"
"""The one file of the figures whose name bears no digest."""

_SLOT = re.compile(r'<div data-slot id="([\w-]+)">.*?</div>', re.DOTALL)


class Blocks:
    """The post's figures as blocks, drawn before the first page is written.

    `plain` blocks stand in one piece: no links to files, no slots. `forgiving` ones never fail:
    what cannot be shown is told where it would stand, and kept in `problems`. `given` is the digest
    of all that is read beside Markdown, or "" if that is not known: then nothing is remembered.
    """

    def __init__(
        self,
        post: Post,
        fragments: Fragments,
        *,
        plain: bool = False,
        forgiving: bool = False,
        given: str = "",
    ) -> None:
        self.post = post
        self.fragments = fragments
        self.plain = plain
        self.forgiving = forgiving
        self.given = given
        self.problems: list[Problem] = []
        self.digests: dict[str, str] = {}
        self.verdicts = Verdicts(post, fragments)
        self.studies = Studies(post, fragments)
        self.frame = Frame(post, plain=plain)
        self._drawn: dict[str, tuple[Use, Fragment]] = {}
        self._shown: dict[Directive, str] = {}
        self._failed: dict[Directive, tuple[Problem, ...]] = {}
        self._files: dict[str, Callable[[], bytes]] = {}
        self._switches: dict[str, list[dict[str, str]]] = {}
        self._others: list[Use] = []
        self._made: dict[tuple[str, str], str] = {}

    def draw(self) -> None:
        """Draw all that the post uses; raises `BuildError` with every problem at once."""
        uses = [*self.post.uses.values()]
        self.fragments.prepare([use for use in uses if use.slug and use.state != "missing"])
        self.problems = [*self.post.problems, *self.verdicts.judge(), *mathematics.wrong(self.post)]
        for use in uses:
            self.show(use)
        if self.problems and not self.forgiving:
            raise BuildError(sorted(self.problems))
        if not self.plain:
            self._draw_studies()
        self.publish("places.json", lambda: json.dumps(self.post.places()).encode())
        known = digest([self.given, outline(self.post)]) if self.given else ""
        for part in self.post.parts.values():
            self._make(part, known)

    def show(self, use: Use) -> None:
        """Make what stands for one use, or keep the problems that it has."""
        self._made.clear()
        self._failed.pop(use.directive, None)
        try:
            self._shown[use.directive] = _text(self, use)
        except BuildError as error:
            self._failed[use.directive] = error.problems
            self.problems += [one for one in error.problems if one not in self.problems]

    def value(self, use: Use) -> Value:
        """The number of a result that a directive picks."""
        self._need(use)
        return self.fragments.value(use)

    def figure(self, use: Use) -> Markup:
        """The slot of a figure, with its caption; draws it."""
        self._need(use)
        fragment = self.fragments.fragment(use)
        self._drawn[use.slug] = use, fragment
        caption = f"{use.noun} {use.number}. {html.escape(fragment.caption)}"
        return Markup(f'<div data-slot id="{use.slug}"><p>{caption}</p></div>')

    def claim(self, use: Use) -> Markup:
        """A claim's mark or number, whether its result is there or not."""
        return self.verdicts.written(use)

    def signed(self, text: str, page: Path) -> str:
        """A page's HTML with one sign for all claims of a paragraph."""
        return self.verdicts.signs.folded(text, page, plain=self.plain)

    def part(self, part: Part) -> Markup:
        """What the module that a directive names makes of the post."""
        project = self.post.project
        module = modules.load(project.engine, project.page_parts()[part.directive.name])
        variant = {"variant": part.directive.variant} if part.directive.variant else {}
        return Markup(module.render(self, **variant))

    def _need(self, use: Use) -> None:
        if use.state == "missing":
            raise BuildError([missing(self.post.store, use.id, use.directive.where)])

    def _make(self, part: Part, known: str) -> None:
        """Make a part of a page from the post itself, if it is not `known` what comes of it."""

        def make() -> list[Any]:
            others, self._files = self._files, {}
            try:
                text = _text(self, part)
                files = {name: sha256(read()) for name, read in self._files.items()}
                return [str(text), isinstance(text, Markup), files]
            finally:
                self._files = others | self._files

        once = cache(make)

        def later(name: str) -> bytes:
            once()
            return self._files[name]()

        try:
            about = [known, str(part.directive), part.directive.options, str(part.page)]
            recall = self.post.project.memory.recall
            text, is_html, files = recall("part", about, once) if known else once()
            self._shown[part.directive] = Markup(text) if is_html else text
            self.digests |= files
            self._files = {name: partial(later, name) for name in files} | self._files
        except Exception as error:
            if not self.forgiving:
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{self.post.project.named(Path(frame.filename))}:{frame.lineno}"
            what = f'"{part.directive}" raised {type(error).__name__}: {error}'
            self.problems.append(Problem(part.directive.where, what, f"see {place}"))

    def _draw_studies(self) -> None:
        """Publish each figure that several studies have as a file for each of them."""
        for slug, others in self.studies.draw(use for use, _ in self._drawn.values()).items():
            for use, fragment in others:
                self._others.append(use)
                self._files |= fragment.published()
            self._switches[slug] = [
                self._switch(use, fragment) for use, fragment in (self._drawn[slug], *others)
            ]

    def _switch(self, use: Use, fragment: Fragment) -> dict[str, str]:
        """A study to pick: its name, title and file, in which the way to the root is left open."""
        data = self.frame.block(use, fragment, BASE).encode()
        name = f"figures/{use.slug}.{use.id.study}.{sha256(data)[:8]}.htm"
        file = self.publish(name, lambda: data)
        return {"name": use.id.study, "title": self.frame.title(use.id.study), "file": file}

    def uses(self) -> list[Use]:
        """Every use of a result that the pages make, predictions and other studies included."""
        predicted = [use for use in self.post.predicted() if use.state != "missing"]
        return [*self.post.uses.values(), *self._others, *predicted]

    def figures(self) -> list[tuple[Use, Fragment]]:
        """Everything that is drawn, in the order of the pages."""
        return list(self._drawn.values())

    def publish(self, name: str, read: Callable[[], bytes]) -> str:
        """Add a file to the site; returns the link to it, "" where no files are carried."""
        self._files[name] = read
        return "" if self.plain else f"{BASE}/{name}"

    def files(self) -> dict[str, Callable[[], bytes]]:
        """Every file that blocks and pages link to: its path in the site, and how to read it."""
        files = dict(self._files)
        for _, fragment in self._drawn.values():
            files |= fragment.published()
        if self._drawn and not self.plain:
            files[INDEX] = self._index
        return files

    def _index(self) -> bytes:
        """Where each figure is, and its own files by the ends of their names, as JSON.

        A mark of one figure leads to what another has: its script finds it by the figure's name.
        """
        found = {}
        for slug, (use, fragment) in self._drawn.items():
            stem = f"{slug}.{fragment.key[:8]}."
            own = [name.removeprefix(stem) for name in fragment.files if name.startswith(stem)]
            found[slug] = {"page": self.post.url(use.page), "stem": stem, "files": own}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()

    def slot(self, shown: Shown) -> str:
        """What a page's Markdown gets: HTML as `Markup`, or Markdown.

        A figure gets a slot with its caption, or its whole block if plain. A part that is made from
        the post itself is put in whole, so that search reads it. What cannot be shown is told.
        """
        if isinstance(shown, str):
            return self.problems_at(shown)
        if isinstance(shown, Formula):
            return self._formula(shown)
        directive = shown if isinstance(shown, Directive) else shown.directive
        inline = not KINDS[directive.kind].is_block
        match shown:
            case Nothing():
                return ""
            case Link():
                return _text(self, shown) or self.problems_at(directive.where, inline=inline)
            case Part() if directive in self._shown:
                # A host without our plugin moves links from the file to the page by itself.
                base = self.post.base(shown.page, of_file=self.plain)
                return self._shown[directive].replace(BASE, base)
            case Use() if self.plain and shown.slug in self._drawn:
                return Markup(self.block(shown.slug, ""))
            case Use() if directive in self._shown:
                return self._shown[directive]
        failed = self._failed.get(directive, ())
        where = failed[0].where if failed else directive.where
        return self.problems_at(where, inline=inline)

    def _formula(self, formula: Formula) -> Markup:
        """A formula, or what keeps it from being set."""
        equation = self.post.references.equations.get(formula.label)
        number = equation.number if equation else 0
        made = mathematics.written(self.post.project, formula, number)
        if isinstance(made, str):
            return Markup(made)
        if made not in self.problems:
            self.problems.append(made)
        return self.problems_at(made.where, inline=True)

    def problems_at(self, where: str, *, inline: bool = False) -> Markup:
        """What is wrong at a line, in the place of what would stand there."""
        problems = [problem for problem in self.problems if problem.where == where]
        template = "problem_inline.html.j2" if inline else "problem.html.j2"
        return self.frame.markup(template, where=where, problems=problems).strip()

    def fill(self, page: str, base: str) -> str:
        """Replace the slots of a page by their blocks; `base` is the way to the site's root."""
        return "".join(self.pieces(page, base))

    def pieces(self, page: str, base: str) -> list[str]:
        """A page in pieces: what stands around the slots, and every second one a block."""
        pieces = _SLOT.split(page)
        return [self.block(one, base) if i % 2 else one for i, one in enumerate(pieces)]

    def block(self, slug: str, base: str) -> str:
        """One figure with its number, caption, data, specification and provenance."""
        if (slug, base) not in self._made:
            self._made[slug, base] = self._switched(slug, base)
        return self._made[slug, base]

    def _switched(self, slug: str, base: str) -> str:
        switch = [
            {**one, "file": one["file"].replace(BASE, base)} for one in self._switches.get(slug, ())
        ]
        return self.frame.block(*self._drawn[slug], base, switch)


def _text(blocks: Blocks, asked: Use | Part | Link) -> str:
    """What stands for what a directive asks for, as its kind shows it."""
    show = KINDS[asked.directive.kind].show
    assert show is not None  # only what includes a file shows nothing
    shown = show(blocks, asked)
    return Markup(isolated(shown)) if isinstance(shown, Markup) else shown
