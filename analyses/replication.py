"""What another study chose, tested on this study's topics: nothing is chosen here.

The study names that study's result `choices fixed` under `[[chosen]]`: heads, features, directions
and edits are read from it. All rows are of held-out topics, and have the columns and the meaning of
the measurement of that study that they repeat, so that one test reads both.

    heads     as `path_patching`: part `set` (heads patched together, all behind them follows),
              `edge` (what one head tells another, or the decision), `path` (along these edges
              alone); shares of what the length word changes, denoising and noising.
    features  as `feature_baselines`, for the `LAST` autoencoders of the network: part `share` (a
              change at the deciding token takes away so much of the word's effect), `difference`
              of two, `activation`; as `attribution logit-difference`: part `feature`, the
              gradient's effect of the feature at the deciding token and its `rank` among all
              features there. The mean direction is that of the other study's topics; random
              directions have a seed of their own.
    edits     as `ablation by-layer`: lists drawn from the short prompt under each edit at the last
              autoencoder, and under what it is held beside, `LISTS` a topic.

Intervals are 95 % over topics. Raises LabError when the study names no choices.
"""

from __future__ import annotations

import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

VARIANTS = ("heads", "features", "edits")


def run(lab: Lab, list_samples: pa.Table, *, variant: str) -> pa.Table:
    """Measure what was chosen on held-out topics."""
    _ = lab.model
    from analyses.instruments.lists import read_lists
    from analyses.instruments.replication import choices, edits, features, heads

    chosen = choices.read(lab)
    lists = read_lists(list_samples, lab.study.prompt)
    if variant == "heads":
        table = table_of(heads.rows(lab, lists, chosen.path), heads.SCHEMA)
    elif variant == "features":
        table = table_of(features.rows(lab, lists, chosen), features.SCHEMA)
    else:
        table = table_of(edits.rows(lab, chosen), edits.SCHEMA)
    return labelled(
        table,
        n=f"{max(table['n'].to_pylist())} lists, {len(lab.study.topics.held_out)} topics",
        interval=statistics.said("topics"),
        units={"raw": "logits"} if "raw" in table.column_names else {},
        note="Heads, features, directions and edits are those of the other study; none was chosen "
        "on these topics.",
    )
