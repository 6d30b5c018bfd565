"""Attributions of one autoencoder gathered over lists: by role of the token and feature.

A cell is a role and a feature; its effect in a list is the sum over the role's tokens, and 0 where
the role is absent or the feature silent, so that a cell's mean is over all topics, one list each.
Cells are chosen on topics that are not held out. Roles are those of patching, and `start`: what
stands before the length word, where two prompts are alike (the very first position has no part).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyses.instruments.paired_lists import AXIS, PairedList, Role
from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.saes.attribution import Attributions

Ints = NDArray[np.int64]
ROLES: tuple[Role, ...] = (("start", None), *AXIS)
PARTS = ("features", "error", "bias", "whole")


def role_numbers(paired: PairedList) -> Ints:
    """The role of each position, as a number into `ROLES`."""
    return np.array(
        [
            ROLES.index(paired.role(place) if place >= paired.first else ROLES[0])
            for place in range(len(paired.clean))
        ]
    )


def keys_of(paired: PairedList, found: Attributions, width: int) -> Ints:
    """The cell of each attribution, as one number: role · width + feature."""
    keys: Ints = role_numbers(paired)[found.positions.numpy()] * width + found.features.numpy()
    return keys


@dataclass(frozen=True)
class Means:
    """Means over topics of some cells, each [cells], with 95 % interval.

    Attributes:
        activation: summed over the role's tokens.
        share: of Σ |effect| over all cells and the topics' lists.
        fires: topics in which the cell is not 0.
        n: topics.
    """

    estimate: Floats
    low: Floats
    high: Floats
    activation: Floats
    share: Floats
    fires: Ints
    n: int


class Cells:
    """Cells of one autoencoder over paired lists, one list a topic."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.pairs: list[PairedList] = []
        self._keys: list[Ints] = []
        self._values: list[Floats] = []  # [2, cells]: effect, activation
        self._sums: list[Floats] = []  # [parts, roles]

    def add(self, paired: PairedList, found: Attributions | None) -> None:
        """Add one list; None where there was nothing to attribute to."""
        self.pairs.append(paired)
        if found is None:
            self._keys.append(np.zeros(0, dtype=np.int64))
            self._values.append(np.zeros((2, 0)))
            self._sums.append(np.zeros((len(PARTS), len(ROLES))))
            return
        roles = role_numbers(paired)
        keys, cell = np.unique(keys_of(paired, found, self.width), return_inverse=True)
        by_token = [part.numpy().astype(np.float64) for part in (found.effects, found.activations)]
        sums = [np.bincount(cell, part, len(keys)) for part in by_token]
        self._keys.append(keys)
        self._values.append(np.array(sums))
        features = np.bincount(roles[found.positions.numpy()], by_token[0], len(ROLES))
        others = (found.error, found.bias, found.whole)
        parts = [np.bincount(roles, part.numpy(), len(ROLES)) for part in others]
        self._sums.append(np.array([features, *parts]))

    def role(self, key: int) -> Role:
        """The role of a cell."""
        return ROLES[key // self.width]

    def values(self, keys: Sequence[int]) -> Floats:
        """Effect and activation of cells in each list, [lists, 2, cells]."""
        found = np.zeros((len(self.pairs), 2, len(keys)))
        for row, (known, values) in enumerate(zip(self._keys, self._values, strict=True)):
            place = np.searchsorted(known, keys)
            there = np.flatnonzero(np.isin(keys, known))
            found[row][:, there] = values[:, place[there]]
        return found

    def strongest(self, count: int) -> list[int]:
        """The cells of the largest mean effect, by its absolute value, on other topics."""
        keys, totals = self._totals()
        order = np.lexsort((keys, -np.abs(totals)))
        return [int(key) for key in keys[order[:count]]]

    def drawn(self, count: int, *, leave: Sequence[int], seed: int) -> list[int]:
        """Cells that act on other topics, drawn evenly, without those to leave."""
        keys = np.setdiff1d(self._totals()[0], leave)
        rng = np.random.default_rng(seed)
        return [int(key) for key in np.sort(rng.permutation(keys)[:count])]

    def _totals(self) -> tuple[Ints, Floats]:
        """Cells that act on topics that are not held out, and the sums of their effects."""
        rows = [row for row, one in enumerate(self.pairs) if not one.held_out]
        joined = np.concatenate([self._keys[row] for row in rows] or [np.zeros(0, np.int64)])
        effects = np.concatenate([self._values[row][0] for row in rows] or [np.zeros(0)])
        # After the last block, features before the deciding token fire and act on nothing.
        keys, place = np.unique(joined[effects != 0], return_inverse=True)
        totals = np.zeros(len(keys))
        np.add.at(totals, place, effects[effects != 0])
        return keys, totals

    def means(self, keys: Sequence[int], topics: str) -> Means:
        """Means over `topics`: `all`, `held-out`, or the `other` ones; there must be some."""
        rows = self.rows(topics)
        values = self.values(keys)[rows]
        bounds = _mean(values[:, 0])
        whole = sum(float(np.abs(self._values[row][0]).sum()) for row in rows)
        share = np.abs(values[:, 0]).sum(0) / (whole or 1.0)
        fires = (values[:, 0] != 0).sum(0)
        return Means(*bounds, values[:, 1].mean(0), share, fires, len(rows))

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """Mean over all topics of each of `PARTS` by role, and over all roles, last: with bounds.

        Shapes: [parts, roles + 1] each.
        """
        stacked = np.array(self._sums)
        stacked = np.concatenate((stacked, stacked.sum(-1, keepdims=True)), -1)
        return _mean(stacked)

    def rows(self, topics: str) -> list[int]:
        """Which lists are of these topics."""
        wanted = {"all": (True, False), "held-out": (True,), "other": (False,)}[topics]
        return [row for row, one in enumerate(self.pairs) if one.held_out in wanted]


def _mean(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean over the first axis, with interval."""
    return statistics.ratio(values, np.ones_like(values))
