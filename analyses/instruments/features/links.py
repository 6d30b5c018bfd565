"""Which earlier features drive later ones.

The later features are the cells (a role and a feature) of the largest mean effect on the decision,
layer by layer. What is explained is their pre-activation, summed over the role's tokens on which
they fire; the effect of an earlier feature on it is a · (W_dec · slope), as on any metric. There is
never more than one autoencoder in memory: a later one is closed when the directions that its
features read are known, and only then the earlier ones come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.instruments.features.cells import Cells, keys_of
from analyses.instruments.features.decisions import Decision, cells_of
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.attribution import Metric, Place, readers, traces
from analyses.lab.saes.saes import Sae, open_saes


@dataclass(frozen=True)
class Target:
    """A later cell, and the lists with its pre-activation as their metric."""

    place: Place
    cells: Cells
    key: int
    decisions: list[Decision]


def depth(place: Place) -> tuple[int, bool]:
    """What places are ordered by: within a block, what heads read is before the stream after it."""
    return place[1], place[0] == "resid_post"


def links(
    lab: Lab, decisions: Sequence[Decision], count: int
) -> Iterator[tuple[Sae, list[Target]]]:
    """Each earlier autoencoder, open, with the targets of each place behind it.

    Args:
        count: targets a place.
    """
    chosen: dict[Place, Cells] = {}
    for sae in open_saes(lab):
        chosen[sae.site, sae.layer] = cells_of(sae, decisions, "zero")
    ordered = sorted(chosen, key=depth)
    for later in lab.progress(ordered[1:], total=len(ordered) - 1, label="later layers"):
        earlier = [place for place in ordered if depth(place) < depth(later)]
        cells = chosen[later]
        targets = _targets(lab, decisions, later, earlier, cells, cells.strongest(count))
        for site, layer in earlier:
            for sae in open_saes(lab, site=site, layers=[layer]):
                yield sae, targets


def _targets(
    lab: Lab,
    decisions: Sequence[Decision],
    later: Place,
    earlier: Sequence[Place],
    cells: Cells,
    keys: Sequence[int],
) -> list[Target]:
    engine = lab.model.blocks
    targets = [Target(later, cells, key, []) for key in keys]
    for sae in open_saes(lab, site=later[0], layers=[later[1]]):
        about = [[sae.name, sae.digests, key] for key in keys]
        metrics = [_metrics(sae, one, keys) for one in decisions]
    for one, of_list in zip(decisions, metrics, strict=True):
        wanted = [metric for metric in of_list if metric]
        run = traces(engine, one.paired.clean, earlier, wanted, at=later) if wanted else []
        found = iter(run)
        for target, named, metric in zip(targets, about, of_list, strict=True):
            trace = next(found) if metric else None
            asked = metric or one.metric
            target.decisions.append(Decision(one.paired, asked, named, trace, at=later))
    return targets


def _metrics(sae: Sae, decision: Decision, keys: Sequence[int]) -> list[Metric | None]:
    """Each key's pre-activation in a list, as far as it varies with x; None where it is silent."""
    found = decision.attribute(sae, "zero")
    if found is None or decision.trace is None:
        return [None] * len(keys)
    x = decision.trace.streams[sae.site, sae.layer]
    of_token = torch.from_numpy(keys_of(decision.paired, found, sae.width))
    metrics: list[Metric | None] = []
    for key in keys:
        fires = found.positions[of_token == key].tolist()
        read = [readers(sae, x[place], [key % sae.width])[0] for place in fires]
        metrics.append(_reading(fires, torch.stack(read)) if read else None)
    return metrics


def _reading(places: list[int], directions: Tensor) -> Metric:
    return lambda x: (x[places].float() * directions.to(x.device)).sum()
