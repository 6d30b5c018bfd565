"""A mean over few groups, with its 95 % interval by Student's t; needs nothing but Python.

Values of one group resemble each other, so each group counts as one observation, its mean. The
interval is mean ± t · s / √k, with s the standard deviation of the k group means and t the quantile
of Student's distribution with k − 1 degrees of freedom (Student, 1908): right if group means are
independent and about normal, for however few of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from analyses.lab.core.errors import LabError

COVERAGE = 0.95
STEPS = 2000  # of the integral below: its error is under 1e-9 where it is used


@dataclass(frozen=True)
class GroupMean:
    """The mean of `n` values in `groups` groups, and the ends of its interval."""

    estimate: float
    low: float
    high: float
    n: int
    groups: int


def mean_over(values: Mapping[str, Sequence[float]]) -> GroupMean:
    """The mean of the groups' means.

    Args:
        values: of each group, at least one.

    Raises:
        LabError: fewer than two groups, or one without values.
    """
    sizes = [len(of_group) for of_group in values.values()]
    if len(sizes) < 2 or 0 in sizes:
        what = f"{sum(size > 0 for size in sizes)} groups with values"
        raise LabError("interval over groups", what, "give at least two groups, none of them empty")
    means = [fmean(of_group) for of_group in values.values()]
    middle, half = fmean(means), half_width(means)
    return GroupMean(middle, middle - half, middle + half, sum(sizes), len(means))


def half_width(means: Collection[float]) -> float:
    """Half the width of the interval of at least two group means."""
    return quantile(len(means) - 1) * stdev(means) / math.sqrt(len(means))


def quantile(freedom: int) -> float:
    """What Student's t stays within, either way, with probability `COVERAGE`."""
    low, high = 0.0, 13.0  # that of one degree of freedom is 12.71
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < COVERAGE else (low, middle)
    return (low + high) / 2


def _within(bound: float, freedom: int) -> float:
    """P(|t| < bound): the density, integrated over the angle atan(t / √freedom), by Simpson."""
    gammas = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    scale = 2 * math.exp(gammas) / math.sqrt(math.pi)
    width = math.atan(bound / math.sqrt(freedom)) / STEPS
    heights = [math.cos(i * width) ** (freedom - 1) for i in range(STEPS + 1)]
    inner = 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
    return scale * width / 3 * (heights[0] + inner + heights[-1])
