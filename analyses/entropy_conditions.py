"""Entropy as the end of a list comes near, for short and long lists under either prompt.

Reads the four conditions of `entropy`, at the last tokens of items; nothing is scored anew. Nats.

Part `mean`, one row an item of a condition: align (`start` or `end`), k from that side, the mean
over lists with its interval, as `entropy` has it. Part `change`, one row a condition: entropy at
the last item minus that at the item before, on the same lists; those are lists that ended and have
two items or more. Intervals are 95 % over topics, each left out once. n counts lists.

Raises LabError when no list of a condition ended with two items or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from analyses.instruments.summary import bounds
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.statistics import Estimate
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    **dict.fromkeys(("part", "condition", "align"), pa.string()),
    "k": pa.int32(),
    **dict.fromkeys(("estimate", "low", "high"), pa.float64()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(
    lab: Lab,
    entropy__short_clean: pa.Table,
    entropy__short_corrupted: pa.Table,
    entropy__long_clean: pa.Table,
    entropy__long_corrupted: pa.Table,
) -> pa.Table:
    """Gather the means of the four conditions, and what the last item changes in each."""
    conditions = {
        "short-clean": entropy__short_clean,
        "short-corrupted": entropy__short_corrupted,
        "long-clean": entropy__long_clean,
        "long-corrupted": entropy__long_corrupted,
    }
    topics = list(lab.study.topics.names)
    rows: list[Row] = []
    for name, table in conditions.items():
        records = table.to_pylist()
        rows += ({**row, "condition": name} for row in _means(records))
        rows.append({"part": "change", "condition": name, **_change(name, records, topics)})
    lists = sum(len(_lists(table.to_pylist())) for table in conditions.values())
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{lists:,} scored lists, {len(topics)} topics",
        interval=statistics.said("topics"),
        units={"estimate": "nats"},
        note="At the last tokens of items. Malformed lists and items that the budget cut are left "
        "out; of a list that was cut there is no last item.",
    )


def _lists(records: list[Row]) -> set[tuple[str, int]]:
    return {(row["topic"], row["sample"]) for row in records if row["part"] == "list"}


def _means(records: list[Row]) -> Iterator[Row]:
    kept = ("part", "align", "k", "estimate", "low", "high", "n")
    for row in records:
        if row["part"] == "mean" and row["quantity"] == "entropy":
            yield {name: row[name] for name in kept}


def _change(condition: str, records: list[Row], topics: list[str]) -> Row:
    """The last item minus the one before, list by list."""
    at: dict[int, dict[tuple[str, int], float]] = {-1: {}, -2: {}}
    for row in records:
        if row["part"] == "list" and row["k_end"] in at:
            at[row["k_end"]][row["topic"], row["sample"]] = row["entropy"]
    both = [key for key in at[-1] if key in at[-2]]
    if not both:
        what = "no list ended with two items or more"
        raise LabError(f"entropy {condition}", what, "raise sampling.lists")
    changes = np.array([at[-1][key] - at[-2][key] for key in both])
    index = np.array([topics.index(topic) for topic, _ in both], dtype=np.int64)
    sums = statistics.group_sums(changes, index, len(topics))
    counts = statistics.group_sums(np.ones_like(changes), index, len(topics))
    found = Estimate(*map(float, statistics.ratio(sums, counts)))
    return {**bounds(found), "n": len(both)}
