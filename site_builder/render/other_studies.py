"""The post's figures of other studies: where several have a result, a reader picks whose is shown.

Each is drawn at the build as its directive says, into a file that the page's script puts in the
figure's place when it is asked for. The prose speaks of the post's own study. A study that claims
name has sentences of its own, beside which it is shown: it is offered in every figure only if its
file says `offered = true`. One that says `offered = false` is never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from site_builder.core.errors import BuildError, Problem
from site_builder.post.post import Post
from site_builder.post.uses import Use
from site_builder.render.figure import Fragment
from site_builder.render.figures import Fragments


class Studies:
    """What other studies show in a post's figures; `notes` says what they cannot."""

    def __init__(self, post: Post, fragments: Fragments) -> None:
        self.post = post
        self.fragments = fragments
        self.notes: list[Problem] = []

    def draw(self, uses: Iterable[Use]) -> dict[str, list[tuple[Use, Fragment]]]:
        """Draw what other studies have of `uses`; returns it by slug.

        What they cannot draw becomes a note: a value that a directive names may not be theirs.
        """
        drawn: dict[str, list[tuple[Use, Fragment]]] = {}
        switched = [use for use in uses if "study" not in use.directive.options]
        spoken_of = {claim.study for claim in self.post.claims.values()}
        for study in self.post.project.studies():
            if study == self.post.study:
                continue
            if not self.post.project.settings(study).get("offered", study not in spoken_of):
                continue
            others = [other for use in switched if (other := self._of(study, use))]
            self.fragments.prepare(others)
            for use in others:
                try:
                    fragment = self.fragments.fragment(use)
                except BuildError as error:
                    self._note(study, error)
                else:
                    drawn.setdefault(use.slug, []).append((use, fragment))
        return drawn

    def _of(self, study: str, use: Use) -> Use | None:
        """The same use of another study's result, if it has one that can be read."""
        id = replace(use.id, study=study)
        if not self.post.store.path(id).is_file():
            return None
        try:
            reasons = self.post.store.why_stale(id)
        except BuildError as error:
            self._note(study, error)
            return None
        return replace(use, id=id, state="stale" if reasons else "fresh", reasons=reasons)

    def _note(self, study: str, error: BuildError) -> None:
        self.notes += [
            Problem(problem.where, f"study {study}: {problem.what}", problem.cure)
            for problem in error.problems
        ]
