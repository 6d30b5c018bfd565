"""The Python-Markdown extension: where a directive stood, a measured figure stands.

It works wherever Python-Markdown runs. Alone (Zensical, a plain `markdown` call) it writes each
figure in one piece; under our MkDocs plugin it leaves a slot, which the plugin fills after search
has read the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX
from markupsafe import Markup

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.post.post import Post
from site_builder.post.sections.text import behind_front, normalised, text_of
from site_builder.post.source import Shown
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.site.mathml import SETTINGS, MathML
from site_builder.site.resolve import resolve

# Below `normalize_whitespace` (30), which strips the stash's marks; above superfences (25).
PRIORITY = 29
AFTER_INLINE = 15  # `inline` is 20; what it found is text by then

_ALIGNED = re.compile(r"text-align: (left|center|right);")

PageOf = Callable[[str], Path | None]


class MeasuredFigures(Extension):
    """`study` names the study whose results the page shows, `figures` the drawings' folder.

    `choices` are what a reader chooses once for all figures: see `site_builder.post.choices`.
    A host that has prepared the post hands over its `blocks`, and `page`, which tells the file
    that is being rendered. With a `section`, that alone is.
    """

    section: Path | None = None

    def __init__(
        self,
        study: str = "",
        figures: str = "",  # noqa: ARG002  (read from mkdocs.yml by `Project`, as `study` is)
        choices: object = None,  # noqa: ARG002
        blocks: Blocks | None = None,
        page: PageOf | None = None,
    ) -> None:
        super().__init__()
        self.study = study
        self.blocks = blocks
        self.page = page

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register the preprocessor."""
        directives = _Directives(md, self)
        md.preprocessors.register(directives, "measured-figures", PRIORITY)
        md.registerExtensions(["pymdownx.arithmatex"], {"pymdownx.arithmatex": SETTINGS})
        md.treeprocessors.register(_Alignment(md), "alignment", AFTER_INLINE)
        md.treeprocessors.register(
            MathML(md, lambda: self.prepared().post.project, self._wrong), "mathml", AFTER_INLINE
        )

    def _wrong(self, problem: Problem) -> str:
        """What stands for a formula that cannot be read, if anything may."""
        blocks = self.prepared()
        if not blocks.forgiving:
            raise BuildError([problem])
        blocks.problems.append(problem)
        return blocks.problems_at(problem.where, inline=True)

    def prepared(self) -> Blocks:
        """The host's blocks, else our own: made when first needed, as hosts try extensions out."""
        if self.blocks is None:
            post = Post(Project.find(), self.study)
            resolve(post, "never", say=lambda _line: None)
            self.blocks = Blocks(post, Fragments(post), plain=True)
            self.blocks.draw()
        return self.blocks


class _Alignment(Treeprocessor):
    """Columns are aligned by class: a page's policy lets no inline style through."""

    def run(self, root: Element) -> None:
        """Turn the style that Python-Markdown gives a cell into a class."""
        for cell in (cell for cell in root.iter() if cell.tag in ("td", "th")):
            if found := _ALIGNED.fullmatch(cell.get("style") or ""):
                del cell.attrib["style"]
                cell.set("class", f"post-{found[1]}")


class _Directives(Preprocessor):
    def __init__(self, md: Markdown, extension: MeasuredFigures) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        blocks = self.extension.prepared()

        def show(shown: Shown) -> str:
            slot = blocks.slot(shown)
            if not isinstance(slot, Markup):
                return slot
            # In the host's stash they would stand for something else.
            return str(self.md.htmlStash.store(slot.replace(STX, "").replace(ETX, "")))

        if self.extension.section:
            return blocks.post.section(self.extension.section, show).split("\n")
        page = self.extension.page(text) if self.extension.page else self._page_of(text)
        if page is None:
            return lines
        filled = blocks.post.fill(page, show, text).split("\n")
        return [*blocks.verdicts.warning(page), *filled]

    def _page_of(self, text: str) -> Path | None:
        """The page that a host has handed on without telling its name."""
        post = self.extension.prepared().post
        page = post.page_of(text)
        if page is not None:
            return page
        given = behind_front(normalised(text)).strip()
        for path in filter(post.is_draft, below(post.project.content, ".md")):
            if text_of(path).strip().endswith(given):
                named, cure = post.project.named(path), "move it out of content/ until it is none"
                raise BuildError([Problem(named, "this host publishes drafts", cure)])
        if "<<" in text:
            cure = "let the page be the file as it is"
            raise BuildError([Problem("content", "a page's text is in no file of content/", cure)])
        return None


def makeExtension(**options: Any) -> MeasuredFigures:  # noqa: N802
    """Python-Markdown's way in."""
    return MeasuredFigures(**options)
