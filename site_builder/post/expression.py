"""The arithmetic of a claim: comparisons, and, or, + - * /, abs, of columns, another row's too."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_REACH: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

_WORDS = {"abs", "other"}
MOST = 1000
"""Characters of a test."""


def names(tree: ast.expr) -> set[str]:
    """The columns that an expression names: "low", "other.low"."""
    named = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Name | ast.Attribute)}
    return named - _WORDS


def is_test(text: str) -> bool:
    """Whether a text is a test: comparisons, that nothing but columns and numbers decide.

    All of it counts, whatever the numbers will be: `and` and `or` reckon no more than they need.
    """
    try:
        if len(text) > MOST:
            return False
        tree = ast.parse(text, mode="eval").body
        return bool(names(tree)) and _compares(tree) and _is_reckoned(tree)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False


def _compares(tree: ast.expr) -> bool:
    if isinstance(tree, ast.BoolOp):
        return all(map(_compares, tree.values))
    return isinstance(tree, ast.Compare)


def _is_reckoned(node: ast.expr) -> bool:
    """Whether `reckon` knows what to do with an expression, all that is in it included."""
    match node:
        case ast.Name(id=name):
            return name not in _WORDS
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            _ = float(number)  # a whole number may be too large for one
            return True
        case ast.Attribute(value=ast.Name(id="other")):
            return True
        case (
            ast.UnaryOp(op=ast.USub(), operand=inner)
            | ast.Call(func=ast.Name(id="abs"), args=[inner], keywords=[])
        ):
            return _is_reckoned(inner)
        case ast.BinOp(left=left, op=op, right=right):
            return type(op) in _REACH and _is_reckoned(left) and _is_reckoned(right)
        case ast.BoolOp(values=parts):
            return all(map(_is_reckoned, parts))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return {*map(type, ops)} <= {*_COMPARE} and all(map(_is_reckoned, (left, *rest)))
    return False


def reckon(node: ast.expr, numbers: Mapping[str, float]) -> Any:
    """The value of an expression of `numbers`; raises ValueError for what it may not contain."""
    match node:
        case ast.Name() | ast.Attribute(value=ast.Name(id="other")):
            return numbers[ast.unparse(node)]
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -reckon(inner, numbers)
        case ast.Call(func=ast.Name(id="abs"), args=[inner], keywords=[]):
            return abs(reckon(inner, numbers))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _REACH:
            return _REACH[type(op)](reckon(left, numbers), reckon(right, numbers))
        case ast.BoolOp(op=op, values=parts):
            return (all if isinstance(op, ast.And) else any)(reckon(p, numbers) for p in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest) if {*map(type, ops)} <= {*_COMPARE}:
            sides = [reckon(side, numbers) for side in (left, *rest)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            return all(_COMPARE[type(op)](a, b) for op, a, b in pairs)
    raise ValueError(ast.unparse(node))
