"""That a number is no farther from another than a margin: two one-sided tests (Schuirmann, 1987).

Both are at 5 %, so the 90 % interval has to lie within the margin. It follows from the 95 % one
where that is Student's and its degrees of freedom are known; where they are not, the 95 % interval
itself is taken, which is stricter. A difference of two rows lies between the differences of their
95 % bounds but for at most 5 % on either side, however the rows depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from site_builder.post.verdicts import student
from site_builder.post.verdicts.interval import Interval


@dataclass(frozen=True)
class Equivalence:
    """The smallest margin that would pass, by which interval, and the p value of the one asked."""

    margin: float
    by: str
    p: float | None


def of(own: Interval, other: Interval | None, around: float, within: float) -> Equivalence:
    """Test one number, or its difference from another one, against a margin."""
    if other is not None:
        low, high = own.low - other.high, own.high - other.low
        p = _of_two(own, other, around, within)
    elif own.groups is not None and own.freedom is not None:
        half = student.quantile(0.9, own.freedom) * own.error()
        off = abs(own.estimate - around)
        p = student.above((within - off) / own.error(), own.freedom)
        return Equivalence(off + half, "90 %", p)
    else:
        low, high, p = own.low, own.high, None
    return Equivalence(max(abs(low - around), abs(high - around)), "95 %", p)


def _of_two(own: Interval, other: Interval, around: float, within: float) -> float | None:
    """The p value at which the difference of two rows would just pass."""
    if own.freedom is None or other.freedom is None:
        return None
    off = abs(own.estimate - other.estimate - around)
    distance = (within - off) / (own.error() + other.error())
    freedom = min(own.freedom, other.freedom)
    return student.tails(distance, freedom) if distance > 0 else 1.0
