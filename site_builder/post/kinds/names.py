"""The names that can follow the colon of a kind, with what each can be said with.

Their shape is that of `build-site directives --json`: see `commands/vocabulary.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Option = dict[str, Any]
Names = dict[str, dict[str, Any]]


def option(type: str, known: list[str] | None = None) -> Option:
    """An option of a type, and its values where they are known."""
    return {"type": type} | ({} if known is None else {"values": known})


def takes(
    variants: Iterable[str], options: dict[str, Option], *, open: bool = False
) -> dict[str, Any]:
    """What a name can be said with; `open` where options that are not listed may be right."""
    return {"variants": list(variants), "options": options, "open": open}


def plain(names: Iterable[str]) -> Names:
    """Names that take nothing."""
    return {name: takes([""], {}) for name in sorted(names)}
