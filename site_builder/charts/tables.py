"""Tables of estimates: a number in each cell, and its interval under it.

Intervals are text and not titles, so that a finger reaches them, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from site_builder.charts import theme

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """What a cell says: a number or words, what stands small under it, and whether it is bold."""

    text: str
    under: str = ""
    bold: bool = False


@dataclass(frozen=True)
class Group:
    """Rows that belong together, each its name and its cells, under a title if there is one."""

    rows: Sequence[tuple[Cell, Sequence[Cell]]]
    title: str = ""


def number(value: float | None, form: str = ".2f") -> str:
    """Return a number with a true minus sign; what rounds to zero has no sign."""
    if value is None:
        return NOTHING
    text = format(value, form)
    return (text if text.strip("+-0.%") else text.lstrip("+-")).replace("-", "−")


def estimate(
    row: Mapping[str, Any] | None,
    form: str = ".2f",
    *,
    of: str = "",
    marked: bool = False,
    null: float = 0,
) -> Cell:
    """Return the cell of an estimate with its interval, if there is one.

    Args:
        row: has `estimate`, `low` and `high`; None where nothing was measured.
        form: Python's format.
        of: what to read instead: "change" is `change`, `change_low` and `change_high`.
        marked: whether it is bold where its interval leaves `null` out.
        null: what says that there is no effect, 1 of a ratio.
    """
    names = (of, f"{of}_low", f"{of}_high") if of else ("estimate", "low", "high")
    value, low, high = (row[name] if row else None for name in names)
    if value is None:
        return Cell(NOTHING)
    if low is None or high is None:
        return Cell(number(value, form))
    bounds = f"[{number(low, form)}, {number(high, form)}]"
    return Cell(number(value, form), bounds, marked and (low > null or high < null))


def table(columns: Sequence[str], groups: Sequence[Group], label: str) -> Markup:
    """Return a table that scrolls where there is no room for it; every text is escaped.

    Args:
        columns: titles, that of the rows' names first.
        groups: its rows.
        label: what a screen reader calls it.
    """
    return theme.markup("cells.html.j2", columns=columns, groups=groups, label=label)
