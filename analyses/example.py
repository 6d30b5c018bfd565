"""Single lists as strips of tokens: what `token_scores` says, for a reader to pick through.

The first lists of every topic and length word at the study's temperature, clean and corrupted,
rounded to three decimals. Columns as in `token_scores`.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from analyses.lab.core.table import labelled
from analyses.lab.runtime.lab import Lab

SAMPLES = 3  # lists of a topic that can be picked
COLUMNS = ["template", "topic", "sample", "condition", "position", "token", "role", "k", "k_end"]
VALUES = ["probability", "entropy", "proxy_a", "proxy_b"]


def run(lab: Lab, token_scores: pa.Table) -> pa.Table:
    """Choose the lists and drop what a strip does not show."""
    paired = token_scores.filter(pc.field("condition") == "corrupted")
    templates = pc.unique(paired["template"])
    chosen = token_scores.filter(
        (pc.field("temperature") == lab.study.sampling.temperature)
        & (pc.field("sample") < SAMPLES)
        & pc.field("template").isin(templates)
    )
    columns = {name: chosen[name] for name in COLUMNS}
    columns |= {name: pc.round(chosen[name], 3) for name in VALUES}
    topics = len(lab.study.topics.names)
    per_topic = min(SAMPLES, lab.study.sampling.lists) * len(templates)
    return labelled(
        pa.table(columns),
        n=f"{topics * per_topic} lists, {topics} topics",
        units={"entropy": "nats", "proxy_a": "logits", "proxy_b": "logits"},
        note="The first lists of each topic.",
    )
