"""How far attributions are to be believed: the same cells really taken out, and integrated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analyses.instruments.features.cells import Cells
from analyses.instruments.features.decisions import Decision, losses
from analyses.lab.core.effects import agreement
from analyses.lab.core.statistics import Estimate, Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.ablation import Removal, Removals, average_slope
from analyses.lab.saes.attribution import Attributions, Place, attribute
from analyses.lab.saes.saes import Sae

STEPS = 16  # points of integrated gradients
METHODS = ("gradient", "integrated")


@dataclass(frozen=True)
class Checked:
    """Cells of one autoencoder in several lists, one a topic, [lists, cells] each.

    Attributes:
        integrated: by integrated gradients, where they were asked for.
    """

    place: Place
    against: str
    group: str
    keys: Sequence[int]
    gradient: Floats
    measured: Floats
    integrated: Floats | None


@dataclass(frozen=True)
class Integral:
    """Integrated gradients of one list: by feature, and sums over all of them."""

    found: Attributions
    sums: Mapping[str, float]  # estimate, integrated, measured


def check(
    lab: Lab,
    sae: Sae,
    decisions: Sequence[Decision],
    groups: Mapping[str, Sequence[int]],
    against: str,
    integrals: Sequence[Integral] = (),
) -> list[Checked]:
    """Take each cell out of each list, for each group of cells."""
    keys = [key for group in groups.values() for key in group]
    cells, lines = Cells(sae.width), Cells(sae.width)
    measured = np.zeros((len(decisions), len(keys)))
    for row, one in enumerate(decisions):
        found = one.attribute(sae, against)
        cells.add(one.paired, found)
        if found is not None:
            measured[row] = losses(lab, sae, one, found, keys, against)
    for one, integral in zip(decisions, integrals, strict=bool(integrals)):
        lines.add(one.paired, integral.found)
    gradient = cells.values(keys)[:, 0]
    integrated = lines.values(keys)[:, 0] if integrals else None
    done, start = [], 0
    for name, group in groups.items():
        here = slice(start, start := start + len(group))
        line = None if integrated is None else integrated[:, here]
        values = (gradient[:, here], measured[:, here], line)
        done.append(Checked((sae.site, sae.layer), against, name, group, *values))
    return done


def integrals(lab: Lab, sae: Sae, decisions: Sequence[Decision]) -> list[Integral]:
    """From the corrupted run's x to the clean one's, at all positions; and what that changes."""
    engine, place, done = lab.model.blocks, (sae.site, sae.layer), []
    for one in lab.progress(decisions, total=len(decisions), label="integrated gradients"):
        plain = one.attribute(sae, "corrupted")
        if plain is None or one.trace is None or one.other is None:
            continue
        x, other = one.trace.streams[place], one.other.streams[place]

        def make(one: Decision = one, x: Tensor = x, other: Tensor = other) -> Floats:
            tokens = one.paired.clean
            slope = average_slope(engine, tokens, place, other, one.metric, steps=STEPS)
            whole = Removal(tuple(range(len(x))), x - other)
            (real,) = Removals(engine, tokens).losses(place, [whole], one.metric).tolist()
            return np.append(slope.double().numpy().ravel(), real)

        about = ["line", one.paired.clean, one.paired.corrupted, place, one.about, STEPS]
        line = kept(lab, about, make)
        slope = torch.from_numpy(line[:-1]).float().view_as(x)
        found = attribute(sae, x, slope, other)
        sums = {"estimate": plain.whole, "integrated": found.whole}
        numbers = {name: float(part.sum()) for name, part in sums.items()}
        done.append(Integral(found, {**numbers, "measured": float(line[-1])}))
    return done


def agreements(checked: Sequence[Checked]) -> Iterator[tuple[dict[str, str], int, Estimate]]:
    """Pearson and slope by group, `all` together too, and by method: (which, cells, estimate)."""
    for group in ("all", *dict.fromkeys(one.group for one in checked)):
        chosen = [one for one in checked if group in ("all", one.group)]
        for method in METHODS:
            ones = [one for one in chosen if getattr(one, method) is not None]
            if not ones:
                continue
            measured, gradient, guess = (
                np.concatenate([getattr(one, name) for one in ones], 1)
                for name in ("measured", "gradient", method)
            )
            acts = gradient != 0  # silent cells would agree without telling anything
            sides = [
                [row[there] for row, there in zip(side, acts, strict=True)]
                for side in (guess, measured)
            ]
            for quantity, value in agreement(*sides).items():
                if np.isfinite(value.value):
                    which = {"group": group, "method": method, "quantity": quantity}
                    yield which, int(acts.sum()), value
