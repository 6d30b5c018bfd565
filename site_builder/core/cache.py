"""What one build worked out and the next need not: small values, and all that they depend on.

Nothing here is taken on trust: a value counts as long as what it was made from is what it was, and
all of it is forgotten with every change to the builder itself, or to what is installed beside it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from site_builder.core.files import write_aside

T = TypeVar("T")

PACKAGES = Path(click.__file__).parents[1]
"""Where the libraries are: this folder changes when one comes, goes or changes its version."""

SETTLED = 2_000_000_000
"""Nanoseconds without a change after which a file's stamp stands for its content."""


def stamp(stat: os.stat_result) -> str:
    """A file's identity, size and times: the time of its last change cannot be set back."""
    return f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def settled(stat: os.stat_result, now: int) -> bool:
    """Whether a file was left alone for a while before `now`.

    One that was just written may be written again within the same tick of its clock.
    """
    return max(stat.st_mtime_ns, stat.st_ctime_ns) < now - SETTLED


class Memory:
    """Values that can be written as JSON, in one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._asked: dict[str, list[Any]] = {}
        self._held: dict[str, str] | None = None

    def hold(self) -> None:
        """Look at each file once, for the length of a build, which sees at its end what changed."""
        self._held = {}

    def recall(self, about: str, depends: Any, make: Callable[[], T]) -> T:
        """The value that `make` works out from `depends`, which is JSON, and nothing else."""
        from site_builder.core.digests import digest

        key = f"{about} {digest(depends)[:32]}"
        known = self._asked.get(key) or self._known.get(key)
        self._asked[key] = known or [make(), {}]
        value: T = self._asked[key][0]
        return value

    def read(self, about: str, make: Callable[[], tuple[T, Iterable[Path]]]) -> T:
        """The value that `make` works out from files, which it tells with it.

        It counts while each of them has the stamp that it had, or is still not there.
        """
        known = self._asked.get(about) or self._known.get(about)
        value: T
        if known and all(self._stamp(path) == was for path, was in known[1].items()):
            self._asked[about] = known
            value = known[0]
            return value
        began = time.time_ns()
        value, files = make()
        stats = {str(path): _stat(str(path)) for path in files}
        if all(stat is None or settled(stat, began) for _, stat in stats.values()):
            self._asked[about] = [value, {path: seen for path, (seen, _) in stats.items()}]
        else:
            self._asked.pop(about, None)
        return value

    def changed(self, path: Path) -> None:
        """Look at a file again, as it was written meanwhile."""
        if self._held is not None:
            self._held.pop(str(path), None)

    def _stamp(self, path: str) -> str:
        if self._held is None:
            return _stat(path)[0]
        if path not in self._held:
            self._held[path] = _stat(path)[0]
        return self._held[path]

    def digest(self, path: Path) -> str:
        """The digest of a file's bytes, read again only when it was touched."""
        from site_builder.core.digests import sha256_file

        return self.read(f"digest {path}", lambda: (sha256_file(path), [path]))

    def drop(self, about: str) -> None:
        """Do not keep what was worked out about this: what it depends on changed meanwhile."""
        self._asked = {k: v for k, v in self._asked.items() if not k.startswith(f"{about} ")}

    def save(self) -> None:
        """Keep what was asked for since this memory was made, and nothing else."""
        if self._asked != self._known:
            values = self._asked.values()
            seen = {f"{path} {was}": [path, was] for _, of in values for path, was in of.items()}
            numbers = {name: number for number, name in enumerate(seen)}
            kept = {
                about: [value, [numbers[f"{path} {was}"] for path, was in of.items()]]
                for about, (value, of) in self._asked.items()
            }
            body = {"builder": _builder(), "seen": [*seen.values()], "values": kept}
            write_aside(self.file, json.dumps(body).encode())
            self._known = dict(self._asked)

    @cached_property
    def _known(self) -> dict[str, list[Any]]:
        try:
            body = json.loads(self.file.read_bytes())
            if body["builder"] != _builder():
                return {}
            seen = body["seen"]
            return {
                about: [value, dict(seen[number] for number in numbers)]
                for about, (value, numbers) in body["values"].items()
            }
        except (OSError, ValueError, TypeError, LookupError):
            return {}


def _stat(path: str) -> tuple[str, os.stat_result | None]:
    try:
        stat = os.stat(path)  # noqa: PTH116 (thousands of times in every build)
    except OSError:
        return "", None
    return stamp(stat), stat


def installed() -> str:
    """The state of the libraries; to ask each for its version costs as much as a whole no-op."""
    return f"{PACKAGES} {PACKAGES.stat().st_mtime_ns}"


def _builder() -> list[str]:
    """The Python, the libraries and the code of the builder that is running."""
    package = Path(__file__).parents[1]
    own = sorted(path for path in package.rglob("*.py") if path.parent.name != "figures")
    return [sys.version, installed(), *(f"{path} {_stat(str(path))[0]}" for path in own)]
