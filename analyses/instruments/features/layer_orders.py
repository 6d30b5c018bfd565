"""Rules of thumb that say which layers' autoencoders to take, from what was measured before.

Each gives layers a score, the larger the sooner a layer is taken, from topics that are not held out
alone. After block L the stream has passed L + 1 blocks: that is its layer in `logit_lens` and in
`patching resid`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.features.cells import Cells
from analyses.instruments.features.decisions import Decision
from analyses.instruments.features.layer_sets import SITE, Layers
from analyses.lab.saes.saes import Sae

Scores = dict[int, float]
STEEP = 2  # blocks over which the lens's slope is taken
LATE = 0.5  # what patching the end of a list counts: of course it is decided there


def sizes(scores: Mapping[int, float]) -> dict[int, Layers]:
    """The sets of the highest scores, by size; of equal scores the earlier layer comes first."""
    order = sorted(scores, key=lambda layer: (-scores[layer], layer))
    return {size: tuple(sorted(order[:size])) for size in range(1, len(order) + 1)}


def evenly(layers: Layers) -> dict[int, Layers]:
    """The middle one, and then sets that lie as evenly as they can among the layers, by size."""
    n = len(layers)
    return {
        size: tuple(layers[(2 * i + 1) * n // (2 * size)] for i in range(size))
        for size in range(1, n + 1)
    }


def lens_slope(logit_lens: pa.Table, layers: Layers) -> Scores:
    """How fast the lens tells the end of a list apart, in the last `STEEP` blocks, logits a block.

    The size of the change of: contrast at a list's last place − mean of its others, mean over the
    short lists, one a topic, that `patching` reads.
    """
    rows = _rows(logit_lens, part="list", template="short", condition="clean", held_out=False)
    lists: dict[tuple[str, int], dict[int, float]] = {}
    for row in rows:
        lists.setdefault((row["topic"], row["layer"]), {})[row["k_end"]] = row["estimate"]
    gaps: dict[int, list[float]] = {}
    for (_, layer), places in lists.items():
        earlier = [value for k_end, value in places.items() if k_end != -1]
        if earlier and -1 in places:
            gaps.setdefault(layer, []).append(places[-1] - float(np.mean(earlier)))
    found = {}
    for layer in layers:
        after, before = layer + 1, max(0, layer + 1 - STEEP)
        change = np.mean(gaps[after]) - np.mean(gaps[before])
        found[layer] = abs(float(change)) / (after - before)
    return found


def discounted_patching(patching: pa.Table, layers: Layers, depth: int) -> Scores:
    """What restoring the clean stream restores, role by role, less where that says little.

    Σ over roles of |mean change of the metric|, in logits, × (1 − blocks passed / depth): late in
    the network everything is restored; × `LATE` for the deciding token and the last item.
    """
    found = dict.fromkeys(layers, 0.0)
    same = {"part": "role", "template": "short", "wording": "length", "direction": "denoising"}
    sums: dict[tuple[int, str, int | None], float] = {}
    for topics, sign in (("all", 1), ("held-out", -1)):  # what is left is that of other topics
        for row in _rows(patching, **same, topics=topics):
            key = (row["layer"], row["role"], row["k_end"])
            sums[key] = sums.get(key, 0.0) + sign * row["raw"] * row["n"]
    for (passed, _, k_end), total in sums.items():
        if passed - 1 in found:
            weight = (1 - passed / depth) * (LATE if k_end == -1 else 1)
            found[passed - 1] += abs(total) * weight
    return found


def spliced_loss(sae_health: pa.Table, layers: Layers) -> Scores:
    """How little the model loses when an autoencoder's output takes the stream's place, in nats."""
    same = {"site": SITE, "group": "other", "places": "written", "quantity": "loss_change"}
    changes = {row["layer"]: row["estimate"] for row in _rows(sae_health, **same)}
    return {layer: -changes[layer] for layer in layers}


def attributed(sae: Sae, decisions: Sequence[Decision]) -> tuple[Cells, float]:
    """Effects of one autoencoder's features against the corrupted prompt, and Σ|effect| a list.

    The cells have all topics, the sum over tokens and features has those that are not held out.
    """
    cells, mass = Cells(sae.width), 0.0
    for one in decisions:
        found = one.attribute(sae, "corrupted")
        cells.add(one.paired, found)
        if found is not None and not one.paired.held_out:
            mass += float(found.effects.abs().sum())
    return cells, mass / max(1, len(cells.rows("other")))


def _rows(table: pa.Table, **same: object) -> list[dict[str, Any]]:
    for name, value in same.items():
        table = table.filter(pc.equal(table[name], value))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
