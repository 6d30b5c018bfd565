"""One formula of the prose, as it was read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """One formula and where it stands.

    `line` and `last` are its 0-based lines within the text scanned, `start` and `end` columns of
    these; `label` is "" or the name of an equation. `source` is all of it, with its dollars.
    """

    latex: str
    display: bool
    label: str
    where: str
    line: int = 0
    start: int = 0
    last: int = 0
    end: int = 0
    source: str = ""
