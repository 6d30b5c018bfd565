"""Results about the ends of lists made by hand: what moves them, and entropy as they come near."""

from itertools import product

import pyarrow as pa

from analyses import entropy_conditions, interventions
from tests.figures.tables import TOPICS

LISTS = {
    "unchanged": 2, "long prompt": 4, "logit bias": 5, "steering": 3, "top": 20, "own mean": 2,
    "random": 1,
}  # fmt: skip
"""Items of the first list of the first topic, by intervention."""


def interventions_table(topics: int = 2, samples: int = 2, odd: str = "Paris") -> pa.Table:
    """Lists that begin alike; those of `top` are cut, the random ones go another way from the start.

    Sample s of topic t has s + t items more. `odd` is the first item of each.
    """
    rows: list[dict] = []
    for (name, items), topic, sample in product(LISTS.items(), range(topics), range(samples)):
        count = items + topic + sample
        first = odd if name != "random" else f"{odd} 0"
        lines = [{"text": first if k == 0 else f"item {k}", "kind": "item"} for k in range(count)]
        if name == "top":
            lines[-1]["kind"] = "cut"
        rows.append({
            **_of(name), "part": "list", "topic": TOPICS[topic], "held_out": True,
            "sample": sample, "lines": lines, "items": count - (name == "top"),
            "ended": name != "top",
        })  # fmt: skip
    for place, (name, topic_set) in enumerate(product(LISTS, ("held-out", "all"))):
        share = 0.06 / (1 + place)
        change = {} if name == "unchanged" else {
            "change": 0.5, "change_low": 0.2, "change_high": 2.0 if name == "random" else 0.9,
        }  # fmt: skip
        rows.append({**_of(name), "part": "hazard", "topics": topic_set, "estimate": share,
                     "low": share / 2, "high": share * 2, "n": 48, **change})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema(interventions.SCHEMA))


def _of(name: str) -> dict:
    edits = name in ("steering", "top", "own mean", "random")
    return {
        "intervention": name,
        "site": "resid_post" if edits else None,
        "layer": 28 if edits else None,
    }


def entropy_conditions_table(longest: int = 12) -> pa.Table:
    """Entropy that falls by a tenth from item to item; of the last condition few lists are left."""
    rows: list[dict] = []
    names = ("short-clean", "short-corrupted", "long-clean", "long-corrupted")
    for place, name in enumerate(names):
        for align, k in product(("start", "end"), range(1, longest + 1)):
            value = 2.0 - k / 10 + place / 10
            rows.append({
                "part": "mean", "condition": name, "align": align,
                "k": k if align == "start" else k - longest - 1, "estimate": value,
                "low": value - 0.2, "high": value + 0.2, "n": 40 if place < 3 else 12 - k,
            })  # fmt: skip
        step = 0.2 * (place - 1.5)
        rows.append({"part": "change", "condition": name, "estimate": step, "low": step - 0.15,
                     "high": step + 0.15, "n": 30})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema(entropy_conditions.SCHEMA))
