"""Where in the layers the decision to end surfaces: the logit lens wherever a list could end.

The difference of two logits as if the model stopped after each block (`lab.model.lens`), at each
place where the list could have ended: the last token of an item, or the line break after it, as the
study says of each proxy. Variant `end-hyphen` is the study's proxy A, `blank-break` its proxy B;
the labels say which tokens they contrast. Layer 0 is the embedding, the last layer the model's own
difference. Malformed lists are left out; only lists that ended are aligned from the end.

Rows by `part`:
- `mean`: mean over lists at item k from the `align`ed side, by layer and condition, interval over
  topics, n lists.
- `separation`: by layer, `last-earlier` (the last place of a list minus the mean of its others) and
  `clean-corrupted` (at the last place), mean over ended lists.
- `list`: one list a topic and template, the one that `patching` reads; k and k_end are its items.
Variant `by-temperature`: both proxies under the prompt as sampled, by temperature: part `mean` at
k −1 (`align` end) and `separation` `last-earlier`; `difference`: that separation minus the one at
the study's own temperature, with the interval of the difference. The lens should be split by
temperature where that excludes 0.
Units: logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.lists import WrittenList, read_lists
from analyses.lab.core import left_out, statistics
from analyses.lab.core.left_out import LeftOut
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.readings import Read

VARIANTS = ("end-hyphen", "blank-break", "by-temperature")
PROXIES = {"end-hyphen": ("proxy_a",), "blank-break": ("proxy_b",)}
FARTHEST = 20  # items from either side
SCHEMA = {
    **dict.fromkeys(("part", "proxy", "template", "condition"), pa.string()),
    **{"temperature": pa.float64(), "topic": pa.string(), "held_out": pa.bool_()},
    **{"sample": pa.int32(), "layer": pa.int32(), "align": pa.string(), "k": pa.int32()},
    **{"k_end": pa.int32(), "quantity": pa.string()},
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, *, variant: str) -> pa.Table:
    """Read all lists through the lens."""
    model, study = lab.model, lab.study
    from analyses.instruments.readings import read

    proxies = PROXIES.get(variant, ("proxy_a", "proxy_b"))
    swept = variant == "by-temperature"
    usual, sweep = study.sampling.temperature, study.sampling.sweep
    lists = [
        one
        for one in read_lists(list_samples, study.prompt)
        if not one.malformed
        and (
            one.key["template"] == sweep.template
            if swept
            else one.group in (("short", usual), ("long", usual))
        )
    ]
    reads = list(read(lab, lists, proxies, both=not swept))
    topics = len(study.topics.names)
    rows: list[Row] = []
    groups: dict[tuple[Any, ...], list[Read]] = {}
    for one in reads:
        names = ("proxy", "template", "condition", "temperature")
        groups.setdefault(tuple(one.key[name] for name in names), []).append(one)
    found: dict[tuple[Any, ...], LeftOut] = {}
    for key, group in groups.items():
        of = dict(zip(("proxy", "template", "condition", "temperature"), key, strict=True))
        rows += [{**of, **row} for row in _means(group, topics, only_last=swept)]
        gaps = {"last-earlier": _last_minus_earlier(group)}
        if key[2] == "corrupted":
            clean = groups[(*key[:2], "clean", key[3])]
            gaps["clean-corrupted"] = _clean_minus_corrupted(clean, group)
        for quantity, values in gaps.items():
            if values:  # lists of this kind ended
                gap = _gap(values, topics)
                rows += [{**of, **r} for r in _by_layer("separation", quantity, gap, len(values))]
                if quantity == "last-earlier":
                    found[key] = gap
    if swept:
        rows += _differences(found, usual)
    else:
        rows += _examples(lab, lists, reads)
    contrasts = [getattr(study.decision, proxy) for proxy in proxies]
    said = ", ".join(
        f"{proxy[-1].upper()}: {one.plus!r} − {one.minus!r} at the {_place(one.at)}"
        for proxy, one in zip(proxies, contrasts, strict=True)
    )
    cap = getattr(model.network.config, "final_logit_softcapping", None)
    capping = f"soft-capped at {cap:g} at every layer" if cap else "no soft-capping"
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(lists):,} lists, {len(study.topics.names)} topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("estimate", "low", "high"), "logits"),
        note=f"Proxy {said}; {capping}.",
    )


def _place(at: str) -> str:
    return "line break after an item" if at == "break" else "last token of an item"


def _means(reads: Sequence[Read], topics: int, *, only_last: bool) -> Iterator[Row]:
    """Mean over lists by layer and item, aligned from either side."""
    layers = len(reads[0].values)
    for align in ("end",) if only_last else ("start", "end"):
        sums = np.zeros((topics, layers, FARTHEST))
        counts = np.zeros((topics, 1, FARTHEST))
        for one in reads:
            if align == "end" and not one.ended:
                continue
            for column, k in enumerate(one.items if align == "start" else one.ends):
                if abs(k) <= (1 if only_last else FARTHEST):
                    sums[one.topic, :, abs(k) - 1] += one.values[:, column]
                    counts[one.topic, 0, abs(k) - 1] += 1
        value, low, high = statistics.ratio(sums, counts)
        for place in np.flatnonzero(counts.sum((0, 1))):
            for layer in range(layers):
                yield {
                    **{"part": "mean", "align": align, "layer": layer},
                    "k": int(place) + 1 if align == "start" else -int(place) - 1,
                    **{"estimate": value[layer, place], "low": low[layer, place]},
                    **{"high": high[layer, place], "n": int(counts[:, 0, place].sum())},
                }


def _last_minus_earlier(reads: Sequence[Read]) -> list[tuple[int, Floats]]:
    """By ended list with two places or more: topic, and a value a layer."""
    return [
        (one.topic, one.values[:, -1] - one.values[:, :-1].mean(1))
        for one in reads
        if one.ended and len(one.items) > 1
    ]


def _clean_minus_corrupted(
    clean: Sequence[Read], corrupted: Sequence[Read]
) -> list[tuple[int, Floats]]:
    """By ended list, at its last place."""
    both = zip(clean, corrupted, strict=True)
    return [(a.topic, a.values[:, -1] - b.values[:, -1]) for a, b in both if a.ended]


def _gap(gaps: Sequence[tuple[int, Floats]], topics: int) -> LeftOut:
    """Mean over lists, of which there are some."""
    sums, counts = np.zeros((topics, len(gaps[0][1]))), np.zeros((topics, 1))
    for topic, gap in gaps:
        sums[topic] += gap
        counts[topic] += 1
    return left_out.ratio(sums, counts)


def _by_layer(part: str, quantity: str, gap: LeftOut, n: int | None) -> Iterator[Row]:
    low, high = gap.interval()
    for layer, value in enumerate(gap.value):
        yield {
            **{"part": part, "quantity": quantity, "layer": layer, "n": n},
            **{"estimate": value, "low": low[layer], "high": high[layer]},
        }


def _differences(found: Mapping[tuple[Any, ...], LeftOut], usual: float) -> Iterator[Row]:
    """Separations minus the one at the usual temperature, paired by topic."""
    for (proxy, template, condition, temperature), gap in found.items():
        base = found.get((proxy, template, condition, usual))
        if temperature == usual or base is None:
            continue
        of = {"proxy": proxy, "template": template, "condition": condition}
        for row in _by_layer("difference", "last-earlier", gap - base, None):
            yield {**of, "temperature": temperature, **row}


def _examples(lab: Lab, lists: Sequence[WrittenList], reads: Sequence[Read]) -> Iterator[Row]:
    """The lists that patching reads, place by place."""
    from analyses.instruments.paired_lists import paired_lists

    chosen = {
        (template, one.topic, one.sample)
        for template in ("short", "long")
        for one in paired_lists(lab, lists, template, "length")
    }
    for one in reads:
        if (one.key["template"], one.key["topic"], one.key["sample"]) in chosen:
            for column, (k, k_end) in enumerate(zip(one.items, one.ends, strict=True)):
                for layer, value in enumerate(one.values[:, column]):
                    yield {
                        **{**one.key, "part": "list", "layer": layer, "k": k, "k_end": k_end},
                        "estimate": round(float(value), 3),
                    }
