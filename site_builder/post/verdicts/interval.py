"""The interval of a column: which columns hold its bounds, and what its standard error is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from site_builder.post.verdicts import student

FEWEST = 5
"""Groups that an interval needs, and is taken to rest on where its result does not tell."""

_EVEN = 1e-3
"""Share of an interval's width by which its halves may differ, for numbers of single precision."""


_NARROWEST = 1e-300
_MOST = 1_000_000
"""Degrees of freedom beyond which a t quantile stays the same."""


@dataclass(frozen=True)
class Interval:
    """An estimate, its 95 % bounds, and how many groups they rest on, where that is known."""

    estimate: float
    low: float
    high: float
    groups: int | None = None

    @property
    def freedom(self) -> int | None:
        """Degrees of freedom of the t quantile behind it, if it is Student's, or fewer.

        Fewer make a p value larger wherever it is below 5 %.
        """
        even = abs((self.high - self.estimate) - (self.estimate - self.low))
        width = self.high - self.low
        is_wide = _NARROWEST < width < math.inf
        groups = FEWEST if self.groups is None else self.groups
        if groups < 2 or not is_wide or even > _EVEN * width:
            return None
        return min(groups - 1, _MOST)

    def error(self) -> float:
        """The standard error, where there are degrees of freedom; elsewhere it is not known."""
        assert self.freedom is not None
        return (self.high - self.low) / 2 / student.quantile(0.95, self.freedom)


def of(cells: Mapping[str, Any], estimate: str, bounds: Sequence[str]) -> Interval | None:
    """The interval of a column in a row, if it has one there."""
    if not bounds:
        return None
    middle, low, high = (_finite(cells.get(name)) for name in (estimate, *bounds))
    if middle is None or low is None or high is None:
        return None
    groups = _finite(cells.get("groups"))
    return Interval(middle, low, high, None if groups is None else int(groups))


def _finite(value: Any) -> float | None:
    cell = number(value)
    return None if cell is None or math.isinf(cell) else cell


def number(value: Any) -> float | None:
    """A cell as a number; None for what is none, true and false among it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)
