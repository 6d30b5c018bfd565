"""Tables that carry their own labels: what n is, what the interval is, the units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

LABELS = b"labels"


def labelled(
    table: pa.Table,
    *,
    n: str,
    interval: str = "",
    units: Mapping[str, str] | None = None,
    note: str = "",
) -> pa.Table:
    """`table` with its labels in the schema's metadata, for the page to show.

    Args:
        n: how much it rests on, in words: "230 texts, 23 authors".
        interval: what its intervals are, or empty when it has none.
        units: unit by column.
        note: what a reader must know besides.
    """
    labels = {"n": n, "interval": interval, "units": dict(units or {}), "note": note}
    coded = json.dumps(labels, ensure_ascii=False, sort_keys=True).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), LABELS: coded})


def table_of(rows: Iterable[Mapping[str, Any]], schema: Mapping[str, pa.DataType]) -> pa.Table:
    """A table of the schema's columns from rows; what a row lacks, and what is NaN, is null."""
    made = list(rows)
    return pa.table(
        {
            name: pa.array([row.get(name) for row in made], type=kind, from_pandas=True)
            for name, kind in schema.items()
        }
    )
