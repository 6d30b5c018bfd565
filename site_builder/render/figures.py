"""Results as pieces of a page: drawn once, kept until the table, the drawing or an option changes.

An unchanged piece costs no import: neither Altair nor pyarrow is needed to show it again.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from site_builder.charts.pieces import Pieces
from site_builder.core import code_digest, modules
from site_builder.core.digests import digest, sha256_file
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Snapshot
from site_builder.core.workspace import remove
from site_builder.post import values
from site_builder.post.claims import Claim
from site_builder.post.kinds import validation
from site_builder.post.post import Post
from site_builder.post.uses import Use
from site_builder.post.verdicts.verdict import Verdict, verdict
from site_builder.render import figure, parallel
from site_builder.render.figure import Fragment
from site_builder.results import tabular
from site_builder.results.recipe import ResultId

if TYPE_CHECKING:
    import pyarrow as pa

    from site_builder.charts.drawing import Drawing

MOST_ROWS = 4
"""Rows of data shown under a figure; the rest is in its CSV file."""

Answer = TypeVar("Answer", values.Value, Verdict)

_NAMED = re.compile(r"\"([\w./-]+\.j2)\"")


class Fragments:
    """All fragments of a post, kept in `.cache/drawings`."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.project = post.project
        self.folder = self.project.cache / "drawings"
        self.used: set[str] = set()
        self.drawn = 0
        self._tables: dict[ResultId, pa.Table] = {}
        self._codes: dict[Path, str] = {}
        self._files: dict[Path, str] = {}
        self._anew: set[tuple[str, ResultId]] = set()
        self._wrong: dict[tuple[str, ResultId], BuildError] = {}
        self._ready: dict[tuple[str, ResultId], Fragment] = {}
        self._named: dict[Path, dict[str, str]] = {}

    def value(self, use: Use) -> values.Value:
        """The number that a `value` directive prints."""
        options, none = use.directive.options, values.Value(values.MISSING, "")
        spared = None if self._is_own(use.id) or "study" in options else none
        make = partial(self._value, use)
        return values.Value(**self._read("value", use.id, options, make, spared))

    def _value(self, use: Use) -> values.Value:
        return values.read(self._table(use.id), use.directive)

    def verdict(self, claim: Claim, study: str) -> Verdict:
        """Whether a claim holds of a study; not measured where the study has no such result."""
        id, none = ResultId(study, claim.analysis, claim.variant), Verdict(None)
        if not self.post.store.path(id).is_file():
            return none
        spared = None if self._is_own(id) or claim.study == study else none
        make = partial(self._verdict, claim, id)
        return Verdict(**self._read("verdict", id, vars(claim), make, spared))

    def _verdict(self, claim: Claim, id: ResultId) -> Verdict:
        return verdict(claim, self._table(id))

    def _is_own(self, id: ResultId) -> bool:
        return id.study == self.project.study

    def _read(
        self, about: str, id: ResultId, of: Any, make: Callable[[], Answer], none: Answer | None
    ) -> dict[str, Any]:
        """What a table says, or `none`, if given, of a study that the prose was not written for."""

        def read() -> dict[str, Any]:
            try:
                return asdict(make())
            except BuildError:
                if none is None:
                    raise
                return asdict(none)

        return self.project.memory.recall(about, [self._file_digest(id), none is None, of], read)

    def prepare(self, uses: Sequence[Use]) -> None:
        """Draw what is not drawn yet in several processes, if that much is to be drawn.

        What cannot be drawn is left for `fragment` to say.
        """
        missing = []
        for use in uses:
            key = self.key(use)
            if fragment := figure.read(self.folder / key):
                self._ready[use.slug, use.id] = fragment
            else:
                missing.append((use, key))
        count = parallel.processes(len(missing))
        if count < 2 and (not missing or "altair" in sys.modules):
            return  # a process that has the libraries is soonest done, as a preview's is
        # The longest first, as far as the table tells, so that all end at about the same time.
        missing.sort(key=lambda one: self.post.store.path(one[0].id).stat().st_size, reverse=True)
        prepared = partial(drawer, self.project.root, self.pieces.about)
        for use, problems in parallel.draw(missing, max(count, 1), prepared):
            if problems:
                self._wrong[use.slug, use.id] = BuildError(problems)
        self._anew.update((use.slug, use.id) for use, _ in missing)

    def fragment(self, use: Use) -> Fragment:
        """The block that a `figure`, `table` or `tokens` directive becomes.

        Raises `BuildError` when the drawing cannot draw the table.
        """
        known = self._ready.pop((use.slug, use.id), None)
        key = known.key if known else self.key(use)
        self.used.add(key)
        folder = self.folder / key
        known = known or figure.read(folder)
        if known is None:
            if wrong := self._wrong.pop((use.slug, use.id), None):
                raise wrong
            self.draw(use, key)
            self._anew.add((use.slug, use.id))
            known = figure.read(folder)
            assert known is not None
        if (use.slug, use.id) in self._anew:
            self._anew.remove((use.slug, use.id))
            self.drawn += 1
        return known

    def forget(self, changed: Iterable[Path]) -> None:
        """Read these files anew when they are next asked for."""
        self._named.clear()
        for path in changed:
            self._files.pop(path, None)
            for id in [id for id in self._tables if self.post.store.path(id) == path]:
                del self._tables[id]
            if path.suffix == ".py":
                drawings = [path for path in self._codes if path.parent == self.project.figures]
                for path in drawings:
                    del self._codes[path]

    def sketch(self, use: Use, key: str) -> tuple[str, dict[str, bytes]] | None:
        """A figure's caption, and the files that make its charts live; None if it has no charts.

        It is what a preview shows at once: the pictures of the charts cost most, and are not made.
        Raises `BuildError` when the drawing cannot draw the table.
        """
        from altair.utils.schemapi import debug_mode
        from markupsafe import Markup

        from site_builder.charts.sketch import sketch

        with debug_mode(False):  # every object of Altair's would be validated as it is made
            drawing = self._drawing(use, self._table(use.id))
            if isinstance(drawing.body, Markup):
                return None
            try:
                stem = f"{use.slug}.{key[:8]}"
                files = sketch(drawing.body, drawing.choices, stem)
            except Exception as error:
                raise BuildError([self._raised(use, error)]) from error
        return drawing.caption, files

    def sweep(self) -> int:
        """Remove what the post no longer uses; returns how many pieces went."""
        gone = 0
        for path in self.folder.glob("*"):
            if path.name not in self.used:
                remove(path)
                gone += 1
        return gone

    def key(self, use: Use) -> str:
        """What everything that a use becomes depends on, as one digest."""
        drawing = self.project.figures / f"{use.id.analysis}.py"
        code = [self._code(drawing, "draw"), self._render]
        parts = [
            self._file_digest(use.id),
            code,
            self._templates(drawing),
            self._surroundings,
            use.slug,
            use.id.variant,
            use.directive.options,
        ]
        return digest(parts)[:32]

    @cached_property
    def pieces(self) -> Pieces:
        """What the fragments are put together from."""
        about = [self._render, self._surroundings]
        return Pieces(self.folder, digest(about))

    def _file_digest(self, id: ResultId) -> str:
        path = self.post.store.path(id)
        if path not in self._files:
            self._files[path] = self.project.memory.digest(path)
        return self._files[path]

    @property
    def _render(self) -> str:
        """What turns a drawing into HTML, as a digest."""
        return self._code(self.project.engine / "site_builder" / "charts" / "render.py", "render")

    def _code(self, path: Path, function: str) -> str:
        if path not in self._codes:
            self._codes[path] = code_digest.remembered(self.project, path, function).meaning
        return self._codes[path]

    def _templates(self, source: Path) -> dict[str, str]:
        """The templates that a drawing's module names, and those that they put in, as digests."""
        if source in self._named:
            return self._named[source]
        queue = _NAMED.findall(source.read_text("utf-8"))
        digests: dict[str, str] = {}
        while queue:
            name = queue.pop()
            path = self.project.template(name)
            if path and name not in digests:
                digests[name] = sha256_file(path)
                queue += _NAMED.findall(path.read_text("utf-8"))
        self._named[source] = digests
        return digests

    @cached_property
    def _surroundings(self) -> list[str]:
        """What else shapes every drawing: how it is kept, and the libraries that draw."""
        own = (__file__, figure.__file__, tabular.__file__)
        digests = (sha256_file(Path(str(file))) for file in own)
        libraries = ("measured-post", "altair", "vl-convert-python", "jinja2")
        # Asked once an installation: what is remembered is forgotten with every change to it.
        versions = self.project.memory.recall(
            "versions", libraries, lambda: [version(name) for name in libraries]
        )
        return [*digests, *versions]

    def _table(self, id: ResultId) -> pa.Table:
        if id not in self._tables:
            self._tables[id] = tabular.seen(self.post.store.load(id).table)
        return self._tables[id]

    def draw(self, use: Use, key: str) -> None:
        """Draw a use, and keep what it becomes; raises `BuildError` when that cannot be done."""
        from altair.utils.schemapi import debug_mode

        from site_builder.charts.drawing import DrawingError
        from site_builder.charts.render import render

        table = self._table(use.id)
        try:
            with debug_mode(False):  # charts are checked as a whole
                drawing = self._drawing(use, table)
                rendered = render(drawing, use.slug, key, self.pieces, validation.leading(use))
        except BuildError:
            raise
        except DrawingError as error:
            what = f'"{use.id}": {error.what}'
            raise BuildError([Problem(use.directive.where, what, error.cure)]) from None
        except Exception as error:
            self._drawing(use, table)  # now every part is checked: a wrong one is told at its line
            raise BuildError([self._raised(use, error)]) from error
        # All uses of a result share its data, so the file is named by them and not by the figure.
        stem = "-".join(filter(None, (use.id.study, use.id.analysis, use.id.variant)))
        files = dict(rendered.files) | {
            f"{stem}.{self._file_digest(use.id)[:8]}.csv": tabular.csv(table)
        }
        columns, rows = tabular.head(table, MOST_ROWS)
        made = Fragment(
            key=key,
            html=rendered.html,
            caption=drawing.caption,
            description=drawing.description,
            columns=columns,
            rows=rows,
            total_rows=table.num_rows,
            files=sorted(files),
            folder=self.folder / key,
            marks=rendered.marks,
        )
        figure.write(made, rendered.inline, files | self.pieces.files(made.folder))

    def _drawing(self, use: Use, table: pa.Table) -> Drawing:
        from site_builder.charts.drawing import DrawingError

        try:
            module = modules.load(self.project.root, self.project.drawings()[use.id.analysis])
            options = validation.options(self.project, use)
            drawing: Drawing = module.draw(table, variant=use.id.variant, **options)
        except DrawingError as error:
            what = f'"{use.id}": {error.what}'
            raise BuildError([Problem(use.directive.where, what, error.cure)]) from None
        except Exception as error:
            raise BuildError([self._raised(use, error)]) from error
        return drawing

    def _raised(self, use: Use, error: Exception) -> Problem:
        """An exception as one line, with the innermost place inside the drawings."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if Path(f.filename).parent == self.project.figures]
        frame = (ours or frames)[-1]
        place = f"{self.project.named(Path(frame.filename))}:{frame.lineno}"
        what = f'drawing "{use.id}" raised {type(error).__name__}: {str(error)[:200]}'
        return Problem(use.directive.where, what, f"see {place}")


def drawer(root: Path, about: str) -> parallel.Drawer:
    """What draws the post of a project in a process of its own; `about` is that of its pieces."""
    fragments = Fragments(Post(Snapshot(root)))
    fragments.pieces = Pieces(fragments.folder, about)
    return fragments.draw
