"""Which features of each autoencoder move the decision to end most, list by list.

Up to `LISTS` lists a topic and template that ended by themselves, each cut at its deciding token
(`instruments.decided_lists`). One forward and one backward pass a list give every feature's effect
on the study's primary proxy there, against its absence, a · (W_dec · ∂m/∂x), errors kept as
constants (`lab.saes.attribution`: Marks et al. 2024, arXiv:2403.19647); the autoencoders then come
one at a time. What stands at the first position is not counted.

One row a list × autoencoder × feature, of its `TOP` strongest by |effect|:
- template, topic, held_out, sample: the list; site, layer, feature; rank, 1 for the strongest;
- effect: on the contrast, summed over the list's positions, prompt included, in logits;
- activation: summed over the same positions, in the autoencoder's units;
- last: the part of `effect` at the deciding token alone, in logits.

Raises LabError when the study has no SAEs, one of them cannot be had or does not fit, or no list
ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.lab.saes.attribution import Attributions

LISTS = {"short": 5, "long": 2}  # a topic, by template
TOP = 30
SCHEMA = {
    **{"template": pa.string(), "topic": pa.string(), "held_out": pa.bool_()},
    **{"sample": pa.int32(), "site": pa.string()},
    **dict.fromkeys(("layer", "feature", "rank"), pa.int32()),
    **dict.fromkeys(("effect", "activation", "last"), pa.float32()),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Attribute the decision at the end of every list to the features of every autoencoder."""
    _ = lab.model
    from analyses.instruments import sweeps
    from analyses.instruments.decided_lists import decided_lists
    from analyses.instruments.lists import read_lists
    from analyses.lab.saes.attribution import attribute, contrast, traces
    from analyses.lab.saes.saes import open_saes

    # Each is opened once before the long passes: what is wrong with them is said at the start.
    places = [(sae.site, sae.layer) for sae in open_saes(lab)]
    pairs = decided_lists(lab, read_lists(list_samples, lab.study.prompt), LISTS)
    if not pairs:
        what = "no short or long list ended by itself with three items or more"
        raise LabError("list_samples", what, "raise sampling.lists or sampling.max_new_tokens")
    engine = lab.model.blocks
    metric = contrast(engine, sweeps.contrast_of(lab))
    found = [
        traces(engine, one.clean, places, [metric])[0]
        for one in lab.progress(pairs, total=len(pairs), label="gradients")
    ]
    rows: list[Row] = []
    for sae in lab.progress(open_saes(lab), total=len(places), label="autoencoders"):
        place = (sae.site, sae.layer)
        for one, trace in zip(pairs, found, strict=True):
            parts = attribute(sae, trace.streams[place], trace.slopes[place])
            of = {name: getattr(one, name) for name in ("template", "topic", "held_out", "sample")}
            of |= {"site": sae.site, "layer": sae.layer}
            rows += [{**of, **row} for row in strongest(parts, len(one.clean) - 1, TOP)]
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(pairs)} lists, {len({one.topic for one in pairs})} topics",
        units={"effect": "logits", "activation": "activation", "last": "logits"},
        note=f"Effects on logit({proxy.plus!r}) − logit({proxy.minus!r}) at the deciding token; "
        f"the {TOP} strongest of each list and autoencoder. The first position is not counted.",
    )


def strongest(parts: Attributions, last: int, count: int) -> list[Row]:
    """The features of the largest |effect|, summed over positions; ties to the lower index.

    Those without any are left out: after the last block only the deciding token counts.

    Args:
        last: the deciding token's position.
    """
    features, cell = np.unique(parts.features.numpy(), return_inverse=True)
    effects = parts.effects.numpy().astype(np.float64)
    here = parts.positions.numpy() == last
    columns = {
        "effect": np.bincount(cell, effects, len(features)),
        "activation": np.bincount(cell, parts.activations.numpy(), len(features)),
        "last": np.bincount(cell, effects * here, len(features)),
    }
    order = np.lexsort((features, -np.abs(columns["effect"])))
    order = order[columns["effect"][order] != 0][:count]
    return [
        {
            **{"feature": int(features[i]), "rank": rank},
            **{name: float(values[i]) for name, values in columns.items()},
        }
        for rank, i in enumerate(order, 1)
    ]
