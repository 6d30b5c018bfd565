"""Files that are there whole or not at all, and the time as they tell it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    aside.write_bytes(data)
    aside.replace(path)


def now() -> str:
    """The time as recipes tell it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
