"""How often each feature is among the strongest of a list, topic by topic.

A feature is present in a short list if it is among the `STRONGEST` of its autoencoder by its
|effect| on the decision to end (`list_features`). Shown are the `SHOWN` features that are present
most, as the mean share over topics that are not held out.

One row a topic × feature: name, site, layer, feature; `order`: by autoencoder, then by presence;
topic, held_out; `estimate`: share of the topic's `n` lists; `overall`: the mean share that the
feature was chosen by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from analyses.instruments.features.cards import name_of, places
from analyses.lab.core.table import labelled, table_of

if TYPE_CHECKING:
    from analyses.lab.runtime.lab import Lab

STRONGEST = 10
SHOWN = 40
SCHEMA = {
    **{"name": pa.string(), "site": pa.string(), "layer": pa.int32(), "feature": pa.int32()},
    **{"order": pa.int32(), "topic": pa.string(), "held_out": pa.bool_()},
    **{"estimate": pa.float32(), "n": pa.int32(), "overall": pa.float32()},
}
Feature = tuple[str, int, int]  # site, layer, index


def run(lab: Lab, list_features: pa.Table) -> pa.Table:
    """Count in how many lists of each topic a feature is among the strongest."""
    held_out = set(lab.study.topics.held_out)
    lists: dict[str, set[int]] = {}
    present: dict[Feature, dict[str, int]] = {}
    for row in list_features.to_pylist():
        if row["template"] == "short":
            lists.setdefault(row["topic"], set()).add(row["sample"])
            if row["rank"] <= STRONGEST:
                counts = present.setdefault((row["site"], row["layer"], row["feature"]), {})
                counts[row["topic"]] = counts.get(row["topic"], 0) + 1
    topics = [topic for topic in lab.study.topics.names if topic in lists]
    others = [topic for topic in topics if topic not in held_out]

    def overall(feature: Feature) -> float:
        shares = [present[feature].get(topic, 0) / len(lists[topic]) for topic in others]
        return sum(shares) / (len(shares) or 1)

    shown = sorted(present, key=lambda one: (-overall(one), one))[:SHOWN]
    place = {of: i for i, of in enumerate(places(list_features))}
    shown.sort(key=lambda one: (place[one[:2]], -overall(one), one[2]))
    rows = [
        {
            **{"name": name_of(*one), "site": one[0], "layer": one[1], "feature": one[2]},
            **{"order": order, "topic": topic, "held_out": topic in held_out},
            "estimate": present[one].get(topic, 0) / len(lists[topic]),
            **{"n": len(lists[topic]), "overall": overall(one)},
        }
        for order, one in enumerate(shown)
        for topic in topics
    ]
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{sum(len(samples) for samples in lists.values())} lists, {len(topics)} topics",
        units={"estimate": "share of lists", "overall": "share of lists"},
        note=f"Present: among the {STRONGEST} features of its autoencoder with the largest effect "
        f"on the decision to end. The {SHOWN} most present on topics that are not held out.",
    )
