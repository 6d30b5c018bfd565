"""What ablating features does to lists: their length, whether they end, repeats, diversity.

Reads `ablation_samples`; a condition is its first six columns; `features`, `size` as there. All
lists count, malformed ones too: of every list its complete items, within the budget of new tokens
(a mean restricted at so many tokens, not the length of lists; from a list minus its last item, the
items written after it). Held-out topics have more lists, so they weigh more in `all`. The variants
share one schema, null where it does not apply:

    by-layer  a condition × topics (`all`, `held-out`, where effects are to be believed, `other`,
              on which cells were chosen) × quantity: hazard (ended lists per decision, of which a
              list has one after each item: the outcome that neither the budget nor the length of
              items touches), distinct (items that are no repeat, mean), items (mean), tokens
              (mean), ended (share of lists, within the budget), repeated_share (of items),
              shannon_list (mean, nats), malformed (share of lists). estimate: the condition itself;
              change: minus `base` of the same start, the same lists and random numbers; beyond:
              change minus the change under the matched random cells (`top`, `keep`), the same edit;
              word: change under `mean` minus the change of the same cells under `own mean`, which
              leaves the other length word alone. Of hazard, all differences are ratios, and
              intervals are those of logarithms.
    compared  a `top` condition, set to a mean, minus another of the same start: `against` says
              which, `against_layer` where that edits one layer; topics × hazard, distinct, items
              and tokens.
    by-topic  a condition × topic: items, and their change; too few lists for intervals.
    survival  a condition, all topics: survival (P(length ≥ items), Kaplan–Meier: lists that were
              cut are censored, which is not independent of topic and of an edit that changes how
              many tokens items have), and the median of that curve, null when too many were cut.

`detectable` is the smallest change, or difference, that as many topics would show with a
probability of 80 %, if they varied as these do: (t.975 + t.8) · standard error [Bloom 1995,
doi:10.1177/0193841X9501900504].

`estimate`, `change` and `beyond` have bounds of their own, `_low` and `_high` (of estimate: low and
high), 95 % over topics, differences paired by topic. n counts lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.special

from analyses.instruments.lists import WrittenList, shannon
from analyses.instruments.roles import list_roles
from analyses.instruments.summary import bounds
from analyses.lab.core import left_out, statistics
from analyses.lab.core.left_out import LeftOut
from analyses.lab.core.statistics import ANY, SHARE, Estimate, Range
from analyses.lab.core.study import Prompt
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

VARIANTS = ("by-layer", "compared", "by-topic", "survival")
TOPICS = {"all": (True, False), "held-out": (True,), "other": (False,)}
BASELINE = {"top": "random", "keep": "keep random"}
CONDITION = {
    **dict.fromkeys(("start", "method", "edit", "place", "site"), pa.string()),
    "layer": pa.int32(),
}
BOUNDS = ("estimate", "low", "high")
COMPARED = ("change", "beyond", "word")
HAZARD = "hazard"
SHARES = ("ended", "repeated_share", "malformed")
ELSE = ("long prompt", "logit bias", "steering")
COMPARED_BY = (HAZARD, "distinct", "items", "tokens")
DIFFERENCES = tuple(f"{name}{end}" for name in COMPARED for end in ("", "_low", "_high"))
SCHEMA = {
    **{
        **CONDITION,
        "features": pa.int32(),
        "size": pa.float64(),
        "topics": pa.string(),
        "topic": pa.string(),
    },
    **{"held_out": pa.bool_(), "quantity": pa.string(), "items": pa.int32()},
    **{"against": pa.string(), "against_layer": pa.int32()},
    **dict.fromkeys((*BOUNDS, *DIFFERENCES, "detectable"), pa.float64()),
    **{"n": pa.int32(), "at_risk": pa.int32(), "capped": pa.int32()},
}

Condition = tuple[Any, ...]
Groups = Mapping[Condition, Sequence[WrittenList]]
Row = dict[str, Any]
Count = Callable[[WrittenList], float]


def _items(one: WrittenList) -> float:
    return len(one.items)


def _once(_: WrittenList) -> float:
    return 1.0


def _ended(one: WrittenList) -> float:
    return one.roles.ended


def _decisions(one: WrittenList) -> float:
    """How often it could have ended: after each item, and after the last one that it was given."""
    return len(one.items) + bool(one.key["given_items"])


QUANTITIES: dict[str, tuple[Count, Count]] = {  # a ratio of sums over lists
    HAZARD: (_ended, _decisions),
    "distinct": (lambda one: len(one.items) - one.repeats, _once),
    "items": (_items, _once),
    "tokens": (lambda one: one.key["new_tokens"], _once),
    "ended": (_ended, _once),
    "repeated_share": (lambda one: one.repeats, _items),
    "shannon_list": (lambda one: shannon(item.text for item in one.items), _once),
    "malformed": (lambda one: one.malformed, _once),
}


def run(lab: Lab, ablation_samples: pa.Table, *, variant: str) -> pa.Table:
    """Sum up the lists of each condition."""
    groups = _read(ablation_samples, lab.study.prompt)
    parts = {
        "by-layer": _by_layer,
        "compared": _compared,
        "by-topic": _by_topic,
        "survival": _survival,
    }
    lists = sum(map(len, groups.values()))
    return labelled(
        table_of(parts[variant](groups), SCHEMA),
        n=f"{lists:,} lists, {len(groups)} conditions, {len(lab.study.topics.names)} topics",
        interval="" if variant == "by-topic" else statistics.said("topics"),
        note="Cells are chosen on topics that are not held out.",
    )


def _read(table: pa.Table, prompt: Prompt) -> Groups:
    """The lists of each condition, all in the same order."""
    groups: dict[Condition, list[WrittenList]] = {}
    for row in table.to_pylist():
        pieces = [prompt.prefill, *row["tokens"]]
        roles = list_roles(pieces, hyphen=prompt.hyphen, end=pieces[-1:] if row["ended"] else [])
        one = WrittenList(row, "".join(pieces), [], pieces, roles)
        groups.setdefault(tuple(row[name] for name in CONDITION), []).append(one)
    return groups


def _base(condition: Condition) -> Condition:
    """The unchanged network, from the same start."""
    return (condition[0], "base", *[None] * (len(condition) - 2))


def _random(condition: Condition) -> Condition | None:
    """The same edit of matched random cells, where there is one."""
    method = BASELINE.get(condition[1])
    return (condition[0], method, *condition[2:]) if method else None


def _word(condition: Condition) -> Condition | None:
    """The same cells, set to their mean under the list's own prompt."""
    if condition[1:3] != ("top", "mean"):
        return None
    return (*condition[:2], "own mean", *condition[3:])


def _start(condition: Condition, lists: Sequence[WrittenList]) -> Row:
    """The columns that say which condition a row is of."""
    return {
        **dict(zip(CONDITION, condition, strict=True)),
        **{name: lists[0].key[name] for name in ("features", "size")},
        "n": len(lists),
    }


def _by_layer(groups: Groups) -> Iterator[Row]:
    for topics, chosen in _by_topics(groups):
        for quantity in QUANTITIES:
            found = _found(chosen, quantity)
            for condition, lists in chosen.items():
                about = {"topics": topics, "quantity": quantity}
                values = _differences(found, condition, quantity)
                yield {**_start(condition, lists), **about, **values}


def _compared(groups: Groups) -> Iterator[Row]:
    """Top cells set to a mean where the list could end, minus what else could have been done."""
    edited = [one for one in groups if one[1:4] == ("top", "mean", "deciding")]
    for topics, chosen in _by_topics(groups):
        for quantity in COMPARED_BY:
            found = _found(chosen, quantity)
            for condition, (name, other) in product(edited, _others(groups)):
                if not {condition, other} <= found.keys() or not _comparable(condition, other):
                    continue
                difference = found[condition] - found[other]
                ends = dict(zip(BOUNDS, _bounds(difference, quantity), strict=True))
                yield {
                    **_start(condition, chosen[condition]),
                    **{"topics": topics, "quantity": quantity, **ends},
                    **{"against": name, "against_layer": other[5]},
                    "detectable": _detectable(difference, quantity),
                }


def _by_topics(groups: Groups) -> Iterator[tuple[str, Groups]]:
    """The lists of all topics, of held-out ones, and of the others; conditions that have some."""
    for topics, wanted in TOPICS.items():
        chosen = {
            condition: [one for one in lists if one.key["held_out"] in wanted]
            for condition, lists in groups.items()
        }
        yield topics, {condition: lists for condition, lists in chosen.items() if lists}


def _found(groups: Groups, quantity: str) -> dict[Condition, LeftOut]:
    """A quantity of each condition, over the topics that any of them has."""
    topics = list(dict.fromkeys(one.key["topic"] for lists in groups.values() for one in lists))
    return {condition: _measured(lists, quantity, topics) for condition, lists in groups.items()}


def _others(groups: Groups) -> Iterator[tuple[str, Condition]]:
    """What an edit of the top cells is compared with, by name."""
    for one in groups:
        _, method, edit, place, *_ = one
        if method in ELSE:
            yield method, one
        elif method in ("top", "random") and place == "deciding" and edit != "zero":
            yield ("own mean" if edit == "own mean" else method), one


def _comparable(condition: Condition, other: Condition) -> bool:
    """Of one start, and of one layer unless the other edits none or is such an edit itself."""
    everywhere = other[1] in ("long prompt", "logit bias") or other[1:3] == ("top", "mean")
    alike = everywhere or other[5] == condition[5]
    return other != condition and other[0] == condition[0] and alike


def _by_topic(groups: Groups) -> Iterator[Row]:
    topics = dict.fromkeys(one.key["topic"] for lists in groups.values() for one in lists)
    for topic in topics:
        chosen = {
            condition: [one for one in lists if one.key["topic"] == topic]
            for condition, lists in groups.items()
        }
        chosen = {condition: lists for condition, lists in chosen.items() if lists}
        found = _found(chosen, "items")
        for condition, lists in chosen.items():
            about = {"topic": topic, "held_out": lists[0].key["held_out"], "quantity": "items"}
            values = _differences(found, condition, "items")
            points = {name: values.get(name) for name in ("estimate", *COMPARED)}
            yield {**_start(condition, lists), **about, **points}


def _survival(groups: Groups) -> Iterator[Row]:
    for condition, lists in groups.items():
        topics = list(dict.fromkeys(one.key["topic"] for one in lists))
        places = [topics.index(one.key["topic"]) for one in lists]
        finished, ended = [len(one.items) for one in lists], [one.roles.ended for one in lists]
        # One more than its items, so that a list without any is at risk, and ends, at the start.
        more = [size + 1 for size in finished]
        curve = statistics.survival(more, ended, places, len(topics))
        about = {**_start(condition, lists), "topics": "all", "capped": ended.count(False)}
        columns = (curve.share, curve.low, curve.high, curve.at_risk)
        for k, (share, low, high, at_risk) in enumerate(zip(*columns, strict=True)):
            if not k:
                continue
            at = {"quantity": "survival", "items": k, "at_risk": at_risk}
            yield {**about, **at, **bounds(Estimate(share, low, high))}
        median = (part - 1 for part in (curve.median.value, curve.median.low, curve.median.high))
        yield {**about, "quantity": "median", **bounds(Estimate(*median))}


def _measured(lists: Sequence[WrittenList], quantity: str, topics: Sequence[str]) -> LeftOut:
    """Σ above / Σ below over the lists, or its logarithm."""
    index = np.array([topics.index(one.key["topic"]) for one in lists], dtype=np.int64)
    above, below = (
        statistics.group_sums(np.array([part(one) for one in lists], float), index, len(topics))
        for part in QUANTITIES[quantity]
    )
    found = left_out.ratio(above, below, np.bincount(index, minlength=len(topics)) > 0)
    return found.log() if quantity == HAZARD else found


def _detectable(of: LeftOut, quantity: str) -> float | None:
    """The smallest difference that so many topics would show in four of five cases; a ratio < 1."""
    low, high = of.interval()
    usual, power = scipy.special.stdtrit(max(int(of.there.sum()) - 1, 1), (0.975, 0.8))
    found = float((high - low) / 2 / usual * (usual + power))
    return (np.exp(-found) if quantity == HAZARD else found) if np.isfinite(found) else None


def _differences(found: Mapping[Condition, LeftOut], condition: Condition, quantity: str) -> Row:
    """The condition, its change from base, and how far that goes beyond what it is set beside."""
    within = SHARE if quantity in SHARES else ANY
    row = dict(zip(BOUNDS, _bounds(found[condition], quantity, within), strict=True))
    others = (_base(condition), _random(condition), _word(condition))
    for name, other in zip(COMPARED, others, strict=True):
        if other is not None and other in found and other != condition:
            difference = found[condition] - found[other]
            values = _bounds(difference, quantity)
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
            if name == "change":
                row["detectable"] = _detectable(difference, quantity)
    return row


def _bounds(of: LeftOut, quantity: str, within: Range = ANY) -> list[float | None]:
    ends = [of.value, *of.interval(within)]
    if quantity == HAZARD:
        ends = [np.exp(end) for end in ends]
    return list(bounds(Estimate(*map(float, ends))).values())
