"""Numbers that were kept on the way are checked before a run goes on with them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from analyses.lab.kept import FOLDER


def check(root: Path, study: str) -> list[Path]:
    """Remove kept numbers of a study that are not what was written, and return their files.

    What has no digest yet, as its run was killed, counts if it is a whole array, and gets one.
    """
    wrong = []
    for file in sorted((root / FOLDER / study).glob("*.npy")):
        told = file.with_suffix(".sha256")
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            sound = told.read_text("utf-8") == digest if told.is_file() else _whole(file)
        except FileNotFoundError:  # another run found it wrong at the same time
            continue
        if not sound:
            wrong.append(file)
            file.unlink(missing_ok=True)
            told.unlink(missing_ok=True)
        elif not told.is_file():
            aside = file.with_suffix(f".{os.getpid()}")
            aside.write_text(digest, "utf-8")
            aside.rename(told)
    return wrong


def _whole(file: Path) -> bool:
    try:
        np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return False
    return True
