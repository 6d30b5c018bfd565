"""The Python-Markdown extension: where a directive stood, a measured figure stands.

It works wherever Python-Markdown runs. Alone (Zensical, a plain `markdown` call) it writes each
figure in one piece; under our MkDocs plugin it leaves a slot, which the plugin fills after search
has read the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString
from markupsafe import Markup

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.post.directive import Directive
from site_builder.post.formula import Formula
from site_builder.post.post import Post
from site_builder.post.sections.text import behind_front, normalised, text_of
from site_builder.post.source import Shown
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.site.resolve import resolve

# Below `normalize_whitespace` (30), which strips the stash's marks; above superfences (25).
PRIORITY = 29
AFTER_INLINE = 15  # `inline` is 20; what it made is there by then
AT_LAST = 5  # below `unescape` (10): what was put aside is there again
IN_CODE = 25  # above `inline` (20), as code blocks are made by then, and nothing else is

_STASHED = re.compile(f"{STX}wzxhzdk:\\d+{ETX}")

_ALIGNED = re.compile(r"text-align: (left|center|right);")

PageOf = Callable[[str], Path | None]


class MeasuredFigures(Extension):
    """`study` names the study whose results the page shows, `figures` the drawings' folder.

    `choices` are what a reader chooses once for all figures: see `site_builder.post.choices`;
    `live` lets them run the model itself: see `site_builder.site.live.model`.
    A host that has prepared the post hands over its `blocks`, and `page`, which tells the file
    that is being rendered. With a `section`, that alone is.
    """

    section: Path | None = None

    def __init__(
        self,
        study: str = "",
        figures: str = "",  # noqa: ARG002  (read from mkdocs.yml by `Project`, as `study` is)
        choices: object = None,  # noqa: ARG002
        live: object = None,  # noqa: ARG002
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
        md.treeprocessors.register(_InCode(md, directives, self), "formulas-in-code", IN_CODE)
        md.treeprocessors.register(_Alignment(md), "alignment", AFTER_INLINE)
        md.postprocessors.register(_Signs(md, directives), "signs", AT_LAST)

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
        self.stood: dict[str, str] = {}
        self.placed: dict[str, str] = {}
        self.page: Path | None = None

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        blocks = self.extension.prepared()
        self.stood.clear()
        self.placed.clear()

        def show(shown: Shown) -> str:
            slot = blocks.slot(shown)
            if not isinstance(slot, Markup):
                return slot
            mark = str(self.md.htmlStash.store(_unmarked(slot)))
            if isinstance(shown, Formula):
                self.stood[mark] = _unmarked(shown.source).replace("\n    ", "\n")
            else:
                self.placed[mark] = _where(shown)
            return mark

        if self.extension.section:
            self.page = blocks.post.references.sections[self.extension.section.stem].page
            return blocks.post.section(self.extension.section, show).split("\n")
        page = self.extension.page(text) if self.extension.page else self._page_of(text)
        self.page = page
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


class _InCode(Treeprocessor):
    """In indented code formulas are what they were, and a directive is told.

    Only Python-Markdown knows whether four blanks are code, or the text of an admonition.
    """

    def __init__(self, md: Markdown, directives: _Directives, extension: MeasuredFigures) -> None:
        super().__init__(md)
        self.directives = directives
        self.extension = extension

    def run(self, root: Element) -> None:
        """Look into every block of code."""
        for code in root.iter("code"):
            text = str(code.text or "")
            for mark in _STASHED.findall(text):
                if mark in self.directives.placed:
                    self._refuse(self.directives.placed[mark])
                stood = self.directives.stood.get(mark, mark)
                text = text.replace(mark, escape(stood, quote=False))
            if text != code.text:
                code.text = AtomicString(text)

    def _refuse(self, where: str) -> None:
        blocks = self.extension.prepared()
        cure = "fence the code, or indent the directive less"
        problem = Problem(where, "a directive stands in indented code", cure)
        if not blocks.forgiving:
            raise BuildError([problem])
        blocks.problems.append(problem)


class _Signs(Postprocessor):
    """Folds the signs of claims, when all of a paragraph is there."""

    def __init__(self, md: Markdown, directives: _Directives) -> None:
        super().__init__(md)
        self.directives = directives

    def run(self, text: str) -> str:
        """Put the signs in, where a page of the post is read."""
        page = self.directives.page
        return self.directives.extension.prepared().signed(text, page) if page else text


def _where(shown: Shown) -> str:
    """The line of what is shown."""
    if isinstance(shown, str):
        return shown
    directive = shown if isinstance(shown, Directive | Formula) else shown.directive
    return directive.where


def _unmarked(text: str) -> str:
    """A text without the marks that would stand for something else in the host's stash."""
    return text.replace(STX, "").replace(ETX, "")


def makeExtension(**options: Any) -> MeasuredFigures:  # noqa: N802
    """Python-Markdown's way in."""
    return MeasuredFigures(**options)
