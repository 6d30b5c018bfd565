"""A result's file: the table, and the recipe's text in the footer.

Such a file may come from anybody. Its footer is small and says how much is in it, so what would
fill the memory is refused before anything of it is decoded.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from site_builder.core import digests

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MOST_FOOTER = 8_000_000
MOST_BYTES = 1_000_000_000
MOST_VALUES = 50_000_000
MOST_NAME = 300
"""Of a file: bytes of its footer; bytes of its table, unpacked; cells, those of lists included;
characters of a column's name."""

_RECIPE = b"recipe"
_MAGIC = b"PAR1"


class UnreadableError(Exception):
    """Why a file cannot be used as a result, in words that follow "cannot be used:"."""


def packed(table: pa.Table, recipe: bytes | None = None) -> bytes:
    """A file's bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", compression_level=9) as writer:
        writer.write_table(table)
        if recipe is not None:
            writer.add_key_value_metadata({_RECIPE: recipe})
    return bytes(sink.getvalue())


def content(data: bytes) -> str:
    """The digest of the table as stored: the bytes between the magic number and the footer."""
    if len(data) < 12 or data[-4:] != _MAGIC:
        return "not Parquet"
    (footer,) = struct.unpack("<I", data[-8:-4])
    return digests.sha256(data[4 : max(4, len(data) - 8 - footer)])


def recipe_text(path: Path) -> bytes:
    """The text of the recipe in the footer, b"" if there is none; raises `UnreadableError`."""
    found: bytes = (_footer(path).metadata or {}).get(_RECIPE, b"")
    return found


def table(path: Path) -> pa.Table:
    """The table, every value of which Python can hold; raises `UnreadableError`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _footer(path)
    try:
        found = pq.read_table(path, partitioning=None)
        found.validate(full=True)  # texts are UTF-8, rows end where the next one begins
    except (pa.ArrowException, OSError, RecursionError) as error:
        raise UnreadableError(str(error)) from None
    for name in _names(found.schema):
        if not name.isprintable() or len(name) > MOST_NAME:
            raise UnreadableError(f"one of its columns is called {ascii(name)[:60]}")
    for name, column in zip(found.column_names, found.columns, strict=True):
        if _tells_time(column.type):
            try:
                column.to_pylist()
            except (ValueError, OverflowError, pa.ArrowException):
                raise UnreadableError(
                    f'its column "{name}" has a time past all calendars'
                ) from None
    return found


def _footer(path: Path) -> pq.FileMetaData:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableError("it is no regular file")
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8))
            end = file.read(8)
        if len(end) == 8 and end[4:] == _MAGIC and struct.unpack("<I", end[:4])[0] > MOST_FOOTER:
            raise UnreadableError(f"its footer is larger than {MOST_FOOTER / 1e6:.0f} MB")
        found = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(str(error)) from None
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(group.num_columns)]
    values = max(
        found.num_rows,
        sum(max(column.num_values, 0) for column in columns),
        sum(max(group.num_rows, 0) * max(group.num_columns, 1) for group in groups),
    )
    if values > MOST_VALUES:
        raise UnreadableError(f"it has {values:,} values, more than {MOST_VALUES:,}")
    size = sum(max(column.total_uncompressed_size, 0) for column in columns)
    if size > MOST_BYTES:
        raise UnreadableError(f"its table has {size:,} bytes, more than {MOST_BYTES:,}")
    return found


def _names(fields: Iterable[pa.Field]) -> Iterator[str]:
    """The names of columns, and of what is inside them."""
    for field in fields:
        yield field.name
        yield from _names(field.type.field(place) for place in range(field.type.num_fields))


def _tells_time(kind: pa.DataType) -> bool:
    """Whether a type, or one inside it, is of dates, times or durations."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _tells_time(kind.value_type)
    inside = (kind.field(place).type for place in range(kind.num_fields))
    return pa.types.is_temporal(kind) or any(map(_tells_time, inside))
