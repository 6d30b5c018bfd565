"""`feature_activation` read back: lists, and how strongly each card fires on their tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analyses.instruments.features.cards import KEY, Card
from analyses.lab.core.statistics import Floats


@dataclass(frozen=True)
class Activations:
    """One list, and every card on its tokens.

    Attributes:
        key: template, topic, sample.
        tokens: text, role, k, k_end, part of every position.
        first, start: positions of the length word and of the list's first token.
        clean, corrupted: [positions, cards]; NaN at the first position, which is not counted.
    """

    key: tuple[str, str, int]
    held_out: bool
    tokens: Sequence[Mapping[str, Any]]
    first: int
    start: int
    clean: Floats
    corrupted: Floats

    @property
    def topic(self) -> str:
        """What the list is about."""
        return self.key[1]


def read_cards(feature_activation: pa.Table) -> list[Card]:
    """The cards of the table, in its order."""
    names = ("site", "layer", "feature", "rank", "effect")
    return [
        Card(*(row[name] for name in names))
        for row in feature_activation.to_pylist()
        if row["part"] == "card"
    ]


def read_activations(
    feature_activation: pa.Table, template: str | None = None
) -> list[Activations]:
    """The lists of a template, or all of them, in the table's order."""
    column = {card.name: i for i, card in enumerate(read_cards(feature_activation))}
    found: dict[tuple[str, str, int], Activations] = {}
    for row in feature_activation.to_pylist():
        key = (row[KEY[0]], row[KEY[1]], row[KEY[2]])
        if row["part"] == "list" and template in (None, row["template"]):
            sides = np.zeros((2, len(row["tokens"]), len(column)))
            sides[:, 0] = np.nan
            names = ("held_out", "tokens", "first", "start")
            found[key] = Activations(key, *(row[name] for name in names), *sides)
        elif row["part"] == "activation" and key in found:
            side = found[key].clean if row["condition"] == "clean" else found[key].corrupted
            side[row["positions"], column[row["name"]]] = row["activations"]
    for one in found.values():
        one.corrupted[: one.first] = one.clean[: one.first]
    return list(found.values())
