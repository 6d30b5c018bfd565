"""How often chance alone would let a claim hold, from the intervals that its test asks for.

A test that an interval excludes a number, `low > 0`, holds at level α where estimate − t · SE is
above it: its p value is P(|t| > (estimate − number) / SE), or 1 if the estimate is on the other
side. Two intervals that have to be apart, `low > other.high`, are so at level α with (difference) /
(sum of both SE), which is valid however the rows depend on each other, and strict where they are
paired. All parts of `and`, and all rows of a claim, have to hold, so their largest p value counts
(an intersection-union test: Berger, 1982). Tests of another shape have none. Where a result does
not tell how many groups an interval rests on they are taken to be five, the fewest it may have.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from site_builder.post.verdicts import student
from site_builder.post.verdicts.interval import Interval

MISSING = "a number is missing"
OTHER_SHAPE = "no test that an interval excludes something"
UNTOLD = "its result does not tell over how many groups"
UNKNOWN = "its interval is not symmetric, as Student's is"

Edge = Callable[[str], tuple[Interval, bool] | None]
"""What a name of a test is: an interval, and whether its lower bound; None if it is no bound."""


@dataclass(frozen=True)
class _Side:
    """middle + toward · t · error: a lower bound if `toward` is −1, an upper one if it is 1."""

    middle: float
    error: float = 0.0
    toward: int = 0
    freedom: int | None = None


class NoPError(Exception):
    """That a test has no p value, and why."""


def p(tree: ast.expr, edge: Edge) -> float:
    """The p value of one row's test; raises `NoPError` where it has none."""
    match tree:
        case ast.BoolOp(op=ast.And(), values=parts):
            return max(p(part, edge) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [_side(one, edge) for one in (left, *rest)]
            links = zip(ops, sides, sides[1:], strict=False)
            return max(
                _apart(b, a) if isinstance(op, ast.Lt | ast.LtE) else _apart(a, b)
                for op, a, b in links
            )
    raise NoPError(OTHER_SHAPE)


def _apart(above: _Side, below: _Side) -> float:
    """How often chance puts what should be above another so far above it."""
    if above.toward > 0 or below.toward < 0 or not above.error + below.error:
        raise NoPError(OTHER_SHAPE)
    distance = (above.middle - below.middle) / (above.error + below.error)
    freedom = min(one.freedom for one in (above, below) if one.freedom is not None)
    return student.tails(distance, freedom) if distance > 0 else 1.0


def _side(node: ast.expr, edge: Edge) -> _Side:
    """One side of a comparison: a number, a bound, or a multiple of one."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return _Side(float(number))
        case ast.Name() | ast.Attribute():
            found = edge(ast.unparse(node))
            if found is None:
                raise NoPError(OTHER_SHAPE)
            interval, is_low = found
            if interval.freedom is None:
                raise NoPError(UNKNOWN)
            toward = -1 if is_low else 1
            return _Side(interval.estimate, interval.error(), toward, interval.freedom)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _times(_side(inner, edge), -1)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            one, two = _side(left, edge), _side(right, edge)
            if not two.toward and (two.middle or isinstance(op, ast.Mult)):
                return _times(one, two.middle if isinstance(op, ast.Mult) else 1 / two.middle)
            if not one.toward and isinstance(op, ast.Mult):
                return _times(two, one.middle)
    raise NoPError(OTHER_SHAPE)


def _times(side: _Side, by: float) -> _Side:
    toward = side.toward if by > 0 else -side.toward
    return replace(side, middle=side.middle * by, error=side.error * abs(by), toward=toward)
