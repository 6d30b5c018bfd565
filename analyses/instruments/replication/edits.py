"""Lists drawn again under the edits that another study chose, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from analyses.instruments.ablation.ablated_lists import (
    OTHER_SEEDS,
    PROMPT,
    Condition,
    Edit,
    Starts,
    draw,
    from_prompts,
)
from analyses.instruments.features.profiles import TEMPLATE
from analyses.instruments.lists import WrittenList
from analyses.instruments.pairs import OTHER
from analyses.instruments.replication.choices import Choices
from analyses.instruments.roles import list_roles
from analyses.lab.core import left_out, statistics
from analyses.lab.core.left_out import LeftOut
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.interventions import DECIDING

LISTS = 3  # a topic
HAZARD = "hazard"
SCHEMA = {
    **dict.fromkeys(("start", "method", "edit", "place"), pa.string()),
    "layer": pa.int32(),
    **dict.fromkeys(("topics", "quantity"), pa.string()),
    **dict.fromkeys(("estimate", "low", "high"), pa.float64()),
    **dict.fromkeys(("change", "change_low", "change_high"), pa.float64()),
    **dict.fromkeys(("beyond", "beyond_low", "beyond_high"), pa.float64()),
    **{"n": pa.int32(), "groups": pa.int32()},
}
Row = dict[str, Any]
Count = Callable[[WrittenList], float]
QUANTITIES: dict[str, tuple[Count, Count]] = {  # as `ablation` has them: ratios of sums over lists
    HAZARD: (lambda one: one.roles.ended, lambda one: len(one.items)),
    "distinct": (lambda one: len(one.items) - one.repeats, lambda _: 1.0),
    "items": (lambda one: len(one.items), lambda _: 1.0),
    "ended": (lambda one: one.roles.ended, lambda _: 1.0),
}


def conditions(lab: Lab, choices: Choices) -> list[Condition]:
    """The network as it is, and each change of it, on the same lists and random numbers."""
    starts = _few(from_prompts(lab))
    place = max(choices.steering, key=lambda place: place[::-1])  # after the latest block
    short, steering = starts[TEMPLATE], tuple(map(float, choices.steering[place]))
    return [
        Condition(PROMPT, "base", short),
        Condition(PROMPT, "long prompt", starts[OTHER[TEMPLATE]]),
        Condition(PROMPT, "steering", short, role_place=DECIDING, at=place, steering=steering),
        *(_edited(choices, method, short, place) for method in ("top", "random")),
        Condition(PROMPT, "logit bias", short, role_place=DECIDING, bias=choices.bias),
        Condition(PROMPT, OTHER_SEEDS, short),
    ]


def _few(starts: Starts) -> Starts:
    """The first lists of each held-out topic."""
    return {
        template: tuple(one for one in some if one.held_out and one.sample < LISTS)
        for template, some in starts.items()
    }


def _edited(choices: Choices, method: str, starts: Any, place: tuple[str, int]) -> Condition:
    row = choices.edits[method, place]
    edit = Edit(place, DECIDING, tuple(row["features"]), tuple(row["values"]))
    about = {"edit": "mean", "role_place": DECIDING, "at": place, "size": row["size"]}
    return Condition(PROMPT, method, starts, edits=(edit,), **about)


def rows(lab: Lab, choices: Choices) -> Iterator[Row]:
    """What each condition does to how lists end, and to their items."""
    plan = conditions(lab, choices)
    written = {one.method: _written(lab, one) for one in lab.shared(plan, label="fixed edits")}
    for quantity in QUANTITIES:
        found = {method: _measured(lists, quantity) for method, lists in written.items()}
        for one in plan:
            about: Row = {"start": one.start, "method": one.method, "edit": one.edit}
            about |= {"place": one.role_place, "layer": one.at[1] if one.at else None}
            lists = written[one.method]
            groups = len({x.key["topic"] for x in lists})
            about |= {"topics": "held-out", "n": len(lists), "groups": groups}
            own = found[one.method]
            row = _bounds("estimate", own, quantity) | {"quantity": quantity}
            if one.method != "base":
                row |= _bounds("change", own - found["base"], quantity)
            if one.method == "top":
                row |= _bounds("beyond", own - found["random"], quantity)
            yield {**about, **row}


def _written(lab: Lab, condition: Condition) -> list[WrittenList]:
    model, prompt = lab.model, lab.study.prompt
    stop = model.ends(prompt)
    lists = []
    for start, ids in zip(condition.starts, draw(lab, condition), strict=True):
        pieces = [prompt.prefill, *model.pieces(ids, after=start.prompt)]
        end = pieces[-1:] if ids[-1] in stop else []
        roles = list_roles(pieces, hyphen=prompt.hyphen, end=end)
        key = {"topic": start.topic, "sample": start.sample}
        lists.append(WrittenList(key, "".join(pieces), ids, pieces, roles))
    return lists


def _measured(lists: Sequence[WrittenList], quantity: str) -> LeftOut:
    """Σ above / Σ below over the lists, by topic; of the hazard its logarithm."""
    topics = list(dict.fromkeys(one.key["topic"] for one in lists))
    index = np.array([topics.index(one.key["topic"]) for one in lists], dtype=np.int64)
    above, below = (
        statistics.group_sums(np.array([part(one) for one in lists], float), index, len(topics))
        for part in QUANTITIES[quantity]
    )
    found = left_out.ratio(above, below, np.bincount(index, minlength=len(topics)) > 0)
    return found.log() if quantity == HAZARD else found


def _bounds(name: str, of: LeftOut, quantity: str) -> Row:
    ends = [float(end) for end in (of.value, *of.interval())]
    if quantity == HAZARD:
        ends = [float(np.exp(end)) for end in ends]
    low, high = ("low", "high") if name == "estimate" else (f"{name}_low", f"{name}_high")
    return dict(zip((name, low, high), ends, strict=True))
