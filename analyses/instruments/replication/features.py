"""The features and directions that another study found, exchanged in this study's lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from analyses.instruments.exchanges import DRAWS, ends
from analyses.instruments.features.cells import ROLES
from analyses.instruments.features.decisions import Decision, cells_of, decisions
from analyses.instruments.lists import WrittenList
from analyses.instruments.replication.choices import Choices
from analyses.lab.core import statistics
from analyses.lab.core.effects import mean_effects
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.ablation import Removal, Removals
from analyses.lab.saes.saes import Sae, open_saes

TEMPLATE = "short"
LAST = 3  # autoencoders, the latest in the network
CHANGES = ("exchanged", "removed", "along feature", "mean direction", "stream")
COMPARED = (("exchanged", "mean direction"), ("exchanged", "random"), ("mean direction", "random"))
SCHEMA = {
    **{"part": pa.string(), "template": pa.string(), "against": pa.string(), "role": pa.string()},
    **{"site": pa.string(), "layer": pa.int32(), "feature": pa.int32(), "name": pa.string()},
    **dict.fromkeys(("change", "other", "topics", "quantity"), pa.string()),
    "rank": pa.int32(),
    **dict.fromkeys(("estimate", "low", "high", "raw"), pa.float64()),
    **{"n": pa.int32(), "groups": pa.int32()},
}
Row = dict[str, Any]


def rows(lab: Lab, lists: Sequence[WrittenList], choices: Choices) -> Iterator[Row]:
    """Shares, differences, activations and the gradient's effects, layer by layer."""
    places = sorted(choices.features, key=lambda place: place[::-1])[-LAST:]
    found = [
        one
        for one in decisions(lab, lists, TEMPLATE, places, log_prob=False)
        if one.paired.held_out
    ]
    for site, layer in lab.progress(places, total=len(places), label="fixed features"):
        for sae in open_saes(lab, site=site, layers=[layer]):
            feature, steering = choices.features[site, layer], choices.steering[site, layer]
            about = {"site": site, "layer": layer, "feature": feature, "topics": "held-out"}
            about["name"] = choices.names[site, layer]
            yield from ({**about, **row} for row in _exchanged(lab, sae, feature, steering, found))
            yield {**about, **_attributed(sae, feature, found)}


def _exchanged(
    lab: Lab, sae: Sae, feature: int, steering: Floats, found: Sequence[Decision]
) -> Iterator[Row]:
    own, other = ends(sae, found)
    acts = [sae.encode(x)[:, feature] for x in (own, other)]
    mean = torch.nn.functional.normalize(torch.from_numpy(-steering).to(own), dim=0)
    losses, spans = [], []
    for i, one in enumerate(found):
        values, moved = [float(act[i]) for act in acts], own[i] - other[i]
        amounts = _amounts(sae, feature, values, moved, mean, lab.study.seed)
        taken = _losses(lab, sae, one, amounts, [feature, steering.tolist()])
        named = dict(zip(CHANGES, map(float, taken), strict=False))
        losses.append(named | {"random": float(taken[len(CHANGES) :].mean())})
        assert one.trace is not None
        assert one.other is not None
        spans.append(one.trace.metric - one.other.metric)
    for change, effect in mean_effects(losses, spans, direction="denoising"):
        yield {"part": "share", "change": change, **vars(effect), "groups": effect.n}
    differences = [{both: one[both[0]] - one[both[1]] for both in COMPARED} for one in losses]
    for (change, than), effect in mean_effects(differences, spans, direction="denoising"):
        yield {
            **{"part": "difference", "change": change, "other": than},
            **{**vars(effect), "groups": effect.n},
        }
    changes = (acts[0] - acts[1]).double().cpu().numpy()
    yield {"part": "activation", "quantity": "change", **_mean(changes)}


def _amounts(
    sae: Sae, feature: int, acts: Sequence[float], moved: Tensor, mean: Tensor, seed: int
) -> Tensor:
    """What each of `CHANGES` takes away from x, then the random directions, [changes, d]."""
    direction = sae.directions[feature]
    unit = torch.nn.functional.normalize(direction, dim=0)
    exchanged = (acts[0] - acts[1]) * direction
    along = [(moved @ one) * one for one in (unit, mean)]
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, len(moved)))
    draws = torch.nn.functional.normalize(torch.from_numpy(drawn).to(moved), dim=-1)
    turned = draws * torch.where(draws @ moved < 0, -1.0, 1.0)[:, None]
    named = torch.stack([exchanged, acts[0] * direction, *along, moved])
    return torch.cat([named, turned * exchanged.norm()]).cpu()


def _losses(lab: Lab, sae: Sae, one: Decision, amounts: Tensor, given: object) -> Floats:
    """What each change takes away from the metric at the deciding token, in logits.

    Args:
        given: the choices that the changes are made of.
    """

    def make() -> Floats:
        removals = [Removal((len(one.paired.clean) - 1,), amount[None]) for amount in amounts]
        run = Removals(lab.model.blocks, one.paired.clean)
        return run.losses((sae.site, sae.layer), removals, one.metric).numpy()

    about = [one.paired.clean, one.paired.corrupted, sae.name, sae.digests, DRAWS, lab.study.seed]
    return kept(lab, ["fixed exchanges", about, given], make)


def _attributed(sae: Sae, feature: int, found: Sequence[Decision]) -> Row:
    """The feature's effect by gradient at the deciding token, and its rank among all there."""
    cells = cells_of(sae, found, "corrupted")
    first = ROLES.index(("deciding", -1)) * sae.width
    effects = cells.values(range(first, first + sae.width))[:, 0]
    strength = np.abs(effects.mean(0))
    rank = 1 + int((strength > strength[feature]).sum())
    about = {"part": "feature", "template": TEMPLATE, "against": "corrupted", "role": "deciding"}
    return {**about, "rank": rank, **_mean(effects[:, feature])}


def _mean(values: Floats) -> Row:
    """A mean over lists, one a topic."""
    mean = statistics.mean(values.tolist(), range(len(values)), len(values))
    bounds = {"estimate": mean.value, "low": mean.low, "high": mean.high}
    return {**bounds, "n": len(values), "groups": len(values)}
