"""Numbers of long measurements, kept as they are found, so that a stopped run goes on.

A number is named by all that it depends on: the weights, what it is about, and the code of the
instruments. So nothing old is ever read, and measurements that need the same numbers share them.
The files lie under `.cache/numbers` and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.lab.lab import Lab
from analyses.lab.numbers import FOLDER


def kept(
    lab: Lab,
    about: object,
    instruments: Sequence[ModuleType],
    make: Callable[[], NDArray[Any]],
) -> NDArray[Any]:
    """What `make` returns, made once.

    Args:
        about: all that it depends on beside weights and code, as JSON can say it.
        instruments: the modules that compute it.
    """
    digest = hashlib.sha256(json.dumps([about, lab.model.weights.digests]).encode())
    for module in instruments:
        digest.update(Path(str(module.__file__)).read_bytes())
    file = lab.root / FOLDER / lab.name / f"{digest.hexdigest()[:32]}.npy"
    if not file.exists():
        found = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".part")
        with aside.open("wb") as opened:
            np.save(opened, found)
        aside.rename(file)
    stored: NDArray[Any] = np.load(file)
    return stored
