"""What the features of an autoencoder do where they can be edited, and which are chosen.

Places are the prompt (roles from the length word on) and the deciding token. All is taken from one
short list a topic (`paired_lists`), topics that are not held out, so that effects of what is chosen
can be believed on those that are. A cell is a role and a feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from analyses.lab import blocks, sae_attribution, sae_cells, sweeps
from analyses.lab.errors import LabError
from analyses.lab.interventions import DECIDING
from analyses.lab.kept import kept
from analyses.lab.lab import Lab
from analyses.lab.lists import WrittenList
from analyses.lab.paired_lists import IN_PROMPT, paired_lists
from analyses.lab.sae_attribution import Place
from analyses.lab.sae_cells import role_numbers
from analyses.lab.sae_decisions import AGAINST, Decision, cells_of, decisions
from analyses.lab.saes import Sae, open_saes
from analyses.lab.statistics import Floats

TEMPLATE = "short"
ROLES = (*IN_PROMPT, DECIDING)
ROLES_OF = {"prompt": IN_PROMPT, DECIDING: (DECIDING,)}
QUANTITIES = (*AGAINST, "own", "other", "norm")
NEAREST = 20  # features among which a matched one is drawn

Cell = tuple[str, int]  # role, feature


@dataclass(frozen=True)
class Profile:
    """One autoencoder's features.

    Attributes:
        values: [roles, quantities, width]; the mean effect of a list on the contrast against
            `zero` and against `corrupted`, in logits; the mean activation of a token of the role
            under the list's `own` prompt and under the `other`; and the `norm` of the direction.
        steering: what the other prompt adds to the stream at the deciding token, the mean, [d].
    """

    place: Place
    digests: dict[str, str]
    values: Floats
    steering: Floats

    @property
    def width(self) -> int:
        """How many features there are."""
        return int(self.values.shape[2])

    def of(self, role: str, quantity: str) -> Floats:
        """A quantity of all features at a role, [width]."""
        found: Floats = self.values[ROLES.index(role), QUANTITIES.index(quantity)]
        return found

    def strongest(self, place: str, against: str, count: int) -> list[Cell]:
        """The cells of the largest mean effect, by its absolute value; none without effect."""
        cells = [(role, feature) for role in ROLES_OF[place] for feature in range(self.width)]
        effects = np.concatenate([self.of(role, against) for role in ROLES_OF[place]])
        order = np.argsort(-np.abs(effects), kind="stable")[:count]
        return [cells[i] for i in order if effects[i] != 0]

    def matched(self, chosen: Sequence[Cell], seed: int) -> list[Cell]:
        """For each cell another one of its role that is as large in the stream.

        Drawn without repetition among the `NEAREST` by mean activation × norm of those that fire
        there and are not chosen; fewer where there are no more.
        """
        rng, taken, found = np.random.default_rng(seed), set(chosen), list[Cell]()
        for role, feature in chosen:
            size = self.of(role, "own") * self.of(role, "norm")
            order = np.argsort(np.abs(size - size[feature]), kind="stable").tolist()
            near = [(role, one) for one in order if size[one] > 0 and (role, one) not in taken]
            if near:
                drawn = near[int(rng.integers(len(near[:NEAREST])))]
                taken.add(drawn)
                found.append(drawn)
        return found


def profiles(lab: Lab, lists: Sequence[WrittenList]) -> tuple[list[Profile], float]:
    """Of every autoencoder of the study, and what the other prompt adds to the contrast, logits.

    Raises:
        LabError: no topic that is not held out has a list to choose by.
    """
    places = [(source.site, layer) for source in lab.study.saes for layer in source.layers]
    pairs = [one for one in paired_lists(lab, lists, TEMPLATE, "length") if not one.held_out]
    if not pairs:
        what = f"no ended {TEMPLATE} list of three items on a topic that is not held out"
        raise LabError(f"analyses/studies/{lab.name}.toml: sampling", what, "sample more lists")
    asked = [sweeps.contrast_of(lab), [(one.clean, one.corrupted) for one in pairs]]
    used = (blocks, sae_attribution, sae_cells)

    @cache
    def found() -> list[Decision]:
        """The runs, needed only for what is not kept."""
        runs = decisions(lab, lists, TEMPLATE, places, log_prob=False)
        return [one for one in runs if not one.paired.held_out]

    done = []
    for sae in lab.progress(open_saes(lab), total=len(places), label="profiles of features"):
        about, place = [asked, sae.name, sae.digests], (sae.site, sae.layer)

        def measure(sae: Sae = sae) -> Floats:
            return _measure(sae, found())

        def steer(place: Place = place) -> Floats:
            return _steering(found(), place)

        values = kept(lab, ["profile", about], used, measure)
        vector = kept(lab, ["steering", about], used, steer)
        done.append(Profile(place, sae.digests, values, vector))

    def shift() -> Floats:
        moved = [one.other.metric - one.trace.metric for one in found() if one.other and one.trace]
        return np.array([np.mean(moved)])

    return done, float(kept(lab, ["shift of the contrast", asked], used, shift)[0])


def _measure(sae: Sae, found: Sequence[Decision]) -> Floats:
    """`Profile.values`."""
    zero, corrupted = (cells_of(sae, found, against) for against in AGAINST)
    tokens = sum(
        np.bincount(role_numbers(one.paired), minlength=len(sae_cells.ROLES)) for one in found
    )
    norm = sae.directions.norm(dim=-1).double().cpu().numpy()
    rows = []
    for role in ROLES:
        number = sae_cells.ROLES.index((role, -1 if role == DECIDING else None))
        keys = list(range(number * sae.width, (number + 1) * sae.width))
        alone, change = zero.values(keys), corrupted.values(keys)
        count = max(1, int(np.asarray(tokens)[number]))
        own = alone[:, 1].sum(0) / count
        other = own - change[:, 1].sum(0) / count
        rows.append(np.stack((alone[:, 0].mean(0), change[:, 0].mean(0), own, other, norm)))
    return np.stack(rows)


def _steering(found: Sequence[Decision], place: Place) -> Floats:
    """`Profile.steering`."""
    moved = [
        (one.other.streams[place][-1] - one.trace.streams[place][-1]).double().numpy()
        for one in found
        if one.other and one.trace
    ]
    mean: Floats = np.stack(moved).mean(0)
    return mean
