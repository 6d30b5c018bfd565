"""Where features fire: by role of the token, by item, and by topic.

Means are over tokens of short lists, intervals over topics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analyses.instruments.features.cells import ROLES, Ints, role_numbers
from analyses.instruments.features.values import Activations
from analyses.instruments.paired_lists import PairedList
from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats

ITEMS = 15
SIDES = ("clean", "corrupted")
Row = dict[str, Any]


def by_role(lists: Sequence[Activations], pairs: Sequence[PairedList]) -> list[list[Row]]:
    """Of each feature, the mean at the tokens of each role that occurs; n topics."""

    def roles(i: int) -> Ints:
        found = role_numbers(pairs[i])
        found[0] = -1  # the first position is not counted
        return found

    means, tokens = _means(lists, roles, len(ROLES))
    there = [number for number in range(len(ROLES)) if tokens[:, number].any()]
    return [
        [
            {
                **{"role": ROLES[number][0], "k_end": ROLES[number][1]},
                **{name: float(found[number, feature]) for name, found in means.items()},
                "n": int((tokens[:, number] > 0).sum()),
            }
            for number in there
        ]
        for feature in range(lists[0].clean.shape[1])
    ]


def by_item(lists: Sequence[Activations]) -> list[list[Row]]:
    """Of each feature, the mean at the last token of each of the first items; n lists."""

    def items(i: int) -> Ints:
        return np.array(
            [
                token["k"] - 1 if token["part"] in ("last", "only") and token["k"] <= ITEMS else -1
                for token in lists[i].tokens
            ]
        )

    means, tokens = _means(lists, items, ITEMS)
    return [
        [
            {
                **{"k": k + 1, "n": int(tokens[:, k].sum())},
                **{name: float(found[k, feature]) for name, found in means.items()},
            }
            for k in range(ITEMS)
            if tokens[:, k].any()
        ]
        for feature in range(lists[0].clean.shape[1])
    ]


def firing(lists: Sequence[Activations]) -> list[list[Row]]:
    """Of each feature, by topic: shares of tokens, of the list's own ones, and of lists."""
    rows: list[list[Row]] = [[] for _ in range(lists[0].clean.shape[1])]
    for topic in dict.fromkeys(one.topic for one in lists):
        mine = [one for one in lists if one.topic == topic]
        everywhere = np.concatenate([one.clean[1:] for one in mine]) > 0
        own = [one.clean[one.start :] > 0 for one in mine]
        shares = {
            "tokens": everywhere.mean(0),
            "list_tokens": np.concatenate(own).mean(0),
            "lists": np.array([fires.any(0) for fires in own]).mean(0),
        }
        for feature, row in enumerate(rows):
            row.append(
                {
                    **{"topic": topic, "held_out": mine[0].held_out, "n": len(mine)},
                    **{name: float(share[feature]) for name, share in shares.items()},
                }
            )
    return rows


def _means(
    lists: Sequence[Activations],
    numbers: Callable[[int], Ints],
    count: int,
) -> tuple[dict[str, Floats], Floats]:
    """Means by side with bounds, [count, features] each, and tokens by topic, [topics, count].

    Args:
        numbers: of list i, which of `count` groups each position is in, or −1.
    """
    topics = list(dict.fromkeys(one.topic for one in lists))
    features = lists[0].clean.shape[1]
    sums = {side: np.zeros((len(topics), count, features)) for side in SIDES}
    tokens = np.zeros((len(topics), count))
    for i, one in enumerate(lists):
        group, row = numbers(i), topics.index(one.topic)
        seen = group >= 0
        np.add.at(tokens[row], group[seen], 1)
        for side in SIDES:
            np.add.at(sums[side][row], group[seen], getattr(one, side)[seen])
    means: dict[str, Floats] = {}
    for side in SIDES:
        # Group by group: all of them at once, without each topic, would not be small.
        found = [
            statistics.ratio(sums[side][:, group], tokens[:, group, None], statistics.POSITIVE)
            for group in range(count)
        ]
        for name, values in zip(("", "_low", "_high"), zip(*found, strict=True), strict=True):
            means[side + name] = np.array(values)
    return means, tokens
