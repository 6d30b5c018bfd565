"""Estimates with 95 % intervals by resampling groups, not single texts or tokens.

Texts of one group resemble each other, so a group is what can be drawn anew: the intervals say how
far the estimate would move with other groups (Efron and Tibshirani, 1993, cluster bootstrap). Every
statistic here is computed from sums by group, so that all resamples are one matrix product.
Quantiles are the plain percentile interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COVERAGE = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """An estimate and its interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Survival:
    """P(length ≥ k) for k = 1, 2, …, with interval and how many are at risk of ending at k."""

    share: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    median: Estimate


def resample(groups: int, resamples: int, seed: int) -> Floats:
    """How often each of `groups` is drawn in each resample, [resamples, groups]."""
    draws = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), resamples)
    return draws.astype(np.float64)


def group_sums(values: Floats, groups: NDArray[np.int64], count: int) -> Floats:
    """Sums of `values` [n, …] by group, [count, …]."""
    sums = np.zeros((count, *values.shape[1:]))
    np.add.at(sums, groups, values)
    return sums


def ratio(above: Floats, below: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Σ above / Σ below over groups, with interval: a mean, a share, or a mean at each position.

    Args:
        above, below: sums by group, [groups, …].
        weights: draws of the groups, [resamples, groups].

    Returns:
        value, low, high of shape […]; NaN where nothing is counted.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = above.sum(0) / below.sum(0)
        draws = np.tensordot(weights, above, 1) / np.tensordot(weights, below, 1)
    low, high = interval(draws)
    return value, low, high


def mean(values: Sequence[float], groups: Sequence[int], weights: Floats) -> Estimate:
    """Mean over all values, each counting the same, resampled by group."""
    count = weights.shape[1]
    index = np.asarray(groups, dtype=np.int64)
    data = np.asarray(values, dtype=np.float64)
    sums, sizes = group_sums(data, index, count), group_sums(np.ones_like(data), index, count)
    return Estimate(*(float(part) for part in ratio(sums, sizes, weights)))


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """Percentile interval over the first axis; resamples where nothing is defined are left out."""
    defined = np.isfinite(draws)
    filled = np.where(defined.any(0), draws, 0.0)
    low, high = np.nanquantile(np.where(np.isfinite(filled), filled, np.nan), COVERAGE, axis=0)
    nowhere = ~defined.any(0)
    return np.where(nowhere, np.nan, low), np.where(nowhere, np.nan, high)


def survival(
    finished: Sequence[int], ended: Sequence[bool], groups: Sequence[int], weights: Floats
) -> Survival:
    """Kaplan and Meier's estimate of P(length ≥ k), resampled by group.

    What did not end is known to have gone on after each part that it finished: it is at risk of
    ending up to the last of these, not beyond.

    Args:
        finished: how many parts each has finished.
        ended: whether it ended by itself.
        groups: the group of each, 0 … groups − 1.
    """
    size = np.asarray(finished, dtype=np.int64)
    complete = np.asarray(ended, dtype=bool)
    index = np.asarray(groups, dtype=np.int64)
    k = np.arange(1, int(size.max(initial=1)) + 1)
    count = weights.shape[1]
    risk = group_sums((size[:, None] >= k).astype(np.float64), index, count)
    ends = group_sums(((size[:, None] == k) & complete[:, None]).astype(np.float64), index, count)
    share = _product_limit(ends.sum(0), risk.sum(0))
    draws = _product_limit(weights @ ends, weights @ risk)
    low, high = interval(draws[:, :-1])
    median = Estimate(float(_median(share[None])[0]), *_median_interval(_median(draws)))
    return Survival(share[:-1], low, high, risk.sum(0).astype(np.int64), median)


def _product_limit(ends: Floats, risk: Floats) -> Floats:
    """P(length ≥ k) for k = 1 … K + 1 from ends and those at risk at k = 1 … K (last axis)."""
    staying = 1 - np.divide(ends, risk, out=np.zeros_like(ends), where=risk > 0)
    first = np.ones((*ends.shape[:-1], 1))
    return np.concatenate([first, np.cumprod(staying, -1)], -1)


def _median(share: Floats) -> Floats:
    """Smallest k with P(length ≤ k) ≥ 1/2, infinite when too many were cut, [resamples]."""
    reached = share[:, 1:] <= 0.5 + 1e-12
    return np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)


def _median_interval(draws: Floats) -> tuple[float, float]:
    """Ranks, not interpolation: a bound may be infinite, which says that it was not reached."""
    low, high = np.quantile(draws, COVERAGE, method="inverted_cdf")
    return float(low), float(high)


def spearman(
    x: Sequence[float], y: Sequence[float], groups: Sequence[int], weights: Floats
) -> Estimate:
    """Spearman's rank correlation over all pairs, with mid-ranks for ties, resampled by group.

    NaN when either side never varies.
    """
    index = np.asarray(groups, dtype=np.int64)
    one, two = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    once = np.ones((1, len(one)))
    value = _weighted_spearman(one, two, once)
    low, high = interval(_weighted_spearman(one, two, weights[:, index]))
    return Estimate(float(value[0]), float(low), float(high))


def _weighted_spearman(x: Floats, y: Floats, counts: Floats) -> Floats:
    """The correlation of mid-ranks when pair i occurs counts[r, i] times, [resamples]."""
    ranks = [_mid_ranks(values, counts) for values in (x, y)]
    total = counts.sum(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = [rank - (counts * rank).sum(1, keepdims=True) / total for rank in ranks]
        product: Floats = (counts * centred[0] * centred[1]).sum(1)
        spread = np.sqrt((counts * centred[0] ** 2).sum(1) * (counts * centred[1] ** 2).sum(1))
        return np.where(spread > 1e-9, product / spread, np.nan)


def _mid_ranks(values: Floats, counts: Floats) -> Floats:
    _, place = np.unique(values, return_inverse=True)
    sizes = np.zeros((len(counts), int(place.max(initial=0)) + 1))
    np.add.at(sizes.T, place, counts.T)
    below = np.cumsum(sizes, 1) - sizes
    return (below + (sizes + 1) / 2)[:, place]
