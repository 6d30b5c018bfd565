"""Numbers that were kept on the way are checked before a run goes on with them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

FOLDER = Path(".cache", "numbers")

LIGHT = 1_000_000
"""Bytes; what is more (streams that autoencoders are trained on) stays where it was found."""


def check(root: Path, study: str) -> list[Path]:
    """Remove kept numbers of a study that are not what was written, and return their files.

    What has no digest yet, as its run was killed, counts if it is a whole array, and gets one.
    """
    wrong = [file for file in _files(root, study) if not _sound(file)]
    for file in wrong:
        file.unlink(missing_ok=True)
        _told(file).unlink(missing_ok=True)
    sign(root, study)
    return wrong


def sign(root: Path, study: str) -> None:
    """Give the numbers of a study that were kept since then their digests."""
    for file in _files(root, study):
        if not _told(file).is_file():
            with suppress(FileNotFoundError):  # another run found it wrong at the same time
                _write(_told(file), _digest(file).encode())


def names(root: Path, study: str) -> set[str]:
    """The files of a study's numbers."""
    return {file.name for file in _files(root, study)}


def found(root: Path, study: str, known: Collection[str] = ()) -> dict[str, bytes]:
    """The numbers of a study that are small enough to travel, by their files, without `known`."""
    files = [file for file in _files(root, study) if file.name not in known]
    return {file.name: file.read_bytes() for file in files if file.stat().st_size <= LIGHT}


def keep(root: Path, study: str, numbers: Mapping[str, bytes]) -> None:
    """Keep numbers that were found elsewhere; those that are here stay."""
    folder = root / FOLDER / study
    folder.mkdir(parents=True, exist_ok=True)
    for name in numbers.keys() - names(root, study):
        _write(folder / name, numbers[name])
    sign(root, study)


def _write(path: Path, data: bytes) -> None:
    """Aside, then renamed."""
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_bytes(data)
    aside.replace(path)


def _files(root: Path, study: str) -> list[Path]:
    return sorted((root / FOLDER / study).glob("*.npy"))


def _told(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _sound(file: Path) -> bool:
    """Whether a number is what its digest says; without one, whether it is a whole array."""
    try:
        return _told(file).read_text("utf-8") == _digest(file)
    except FileNotFoundError:
        return _whole(file)


def _whole(file: Path) -> bool:
    import numpy as np  # a measurement that keeps no numbers does without

    try:
        np.load(file, allow_pickle=False)
    except FileNotFoundError:  # another run found it wrong at the same time
        return True
    except (ValueError, OSError, EOFError):
        return False
    return True
