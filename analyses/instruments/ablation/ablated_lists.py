"""Drawing lists while the network is changed, and what they start from.

A list starts from the `prompt` alone, or from a `list minus last item`: a list that had ended, cut
after the hyphen of its last item. All conditions of a start draw the same lists with the same
random numbers, but `other seeds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analyses.instruments import sweeps
from analyses.instruments.features.profiles import TEMPLATE
from analyses.instruments.lists import WrittenList
from analyses.instruments.pairs import OTHER, pair
from analyses.lab.model.sampling import Request, sample
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.attribution import Place
from analyses.lab.saes.interventions import DECIDING, Change, Gated, adding, replacing
from analyses.lab.saes.saes import open_saes

LISTS = 2  # a topic, from the prompt alone
HELD_OUT_LISTS = 6  # a topic that is held out, where effects are to be believed
CUT_LISTS = 2  # a topic, from a list minus its last item
LEAST = 3  # items of a list that is cut
TOKENS = 120  # new ones, at most
PROMPT, CUT = "prompt", "list minus last item"
OTHER_SEEDS = "other seeds"
Starts = dict[str, tuple["Start", ...]]  # by the template of the prompt


@dataclass(frozen=True)
class Start:
    """One list to draw; what it starts from may differ between conditions, all else does not."""

    prompt: tuple[int, ...]
    topic: str
    held_out: bool
    sample: int
    given_items: int


@dataclass(frozen=True)
class Edit:
    """Features of one autoencoder and what they are set to, at one role."""

    place: Place
    role: str
    features: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Condition:
    """What is done to the network while lists are drawn.

    Attributes:
        method: base, other seeds, long prompt, logit bias, top, random, steering, keep, or keep
            random.
        edit, role_place, at: what takes the features' place (zero, their mean under the other
            prompt, or `own mean`), whether in the prompt or at deciding tokens, and whose features:
            one autoencoder, or all.
        size: how far the edits move the stream at a token, summed over features (`Profile.size`).
        steering: what is added to the stream at deciding tokens.
        bias: what is added to the logit that ends the list, at deciding tokens.
        digests: of the autoencoders that are needed.
    """

    start: str
    method: str
    starts: tuple[Start, ...]
    edit: str | None = None
    role_place: str | None = None
    at: Place | None = None
    edits: tuple[Edit, ...] = ()
    steering: tuple[float, ...] = ()
    bias: float = 0.0
    size: float = 0.0
    digests: tuple[tuple[str, str], ...] = ()

    @property
    def features(self) -> int:
        """How many cells are edited."""
        return sum(len(one.features) for one in self.edits)


def draw(lab: Lab, condition: Condition) -> list[list[int]]:
    """The new tokens of each of its lists, drawn once and kept."""
    study, network = lab.study, lab.model.blocks.network
    contrast, stop = sweeps.contrast_of(lab), lab.model.ends(study.prompt)
    requests = _requests(lab, condition)

    def make() -> NDArray[np.int64]:
        rows = np.full((len(requests), TOKENS), -1)
        with ExitStack() as stack:
            gated = Gated(
                network,
                contrast,
                _changes(lab, condition, stack),
                roles=_roles(lab),
                bias=condition.bias,
            )
            drawn = sample(
                gated,
                requests,
                top_p=study.sampling.top_p,
                max_new_tokens=TOKENS,
                stop=stop,
                batch=study.sampling.batch,
            )
            for row, tokens in drawn:
                rows[row, : len(tokens)] = tokens
        return rows

    about = [
        "drawn lists", [asdict(one) for one in requests], study.sampling.top_p, TOKENS, stop,
        contrast, [asdict(one) for one in condition.edits], condition.at, condition.steering,
        condition.bias, condition.digests, sorted(_roles(lab).items()),
    ]  # fmt: skip
    found = kept(lab, about, make)
    return [[int(token) for token in row if token >= 0] for row in found]


def _changes(lab: Lab, condition: Condition, stack: ExitStack) -> list[Change]:
    """The changes of a condition; its autoencoders are open, together, as long as `stack` is."""
    if condition.steering and condition.at:
        vector = torch.tensor(condition.steering, dtype=torch.float32)
        return [Change(*condition.at, DECIDING, adding(vector))]
    opened = {}
    for site, layer in dict.fromkeys(one.place for one in condition.edits):
        one_sae = open_saes(lab, site=site, layers=[layer])
        opened[site, layer] = next(one_sae)
        stack.callback(one_sae.close)  # type: ignore[attr-defined]
    return [
        Change(*one.place, one.role, replacing(opened[one.place], one.features, one.values))
        for one in condition.edits
    ]


def _requests(lab: Lab, condition: Condition) -> list[Request]:
    """From the prompt alone those of `list_samples`, so that base lists are its lists."""
    of_start = TEMPLATE if condition.start == PROMPT else condition.start
    name = OTHER_SEEDS if condition.method == OTHER_SEEDS else of_start
    usual = lab.study.sampling.temperature
    return [
        Request(one.prompt, usual, (lab.study.seed, name, usual, one.topic, one.sample))
        for one in condition.starts
    ]


def _roles(lab: Lab) -> dict[tuple[int, ...], list[str | None]]:
    """The role of each token of the short prompts; none before the length word."""
    found: dict[tuple[int, ...], list[str | None]] = {}
    for topic in lab.study.topics.names:
        clean, _ = pair(lab.model, lab.study.prompt, lab.study.prompt.templates, TEMPLATE, topic)
        first = clean.roles.index("length")
        found[clean.ids] = [role if i >= first else None for i, role in enumerate(clean.roles)]
    return found


def from_prompts(lab: Lab) -> Starts:
    """Some lists a topic, from the prompt alone."""
    held_out = lab.study.topics.held_out
    return {
        template: tuple(
            Start(ids, topic, topic in held_out, sample, 0)
            for topic in lab.study.topics.names
            for ids in [_pair_of(lab, topic)[template]]
            for sample in range(HELD_OUT_LISTS if topic in held_out else LISTS)
        )
        for template in (TEMPLATE, OTHER[TEMPLATE])
    }


def from_cut_lists(lab: Lab, lists: Sequence[WrittenList]) -> Starts:
    """Well-formed lists that had ended after the short prompt, without their last item."""
    usable = [
        one
        for one in lists
        if one.group == (TEMPLATE, lab.study.sampling.temperature)
        and one.roles.reason == ""
        and len(one.items) >= LEAST
    ]
    made: dict[str, list[Start]] = {TEMPLATE: [], OTHER[TEMPLATE]: []}
    for topic in lab.study.topics.names:
        for one in [one for one in usable if one.key["topic"] == topic][:CUT_LISTS]:
            ends = [token.role == "hyphen" and token.k_end == -1 for token in one.roles.tokens]
            given = tuple(one.token_ids[: ends.index(True)])
            for template, starts in made.items():
                ids = (*_pair_of(lab, topic)[template], *given)
                known = (topic, one.key["held_out"], one.key["sample"], len(one.items) - 1)
                starts.append(Start(ids, *known))
    return {template: tuple(starts) for template, starts in made.items()}


def _pair_of(lab: Lab, topic: str) -> dict[str, tuple[int, ...]]:
    """The short and the long prompt."""
    clean, other = pair(lab.model, lab.study.prompt, lab.study.prompt.templates, TEMPLATE, topic)
    return {TEMPLATE: clean.ids, OTHER[TEMPLATE]: other.ids}
