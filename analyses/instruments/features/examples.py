"""Examples of a feature from the lists: where it is strongest, middling, weak, and not there.

Not only the best ones: what fires a feature a little, or nearly, says more about what it is for
than its summits do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analyses.instruments.features.values import Activations
from analyses.lab.core.statistics import Floats

AROUND = 8  # tokens on each side
COUNTS = {"top": 3, "middle": 2, "low": 2}
TELLING = 20  # strongest positions that a label is made from
Place = tuple[int, int]  # list, position
Row = dict[str, Any]


def examples(
    lists: Sequence[Activations], feature: int, before: Sequence[Floats], seed: Sequence[int]
) -> list[Row]:
    """Windows around chosen tokens of the clean runs; those of a kind are of different topics.

    `top` are the strongest, `middle` the nearest to the median of those where it fires, `low` the
    weakest; a `near miss` does not fire with the highest pre-activation; `zero` is drawn by chance
    from the lists' own tokens on which it does not fire.

    Args:
        feature: which column of the activations.
        before: its pre-activations on each list, [positions].
        seed: of the draw.
    """
    fires, silent = _places(lists, feature)
    median = (len(fires) - 1) / 2
    middle = [fires[i] for i in sorted(range(len(fires)), key=lambda i: abs(i - median))]
    orders = {"top": fires, "middle": middle, "low": fires[::-1]}
    chosen: dict[Place, str] = {}
    for kind, order in orders.items():
        free = (place for place in order if place not in chosen)
        chosen |= dict.fromkeys(_apart(lists, free, COUNTS[kind]), kind)
    if silent:
        chosen[max(silent, key=lambda place: before[place[0]][place[1]])] = "near miss"
    own = [(i, p) for i, p in silent if p >= lists[i].start and (i, p) not in chosen]
    if own:
        chosen[own[int(np.random.default_rng(list(seed)).integers(len(own)))]] = "zero"
    return [_window(lists[i], p, feature, kind, before[i][p]) for (i, p), kind in chosen.items()]


def fires_on(lists: Sequence[Activations], feature: int, count: int) -> list[str]:
    """The commonest texts among the strongest positions, stronger ones first where equal."""
    fires, _ = _places(lists, feature)
    texts = [lists[i].tokens[p]["text"] for i, p in fires[:TELLING]]
    # Counter keeps the order of first sight among equals.
    return [text for text, _ in Counter(texts).most_common(count)]


def _places(lists: Sequence[Activations], feature: int) -> tuple[list[Place], list[Place]]:
    """Where it fires, strongest first, and where it does not; first positions are neither."""
    values = {
        (i, p): one.clean[p, feature]
        for i, one in enumerate(lists)
        for p in range(1, len(one.tokens))
    }
    fires = sorted((place for place in values if values[place] > 0), key=lambda x: -values[x])
    return fires, [place for place in values if not values[place] > 0]


def _apart(lists: Sequence[Activations], order: Iterable[Place], count: int) -> list[Place]:
    """The first places of different topics."""
    found: dict[str, Place] = {}
    for place in order:
        if len(found) == count:
            break
        found.setdefault(lists[place[0]].topic, place)
    return list(found.values())


def _window(one: Activations, position: int, feature: int, kind: str, before: float) -> Row:
    start, stop = max(0, position - AROUND), min(len(one.tokens), position + AROUND + 1)
    shown = range(start, stop)
    values = [float(one.clean[p, feature]) for p in shown]
    tokens = [
        {**{name: one.tokens[p][name] for name in ("text", "role")}, "activation": value}
        for p, value in zip(shown, values, strict=True)
    ]
    if start == 0:
        tokens[0]["activation"] = None  # not counted
    template, topic, sample = one.key
    return {
        **{"kind": kind, "template": template, "topic": topic, "held_out": one.held_out},
        **{"sample": sample, "position": position, "activation": values[position - start]},
        "before": float(before) if kind in ("near miss", "zero") else None,
        **{"start": start, "tokens": tokens},
    }
