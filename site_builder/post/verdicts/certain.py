"""What a test says whatever the data are, and how it reads when nothing but that counts.

Only what is cheap and sound is told: a number against itself, as of a row that is its own other
row; a lower bound against its upper one; `abs` and counts against what is below zero.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from site_builder.post.verdicts.bounds import OTHER

COUNTS = ("n", "groups")
Form = dict[str, float]
"""A sum of names, each so many times; the number alone stands under ""."""

Pairs = Collection[tuple[str, str]]
"""The names of lower and upper bounds of one interval each."""


def named(tree: ast.expr, columns: Mapping[str, str]) -> ast.expr:
    """A test with the columns that its names stand for."""
    copy = ast.parse(ast.unparse(tree), mode="eval").body
    for node in ast.walk(copy):
        if isinstance(node, ast.Name):
            node.id = columns.get(node.id, node.id)
        elif isinstance(node, ast.Attribute):
            node.attr = columns.get(node.attr, node.attr)
    return copy


def of_itself(tree: ast.expr) -> ast.expr:
    """A test of a row that is its own other one."""
    return ast.parse(ast.unparse(tree).replace(OTHER, ""), mode="eval").body


def written(tree: ast.expr) -> str:
    """A test in one way of writing it: the smaller side first, parts of `and` by the alphabet."""
    match tree:
        case ast.BoolOp(op=op, values=parts):
            word = " and " if isinstance(op, ast.And) else " or "
            return word.join(sorted(f"({written(part)})" for part in parts))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            sign = "<" if isinstance(op, ast.Lt | ast.Gt) else "<="
            turned = isinstance(op, ast.Gt | ast.GtE)
            less, more = (right, left) if turned else (left, right)
            return f"{ast.unparse(less)} {sign} {ast.unparse(more)}"
    return ast.unparse(tree)


def always(tree: ast.expr, bounds: Pairs) -> bool:
    """Whether a test holds whatever its numbers are, given the pairs of bounds among them."""
    match tree:
        case ast.BoolOp(op=op, values=parts):
            return (all if isinstance(op, ast.And) else any)(always(p, bounds) for p in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [_form(one) for one in (left, *rest)]
            links = zip(ops, sides, sides[1:], strict=False)
            return all(_link(op, a, b, bounds) for op, a, b in links)
    return False


def _link(op: ast.cmpop, left: Form | None, right: Form | None, bounds: Pairs) -> bool:
    if left is None or right is None:
        return False
    less, more = (left, right) if isinstance(op, ast.Lt | ast.LtE) else (right, left)
    rest = _sum(more, less, -1)
    surplus = rest.pop("", 0.0)
    for low, high in bounds:
        share = min(rest.get(high, 0.0), -rest.get(low, 0.0))
        if share > 0:
            rest = _sum(rest, {high: -share, low: share}, 1)
    is_more = surplus > 0 or (surplus == 0 and isinstance(op, ast.LtE | ast.GtE))
    return is_more and all(
        times >= 0 if name.startswith("abs(") or name.removeprefix(OTHER) in COUNTS else times == 0
        for name, times in rest.items()
    )


def _form(node: ast.expr) -> Form | None:
    """An expression as a sum of names; None if it is none."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return {"": float(number)}
        case ast.Name() | ast.Attribute() | ast.Call():
            return {ast.unparse(node): 1.0}
        case ast.UnaryOp(operand=inner):
            return _times(_form(inner), -1)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            one, two = _form(left), _form(right)
            if one is not None and two is not None:
                return _sum(one, two, 1 if isinstance(op, ast.Add) else -1)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            one, two = _form(left), _form(right)
            for times, form in ((one, two), (two, one)):
                if times is not None and times.keys() == {""}:
                    return _times(form, times[""])
    return None


def _times(form: Form | None, by: float) -> Form | None:
    return None if form is None else _sum({}, form, by)


def _sum(one: Form, two: Form, times: float) -> Form:
    names = one.keys() | two.keys()
    return {name: one.get(name, 0.0) + times * two.get(name, 0.0) for name in names}
