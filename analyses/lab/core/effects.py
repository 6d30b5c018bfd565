"""Means of patches over groups, normalised by what there was to explain.

The mean is the ratio Σ (m − m_corrupted) / Σ (m_clean − m_corrupted) over groups, one pair each:
0 where nothing of the difference is restored, 1 where all of it is. A mean of ratios would be ruled
by the pairs whose prompts hardly differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analyses.lab.core import statistics
from analyses.lab.core.statistics import Estimate, Floats

C = TypeVar("C", bound=Hashable)
AT_ONCE = 2000  # cells that are held in memory, of all groups
STRONG = 12  # heads of a site that are measured by role
SMALL = 0.5  # logits: a smaller difference between clean and corrupted is flagged


@dataclass(frozen=True)
class Effect:
    """A mean over groups: normalised with interval, in logits, and how many groups."""

    estimate: float
    low: float
    high: float
    raw: float
    n: int


def mean_effects(
    shifts: Sequence[Mapping[C, float]],
    spans: Sequence[float],
    *,
    direction: str,
) -> Iterator[tuple[C, Effect]]:
    """The mean of each cell over groups.

    Args:
        shifts: a group's cells: patched − unpatched metric, in logits.
        spans: a group's clean − corrupted metric.
        direction: noising starts from the clean run, so there the mean shift is added to 1.
    """
    cells = list(dict.fromkeys(cell for topic in shifts for cell in topic))
    start = 1.0 if direction == "noising" else 0.0
    for begin in range(0, len(cells), AT_ONCE):
        chunk = cells[begin : begin + AT_ONCE]
        there = np.array([[cell in topic for cell in chunk] for topic in shifts], dtype=np.float64)
        moved: Floats = np.array([[topic.get(cell, 0.0) for cell in chunk] for topic in shifts])
        span = np.array(spans)[:, None] * there
        found = statistics.ratio(moved, span)
        count = there.sum(0)
        for i, cell in enumerate(chunk):
            value, low, high = (start + float(part[i]) for part in found)
            yield cell, Effect(value, low, high, float(moved[:, i].sum() / count[i]), int(count[i]))


def agreement(guessed: Sequence[Floats], measured: Sequence[Floats]) -> dict[str, Estimate]:
    """How guesses agree with measurements, over all of them, with intervals over groups.

    Args:
        guessed, measured: a group's values.

    Returns:
        `pearson` correlation, and `slope`: measured per guessed, least squares through the origin.
    """
    sums = np.array(
        [
            [len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y]
            for x, y in zip(guessed, measured, strict=True)
        ]
    )
    value, without = _pearson(sums.sum(0)), _pearson(sums.sum(0) - sums)
    ends = statistics.correlation_interval(value, without, len(sums))
    slope = statistics.ratio(sums[:, 5], sums[:, 3])
    return {
        "pearson": Estimate(float(value), *map(float, ends)),
        "slope": Estimate(*map(float, slope)),
    }


def _pearson(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y))
    return found
