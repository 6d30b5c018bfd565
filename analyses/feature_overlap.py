"""Whether lists of one topic end through the same features, more than lists of different topics.

A short list's set is the union of the `STRONGEST` features of each autoencoder by their |effect| on
the decision to end (`list_features`). Two lists share |A ∩ B| / |A ∪ B| of them (Jaccard's index);
a list is never compared with itself. Rows by `part`:
- `pair`: topic and other_topic, held_out and other_held_out; `estimate`: the mean over the `n`
  pairs of one list of each, null where there is none.
- `mean`: `quantity` is `within` (pairs of lists of one topic), `between` (of different topics), or
  their `difference`, each with a 95 % interval over topics; n pairs, of the difference n
  lists. The difference has a null: topics dealt anew to the lists, `PERMUTATIONS` times;
  `null_low`, `null_high` hold 95 % of its differences, `null_mean` is their mean, and `p` the share
  of deals, the real one counted among them, that differ at least as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of

if TYPE_CHECKING:
    from analyses.lab.runtime.lab import Lab

VARIANTS = ("topics",)
STRONGEST = 10
PERMUTATIONS = 2000
BOUNDS = ("estimate", "low", "high")
SCHEMA = {
    **dict.fromkeys(("part", "quantity", "topic", "other_topic"), pa.string()),
    **dict.fromkeys(("held_out", "other_held_out"), pa.bool_()),
    **dict.fromkeys((*BOUNDS, "p", "null_low", "null_mean", "null_high"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]
Ints = NDArray[np.int64]


def run(lab: Lab, list_features: pa.Table, *, variant: str = "topics") -> pa.Table:  # noqa: ARG001
    """Compare the strongest features of every two lists."""
    sets: dict[tuple[str, int], set[tuple[str, int, int]]] = {}
    for row in list_features.to_pylist():
        if row["template"] == "short":
            mine = sets.setdefault((row["topic"], row["sample"]), set())
            if row["rank"] <= STRONGEST:
                mine.add((row["site"], row["layer"], row["feature"]))
    there = {topic for topic, _ in sets}
    topics = [topic for topic in lab.study.topics.names if topic in there]
    groups = np.array([topics.index(topic) for topic, _ in sets], dtype=np.int64)
    shared = np.array([[jaccard(one, other) for other in sets.values()] for one in sets.values()])
    held_out = set(lab.study.topics.held_out)
    rows = list(_pairs(topics, held_out, *sums_by_topic(shared, groups, len(topics))))
    rows += _means(shared, groups, len(topics), lab.study.bootstrap.seed)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(sets)} lists, {len(topics)} topics",
        interval=statistics.said("topics"),
        units={"estimate": "Jaccard index"},
        note=f"The {STRONGEST} strongest features of each autoencoder; a list is not compared with "
        f"itself. Null: topics dealt anew to the lists {PERMUTATIONS:,} times.",
    )


def jaccard(one: set[Any], other: set[Any]) -> float:
    """|A ∩ B| / |A ∪ B|; 0 for two empty sets."""
    return len(one & other) / (len(one | other) or 1)


def sums_by_topic(shared: Floats, groups: Ints, count: int) -> tuple[Floats, Floats]:
    """Sums over pairs of different lists and how many, [topics, topics] each; a pair is met twice.

    Args:
        shared: [lists, lists].
        groups: topic of each list.
    """
    of = np.eye(count)[groups]
    apart = 1 - np.eye(len(groups))
    return of.T @ (shared * apart) @ of, of.T @ apart @ of


def _pairs(topics: list[str], held_out: set[str], sums: Floats, pairs: Floats) -> Iterator[Row]:
    for i, topic in enumerate(topics):
        for j, other in enumerate(topics):
            yield {
                **{"part": "pair", "topic": topic, "other_topic": other},
                **{"held_out": topic in held_out, "other_held_out": other in held_out},
                "estimate": sums[i, j] / pairs[i, j] if pairs[i, j] else None,
                "n": int(pairs[i, j] // (2 if i == j else 1)),
            }


def _means(shared: Floats, groups: Ints, count: int, seed: int) -> Iterator[Row]:
    """Within, between, and their difference with its null."""
    sums, pairs = sums_by_topic(shared, groups, count)
    weights = np.concatenate((np.ones((1, count)), statistics.leave_one_out(count)))
    own = np.trace(pairs) / 2
    counts = {"within": own, "between": pairs.sum() / 2 - own, "difference": len(groups)}
    for quantity, values in _kinds(sums, pairs, weights).items():
        bounds = (values[0], *statistics.interval(values[0], values[1:], count))
        row = {name: float(value) for name, value in zip(BOUNDS, bounds, strict=True)}
        if quantity == "difference" and np.isfinite(values[0]):
            row |= _null(shared, groups, count, float(values[0]), seed)
        yield {"part": "mean", "quantity": quantity, **row, "n": int(counts[quantity])}


def _kinds(sums: Floats, pairs: Floats, weights: Floats) -> dict[str, Floats]:
    """Means over pairs for each weighting of the topics, [draws]; none is compared with itself."""
    within, between = [], []
    for values in (sums, pairs):
        within.append(weights @ np.diag(values))
        between.append(((weights @ (values - np.diag(np.diag(values)))) * weights).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"within": within[0] / within[1], "between": between[0] / between[1]}
    return {**found, "difference": found["within"] - found["between"]}


def _null(shared: Floats, groups: Ints, count: int, difference: float, seed: int) -> Row:
    """Differences when the topics are dealt anew to the lists."""
    rng, once = np.random.default_rng(seed), np.ones((1, count))
    values = np.array(
        [
            _kinds(*sums_by_topic(shared, rng.permutation(groups), count), once)["difference"][0]
            for _ in range(PERMUTATIONS)
        ]
    )
    low, high = statistics.middle(values)
    # Sums in another order differ in their last digits.
    as_far = int((values >= difference - 1e-12).sum())
    return {
        **{"null_low": float(low), "null_high": float(high), "null_mean": float(values.mean())},
        "p": (1 + as_far) / (1 + PERMUTATIONS),
    }
