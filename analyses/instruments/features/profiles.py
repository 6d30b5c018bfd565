"""What the features of an autoencoder do where they can be edited, and which are chosen.

Places are the prompt (roles from the length word on) and deciding tokens. All is taken from one
short list a topic (`paired_lists`), topics that are not held out, so that effects of what is chosen
can be believed on those that are. A cell is a role and a feature. Effects are those on the decision
at the list's end; activations at `deciding` are means over all places where the list could have
ended, since an edit is made at all of them, and at `last` over its end alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from analyses.instruments import paired_lists, sweeps
from analyses.instruments.features import cells as sae_cells
from analyses.instruments.features.cells import role_numbers
from analyses.instruments.features.decisions import AGAINST, Decision, cells_of, decisions
from analyses.instruments.lists import WrittenList
from analyses.instruments.paired_lists import IN_PROMPT, PairedList
from analyses.lab.core.errors import LabError
from analyses.lab.core.statistics import Floats
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.attribution import Place
from analyses.lab.saes.interventions import DECIDING
from analyses.lab.saes.saes import Sae, open_saes

TEMPLATE = "short"
LAST = "last"  # the deciding token at the list's end
ROLES = (*IN_PROMPT, DECIDING)
ROLES_OF = {"prompt": IN_PROMPT, DECIDING: (DECIDING,)}
QUANTITIES = (*AGAINST, "own", "other", "spread", "norm")
NEAREST = 20  # features among which a matched one is drawn

Cell = tuple[str, int]  # role, feature


@dataclass(frozen=True)
class Profile:
    """One autoencoder's features.

    Attributes:
        values: [roles and `last`, quantities, width]; the mean effect of a list on the contrast
            against `zero` and against `corrupted`, in logits; the mean activation of a token of the
            role under the list's `own` prompt and under the `other`; `spread`, how far activations
            are from the mean under the other, root mean square; the `norm` of the direction.
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
        found: Floats = self.values[(*ROLES, LAST).index(role), QUANTITIES.index(quantity)]
        return found

    def size(self, role: str, edit: str) -> Floats:
        """How far an edit of each feature moves the stream at the role's tokens, [width].

        To zero the mean activation × norm, to the mean of the other prompt the spread × norm.
        """
        return self.of(role, "own" if edit == "zero" else "spread") * self.of(role, "norm")

    def strongest(self, place: str, against: str, count: int) -> list[Cell]:
        """The cells of the largest mean effect, by its absolute value; none without effect."""
        cells = [(role, feature) for role in ROLES_OF[place] for feature in range(self.width)]
        effects = np.concatenate([self.of(role, against) for role in ROLES_OF[place]])
        order = np.argsort(-np.abs(effects), kind="stable")[:count]
        return [cells[i] for i in order if effects[i] != 0]

    def matched(self, chosen: Sequence[Cell], edit: str, seed: int) -> list[Cell]:
        """For each cell another one of its role whose edit moves the stream about as far.

        Drawn without repetition among the `NEAREST` by `size` of those that fire there and are not
        chosen; fewer where there are no more.
        """
        rng, taken, found = np.random.default_rng(seed), set(chosen), list[Cell]()
        for role, feature in chosen:
            size = self.size(role, edit)
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
    found_pairs = paired_lists.paired_lists(lab, lists, TEMPLATE, "length")
    pairs = [one for one in found_pairs if not one.held_out]
    if not pairs:
        what = f"no ended {TEMPLATE} list of three items on a topic that is not held out"
        raise LabError(f"analyses/studies/{lab.name}.toml: sampling", what, "sample more lists")
    asked = [sweeps.contrast_of(lab), [(one.clean, one.corrupted) for one in pairs]]

    @cache
    def found() -> list[Decision]:
        """The runs, needed only for what is not kept."""
        runs = decisions(lab, lists, TEMPLATE, places, log_prob=False)
        return [one for one in runs if not one.paired.held_out]

    done = []
    for sae in lab.progress(open_saes(lab), total=len(places), label="profiles of features"):
        about, place = [asked, sae.name, sae.digests], (sae.site, sae.layer)

        def measure(sae: Sae = sae) -> Floats:
            return _measure(lab, sae, found())

        def steer(place: Place = place) -> Floats:
            return _steering(found(), place)

        values = kept(lab, ["profile", about], measure)
        vector = kept(lab, ["steering", about], steer)
        done.append(Profile(place, sae.digests, values, vector))

    def shift() -> Floats:
        moved = [one.other.metric - one.trace.metric for one in found() if one.other and one.trace]
        return np.array([np.mean(moved)])

    return done, float(kept(lab, ["shift of the contrast", asked], shift)[0])


def _measure(lab: Lab, sae: Sae, found: Sequence[Decision]) -> Floats:
    """`Profile.values`."""
    primary = getattr(lab.study.decision, lab.study.decision.primary)
    effects = [cells_of(sae, found, against) for against in AGAINST]
    norm = sae.directions.norm(dim=-1).double().cpu().numpy()
    places = [_places(one.paired, primary.at) for one in found]
    own, other = ([_activations(sae, x) for x in _streams(found, sae, side)] for side in (0, 1))
    rows = []
    for role in (*ROLES, LAST):
        number = sae_cells.ROLES.index((role, None) if role in IN_PROMPT else (DECIDING, -1))
        keys = list(range(number * sae.width, (number + 1) * sae.width))
        means = [cells.values(keys)[:, 0].mean(0) for cells in effects]
        mine, theirs = (
            np.concatenate([x[at[role]] for x, at in zip(side, places, strict=True)])
            for side in (own, other)
        )
        mean = theirs.mean(0) if len(theirs) else np.zeros(sae.width)
        spread = np.sqrt(((mine - mean) ** 2).mean(0)) if len(mine) else mean
        rows.append(np.stack((*means, mine.mean(0) if len(mine) else mean, mean, spread, norm)))
    return np.stack(rows)


def _places(paired: PairedList, at: str) -> dict[str, list[int]]:
    """The positions of each role, of every place where the list could have ended, of its end."""
    numbers = role_numbers(paired)
    found = {
        role: np.flatnonzero(numbers == sae_cells.ROLES.index((role, None))).tolist()
        for role in IN_PROMPT
    }
    deciding = sorted(paired_lists.deciding_places(paired.tokens, at).values())
    return {**found, DECIDING: deciding, LAST: [len(paired.clean) - 1]}


def _streams(found: Sequence[Decision], sae: Sae, side: int) -> list[Tensor]:
    """What the autoencoder reads in each list: under its own prompt (0), or the other (1)."""
    place = (sae.site, sae.layer)
    traces = [(one.trace, one.other)[side] for one in found]
    return [trace.streams[place] for trace in traces if trace]


def _activations(sae: Sae, x: Tensor) -> Floats:
    """Of all features, [positions, width]."""
    with torch.inference_mode():
        return sae.encode(x.to(sae.directions.device)).double().cpu().numpy()


def _steering(found: Sequence[Decision], place: Place) -> Floats:
    """`Profile.steering`."""
    moved = [
        (one.other.streams[place][-1] - one.trace.streams[place][-1]).double().numpy()
        for one in found
        if one.other and one.trace
    ]
    mean: Floats = np.stack(moved).mean(0)
    return mean
