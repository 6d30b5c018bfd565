"""How often the intervals of this post hold the true value, simulated.

Samples of as many groups as there may be topics, one value a group, of which the true mean is
known: normal; gamma of shape 4, whose skewness is 1 (moderate); exponential, whose skewness is 2
(strong). Each gets the interval of `lab.core.statistics`, which says 95 %.

One row a number of groups and a shape: `estimate`, the share of `n` samples whose interval holds
the true mean, with low and high from the binomial error of the simulation, two standard errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

GROUPS = (5, 8, 12, 23)
SAMPLES = 20_000
SHAPES = ("normal", "moderately skewed", "strongly skewed")
SCHEMA = {
    **{"groups": pa.int32(), "shape": pa.string()},
    **dict.fromkeys(("estimate", "low", "high"), pa.float64()),
    "n": pa.int32(),
}


def run(lab: Lab) -> pa.Table:
    """Draw the samples, and count."""
    rng = np.random.default_rng(lab.study.bootstrap.seed)
    return labelled(
        table_of(_rows(rng), SCHEMA),
        n=f"{SAMPLES:,} samples of each kind",
        interval="two standard errors of the simulation",
        note="One value a group; the interval says 95 %.",
    )


def _rows(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for groups in GROUPS:
        for shape in SHAPES:
            draws = drawn(rng, shape, (groups, SAMPLES))
            _, low, high = statistics.ratio(draws, np.ones_like(draws))
            share = float(((low <= 0) & (high >= 0)).mean())
            error = 2 * (share * (1 - share) / SAMPLES) ** 0.5
            bounds = {"estimate": share, "low": share - error, "high": share + error}
            yield {"groups": groups, "shape": shape, **bounds, "n": SAMPLES}


def drawn(rng: np.random.Generator, shape: str, size: tuple[int, int]) -> Floats:
    """Values of a shape, whose true mean is 0."""
    if shape == "normal":
        return rng.normal(size=size)
    if shape == "moderately skewed":
        return rng.gamma(4, size=size) - 4
    return rng.exponential(size=size) - 1
