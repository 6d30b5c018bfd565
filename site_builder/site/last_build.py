"""What the last build was made of, so that a build of the same does nothing but say so."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from site_builder.core.cache import installed, settled, stamp
from site_builder.core.environment import MODEL_VARIABLE
from site_builder.core.files import write_aside
from site_builder.core.project import Project
from site_builder.site.shelves import files, walk

_FOLDER = re.compile(rb"""\bfolder\s*=\s*["']([^"'\n]+)""")


@dataclass(frozen=True)
class Manifest:
    """Digests of everything a build reads, sizes of all it wrote, and what it had to say.

    `doubts` counts stale results and claims that do not hold.

    Weights weigh more than everything else together, so size and time of change stand for
    their digests. `stamps` spares the reading of a file that nobody has touched since.
    """

    study: str
    drafts: bool
    live: bool
    inputs: dict[str, str]
    outputs: dict[str, int]
    notes: list[str]
    doubts: int
    stamps: dict[str, str]

    @classmethod
    def last(cls, project: Project) -> Manifest | None:
        """The manifest of the last good build, if there is one that can be read."""
        try:
            return cls(**json.loads(_file(project).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, project: Project) -> None:
        """Remember this build."""
        write_aside(_file(project), json.dumps(vars(self)).encode())


class Inputs(NamedTuple):
    """Digest or stamp of every file that a build may read, and the state of what reads them.

    `stamps` is what the system said, before the reading, of every file left alone for a while.
    """

    inputs: dict[str, str]
    stamps: dict[str, str]


def inputs(project: Project, last: Manifest | Inputs | None = None) -> Inputs:
    """What a build may read now; the digest of a file whose stamp is that in `last` is its.

    Raises `BuildError` for links out of the project, and for what is no file.
    """
    now, stamps = time.time_ns(), {}
    digests = {"python": sys.version, "packages": installed()}
    digests["SITE_URL"] = os.environ.get("SITE_URL", "")  # which mkdocs.yml names
    for name, path, stat in _read(project):
        if settled(stat, now):
            stamps[name] = stamp(stat)
        if name.endswith(".safetensors"):
            digests[name] = f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"
        elif last and last.stamps.get(name) == stamp(stat) and name in last.inputs:
            digests[name] = last.inputs[name]
        else:
            from site_builder.core.digests import sha256_file  # seldom: most are as they were

            digests[name] = sha256_file(Path(path))
    return Inputs(digests, stamps)


def outputs(site: Path) -> dict[str, int]:
    """The files of the site and their sizes; a removed or cut file makes a new build."""
    start = len(str(site)) + 1
    return {path[start:]: stat.st_size for path, stat in walk(site)}


def _read(project: Project) -> Iterator[tuple[str, str, os.stat_result]]:
    """Every file that a build may read: its name in the project, its path, its state."""
    config = project.root / "mkdocs.yml"
    yield config.name, str(config), config.stat()
    start = len(str(project.root)) + 1
    for path, stat in files(project.root, project.folders()):
        yield path[start:].replace(os.sep, "/"), path, stat
    for folder in _models(project):
        for path, stat in walk(folder):
            yield path, path, stat


def _models(project: Project) -> Iterator[Path]:
    """Folders that the studies name; those of models are read wherever they are.

    They are found by their spelling, as to read TOML takes longer than all the rest of a no-op.
    """
    named = [os.environ.get(MODEL_VARIABLE, "").encode()]
    for study in project.studies().values():
        named += _FOLDER.findall(study.read_bytes())
    for name in filter(None, named):
        folder = project.root / Path(os.fsdecode(name)).expanduser()
        if (folder / "config.json").is_file():
            yield folder


def _file(project: Project) -> Path:
    return project.cache / "build.json"
