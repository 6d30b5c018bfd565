"""What a figure becomes, as it is kept: a folder with its HTML, its words and its files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from site_builder.core.files import write_aside

_INLINE, _REST = "inline.htm", "fragment.json"


@dataclass(frozen=True)
class Fragment:
    """What a use becomes: HTML, words, and the head of its data.

    `html` has `drawing.BASE` before the names of its files, which are in `folder`. `marks` has the
    fields that each panel marks, with their values.
    """

    key: str
    html: str
    caption: str
    description: str
    columns: list[str]
    rows: list[list[str]]
    total_rows: int
    files: list[str]
    folder: Path
    marks: Sequence[Mapping[str, list[str]]] = ()

    @property
    def inline(self) -> str:
        """The HTML without files, which weighs ten times as much."""
        return (self.folder / _INLINE).read_text("utf-8")

    def file(self, ending: str) -> str:
        """The name of the file that ends so, or "" when there is none."""
        return next((name for name in self.files if name.endswith(ending)), "")

    def published(self) -> dict[str, Callable[[], bytes]]:
        """Its files by their path in the site, and how to read each, which is seldom done."""
        folder = str(self.folder)
        return {f"figures/{name}": partial(_bytes, f"{folder}/{name}") for name in self.files}


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def read(folder: Path) -> Fragment | None:
    """A fragment that is drawn to its end, with every file that it names."""
    try:
        fragment = Fragment(**json.loads((folder / _REST).read_bytes()), folder=folder)
    except (OSError, ValueError, TypeError):
        return None
    whole = all(os.path.isfile(f"{folder}/{name}") for name in (*fragment.files, _INLINE))  # noqa: PTH113
    return fragment if whole else None


def write(fragment: Fragment, inline: str, files: Mapping[str, bytes]) -> None:
    """Keep a fragment: what says that it is whole comes last."""
    for name, data in (dict(files) | {_INLINE: inline.encode()}).items():
        write_aside(fragment.folder / name, data)
    fields = {name: value for name, value in vars(fragment).items() if name != "folder"}
    write_aside(fragment.folder / _REST, json.dumps(fields, ensure_ascii=False).encode())
