"""Which features fire on the same lists, and which lists are written with the same features.

Each short list of `feature_activation` × feature with a card: the mean activation over the list's
own tokens (prompt left out, own length word), divided by the feature's largest. Both sides are
clustered (`lab.saes.clusters`: average linkage, 1 − correlation). Rows by `part`:
- `cell`: name, site, layer, feature; topic, held_out, sample; `value`, 0 … 1; `raw`, in the
  autoencoder's units; `x`, `y`: places of the list and of the feature in their orders, from 0.
- `link`: `side` is `lists` or `features`; four points of the dendrogram: `across`, in places, and
  `height`, a distance.
- `fit`: `estimate` is the side's cophenetic correlation, over n leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.features.values import read_activations, read_cards
from analyses.lab.core.table import labelled, table_of
from analyses.lab.saes.clusters import clustered

if TYPE_CHECKING:
    from analyses.lab.runtime.lab import Lab
    from analyses.lab.saes.clusters import Clusters

SCHEMA = {
    **dict.fromkeys(("part", "name", "site"), pa.string()),
    **{"layer": pa.int32(), "feature": pa.int32()},
    **{"topic": pa.string(), "held_out": pa.bool_(), "sample": pa.int32()},
    **dict.fromkeys(("value", "raw"), pa.float32()),
    **{"x": pa.int32(), "y": pa.int32(), "side": pa.string(), "link": pa.int32()},
    **dict.fromkeys(("across", "height"), pa.list_(pa.float32())),
    **{"estimate": pa.float32(), "n": pa.int32()},
}
Row = dict[str, Any]


def run(lab: Lab, feature_activation: pa.Table) -> pa.Table:  # noqa: ARG001
    """Cluster features by lists and lists by features."""
    found, lists = read_cards(feature_activation), read_activations(feature_activation, "short")
    raw = np.array([one.clean[one.start :].mean(0) for one in lists]).T  # [features, lists]
    largest = raw.max(1, keepdims=True)
    value = np.divide(raw, largest, out=np.zeros_like(raw), where=largest > 0)
    sides = {"features": clustered(value), "lists": clustered(value.T)}
    y, x = (np.argsort(side.order) for side in sides.values())
    rows: list[Row] = [
        {
            **{"part": "cell", "name": card.name, "site": card.site, "layer": card.layer},
            **{"feature": card.feature, "topic": one.topic, "held_out": one.held_out},
            **{"sample": one.key[2], "value": value[i, j], "raw": raw[i, j]},
            **{"x": int(x[j]), "y": int(y[i])},
        }
        for i, card in enumerate(found)
        for j, one in enumerate(lists)
    ]
    rows += [row for side, tree in sides.items() for row in _tree(side, tree)]
    fits = " and ".join(f"{tree.cophenetic:.2f} ({side})" for side, tree in sides.items())
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(found)} features, {len(lists)} lists, {len({one.topic for one in lists})} topics",
        units={"value": "of the feature's largest", "raw": "activation", "height": "1 − r"},
        note=f"Average linkage over 1 − correlation; cophenetic correlation {fits}.",
    )


def _tree(side: str, tree: Clusters) -> Iterator[Row]:
    for link, (across, height) in enumerate(zip(tree.across, tree.height, strict=True)):
        yield {"part": "link", "side": side, "link": link, "across": across, "height": height}
    fit = tree.cophenetic if np.isfinite(tree.cophenetic) else None
    yield {"part": "fit", "side": side, "estimate": fit, "n": len(tree.order)}
