"""What MkDocs and Material need not do again in every build: compile, list, read for the search."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from jinja2 import Environment, FileSystemLoader
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from site_builder.core.cache import PACKAGES, Memory
from site_builder.core.digests import sha256
from site_builder.core.project import Project

_COARSE = (r"[\s\-]+", r"[\s\-\.]+")
"""What Material separates words by, where mkdocs.yml says nothing: (θ) would be a word."""

_SEPARATOR = r"[\s\u200b\-–—_,:;!?=()\[\]{}<>“”‘’«»„‚‹›…\"'*/|·]+|\.(?!\d)|&[lg]t;|&amp;|&quot;"
_SIGN = re.compile(
    r'\xa0<button class="post-sign".*?</button><span popover.*?</span>|<a id="said-[^"]*"></a>'
)
_TEXT = re.compile(r'<(span|a) class="post-(?:value|ref|cite|term)"[^>]*>([^<]*)</\1>')
"""There are hundreds: numbers and references are text, and for signs of claims nobody looks."""


def spare_theme(config: MkDocsConfig, project: Project) -> None:
    """Let the theme's templates be compiled, and its files listed, once an installation.

    Those that a project, or we, put in their place escape what they show; the theme's do not.
    """
    make = config.theme.get_env

    def escapes(name: str | None) -> bool:
        return name is not None and project.template(name) is not None

    def get_env() -> Environment:
        env = make()
        env.autoescape = escapes
        env.bytecode_cache = project.compiled("host")
        env.loader = _Listed(config.theme.dirs, project.memory)
        return env

    config.theme.get_env = get_env  # type: ignore[method-assign]


def spare_search(config: MkDocsConfig, memory: Memory) -> None:
    """Let the search read a page again only if it says something else, in whatever script."""
    search = config.plugins.get("material/search")
    index = getattr(search, "search_index", None)
    if search is None or index is None:
        return
    # It cuts what is no ASCII letter off a word's ends: Łukasz would be ukasz, and θ nothing. What
    # it is for, signs around a word, separates words already.
    index.config["pipeline"] = [step for step in search.config["pipeline"] if step != "trimmer"]
    if index.config["separator"] in _COARSE:
        index.config["separator"] = _SEPARATOR
    read = index.add_entry_from_context

    def entries(page: Page) -> list[Any]:
        before, whole = len(index.entries), page.content
        page.content = _TEXT.sub(r"\2", _SIGN.sub("", whole or ""))
        read(page)
        page.content = whole
        added = index.entries[before:]
        del index.entries[before:]
        return [*added]

    def add(page: Page) -> None:
        content = sha256((page.content or "").encode())
        depends = [content, page.url, str(page.title), repr(page.meta)]
        index.entries += memory.recall("search", depends, partial(entries, page))

    index.add_entry_from_context = add


class _Listed(FileSystemLoader):
    """Knows what installed themes hold; hidden files, such as 12,000 icons, MkDocs leaves out."""

    def __init__(self, folders: list[str], memory: Memory) -> None:
        super().__init__(folders)
        installed = [folder for folder in folders if folder.startswith(str(PACKAGES))]
        self._own = FileSystemLoader([folder for folder in folders if folder not in installed])
        self._installed = FileSystemLoader(installed)
        self._memory = memory

    def list_templates(self) -> list[str]:
        """Every file that is not hidden."""

        def make() -> list[str]:
            names = self._installed.list_templates()
            return [name for name in names if not any(p[:1] == "." for p in name.split("/"))]

        known = self._memory.recall("theme", self._installed.searchpath, make)
        return sorted({*self._own.list_templates(), *known})
