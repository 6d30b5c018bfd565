"""Lists cut where the model decided, with what autoencoders need to be asked about the decision.

Each paired list is run once under its own prompt, forward and backward, and once forward under the
other prompt; after that the network is needed only where features are really taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyses.instruments import sweeps
from analyses.instruments.features.cells import Cells, keys_of
from analyses.instruments.lists import WrittenList
from analyses.instruments.paired_lists import PairedList, deciding_places, paired_lists
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes import attribution
from analyses.lab.saes.ablation import Removal, Removals
from analyses.lab.saes.attribution import Attributions, Metric, Place, Trace, attribute
from analyses.lab.saes.saes import Sae

AGAINST = ("zero", "corrupted")  # what features are compared with: nothing, or the other prompt


@dataclass(frozen=True)
class Decision:
    """One list, and a metric of its run: the decision at its end, or a later feature.

    Attributes:
        metric: what is explained; it reads the stream at `at`, or after all blocks.
        about: names the metric.
        trace: of the clean run; None where there is nothing to explain.
        other: of the corrupted run, without slopes.
    """

    paired: PairedList
    metric: Metric
    about: object
    trace: Trace | None
    other: Trace | None = None
    at: Place | None = None

    def attribute(self, sae: Sae, against: str) -> Attributions | None:
        """Effects of one autoencoder's features."""
        place = (sae.site, sae.layer)
        if self.trace is None:
            return None
        other = self.other.streams[place] if self.other and against == "corrupted" else None
        return attribute(sae, self.trace.streams[place], self.trace.slopes[place], other)


def decisions(
    lab: Lab,
    lists: Sequence[WrittenList],
    template: str,
    places: Sequence[Place],
    *,
    log_prob: bool,
) -> list[Decision]:
    """One list a topic: its contrast of logits, or −ln p of the token that was written there."""
    engine, found = lab.model.blocks, []
    pairs = paired_lists(lab, lists, template, "length")
    for one in lab.progress(pairs, total=len(pairs), label=f"gradients, {template}"):
        about: object
        if log_prob:
            about = token = written(lab, lists, one)
            metric = attribution.surprise(engine, token)
        else:
            about = tokens = sweeps.contrast_of(lab)
            metric = attribution.contrast(engine, tokens)
        (trace,) = attribution.traces(engine, one.clean, places, [metric])
        (other,) = attribution.traces(engine, one.corrupted, places, [metric], slopes=False)
        found.append(Decision(one, metric, about, trace, other))
    return found


def written(lab: Lab, lists: Sequence[WrittenList], paired: PairedList) -> int:
    """The token that the model wrote at the deciding place of a paired list."""
    primary = getattr(lab.study.decision, lab.study.decision.primary)
    wanted = (paired.template, lab.study.sampling.temperature), paired.topic, paired.sample
    one = next(x for x in lists if (x.group, x.key["topic"], x.key["sample"]) == wanted)
    return one.token_ids[deciding_places(one.roles.tokens, primary.at)[paired.items]]


def cells_of(sae: Sae, found: Sequence[Decision], against: str) -> Cells:
    """The effects of one autoencoder's features in each list."""
    cells = Cells(sae.width)
    for one in found:
        cells.add(one.paired, one.attribute(sae, against))
    return cells


def losses(
    lab: Lab,
    sae: Sae,
    decision: Decision,
    found: Attributions,
    keys: Sequence[int],
    against: str,
) -> Floats:
    """What the metric really loses without each cell, [cells]: measured, or read back.

    Args:
        found: the decision's attributions, which say where and how much each feature adds.
        against: what takes the features' place.
    """
    paired = decision.paired

    def make() -> Floats:
        of_token = keys_of(paired, found, sae.width)
        removals = []
        for key in keys:
            here = np.flatnonzero(of_token == key)
            amount = found.activations[here, None] * sae.directions[[key % sae.width]].cpu()
            removals.append(Removal(tuple(found.positions[here].tolist()), amount))
        run = Removals(lab.model.blocks, paired.clean)
        return run.losses((sae.site, sae.layer), removals, decision.metric, decision.at).numpy()

    other = paired.corrupted if against == "corrupted" else None
    about = [paired.clean, other, list(keys), sae.name, sae.digests, decision.about, decision.at]
    return kept(lab, ["removals", about], make)
