"""The dark scheme for a page whose scripts do not run: it is light until one says otherwise.

Rules for dark stand once, under the theme's name for it. Here they are taken from every style sheet
as one more, which only a reader without scripts who prefers dark is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SLATE = re.compile(r'\[data-md-color-scheme="?slate"?\]')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def sheet(sheets: Iterable[str]) -> str:
    """Every rule of `sheets` that names the dark scheme, naming the light one instead."""
    return "\n".join(rule for text in sheets for rule in _dark(_COMMENT.sub("", text)))


def _dark(text: str) -> Iterator[str]:
    """The dark rules of a style sheet; print has none."""
    for head, body in _rules(text):
        if not head.startswith("@"):
            if _SLATE.search(head):
                yield f"{_SLATE.sub('[data-md-color-scheme=default]', head)} {{{body}}}"
        elif head.startswith("@media") and "print" not in head:
            for rule in _dark(body):
                yield f"{head} {{ {rule} }}"


def _rules(text: str) -> Iterator[tuple[str, str]]:
    """Heads and bodies of the outermost blocks."""
    depth = start = opened = 0
    for brace in re.finditer("[{}]", text):
        if brace[0] == "{":
            depth += 1
            opened = brace.end() if depth == 1 else opened
        else:
            depth -= 1
            if depth == 0:
                head = text[start : opened - 1].rpartition(";")[2]
                yield head.strip(), text[opened : brace.start()]
                start = brace.end()
