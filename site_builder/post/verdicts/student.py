"""Student's t distribution (Student, 1908), in nothing but Python: what a page can be built with.

The tail is a regularised incomplete beta function, P(|t| > x) = I(ν / (ν + x²); ν / 2, 1 / 2), as
its continued fraction (Abramowitz and Stegun, 26.7.1 and 26.5.8; Lentz's method). The lab has a
quantile of its own, as neither half of the house may import the other; a test holds both together.
"""

from __future__ import annotations

import math
from functools import cache

_TINY = 1e-300
_STEPS = 1000


def tails(x: float, freedom: float) -> float:
    """P(|t| > x), for x ≥ 0 and `freedom` ≥ 1 degrees of freedom."""
    if math.isinf(x):
        return 0.0
    whole = freedom + x * x
    return _beta(freedom / whole, x * x / whole, freedom / 2, 0.5)


def above(x: float, freedom: float) -> float:
    """P(t > x)."""
    half = tails(abs(x), freedom) / 2
    return half if x > 0 else 1 - half


@cache
def quantile(coverage: float, freedom: float) -> float:
    """What |t| stays within with the probability `coverage`, of more than 0 and less than 1."""
    low, high = 0.0, 1.0
    while tails(high, freedom) > 1 - coverage:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tails(middle, freedom) > 1 - coverage else (low, middle)
    return (low + high) / 2


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I(x; a, b), of x and of 1 − x."""
    if x <= 0 or rest <= 0:
        return float(rest <= 0)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror image does not
        return 1 - _beta(rest, x, b, a)
    gammas = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(gammas + a * math.log(x) + b * math.log(rest)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _off_zero(1 + term * d)
            c = _off_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
