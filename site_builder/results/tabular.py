"""A result's rows as text: the file that readers download, and the cells under a figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_CELL = 60
"""Characters of a cell under a figure; nested ones are long."""


def csv(table: pa.Table) -> bytes:
    """The whole table as CSV; lists are written as Python writes them."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    for place, column in enumerate(table.columns):
        if pa.types.is_nested(column.type):  # no cell of a CSV file can be a list
            texts = [None if value is None else str(value) for value in column.to_pylist()]
            table = table.set_column(place, table.column_names[place], pa.array(texts, pa.string()))
    written = io.BytesIO()
    arrow.write_csv(table, written, arrow.WriteOptions(quoting_style="needed"))
    return written.getvalue()


def head(table: pa.Table, most: int) -> tuple[list[str], list[list[str]]]:
    """Columns and first rows as they stand under a figure, without columns that say nothing."""
    rows = table.slice(0, most).to_pylist()
    cells = {name: [cell(row[name]) for row in rows] for name in table.column_names}
    shown = {name: column for name, column in cells.items() if any(column)}
    return [*shown], [[*row] for row in zip(*shown.values(), strict=True)]


def cell(value: Any) -> str:
    """One cell as it stands under a figure."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
