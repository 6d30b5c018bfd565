"""What drawings are put together from, found again by what it was made from.

A piece lies in the folder of the fragment that it is part of, and goes with it. After an edit that
changes one panel of many figures, all others are taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from site_builder.core.digests import digest, sha256

ENDING = ".piece"


class Pieces:
    """All pieces of the fragments in `folder`; `about` is what every one of them depends on."""

    def __init__(self, folder: Path | None = None, about: str = "") -> None:
        self._folder = folder
        self.about = about
        self._used: dict[str, bytes] = {}

    @cached_property
    def _found(self) -> dict[str, Path]:
        paths = self._folder.glob(f"*/*{ENDING}") if self._folder else ()
        return {path.name: path for path in paths}

    def recall(self, of: str, make: Callable[[], bytes]) -> bytes:
        """What `make` works out from `of` alone, made unless it is there, whole."""
        name = f"{digest([self.about, of])[:32]}{ENDING}"
        data = _read(self._found[name]) if name in self._found else None
        if data is None:
            data = make()
        self._used[name] = data
        return data

    def files(self, folder: Path) -> dict[str, bytes]:
        """What was asked for since the last time, as files that are going to be in `folder`."""
        used, self._used = self._used, {}
        self._found.update({name: folder / name for name in used})
        return {name: sha256(data).encode() + data for name, data in used.items()}


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    told, data = data[:64], data[64:]
    return data if told == sha256(data).encode() else None
