"""What a saved file changes on an open page, made before the whole page is built again.

The post is kept as it was last collected. A section is rendered alone, with slots where the page
has its figures; of a figure only what makes its charts live is made. All else waits for the build.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from markdown import Markdown
from markupsafe import Markup
from mkdocs.config import load_config

from site_builder.core.digests import sha256_file
from site_builder.core.errors import BuildError
from site_builder.core.project import EXTENSION, Project, Snapshot
from site_builder.measure.policy import missing
from site_builder.post.post import Post
from site_builder.post.source import Shown
from site_builder.post.uses import Use
from site_builder.preview.messages import Message
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.site.extension import MeasuredFigures
from site_builder.site.page_check import as_built

_LINK = re.compile(r'(?<= href=")(?!https?:|mailto:|#|/)[^"]+\.md(#[^"]*)?(?=")')
_FOOTNOTES = re.compile(r'<div class="footnote">.*\Z', re.DOTALL)


class Workbench:
    """The post of a project, kept warm; `files` has what is shown of figures before a build."""

    def __init__(self, root: Path, study: str = "", *, drafts: bool = False) -> None:
        self.root = root
        self.drafts = drafts
        self.study = study
        self.files: dict[str, bytes] = {}
        self._keys: dict[str, str] = {}
        self.load()
        # What draws is imported before anybody waits for it.
        drawn = (self._figure(use, self._keys[use.slug]) for use in self.post.blocks())
        next((message for message in drawn if message["kind"] == "chart"), None)

    def load(self) -> None:
        """Collect the post anew, as after every build, which has the files of all figures."""
        self.files.clear()
        self.post = Post(Snapshot(self.root), self.study, drafts=self.drafts)
        self.post.collect()
        self.post.judge()
        self.blocks = _Slots(self.post, Fragments(self.post), forgiving=True)
        self.extension = MeasuredFigures(blocks=self.blocks)
        config = load_config(str(self.root / "mkdocs.yml"))
        others = [name for name in config.markdown_extensions if name != EXTENSION]
        self.markdown = Markdown(
            extensions=[*others, self.extension], extension_configs=config.mdx_configs
        )
        self._keys = {use.slug: self._key(use) for use in self.post.blocks()}
        self.blocks.verdicts.judge()  # what it finds wrong the build tells
        # Garbage is looked for now: among all that a post consists of it would delay some edit.
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def edit(self, paths: Iterable[Path], seen: Iterable[str] = ()) -> Iterator[Message]:
        """What these changed files change at once; figures that are `seen` come first."""
        changed = set(paths)
        for path in sorted(changed):
            if path.suffix == ".css" and path.parent in self.post.project.asset_folders:
                if path.is_file():
                    url = f"assets/{path.name}?{sha256_file(path)[:8]}"
                    yield {"kind": "style", "name": path.stem, "url": url}
            elif path.suffix == ".md" and path.parent.name == "sections" and path.is_file():
                yield from self._section(path)
        everything = forget(self.post.project, changed)
        self.blocks.fragments.forget(changed)
        self.post.store.forget()
        first = set(seen)
        uses = [use for use in self.post.blocks() if everything or self._touches(use, changed)]
        for use in sorted(uses, key=lambda use: use.slug not in first):
            key = self._key(use)
            if self._keys.get(use.slug) != key:
                self._keys[use.slug] = key
                yield self._figure(use, key)

    def _touches(self, use: Use, changed: set[Path]) -> bool:
        """Whether a use's own result, drawing or templates may be among the changed files."""
        drawing = self.post.project.figures / f"{use.id.analysis}.py"
        if {drawing, self.post.store.path(use.id)} & changed:
            return True
        return any(path.suffix == ".j2" for path in changed)

    def _key(self, use: Use) -> str:
        """What tells one look of a figure from another; "" without a result or a drawing."""
        try:
            return self.blocks.fragments.key(use)
        except (OSError, BuildError):
            return ""

    def _section(self, path: Path) -> Iterator[Message]:
        """A section as it reads now, and the figures that its directives ask for otherwise."""
        section = self.post.references.sections.get(path.stem)
        start = f"{self.post.project.named(path)}:"
        if section is None or any(part.where.startswith(start) for part in self.post.parts):
            return
        if not path.stat().st_size:  # some editors empty a file before they write it
            return
        before = {use.slug: use for use in self.post.blocks()}
        states = {use.id: (use.state, use.reasons) for use in self.post.uses.values()}
        uses = self.post.reread(path)
        self.post.judge([use for use in uses if use.id not in states])
        self.blocks.problems = [*self.post.problems]
        for use in uses:
            use.state, use.reasons = states.get(use.id, (use.state, use.reasons))
            if not use.slug:
                self.blocks.show(use)
        self.extension.section = path
        html = self.markdown.reset().convert(path.stem)
        base = self.post.base(section.page)
        flat = self.post.file(section.page) == self.post.url(section.page)
        up = "" if base == "." or flat else "../"
        html = _LINK.sub(lambda link: f"{up}{as_built(link[0], flat=flat)}", html)
        html = _FOOTNOTES.sub("", html)  # numbered over the whole page: they come with it
        page = self.post.url(section.page)
        yield {"kind": "section", "page": page, "name": path.stem, "html": html}
        for use in filter(lambda use: use.slug, uses):
            last = before.get(use.slug)
            if last is None or last.directive.options != use.directive.options:
                self._keys[use.slug] = key = self._key(use)
                yield self._figure(use, key)

    def _figure(self, use: Use, key: str) -> Message:
        """A figure as it is now: its charts alone if it has some, else the whole of it."""
        fragments = self.blocks.fragments
        base = self.post.base(use.page)
        self.blocks.problems = [*self.post.problems]
        page = self.post.url(use.page)
        try:
            if use.state == "missing" or not key:
                raise BuildError([missing(self.post.store, use.id, use.directive.where)])
            sketch = fragments.sketch(use, key)
            if sketch:
                caption, files = sketch
                self.files |= files
                (chart,) = (name for name in files if name.endswith(".chart.json"))
                return {
                    "kind": "chart",
                    "page": page,
                    "slug": use.slug,
                    "url": f"{base}/figures/{chart}",
                    "charts": files[chart].decode(),
                    "caption": caption,
                }
            fragment = fragments.fragment(use)
            self.files |= {name: (fragment.folder / name).read_bytes() for name in fragment.files}
            self.blocks.show(use)
            html = self.blocks.block(use.slug, base)
            return {"kind": "figure", "page": page, "slug": use.slug, "html": html}
        except BuildError as error:
            self.blocks.problems += error.problems
            html = self.blocks.problems_at(use.directive.where)
            return {"kind": "wrong", "page": page, "slug": use.slug, "html": html}


class _Slots(Blocks):
    """Blocks for a page that has its figures already."""

    def slot(self, shown: Shown) -> str:
        """An empty slot for a figure, the page knows which; a number or a message as ever."""
        if isinstance(shown, Use) and shown.slug:
            return Markup(f'<div data-slot id="{shown.slug}"></div>')
        return super().slot(shown)


def forget(project: Project, changed: set[Path]) -> bool:
    """Let changed drawings be imported anew; returns whether any drawing may use what changed."""
    mine = {path for path in changed if path.suffix == ".py" and path.parent == project.figures}
    if not mine:
        return False
    try:
        drawings = set(project.drawings().values())
    except (OSError, UnicodeDecodeError):
        drawings = set()
    helpers = mine - drawings
    for name, module in list(sys.modules.items()):
        package, _, word = name.rpartition(".")
        if package == project.package and (helpers or Path(module.__file__ or "") in mine):
            del sys.modules[name]
            if package in sys.modules:  # a folder of drawings need not be a package
                vars(sys.modules[package]).pop(word, None)
    return bool(helpers)


def restarts(project: Project, changed: set[Path]) -> bool:
    """Whether only a new process sees these changes: the builder itself was edited."""
    package = project.engine / "site_builder"
    return any(
        path.suffix == ".py" and path.is_relative_to(package) and path.parent != project.figures
        for path in changed
    )
