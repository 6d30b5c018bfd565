"""Roles of tokens in a list and its prompt, as words on an axis."""

from __future__ import annotations

from collections.abc import Iterable

from site_builder.charts.heatmap import Row

_IN_ITEM = ("hyphen", "item", "blank", "break")
_WORDS = {"length": "length word", "earlier": "earlier items", "deciding": "deciding token"}

ROLES = (
    *("length word", "prompt", "topic", "turn", "earlier items"),
    *(f"{role} −{k}" for k in (3, 2, 1) for role in _IN_ITEM),
    "deciding token",
)
"""Roles as words, in the order in which the model reads them."""


def role(name: str, k_end: int | None) -> str:
    """Return a role as words; items before the last three are one."""
    if name not in _IN_ITEM:
        return _WORDS.get(name, name)
    words = f"{name} −{-(k_end or 0)}"
    return words if words in ROLES else _WORDS["earlier"]


def roles(records: Iterable[Row]) -> list[str]:
    """Return the roles that occur, in reading order."""
    present = {row["role"] for row in records}
    return [name for name in ROLES if name in present]
