"""Files that are there whole or not at all, and the time as they tell it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

_NOT_MEANT = re.compile(
    r"\.|.*(?:~|\.(?:orig|rej|bak|tmp|sw[a-z])|#)\Z|__pycache__\Z|node_modules\Z"
)
"""Names of what editors, systems and tools leave beside a file: hidden, backups, half-written."""


def is_meant(name: str) -> bool:
    """Whether a file or folder of this name is the author's, not what a tool left there."""
    return not _NOT_MEANT.match(name)


def listed(folder: Path, *suffixes: str) -> list[Path]:
    """Every file of an author's with one of these endings directly in a folder, by name."""
    return sorted(
        path
        for path in folder.glob("*")
        if path.suffix in suffixes and is_meant(path.name) and path.is_file()
    )


def below(folder: Path, suffix: str) -> list[Path]:
    """Every file of an author's with this ending, in a folder and in those below it, by name."""
    found = listed(folder, suffix)
    for path in folder.glob("*"):
        if is_meant(path.name) and path.is_dir() and not path.is_symlink():
            found += below(path, suffix)
    return sorted(found)


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    aside.write_bytes(data)
    aside.replace(path)


def now() -> str:
    """The time as recipes tell it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
