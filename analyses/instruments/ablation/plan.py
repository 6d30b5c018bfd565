"""The conditions under which lists are drawn again, the most important first.

Features are zeroed, or set to their mean under the other (long) prompt, at roles of the prompt or
at deciding tokens; which ones, and what their mean is, `instruments.features.profiles` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from analyses.instruments.ablation.ablated_lists import (
    CUT,
    OTHER_SEEDS,
    PROMPT,
    Condition,
    Edit,
    Starts,
    from_cut_lists,
    from_prompts,
)
from analyses.instruments.features.profiles import ROLES, TEMPLATE, Cell, Profile, profiles
from analyses.instruments.lists import read_lists
from analyses.instruments.pairs import OTHER
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.interventions import DECIDING

FEATURES = 20  # cells of an autoencoder that are edited, or kept
LEAST = 0.1  # of the largest layer's effect at a place: a layer with less is not edited there
AGAINST = {"zero": "zero", "mean": "corrupted"}  # edit -> what the effects are chosen against


def conditions(lab: Lab, list_samples: pa.Table) -> list[Condition]:
    """All of them."""
    lists = read_lists(list_samples, lab.study.prompt)
    found, shift = profiles(lab, lists)
    whole = _Plan(lab.study.seed, PROMPT, from_prompts(lab), found, shift)
    plan = [*whole.baselines(), *whole.ablations("mean", DECIDING, together=True)]
    plan += whole.controls()
    plan += [*whole.steering(), *whole.sufficiency()]
    starts = from_cut_lists(lab, lists)
    if starts[TEMPLATE]:
        cut = _Plan(lab.study.seed, CUT, starts, found, shift)
        plan += [*cut.baselines(), *cut.ablations("mean", DECIDING), *cut.steering()]
    plan += whole.ablations("zero", DECIDING)
    plan += whole.ablations("mean", "prompt", together=True)
    plan += whole.ablations("zero", "prompt")
    return plan


@dataclass(frozen=True)
class _Plan:
    """The conditions of one start."""

    seed: int
    start: str
    starts: Starts
    found: Sequence[Profile]
    shift: float

    def one(self, method: str, template: str = TEMPLATE, **changed: Any) -> Condition:
        """A condition on the lists of this start."""
        return Condition(self.start, method, self.starts[template], **changed)

    def baselines(self) -> Iterator[Condition]:
        """The network as it is, and changes that know nothing of features."""
        yield self.one("base")
        if self.start == PROMPT:
            yield self.one(OTHER_SEEDS)
        yield self.one("long prompt", OTHER[TEMPLATE])
        yield self.one("logit bias", role_place=DECIDING, bias=self.shift)

    def steering(self) -> Iterator[Condition]:
        """The difference of means at each autoencoder's place."""
        for profile in self.found:
            vector = tuple(float(number) for number in profile.steering)
            at = profile.place
            yield self.one("steering", role_place=DECIDING, at=at, steering=vector)

    def ablations(self, edit: str, place: str, *, together: bool = False) -> Iterator[Condition]:
        """The cells of largest effect and matched ones, layer by layer; then all layers at once."""
        done = []
        for profile, chosen in self._chosen(edit, place):
            matched = profile.matched(chosen, edit, self.seed)
            for method, cells in (("top", chosen), ("random", matched)):
                if cells:
                    done.append(self._edited(method, profile, cells, edit, place))
        yield from done
        for method in ("top", "random") if together else ():
            some = [one for one in done if one.method == method]
            if len(some) > 1:
                edits = tuple(part for one in some for part in one.edits)
                digests = tuple(part for one in some for part in one.digests)
                size = sum(one.size for one in some)
                yield replace(some[0], at=None, edits=edits, digests=digests, size=size)

    def controls(self) -> Iterator[Condition]:
        """The same cells at deciding tokens, set to their mean under the list's own prompt.

        Either mean levels what differs from place to place in a list; only the other prompt's says
        another length word.
        """
        for profile, chosen in self._chosen("mean", DECIDING):
            yield self._edited("top", profile, chosen, "own mean", DECIDING)

    def sufficiency(self) -> Iterator[Condition]:
        """At deciding tokens all features but the chosen ones set to their mean."""
        for profile, chosen in self._chosen("mean", DECIDING):
            matched = profile.matched(chosen, "mean", self.seed)
            for method, cells in (("keep", chosen), ("keep random", matched)):
                if cells:
                    alone = {feature for _, feature in cells}
                    rest = [(DECIDING, f) for f in range(profile.width) if f not in alone]
                    yield self._edited(method, profile, rest, "mean", DECIDING)

    def _chosen(self, edit: str, place: str) -> list[tuple[Profile, list[Cell]]]:
        """The cells of each layer; no layer with less than `LEAST` of the largest one's effect.

        The length word has left the prompt when late layers come, and has not reached the deciding
        token in early ones.
        """
        against = AGAINST[edit]
        found = [(one, one.strongest(place, against, FEATURES)) for one in self.found]
        effects = [
            sum(abs(float(one.of(role, against)[feature])) for role, feature in cells)
            for one, cells in found
        ]
        least = LEAST * max(effects, default=0.0)
        return [
            pair for pair, size in zip(found, effects, strict=True) if size > 0 and size >= least
        ]

    def _edited(
        self, method: str, profile: Profile, cells: Sequence[Cell], edit: str, place: str
    ) -> Condition:
        """The cells by role, with the values that they get."""
        edits, size = [], 0.0
        for role in ROLES:
            features = tuple(feature for of, feature in cells if of == role)
            means = profile.of(role, "own" if edit == "own mean" else "other")
            values = tuple(0.0 if edit == "zero" else float(means[f]) for f in features)
            size += float(profile.size(role, edit)[list(features)].sum())
            if features:
                edits.append(Edit(profile.place, role, features, values))
        return self.one(
            method,
            edit=edit,
            role_place=place,
            at=profile.place,
            edits=tuple(edits),
            size=size,
            digests=tuple(profile.digests.items()),
        )
