"""Claims on other models: where each statement holds that names nothing of one model alone.

The models are the post's own study and every other one whose file says what its model is `called`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from site_builder.post.claims import Claim
from site_builder.post.post import Post
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.claim_words import numbers, worded
from site_builder.render.figures import Fragments

CALLED = "called"
"""What a study's file calls its model by."""

SHOW = "models"
"""What a claim in the prose shows to say where it holds."""


@dataclass(frozen=True)
class Model:
    """A study that claims are tested on, and what its model is called."""

    study: str
    called: str


class Models:
    """What each claim came to on each model."""

    def __init__(self, post: Post, fragments: Fragments) -> None:
        self.post = post
        self.fragments = fragments

    def all(self) -> list[Model]:
        """The models, the post's own first; that one alone where no other is called anything."""
        settings, own = self.post.store.current.settings, self.post.study
        title = settings(own).get("title", own)
        others = (study for study in self.post.project.studies() if study != own)
        called = {study: settings(study).get(CALLED) for study in others}
        return [
            Model(own, str(settings(own).get(CALLED, title))),
            *(Model(study, str(name)) for study, name in called.items() if name),
        ]

    def verdicts(self, claim: Claim) -> dict[Model, Verdict]:
        """The verdict on each model, which may be that it is not measured."""
        return {model: self.fragments.verdict(claim, model.study) for model in self.all()}

    def others(self, claim: Claim) -> dict[Model, Verdict]:
        """The verdicts on other models than the post's own, of a claim that is about any."""
        found = self.verdicts(claim) if claim.everywhere else {}
        return {model: one for model, one in found.items() if model.study != self.post.study}

    def compared(self) -> Iterator[tuple[Claim, dict[Model, Verdict]]]:
        """The claims that more than one model was tested for, with all its verdicts."""
        for claim in self.post.claims.values():
            if claim.everywhere:
                found = self.verdicts(claim)
                if sum(one.holds is not None for one in found.values()) > 1:
                    yield claim, found

    def told(self, claim: Claim) -> str:
        """The verdict and the numbers of every model."""
        return "; ".join(
            f"{model.called}: {worded(claim, one)}{', ' + numbers(claim, one) if one.rows else ''}"
            for model, one in self.verdicts(claim).items()
        )

    def where(self, claim: Claim) -> str:
        """Where a claim holds, in words that end a sentence: "in both models"."""
        found = self.verdicts(claim)
        tested = [model.called for model, one in found.items() if one.holds is not None]
        holding = [model.called for model, one in found.items() if one.holds]
        failing = [name for name in tested if name not in holding]
        if len(tested) < 2:
            said = f"{'' if holding else 'not '}in {tested[0]}" if tested else ""
            return f"{said}, tested in no other model" if said else "tested in no model"
        if not failing:
            return "in both models" if len(tested) == 2 else f"in all {len(tested)} models"
        if not holding:
            return "in neither model" if len(tested) == 2 else f"in none of {len(tested)} models"
        return f"in {_and(holding)}, not in {_and(failing)}"


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
