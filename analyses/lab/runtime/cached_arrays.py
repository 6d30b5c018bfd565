"""Numbers of long measurements, kept as they are found, so that a stopped run goes on.

A number is named by all that it depends on: the model, its device and number format, what it is
about, and the code that makes it. So nothing old is ever read, and measurements that need the same
numbers share them. The files lie under `.cache/numbers` and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.lab.runtime.lab import Lab
from analyses.lab.runtime.numbers import FOLDER


def kept(lab: Lab, about: object, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """What `make` returns, made once.

    It depends on all that the calling module reaches, so a number is made again after an edit of
    whatever computes it, lays it out or reads it back.

    Args:
        about: all that it depends on beside model and code, as JSON can say it.
    """
    caller, model = Path(sys._getframe(1).f_code.co_filename), lab.model
    depends = [about, model.weights.digests, model.device, model.dtype, lab.code_of(caller)]
    digest = hashlib.sha256(json.dumps(depends).encode()).hexdigest()
    file = lab.root / FOLDER / lab.name / f"{digest[:32]}.npy"
    if not file.exists():
        found = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".part")
        with aside.open("wb") as opened:
            np.save(opened, found)
        aside.rename(file)
    stored: NDArray[Any] = np.load(file)
    return stored
