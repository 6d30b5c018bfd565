"""What the last build was made of, so that a build of the same does nothing but say so."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from site_builder.fingerprint import sha256_file
from site_builder.project import Project
from site_builder.store import write_aside

_FOLDERS = ("content", "analyses", "site_builder", "templates", "assets", "data")
_SKIPPED = {"__pycache__", "node_modules"}
_LIBRARIES = ("altair", "jinja2", "markdown", "mkdocs", "mkdocs-material", "vl-convert-python")


@dataclass(frozen=True)
class Manifest:
    """Digests of everything a build reads, sizes of all it wrote, and what it had to say.

    `doubts` counts stale results and claims that do not hold.

    Autoencoders weigh more than everything else together, so size and time of change stand for
    their digests.
    """

    study: str
    inputs: dict[str, str]
    outputs: dict[str, int]
    notes: list[str]
    doubts: int

    @classmethod
    def last(cls, project: Project) -> Manifest | None:
        """The manifest of the last good build, if there is one that can be read."""
        try:
            return cls(**json.loads(_file(project).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, project: Project) -> None:
        """Remember this build."""
        write_aside(_file(project), json.dumps(asdict(self)).encode())

    def holds(self, project: Project) -> bool:
        """Whether a build now would read and write the same."""
        return self.outputs == outputs(project.site) and self.inputs == inputs(project)


def inputs(project: Project) -> dict[str, str]:
    """Digest or stamp of every file that a build may read, and versions of what reads them."""
    digests = {name: version(name) for name in _LIBRARIES} | {"python": sys.version}
    digests["SITE_URL"] = os.environ.get("SITE_URL", "")  # which mkdocs.yml names
    roots = [project.root / name for name in _FOLDERS if (project.root / name).is_dir()]
    files = [Path(path) for root in roots for path, _ in _walk(root)]
    for path in (project.root / "mkdocs.yml", *files):
        stamped = path.suffix == ".safetensors"
        digests[project.named(path)] = _stamp(path) if stamped else sha256_file(path)
    return digests


def outputs(site: Path) -> dict[str, int]:
    """The files of the site and their sizes; a removed or cut file makes a new build."""
    return {os.path.relpath(path, site): size for path, size in _walk(site)}


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(".tmp"):
                path = os.path.join(top, name)  # noqa: PTH118 (this runs in every no-op)
                yield path, os.stat(path).st_size  # noqa: PTH116


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"


def _file(project: Project) -> Path:
    return project.cache / "build.json"
