"""Code in a finished page that is neither the theme's nor a file of the site: nobody meant it.

The page's policy keeps a browser from running it. That it is there at all says that some text of a
result, a claim or a reference was put in as HTML, so the build fails.
"""

from __future__ import annotations

import html as entities
import re
from html.parser import HTMLParser

from site_builder.core.errors import Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.site.policy import csp, theme_scripts

CURE = "escape it where it comes from; a script of yours is a file: assets/own.js"

# A parser takes a tenth of a second for a page; so it only reads those in which one of these is.
_HANDLER = re.compile(r"""[\s"'/]on[a-z]+\s*=""", re.IGNORECASE)
_ADDRESS = re.compile(
    r"""=\s*(?:"([\x00-\x20]*[jJ&][^"]*)|'([\x00-\x20]*[jJ&][^']*)|([jJ&][^\s>]*))"""
)
# A policy only ever takes something away.
_STEERS = re.compile(
    r"<(?:base\b|meta\b(?![^>]*content-security-policy)[^>]*\bhttp-equiv\s*=)[^>]*>", re.IGNORECASE
)
_RUNS = re.compile(f"<script|{_HANDLER.pattern}|javascript:", re.IGNORECASE)
_IGNORED = re.compile(r"[\x00-\x20]+")  # by a browser, before and within a scheme
_ID = re.compile(r"""\sid=["']?([^\s"'>]+)""")
_HARMLESS = "javascript:void(0)"  # the theme's, where a click is a script's business


def problems(html: str, page: str) -> list[Problem]:
    """What of a page would run if its policy let it; `page` is where its text comes from."""
    found = [
        ("an inline script", text, html.find(text))
        for text in csp.inline_scripts(html)
        if not theme_scripts.is_known(text)
    ]
    found += [("a tag that steers the page", tag[0], tag.start()) for tag in _STEERS.finditer(html)]
    if _HANDLER.search(html) or _has_code_address(html):
        finder = _Attributes()
        finder.feed(html)
        finder.close()
        starts = [0, *(newline.end() for newline in re.finditer("\n", html))]
        found += [(what, text, starts[line - 1] + at) for what, text, line, at in finder.found]
    return [
        Problem(page, f"{what}{_near(html, at)}: {text[:60]}", CURE) for what, text, at in found
    ]


def drawings(project: Project) -> list[Problem]:
    """What of the project's own SVG files would run, as such a file has no policy of its own."""
    return [
        Problem(project.named(path), "this drawing holds code that would run", "take it out")
        for path in below(project.content, ".svg")
        if _would_run(path.read_text("utf-8", "replace"))
    ]


def _would_run(svg: str) -> bool:
    return bool(_RUNS.search(svg)) or _has_code_address(svg)


def _has_code_address(html: str) -> bool:
    return any(_is_code("".join(parts)) for parts in _ADDRESS.findall(html))


def _is_code(value: str) -> bool:
    address = _IGNORED.sub("", entities.unescape(value)).lower()
    return address.startswith("javascript:") and address.rstrip(";") != _HARMLESS


def _near(html: str, at: int) -> str:
    """The place in a page: what is called last before it."""
    names = [found[1] for found in _ID.finditer(html, 0, max(at, 0))]
    return f" in or behind #{names[-1]}" if names else ""


class _Attributes(HTMLParser):
    """Collects attributes that a browser would run, with line and column of their tag."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, int, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at each attribute."""
        for name, value in attrs:
            if re.fullmatch(r"on[a-z]+", name):
                self.found.append((f"<{tag} {name}>", value or "", *self.getpos()))
            elif value and _is_code(value):
                self.found.append((f"<{tag} {name}> with code", value, *self.getpos()))
