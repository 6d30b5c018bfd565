"""The choices of another study, read from the file that this study names.

Under `[[chosen]]` stands the `folder` of that study's result `choices fixed`; the digest of its
file is part of the key of whatever reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from analyses.instruments.paths.path import Path
from analyses.lab.core.errors import LabError
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.attribution import Place

FILE = "fixed.parquet"
Row = dict[str, Any]


@dataclass(frozen=True)
class Choices:
    """What was chosen, as `analyses/choices.py` has it.

    Attributes:
        path: heads by stage.
        features: one of each autoencoder, by its place.
        names: what they are called.
        steering: what the other prompt adds to the stream at the deciding token, [d], by place.
        edits: the features that are set, by method and place.
        bias: what the other prompt adds to the contrast, in logits.
    """

    path: Path
    features: dict[Place, int]
    names: dict[Place, str]
    steering: dict[Place, Floats]
    edits: dict[tuple[str, Place], Row]
    bias: float


def read(lab: Lab) -> Choices:
    """The choices that the study names.

    Raises:
        LabError: it names none, or not one folder that has them.
    """
    where = f"analyses/studies/{lab.name}.toml: chosen"
    cure = 'add [[chosen]] with folder = "data/STUDY/choices"'
    named = lab.study["chosen"]
    if not isinstance(named, list) or len(named) != 1 or "folder" not in named[0]:
        raise LabError(where, "not one table with a folder", cure)
    file = lab.root / named[0]["folder"] / FILE
    if not file.is_file():
        raise LabError(where, f"no {FILE} in {named[0]['folder']}", cure)
    rows: list[Row] = pq.ParquetFile(file).read().to_pylist()

    def of(kind: str) -> list[Row]:
        return [row for row in rows if row["kind"] == kind]

    stages: dict[str, list[tuple[int, int]]] = {}
    for row in of("head"):
        stages.setdefault(row["stage"], []).append((row["layer"], row["head"]))
    (middle,) = stages["middle"]
    return Choices(
        path=Path(tuple(stages.get("early", ())), middle, tuple(stages.get("late", ()))),
        features={(row["site"], row["layer"]): row["feature"] for row in of("feature")},
        names={(row["site"], row["layer"]): row["name"] for row in of("feature")},
        steering={
            (row["site"], row["layer"]): np.array(row["vector"], dtype=np.float64)
            for row in of("steering")
        },
        edits={(row["method"], (row["site"], row["layer"])): row for row in of("edit")},
        bias=float(of("bias")[0]["value"]),
    )
