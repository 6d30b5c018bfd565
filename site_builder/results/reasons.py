"""Why a result is not to be trusted: what differs between its recipe and what is so now.

A reason is data as long as it is handed on; `sentence` puts it into words where it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["fresh", "stale", "missing"]
"""What a result is: one that cannot be read is missing."""

Change = Literal[
    "name",
    "table",
    "changed",
    "newly used",
    "no longer used",
    "code",
    "setting",
    "file gone",
    "input gone",
    "input changed",
    "input stale",
    "input weights",
    "unmeasured",
    "unreadable",
]


@dataclass(frozen=True)
class Reason:
    """One difference: its kind, and what it is about: a file, a setting, an input.

    `was` and `now` are the values of a setting, as JSON. A result that is missing has a reason,
    too: it is `unmeasured`, about the command that measures it, or `unreadable`, about why.
    """

    kind: Change
    what: str = ""
    was: Any = None
    now: Any = None


def sentence(reason: Reason) -> str:
    """A reason in words, for a reader."""
    what = reason.what
    match reason.kind:
        case "name":
            return f"it was measured as {what}"
        case "table":
            return "its table was changed after it was measured"
        case "changed":
            return f"{what} changed"
        case "newly used" | "no longer used":
            return f"{what} is {reason.kind}"
        case "code":
            return "its code is put together otherwise"
        case "setting":
            return f"{what} was {brief(reason.was)} and is {brief(reason.now)}"
        case "file gone":
            return f"{what} is gone"
        case "input gone":
            return f"its input {what} is gone"
        case "input changed":
            return f"its input {what} changed"
        case "input stale":
            return f"its input {what} is stale"
        case "input weights":
            return f"its weights are not those of its input {what}"
        case "unmeasured":
            return f"measured by {what}"
        case "unreadable":
            return what


def sentences(reasons: Iterable[Reason]) -> list[str]:
    """All of them in words."""
    return [*map(sentence, reasons)]


def brief(value: Any) -> str:
    """A setting, short enough for a line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"
