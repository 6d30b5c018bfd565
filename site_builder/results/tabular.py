"""A result's rows as text: the file that readers download, and the cells under a figure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_CELL = 60
"""Characters of a cell under a figure; nested ones are long."""

_UNSEEN = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"}
_UNSEEN |= dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029, 0xFFFE, 0xFFFF), "\ufffd")
_UNSEEN |= {0x7F: "\u2421"}
"""Characters that end the renderer, or a line of what it reads, and the pictures of them."""

_ANY_UNSEEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\x{2028}\x{2029}\x{fffe}\x{ffff}]"

_FORMULA = r"^([=+\-@\t\r＝＋－＠'])"
"""What a spreadsheet takes for the beginning of a formula, and what keeps it from that."""


def visible(text: str) -> str:
    """A text whose controls are their pictures."""
    return text.translate(_UNSEEN)


def seen(table: pa.Table) -> pa.Table:
    """The table with every text such that it can be drawn: controls become their pictures."""
    import pyarrow as pa

    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if any(_has_unseen(text) for part in column.chunks for text in _texts(part)):
            kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
            values = pa.array([_seen(value) for value in column.to_pylist()], kind)
            table = table.set_column(place, table.schema.field(name).with_type(kind), values)
    return table


def _texts(array: pa.Array) -> Iterator[pa.Array]:
    """Every array of texts in an array, however deep."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        yield array.cast(pa.large_string())
    elif pa.types.is_dictionary(kind):
        yield from _texts(array.dictionary)
    elif pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _texts(part)
    elif pa.types.is_map(kind):
        yield from _texts(array.keys)
        yield from _texts(array.items)
    elif pa.types.is_nested(kind) and not pa.types.is_union(kind):
        yield from _texts(array.flatten())


def _has_unseen(texts: pa.Array) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(texts, _ANY_UNSEEN)).as_py())


def _seen(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_UNSEEN)
    if isinstance(value, list | tuple):
        return type(value)(map(_seen, value))
    if isinstance(value, dict):
        return {name: _seen(one) for name, one in value.items()}
    return value


def csv(table: pa.Table) -> bytes:
    """The whole table as CSV; lists are written as Python writes them.

    A text that a spreadsheet would reckon with has a ' before it, as has one that begins with it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    for place, column in enumerate(table.columns):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            # No cell of a CSV file can be a list, or bytes.
            texts = [None if value is None else str(value) for value in column.to_pylist()]
            table = table.set_column(place, table.column_names[place], pa.array(texts, pa.string()))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            texts = pc.replace_substring_regex(column.cast(pa.large_string()), _FORMULA, r"'\1")
            table = table.set_column(place, table.column_names[place], texts)
    table = table.rename_columns([re.sub(_FORMULA, r"'\1", name) for name in table.column_names])
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
        return f"{value:.0f}" if 9999.5 <= abs(value) < 1e15 else f"{value:.4g}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
