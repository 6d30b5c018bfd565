"""Both proxies of ending, token by token in single lists, and item by item over all of them.

The logit differences of `token_scores`, after each token, under the prompt as sampled (clean) and
with the length word swapped (corrupted), at the study's temperature.

Variant `example`: every token of one list a topic and template, the one that `patching` reads:
template, topic, held_out, sample, condition, position, token, role, k, k_end, `deciding` (whether
the list could have ended there, by the study's primary proxy), proxy_a, proxy_b.
Variant `mean`: the proxies where they decide: template, condition, proxy, `align` (start or end),
item k from that side, estimate with its interval over topics, n lists. Malformed lists are left
out; only lists that ended are aligned from the end. Units: logits.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.lists import read_lists
from analyses.lab.core import statistics
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

VARIANTS = ("example", "mean")
FARTHEST = 20  # items from either side
SIDES = {"start": "k", "end": "k_end"}
COLUMNS = ["template", "topic", "held_out", "sample", "condition", "position", "token", "role"]
COLUMNS += ["k", "k_end", "proxy_a", "proxy_b"]
MEANS = {
    **dict.fromkeys(("template", "condition", "proxy", "align"), pa.string()),
    "k": pa.int32(),
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
    "n": pa.int32(),
}


def run(lab: Lab, list_samples: pa.Table, token_scores: pa.Table, *, variant: str) -> pa.Table:
    """Choose the lists and gather their proxies."""
    usual = pc.field("temperature") == lab.study.sampling.temperature
    paired = pc.field("template").isin(["short", "long"])
    samples, scores = (table.filter(usual & paired) for table in (list_samples, token_scores))
    decision = lab.study.decision
    said = ", ".join(
        f"{name[-1].upper()}: {one.plus!r} − {one.minus!r}, deciding at {one.at}"
        for name, one in (("proxy_a", decision.proxy_a), ("proxy_b", decision.proxy_b))
    )
    if variant == "example":
        table = _example(lab, samples, scores)
        lists = table.group_by(["template", "topic"]).aggregate([]).num_rows
        return labelled(
            table,
            n=f"{lists} lists, {len(lab.study.topics.names)} topics",
            units={"proxy_a": "logits", "proxy_b": "logits"},
            note=f"Proxy {said}.",
        )
    return labelled(
        table_of(_means(lab, samples, scores), MEANS),
        n=f"{_usable(lab, samples):,} lists, {len(lab.study.topics.names)} topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("estimate", "low", "high"), "logits"),
        note=f"Proxy {said}.",
    )


def _deciding(scores: pa.Table, at: str) -> pa.Array:
    """Whether the list could have ended after each token."""
    if at == "break":
        return pc.equal(scores["role"], "break")
    last = pc.is_in(scores["part"], pa.array(["last", "only"]))
    return pc.and_(pc.equal(scores["role"], "item"), last)


def _example(lab: Lab, samples: pa.Table, scores: pa.Table) -> pa.Table:
    _ = lab.model  # finds the same lists as patching
    from analyses.instruments.paired_lists import paired_lists

    lists = read_lists(samples, lab.study.prompt)
    chosen = [
        f"{template} {one.topic} {one.sample}"
        for template in ("short", "long")
        for one in paired_lists(lab, lists, template, "length")
    ]
    names = [scores["template"], scores["topic"], pc.cast(scores["sample"], pa.string())]
    named = pc.binary_join_element_wise(*names, " ")
    mine = scores.filter(pc.is_in(named, pa.array(chosen)))
    primary = getattr(lab.study.decision, lab.study.decision.primary)
    columns = {name: mine[name] for name in COLUMNS}
    columns |= {name: pc.round(mine[name], 3) for name in ("proxy_a", "proxy_b")}
    return pa.table({**columns, "deciding": _deciding(mine, primary.at)})


def _usable(lab: Lab, samples: pa.Table) -> int:
    return sum(not one.malformed for one in read_lists(samples, lab.study.prompt))


def _means(lab: Lab, samples: pa.Table, scores: pa.Table) -> list[dict[str, Any]]:
    topics = list(lab.study.topics.names)
    malformed = {
        (one.key["template"], one.key["topic"], one.key["sample"])
        for one in read_lists(samples, lab.study.prompt)
        if one.malformed
    }
    rows: list[dict[str, Any]] = []
    for proxy, template in product(("proxy_a", "proxy_b"), ("short", "long")):
        places = scores.filter(
            pc.and_(
                _deciding(scores, getattr(lab.study.decision, proxy).at),
                pc.equal(scores["template"], template),
            )
        )
        names = ["condition", "topic", "sample", "k", "k_end", proxy]
        cells = [
            cell
            for cell in places.select(names).to_pylist()
            if (template, cell["topic"], cell["sample"]) not in malformed
        ]
        for condition, (align, key) in product(("clean", "corrupted"), SIDES.items()):
            sums = np.zeros((len(topics), FARTHEST))
            counts = np.zeros_like(sums)
            for cell in cells:
                k = cell[key]
                if cell["condition"] == condition and k is not None and abs(k) <= FARTHEST:
                    sums[topics.index(cell["topic"]), abs(k) - 1] += cell[proxy]
                    counts[topics.index(cell["topic"]), abs(k) - 1] += 1
            value, low, high = statistics.ratio(sums, counts)
            rows += [
                {
                    **{"template": template, "condition": condition, "proxy": proxy},
                    **{"align": align, "k": (k + 1) if align == "start" else -(k + 1)},
                    **{"estimate": value[k], "low": low[k], "high": high[k]},
                    "n": int(counts[:, k].sum()),
                }
                for k in np.flatnonzero(counts.sum(0)).tolist()
            ]
    return rows
