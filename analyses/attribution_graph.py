"""The features that decide as a graph: what taking one out takes from a later one or from the end.

Reads `attribution` (`logit-difference`, `cross-layer`) and `feature_baselines`; nothing is run. One
row an edge, on short lists; `from` is a `feature`, the `error` of a layer's autoencoder, or the
`direction` between the two prompts' mean streams. site, layer, role, k_end and feature say where it
starts, `to_` the same where it ends; without `to_feature` that is the decision.

`method` says how it was found, and `unit` what `estimate` counts:
- `removed` (feature): the feature is really set to zero at a role, in held-out lists; `estimate`
  is what the later feature's pre-activation (`activation`), or the contrast of the decision
  (`logits`), loses. Only the strongest causes by gradient were taken out: an edge that is missing
  may exist. fires counts the lists in which it was active, of n; there is no interval.
- `gradient` (error): activation × gradient of a layer's whole error, over all topics, with its
  interval; an error was never taken out.
- `exchanged` (direction, and the feature of each layer that leads): its value is that of the same
  list under the other prompt, held-out topics; `estimate` is a `share` of what the word changes.
`share` is an estimate in units of activation over the later feature's mean activation there, on
held-out topics: 1 is all of it. Effects of several causes need not add up.

Raises LabError when the inputs have no later feature, or no effect of one that was taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

PLACE = ("site", "layer", "role", "k_end", "feature")
TYPES = (pa.string(), pa.int32(), pa.string(), pa.int32(), pa.int32())
SCHEMA = {
    **dict.fromkeys(("from", "method", "unit"), pa.string()),
    **dict(zip(PLACE, TYPES, strict=True)),
    **{f"to_{name}": kind for name, kind in zip(PLACE, TYPES, strict=True)},
    **dict.fromkeys(("estimate", "low", "high", "share"), pa.float64()),
    **{"fires": pa.int32(), "n": pa.int32()},
}
TEMPLATE, HELD_OUT = "short", "held-out"
Row = dict[str, Any]


def run(
    lab: Lab,
    attribution__logit_difference: pa.Table,
    attribution__cross_layer: pa.Table,
    feature_baselines: pa.Table,
) -> pa.Table:
    """Gather the edges."""
    links = _of_lists(attribution__cross_layer)
    decision = _of_lists(attribution__logit_difference)
    activation = {
        tuple(row[name] for name in PLACE): row["activation"]
        for row in links
        if row["part"] == "feature" and row["to_feature"] is None and row["topics"] == HELD_OUT
    }
    edges = [*_edges(links, "activation"), *_edges(decision, "logits")]
    if not activation or not any(edge["method"] == "removed" for edge in edges):
        what = "there is no later feature of which a cause was taken out"
        raise LabError("attribution cross-layer", what, "run `build-site run attribution`")
    for edge in edges:
        whole = activation.get(tuple(edge[f"to_{name}"] for name in PLACE))
        edge["share"] = edge["estimate"] / whole if whole else None
    edges += _exchanged(feature_baselines)
    removed = sum(edge["method"] == "removed" for edge in edges)
    topics = len(lab.study.topics.held_out)
    return labelled(
        table_of(edges, SCHEMA),
        n=f"{removed:,} effects of taking a feature out, on {topics} held-out topics",
        interval=f"{statistics.said('topics')}, where there is one",
        units={"share": "of the later feature's mean activation"},
        note="Causes were taken out if the gradient puts them among the strongest.",
    )


def _of_lists(table: pa.Table) -> list[Row]:
    """Effects of what is there, against nothing, on short lists."""
    return [
        row for row in table.to_pylist() if row["template"] == TEMPLATE and row["against"] == "zero"
    ]


def _edges(rows: list[Row], unit: str) -> Iterator[Row]:
    for row in rows:
        about = {name: row[name] for name in (*PLACE, *(f"to_{name}" for name in PLACE))}
        if row["part"] == "check" and row["group"] == "top":
            kept = {"estimate": row["measured"], "fires": row["fires"], "n": row["n"]}
            yield {"from": "feature", "method": "removed", "unit": unit, **about, **kept}
        elif row["part"] == "sum" and row["quantity"] == "error" and row["role"] is None:
            kept = {name: row[name] for name in ("estimate", "low", "high", "n")}
            yield {"from": "error", "method": "gradient", "unit": unit, **about, **kept}


def _exchanged(feature_baselines: pa.Table) -> Iterator[Row]:
    """What the leading feature of a layer does, and what the direction does without it."""
    named = {"exchanged": "feature", "mean direction": "direction"}
    for row in feature_baselines.to_pylist():
        is_share = row["part"] == "share" and row["topics"] == HELD_OUT
        if is_share and row["change"] in named:
            kept = {name: row[name] for name in ("site", "layer", "estimate", "low", "high", "n")}
            source = named[row["change"]]
            feature = row["feature"] if source == "feature" else None
            yield {"from": source, "method": "exchanged", "unit": "share", **kept,
                   "feature": feature, "role": "deciding", "k_end": -1}  # fmt: skip
