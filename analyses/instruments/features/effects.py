"""What the decision loses when a feature is really taken out, beside what features alike lose.

A feature is taken away at every position where it fires, by −a · W_dec and nothing else
(`sae_ablation`). Beside its loss stands a band: features of the same autoencoder that have no card,
whose Σ activation · |W_dec| is about its own, or nearest to it where there are too few, drawn by
chance and taken out in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyses.instruments.paired_lists import PairedList
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.ablation import Removal, Removals
from analyses.lab.saes.attribution import Attributions, Metric, Trace, attribute
from analyses.lab.saes.saes import Sae

ALIKE = 1.5  # times larger or smaller, at most
RANDOM = 20  # of those alike that are taken out


@dataclass(frozen=True)
class Run:
    """A list, the metric at its end, which `about` names, and what the run left behind."""

    paired: PairedList
    metric: Metric
    about: object
    trace: Trace


@dataclass(frozen=True)
class Effects:
    """Of some features in several lists, one a topic, in the metric's units.

    Attributes:
        attributed, measured: [lists, features].
        band: what each of the matched random features loses on average, by feature: [random], of
            none where the feature never fires.
    """

    attributed: Floats
    measured: Floats
    band: list[Floats]


def effects(lab: Lab, sae: Sae, runs: Sequence[Run], features: Sequence[int]) -> Effects:
    """Attribute to, and take out, features and their matched random ones."""
    place = (sae.site, sae.layer)
    parts = [attribute(sae, one.trace.streams[place], one.trace.slopes[place]) for one in runs]
    norms = sae.directions.norm(dim=-1).cpu().double().numpy()
    attributed, sizes = np.zeros((2, len(runs), sae.width))
    for row, found in enumerate(parts):
        np.add.at(attributed[row], found.features.numpy(), found.effects.numpy())
        np.add.at(sizes[row], found.features.numpy(), found.activations.numpy())
    others = matched(sizes.sum(0) * norms, features, lab.study.bootstrap.seed)
    wanted = sorted({*features, *(one for drawn in others for one in drawn)})
    pairs = zip(runs, parts, strict=True)
    measured = np.array([_losses(lab, sae, run, found, wanted) for run, found in pairs])
    column = {feature: i for i, feature in enumerate(wanted)}
    return Effects(
        attributed[:, list(features)],
        measured[:, [column[feature] for feature in features]],
        [measured[:, [column[one] for one in drawn]].mean(0) for drawn in others],
    )


def matched(sizes: Floats, features: Sequence[int], seed: int) -> list[list[int]]:
    """For each feature, `RANDOM` others of about its size: none of `features`, all of them firing.

    They are drawn from those of at least 1 / `ALIKE` and at most `ALIKE` times its size, or are the
    nearest if those are too few; in one order for all, so that features share theirs and fewer need
    be taken out.

    Args:
        sizes: of every feature, 0 where it never fires, [width].
    """
    rank = np.random.default_rng(seed).permutation(len(sizes))
    fires = np.setdiff1d(np.flatnonzero(sizes > 0), features)
    found: list[list[int]] = []
    within = np.log(ALIKE)
    for feature in features:
        if not sizes[feature] > 0:
            found.append([])
            continue
        gap = np.abs(np.log(sizes[fires]) - np.log(sizes[feature]))
        near = fires[np.argsort(gap, kind="stable")[: max(RANDOM, int((gap <= within).sum()))]]
        found.append([int(one) for one in near[np.argsort(rank[near])[:RANDOM]]])
    return found


def _losses(lab: Lab, sae: Sae, run: Run, found: Attributions, features: Sequence[int]) -> Floats:
    """m as it is − m without each feature, [features]."""
    tokens = run.paired.clean

    def make() -> Floats:
        removals = []
        of_place = found.features.numpy()
        for feature in features:
            here = np.flatnonzero(of_place == feature)
            amount = found.activations[here, None] * sae.directions[[feature]].cpu()
            removals.append(Removal(tuple(found.positions[here].tolist()), amount))
        engine = Removals(lab.model.blocks, tokens)
        losses: Floats = engine.losses((sae.site, sae.layer), removals, run.metric).numpy()
        return losses

    about = ["features", tokens, list(features), sae.name, sae.digests, run.about]
    return kept(lab, about, make)
