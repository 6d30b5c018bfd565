"""Files of the project that a measurement opens by itself: no result would know of their edits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from site_builder.core.errors import Problem

CODE = (".py", ".pyc")
NOT_ITS_OWN = ("analyses", "data", "site", "site_builder", "templates", "assets", "tests")
"""Folders whose files are code, results or the builder's, and known to recipes or of no account."""

_watched: list[tuple[Path, set[str]]] = []


@contextmanager
def watched(root: Path) -> Iterator[set[str]]:
    """Note the files below `root` that are opened for reading, by their paths from there.

    What a library reads without Python's knowledge (Arrow, safetensors) is not seen.
    """
    _listen()
    found: set[str] = set()
    _watched.append((root.resolve(), found))
    try:
        yield found
    finally:
        _watched.pop()


@cache
def _listen() -> None:
    """Hear of every opened file; once a process, as it cannot be undone."""
    sys.addaudithook(_hear)


def _hear(event: str, details: tuple[Any, ...]) -> None:
    if event != "open" or not _watched:
        return
    path, mode, flags = details
    writes = set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
    if writes or not isinstance(path, str | bytes | os.PathLike):
        return
    full = Path(os.path.realpath(os.fsdecode(path)))
    for root, found in _watched:
        if full.is_relative_to(root) and full.suffix not in CODE and full.is_file():
            parts = full.relative_to(root).parts
            is_own = parts[0] not in NOT_ITS_OWN and not parts[0].startswith(".")
            is_own = is_own and not parts[0].endswith(".egg-info")  # an editable install's
            if is_own and "site-packages" not in parts:
                found.add("/".join(parts))


def refused(names: Iterable[str], where: str) -> list[Problem]:
    """What is said of files that no result knows of, and how to open them."""
    return [
        Problem(
            where,
            f"opened {name} by itself: no result would know of an edit",
            f'open it with lab.file("{name if name.startswith("raw/") else f"raw/{name}"}")',
        )
        for name in sorted(names)
    ]
