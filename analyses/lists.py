"""The lists themselves, for browsing: what the model wrote, item by item.

Returns one row a list. `items` are its items without surrounding blanks, the last one of a capped
list as far as it was written; `reason` says why a list is not well-formed. The text is the model's:
whoever shows it must escape it.
"""

from __future__ import annotations

import pyarrow as pa

from analyses.instruments.lists import read_lists
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    "template": pa.string(),
    "temperature": pa.float64(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "items": pa.list_(pa.string()),
    "text": pa.string(),
    "n_items": pa.int32(),
    "ended": pa.bool_(),
    "well_formed": pa.bool_(),
    "reason": pa.string(),
    "repeats": pa.int32(),
}


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Lay out every list."""
    rows = []
    for one in read_lists(list_samples, lab.study.prompt):
        rows.append(
            {
                **one.key,
                "items": [item.text for item in one.roles.items],
                "text": one.text,
                "n_items": len(one.roles.items),
                "ended": one.roles.ended,
                "well_formed": not one.roles.reason,
                "reason": one.roles.reason,
                "repeats": one.repeats,
            }
        )
    size = f"{len(rows):,} lists, {len(lab.study.topics.names)} topics"
    return labelled(table_of(rows, SCHEMA), n=size)
