"""Every file of a project's folders, and what stands among them that is none.

A folder may come from anybody: a link can lead to what is nobody's business to publish, a pipe
keeps who reads it waiting for ever.
"""

# ruff: noqa: PTH120 (paths are texts here: there are hundreds)

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import is_meant

_FILES = (".md", ".toml", ".bib", ".py", ".parquet", ".j2", ".css", ".js")
"""What files that a build reads end with; a folder of such a name would be taken for one."""


def walk(
    folder: Path | str, root: Path | str = "", strays: list[Problem] | None = None
) -> Iterator[tuple[str, os.stat_result]]:
    """Every file under a folder, in no order; this runs in every no-op.

    What is no file, or leads out of `root`, is left out, and told in `strays`.
    """
    try:
        with os.scandir(folder) as found:
            entries = [*found]
    except OSError:  # there is no such folder
        return
    for entry in (entry for entry in entries if is_meant(entry.name)):
        what = _link(entry.path, str(root)) if entry.is_symlink() and root else ""
        if not entry.name.isprintable():
            what = "has a name that is no text"
        if what:
            pass
        elif not entry.is_dir():
            try:
                found_stat = entry.stat()
            except OSError:
                continue  # it was removed meanwhile
            if stat.S_ISREG(found_stat.st_mode):
                yield entry.path, found_stat
                continue
            what = "is neither a file nor a folder"
        elif root and entry.name.endswith(_FILES):
            what = "is a folder, and called as files are"
        elif not entry.is_symlink():
            yield from walk(entry.path, root, strays)
        if what and strays is not None:
            where = ascii(os.path.relpath(entry.path, root).replace(os.sep, "/"))[1:-1]
            strays.append(Problem(where, what, "remove it, or put the files themselves there"))


def files(root: Path, folders: Iterable[Path]) -> list[tuple[str, os.stat_result]]:
    """Every file under these folders of a project; raises `BuildError` for what is none."""
    strays: list[Problem] = []
    found = [one for folder in folders for one in walk(folder, root, strays)]
    if strays:
        raise BuildError(sorted(strays))
    return found


def _link(path: str, root: str) -> str:
    """What is wrong with a link; "" if it leads to something else within the project."""
    try:
        end = os.path.realpath(path, strict=True)
    except OSError:
        return "is a link that leads nowhere"
    home, folder = os.path.realpath(root), os.path.realpath(os.path.dirname(path))
    if not f"{end}{os.sep}".startswith(f"{home}{os.sep}"):
        return "is a link out of the project"
    if f"{folder}{os.sep}".startswith(f"{end}{os.sep}"):
        return "is a link into itself"
    return ""
