"""One feature at the deciding token, changed in several ways, and directions to hold it against.

All changes are made to x, what the autoencoder reads at the deciding token of a list under its own
prompt; x' is the same under the other prompt. Means, and the direction of the difference of means,
come from lists of other topics that are not held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analyses.instruments.features.decisions import Decision
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.ablation import Removal, Removals
from analyses.lab.saes.saes import Sae

DRAWS = 100  # random directions, the same for all lists
FEATURE = ("exchanged", "removed", "other mean", "own mean")
OTHERS = ("along feature", "mean direction", "random", "stream")


@dataclass(frozen=True)
class Exchanged:
    """One list.

    Attributes:
        span: metric under its own prompt − under the other, in logits.
        losses: what each change takes away from the metric, in logits; `random` is the mean.
        draws: the same of every random direction, [draws].
        after: the feature's activation after each change of it.
        own, other: its activation under the list's own prompt and under the other.
    """

    span: float
    losses: dict[str, float]
    draws: Floats
    after: dict[str, float]
    own: float
    other: float


def ends(sae: Sae, found: Sequence[Decision]) -> tuple[Tensor, Tensor]:
    """x and x' of each list, [lists, d]."""
    place, sides = (sae.site, sae.layer), []
    for side in ("trace", "other"):
        runs = [getattr(one, side) for one in found]
        sides.append(torch.stack([run.streams[place][-1] for run in runs]).float())
    return sides[0].to(sae.directions.device), sides[1].to(sae.directions.device)


def mean_direction(moved: Tensor, known: Sequence[int]) -> Tensor:
    """The unit vector of the mean of some rows of x − x' [lists, d]."""
    return torch.nn.functional.normalize(moved[list(known)].mean(0), dim=0)


def known_to(found: Sequence[Decision], row: int) -> list[int]:
    """Lists of other topics that are not held out: what may be known of a list."""
    own = found[row].paired.topic
    return [i for i, x in enumerate(found) if not x.paired.held_out and x.paired.topic != own]


def exchange(lab: Lab, sae: Sae, feature: int, found: Sequence[Decision]) -> list[Exchanged]:
    """Change the feature, or the stream along a direction, in every list."""
    own, other = ends(sae, found)
    acts = [sae.encode(x)[:, feature] for x in (own, other)]
    draws = _random(sae, lab.study.seed)
    done = []
    for row, one in enumerate(found):
        assert one.trace is not None
        assert one.other is not None
        known = known_to(found, row)
        means = [float(side[known].mean()) for side in acts]
        mine, theirs = (float(side[row]) for side in acts)
        after = dict(zip(FEATURE, (theirs, 0.0, means[1], means[0]), strict=True))
        moved = own[row] - other[row]
        direction = mean_direction(own - other, known)
        amounts = _amounts(sae, feature, mine, after, moved, direction)
        random = _towards(draws, moved) * amounts["exchanged"].norm()

        rows = torch.stack([*amounts.values(), *random]).cpu()

        def make(one: Decision = one, rows: Tensor = rows) -> Floats:
            last = len(one.paired.clean) - 1
            removals = [Removal((last,), amount[None]) for amount in rows]
            run = Removals(lab.model.blocks, one.paired.clean)
            return run.losses((sae.site, sae.layer), removals, one.metric).numpy()

        topics = [found[i].paired.topic for i in known]
        about = [one.paired.clean, one.paired.corrupted, sae.name, sae.digests, feature, topics]
        losses = kept(lab, ["exchanges", about, lab.study.seed, DRAWS], make)
        named = dict(zip(amounts, map(float, losses), strict=False))
        named["random"] = float(losses[len(amounts) :].mean())
        span = one.trace.metric - one.other.metric
        done.append(Exchanged(span, named, losses[len(amounts) :], after, mine, theirs))
    return done


def _amounts(
    sae: Sae, feature: int, own: float, after: Mapping[str, float], moved: Tensor, mean: Tensor
) -> dict[str, Tensor]:
    """What each change takes away from x, [d] each; what it leaves is x' along a direction."""
    direction = sae.directions[feature]
    unit = torch.nn.functional.normalize(direction, dim=0)
    amounts = {name: (own - value) * direction for name, value in after.items()}
    amounts |= {"along feature": (moved @ unit) * unit, "mean direction": (moved @ mean) * mean}
    return {**amounts, "stream": moved}


def _random(sae: Sae, seed: int) -> Tensor:
    """Unit vectors, [draws, d]."""
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, sae.directions.shape[1]))
    return torch.nn.functional.normalize(torch.from_numpy(drawn).to(sae.directions), dim=-1)


def _towards(draws: Tensor, moved: Tensor) -> Tensor:
    """Each turned so that it points as the stream moves, rather than away from it."""
    return draws * torch.where(draws @ moved < 0, -1.0, 1.0)[:, None]
