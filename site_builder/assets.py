"""Style sheets and scripts under names that change with their content, so that caches never lie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from site_builder.fingerprint import sha256

_SLATE = re.compile(r'\[data-md-color-scheme="?slate"?\]')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def hashed(folder: Path) -> dict[str, bytes]:
    """Every style sheet and script directly in `folder`: `assets/post.1a2b3c4d.css` → content."""
    files = {}
    for path in sorted(folder.glob("*")):
        if path.suffix in (".css", ".js"):
            files[_hashed(path.name, path.read_bytes())] = path.read_bytes()
    return files


def named(files: dict[str, bytes], name: str) -> str:
    """The hashed name of `name` ("post.js"), or "" when there is no such asset."""
    stem, _, suffix = name.rpartition(".")
    found = (path for path in files if path.startswith(f"assets/{stem}.") and path.endswith(suffix))
    return next(found, "")


def dark(sheets: Iterable[str]) -> tuple[str, bytes]:
    """The dark rules of style sheets, for a page that is light until a script runs.

    A reader without scripts who prefers dark gets them as one more sheet; returns name and content.
    """
    rules = "\n".join(rule for sheet in sheets for rule in _dark(_COMMENT.sub("", sheet)))
    data = rules.encode()
    return _hashed("dark.css", data), data


def _dark(sheet: str) -> Iterator[str]:
    """Rules that name the dark scheme, naming the light one instead; print has none."""
    for head, body in _rules(sheet):
        if not head.startswith("@"):
            if _SLATE.search(head):
                yield f"{_SLATE.sub('[data-md-color-scheme=default]', head)} {{{body}}}"
        elif head.startswith("@media") and "print" not in head:
            for rule in _dark(body):
                yield f"{head} {{ {rule} }}"


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Heads and bodies of the outermost blocks."""
    depth = start = opened = 0
    for brace in re.finditer("[{}]", sheet):
        if brace[0] == "{":
            depth += 1
            opened = brace.end() if depth == 1 else opened
        else:
            depth -= 1
            if depth == 0:
                head = sheet[start : opened - 1].rpartition(";")[2]
                yield head.strip(), sheet[opened : brace.start()]
                start = brace.end()


def _hashed(name: str, data: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"assets/{stem}.{sha256(data)[:8]}.{suffix}"
