"""Files of the last site that a new one has unchanged: they are linked, not made again.

There are a thousand of them, so that paths are strings here.
"""

# ruff: noqa: PTH103, PTH113, PTH120, PTH123

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from site_builder.core.cache import PACKAGES
from site_builder.core.digests import sha256

_STAMPED = re.compile(r"\.[0-9a-f]{8}[.-]")


class Standing:
    """The last site, and which of its inputs are as they were."""

    def __init__(
        self, root: Path, site: Path, before: Mapping[str, str], now: Mapping[str, str]
    ) -> None:
        self.site = site
        self._same = {name for name, digest in now.items() if before.get(name) == digest}
        self._folders: set[str] = set()
        self._root = f"{root}{os.sep}"
        self._packages = f"{PACKAGES}{os.sep}" if {"python", "packages"} <= self._same else None

    def has(self, name: str, source: str | None) -> bool:
        """Whether the last site's file `name` is what `source` would become now."""
        if not os.path.isfile(f"{self.site}/{name}"):
            return False
        if source is None:
            return self.is_same(name)
        if self._packages and source.startswith(self._packages):
            return True
        return source.removeprefix(self._root).replace(os.sep, "/") in self._same

    def has_digest(self, name: str, digest: str) -> bool:
        """Whether the last site's file `name` has this content: reading costs less than writing."""
        try:
            with open(f"{self.site}/{name}", "rb") as file:
                return sha256(file.read()) == digest
        except OSError:
            return False

    def is_same(self, name: str) -> bool:
        """Whether a file without source, if the last site has it, is what it would be now.

        It bears a digest in its name, or is a copy of a result.
        """
        return bool(_STAMPED.search(name)) or name in self._same

    def link(self, name: str, place: str) -> bool:
        """Put the last site's file into a new one; False if there is none."""
        folder = os.path.dirname(place)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        try:
            os.link(f"{self.site}/{name}", place)
        except FileNotFoundError:
            return False
        except OSError:  # a file system without links
            shutil.copyfile(f"{self.site}/{name}", place)
        return True
