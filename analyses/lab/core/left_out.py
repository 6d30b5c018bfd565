"""An estimate with what it is without each group: for differences that are paired by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyses.lab.core import statistics
from analyses.lab.core.statistics import ANY, Floats, Range


@dataclass(frozen=True)
class LeftOut:
    """An estimate, the same without each group, and which groups have anything.

    Shapes: value […]; without [groups, …]; there [groups, …], or less where it is the same for all.
    """

    value: Floats
    without: Floats
    there: NDArray[np.bool_]

    def __sub__(self, other: LeftOut) -> LeftOut:
        """The difference, over the groups that both have: the fewer, so its interval is careful."""
        there = self.there & other.there
        return LeftOut(self.value - other.value, self.without - other.without, there)

    def log(self) -> LeftOut:
        """The natural logarithm, whose differences are ratios."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return LeftOut(np.log(self.value), np.log(self.without), self.there)

    def interval(self, within: Range = ANY) -> tuple[Floats, Floats]:
        """The 95 % interval of `statistics`."""
        return statistics.interval(self.value, self.without, self.there.sum(0), within)


def ratio(above: Floats, below: Floats, there: NDArray[np.bool_] | None = None) -> LeftOut:
    """Σ above / Σ below over groups.

    Args:
        above, below: sums by group, [groups, …].
        there: which groups have anything; by default those whose `below` is not 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value: Floats = np.asarray(above.sum(0) / below.sum(0))
    found = below != 0 if there is None else there
    return LeftOut(value, statistics.without_each(above, below), found)
