"""How uncertain the model is where it may end: entropy of the next token, item by item.

H = −Σ p ln p in nats at temperature 1, after the last token of item k, or with `-break` after the
line break that follows item k; never the two together. Varentropy is Σ p (−ln p − H)². Lists at the
study's temperature, scored under their own prompt (`clean`) and with the length word swapped
(`corrupted`). Malformed lists are left out; the last item of a capped list, being cut, is absent.

A variant's rows: part `list` (one an item: topic, held_out, sample, k, k_end, entropy, varentropy)
and part `mean` (align `start` or `end`, k from that side, quantity, estimate with interval, n
lists). Lists have different lengths: what is past an end is absent, never zero, and only lists that
ended are aligned from the end. `compare` holds the means of all, with their `condition`. `swap` has
the means of corrupted − clean, token by token of the same lists, with the template as `condition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.roles import CAPPED
from analyses.lab.core import statistics
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

VARIANTS = (
    "short-clean",
    "short-corrupted",
    "long-clean",
    "long-corrupted",
    "none-clean",
    "compare",
    "swap",
    "short-clean-break",
    "short-corrupted-break",
    "long-clean-break",
    "long-corrupted-break",
    "none-clean-break",
    "compare-break",
    "swap-break",
)
QUANTITIES = ("entropy", "varentropy")
SCHEMA = {
    "part": pa.string(),
    "condition": pa.string(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "k": pa.int32(),
    "k_end": pa.int32(),
    "align": pa.string(),
    "quantity": pa.string(),
    "entropy": pa.float32(),
    "varentropy": pa.float32(),
    "estimate": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, token_scores: pa.Table, list_statistics: pa.Table, *, variant: str) -> pa.Table:
    """Gather the items' entropies of one condition, or the means of all."""
    name = variant.removesuffix("-break")
    at_break = variant != name
    topics = list(lab.study.topics.names)
    usual = lab.study.sampling.temperature
    scores = token_scores.filter(pc.field("temperature") == usual)
    usable = _usable(list_statistics, usual)
    if name == "compare":
        names = [one.removesuffix("-break") for one in VARIANTS if one.endswith("-break")]
        conditions = [one for one in names if one not in ("compare", "swap")]
    else:
        conditions = ["short", "long"] if name == "swap" else [name]
    rows: list[Row] = []
    lists = 0
    for condition in conditions:
        if name == "swap":
            cells = _swapped(scores, condition, at_break, usable)
        else:
            cells = _cells(scores, condition, at_break, usable)
        lists += len({(cell["topic"], cell["sample"]) for cell in cells})
        means = _means(cells, topics)
        if name in ("compare", "swap"):
            rows += [{**row, "condition": condition} for row in means]
        else:
            rows += [*({**cell, "part": "list"} for cell in cells), *means]
    where = "line breaks after items" if at_break else "last tokens of items"
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{lists:,} {'scored ' if name == 'compare' else ''}lists, {len(topics)} topics",
        interval=statistics.said("topics"),
        units={"entropy": "nats", "varentropy": "nats²"},
        note=f"At the {where}. Malformed lists and items that the budget cut are left out.",
    )


def _usable(list_statistics: pa.Table, temperature: float) -> set[tuple[str, str, int]]:
    rows = list_statistics.filter(
        (pc.field("temperature") == temperature) & pc.field("reason").isin(["", CAPPED])
    ).select(["template", "topic", "sample"])
    return {(row["template"], row["topic"], row["sample"]) for row in rows.to_pylist()}


def _cells(
    scores: pa.Table, condition: str, at_break: bool, usable: set[tuple[str, str, int]]
) -> list[Row]:
    """One row an item of a condition's lists, in the order of the table."""
    template, prompt = condition.split("-")
    is_place = (
        pc.field("role") == "break"
        if at_break
        else (pc.field("role") == "item") & pc.field("part").isin(["last", "only"])
    )
    chosen = scores.filter(
        (pc.field("template") == template) & (pc.field("condition") == prompt) & is_place
    )
    names = ["topic", "held_out", "sample", "k", "k_end", *QUANTITIES]
    return [
        row
        for row in chosen.select(names).to_pylist()
        if (template, row["topic"], row["sample"]) in usable
    ]


def _swapped(
    scores: pa.Table, template: str, at_break: bool, usable: set[tuple[str, str, int]]
) -> list[Row]:
    """One row an item: what the other length word adds, at the same token of the same list."""
    clean = _cells(scores, f"{template}-clean", at_break, usable)
    corrupted = _cells(scores, f"{template}-corrupted", at_break, usable)
    place = ("topic", "sample", "k", "k_end")
    for one, other in zip(clean, corrupted, strict=True):
        assert [one[name] for name in place] == [other[name] for name in place]
    return [
        {**one, **{name: other[name] - one[name] for name in QUANTITIES}}
        for one, other in zip(clean, corrupted, strict=True)
    ]


def _means(cells: list[Row], topics: list[str]) -> Iterator[Row]:
    """Mean over lists at each item, aligned from either side."""
    for align, key in (("start", "k"), ("end", "k_end")):
        there = [cell for cell in cells if cell[key] is not None]
        if not there:
            continue
        order = sorted({cell[key] for cell in there})
        place = {k: i for i, k in enumerate(order)}
        index = (
            np.array([topics.index(cell["topic"]) for cell in there]),
            np.array([place[cell[key]] for cell in there]),
        )
        counts = np.zeros((len(topics), len(order)))
        np.add.at(counts, index, 1)
        for quantity in QUANTITIES:
            sums = np.zeros_like(counts)
            np.add.at(sums, index, [cell[quantity] for cell in there])
            found = statistics.ratio(sums, counts)
            for i, k in enumerate(order):
                value, low, high = (float(part[i]) for part in found)
                of = {"part": "mean", "align": align, "k": k, "quantity": quantity}
                yield {
                    **of,
                    "estimate": value,
                    "low": low,
                    "high": high,
                    "n": int(counts[:, i].sum()),
                }
