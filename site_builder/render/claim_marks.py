"""The post's claims with their verdicts: marks and numbers in the prose, what no longer holds."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from markupsafe import Markup

from site_builder.core.errors import BuildError, Problem, nearest, plain
from site_builder.core.project import Project
from site_builder.post import values
from site_builder.post.claims import PREDICTIONS, Claim
from site_builder.post.directive import Directive
from site_builder.post.kinds import claim as claim_kind
from site_builder.post.post import Post
from site_builder.post.references import attribute
from site_builder.post.uses import Use
from site_builder.post.verdicts import families, repeats
from site_builder.post.verdicts.bounds import OTHER
from site_builder.post.verdicts.families import Adjusted
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render import claim_signs, models
from site_builder.render.bidi import isolated
from site_builder.render.claim_words import WORDS, numbers, summary
from site_builder.render.figures import Fragments


class Verdicts:
    """What `judge` found of each claim, on its study or else the one that the post shows."""

    def __init__(self, post: Post, fragments: Fragments) -> None:
        self.post = post
        self.fragments = fragments
        self.of: dict[str, Verdict] = {}
        self._untested: dict[str, BuildError] = {}
        self.signs = claim_signs.Signs(post, self.of)
        self.models = models.Models(post, fragments)

    def judge(self) -> list[Problem]:
        """Test every claim; returns what keeps one from being tested, or shown."""
        problems: list[Problem] = []
        for name in self.post.claims:
            try:
                self.test(name)
            except BuildError as error:
                problems += error.problems
        problems += [wrong for use in self._uses() if (wrong := self._wrong_with(use))]
        return [*problems, *self._without_a_reason()]

    def _wrong_with(self, use: Use) -> Problem | None:
        """Why a number that the prose asks for cannot be shown."""
        name, show = use.directive.name, use.directive.options.get("show", "")
        if show == models.SHOW:
            return self._of_one_study(use)
        verdict = self._verdict(use)
        if not show or verdict is None or not verdict.rows or show in verdict.shown:
            return None
        what, cure = f'claim "{name}" has no "{show}" to show', nearest(show, verdict.shown)
        if show.removeprefix(OTHER) in ("low", "high", "interval"):
            what = f'"{self.post.claims[name].show}", which claim "{name}" shows, has no "{show}"'
            cure = "show a column that has an interval, or print none"
        return Problem(use.directive.where, what, cure)

    def _of_one_study(self, use: Use) -> Problem | None:
        """That a claim cannot say where it holds, as it is about one study."""
        claim = self.post.claims[use.directive.name]
        if claim.everywhere:
            return None
        what = f'claim "{claim.id}" is tested on one study, and has no "{models.SHOW}" to show'
        cure = f"show a column, or write everywhere = true in {claim.where}"
        return Problem(use.directive.where, what, cure)

    def _without_a_reason(self) -> list[Problem]:
        """Numbers of claims that have no interval and do not say why, in the post's own study."""
        if self.post.study != self.post.project.study:
            return []
        silent = [
            name
            for name, verdict in self.of.items()
            if verdict.holds is not None and not self.post.claims[name].no_interval
        ]
        printed = {(use.directive.name, use.directive.options.get("show")) for use in self._uses()}
        return [
            Problem(
                self.post.claims[name].where,
                f'claim "{name}" shows "{show}", which has no interval',
                'say why, such as no_interval = "a count"',
            )
            for name in silent
            for show in self.of[name].bare
            if show == "estimate" or (name, show) in printed
        ]

    def test(self, name: str) -> None:
        """Test one claim; raises `BuildError` when it cannot be tested."""
        self._untested.pop(name, None)
        try:
            claim = self.post.claims[name]
            self.of[name] = self.fragments.verdict(claim, claim.study or self.post.study)
        except BuildError as error:
            self._untested[name] = error
            raise

    def failing(self) -> list[Problem]:
        """Claims that do not hold, at the lines that make them, once a section for its numbers."""
        marked, failing = set[tuple[str, str]](), dict[Directive, None]()
        uses = [use.directive for use in self._uses() if self._fails(use)]
        for directive in sorted(uses, key=lambda one: bool(one.options)):  # marks come first
            made = directive.name, directive.where.rpartition(":")[0]
            if not directive.options or made not in marked:
                failing[directive] = None
            marked.add(made)
        return [
            Problem(
                directive.where,
                f'claim "{directive.name}" does not hold: {self.summary(directive.name)}',
                f"rewrite the sentence, or mend {self.post.claims[directive.name].where}",
            )
            for directive in uses
            if directive in failing
        ]

    def adjusted(self) -> dict[str, Adjusted]:
        """The claims that have a p value, each corrected for the others of its file."""
        return families.families(self.post.claims, self.of)

    def repeats(self) -> dict[str, str]:
        """The claims that say no more than another one, and which."""
        return repeats.repeats(self.post.claims, self.of)

    def summary(self, name: str) -> str:
        """A claim's numbers in words: "1.87 logits (1.20 to 2.53), n = 80; tested: low > 0"."""
        return summary(self.post.claims[name], self.of[name])

    def rows(self) -> list[dict[str, object]]:
        """Every claim for machines; `holds` is null where it is not measured."""
        named = [(self.post.claims[name], verdict) for name, verdict in self.of.items()]
        adjusted, repeated = self.adjusted(), self.repeats()
        return [
            {
                "id": claim.id,
                "says": claim.says,
                "study": claim.study or self.post.study,
                "result": claim.result,
                "row": claim.row,
                "other": claim.other,
                "every": claim.every,
                "paired": claim.paired,
                "over": claim.over,
                "test": claim.test,
                "written": claim.written,
                "predicted": claim.predicted,
                "size": claim.size or None,
                "holds": verdict.holds,
                "in_sample": claim.is_of_sample,
                "rows": verdict.rows,
                "failing": verdict.failing,
                "unit": claim.unit,
                "shown": verdict.shown,
                "estimate": verdict.estimate,
                "low": verdict.low,
                "high": verdict.high,
                "n": verdict.n,
                "groups": verdict.groups,
                "no_interval": claim.no_interval or None,
                "margin": verdict.margin,
                "margin_by": verdict.margin_by or None,
                "p": verdict.p,
                "no_p": verdict.no_p or None,
                "holm": one.holm if (one := adjusted.get(claim.id)) else None,
                "benjamini_hochberg": one.benjamini_hochberg if one else None,
                "repeats": repeated.get(claim.id),
                "is_certain": verdict.is_certain,
                "everywhere": claim.everywhere,
                "models": [
                    {
                        "study": model.study,
                        "called": model.called,
                        "holds": other.holds,
                        "estimate": other.estimate,
                        "low": other.low,
                        "high": other.high,
                        "n": other.n,
                    }
                    for model, other in self.models.others(claim).items()
                ],
                "reported": claim.reported or None,
                "reported_for": claim.reported_for or None,
            }
            for claim, verdict in named
        ]

    def json(self) -> bytes:
        """The same as a file."""
        return json.dumps(self.rows(), indent=1, ensure_ascii=False).encode()

    def changes(self, after: Verdicts) -> list[str]:
        """A line for every claim that holds no longer, or does again."""
        return [
            f"claim {name}: {WORDS[self.of[name].holds]} before, {WORDS[verdict.holds]} now; "
            + after.summary(name)
            for name, verdict in after.of.items()
            if name in self.of and self.of[name].holds is not verdict.holds
        ]

    def written(self, use: Use) -> Markup:
        """What stands in the prose: a number or, without `show`, a mark for the paragraph's sign.

        Raises `BuildError` when the claim cannot be tested.
        """
        name = use.directive.name
        if name in self._untested:
            raise self._untested[name]
        if name not in self.of:
            self.test(name)
        return self._number(use) if use.directive.options else claim_signs.mark(use)

    def _title(self, name: str) -> str:
        """A claim's numbers, for those in the prose.

        Its test is left to the page of claims, if there is one: a page has hundreds of these.
        """
        verdict, claim = self.of[name], self.post.claims[name]
        is_told_there = self.signs.home(claim) and verdict.rows
        return numbers(claim, verdict) if is_told_there else self.summary(name)

    def is_apart(self, claim: Claim) -> bool:
        """Whether it stands among predictions, and not among all claims."""
        return claim.is_prediction and self.post.page_with(PREDICTIONS) is not None

    def _number(self, use: Use) -> Markup:
        name, show = use.directive.name, use.directive.options["show"]
        claim, verdict = self.post.claims[name], self._verdict(use)
        if show == models.SHOW:
            shown, title = self.models.where(claim), self.models.told(claim)
        else:
            shown = verdict.shown.get(show, values.MISSING) if verdict else values.MISSING
            title = self._title(name)
            if "study" in use.directive.options:
                title = summary(claim, verdict) if verdict else values.MISSING
        counted = "" if _is_of_models(use) else f' data-claim="{name}"'
        stale = ' data-stale="yes"' if use.state == "stale" else ""
        return Markup(
            f'<span class="post-value" id="{use.place}"{counted}{stale} '
            f'title="{html.escape(title)}">{isolated(html.escape(shown))}</span>'
        )

    def _verdict(self, use: Use) -> Verdict | None:
        """The verdict that a use prints: on the study that it names, or on the post's own."""
        name = use.directive.name
        if study := use.directive.options.get("study"):
            return self.fragments.verdict(self.post.claims[name], study)
        return self.of.get(name)

    def warning(self, page: Path) -> list[str]:
        """What stands at the head of a page whose sentences no longer hold, as Markdown."""
        failing = {
            use.directive.name for use in self._uses() if use.page == page and self._fails(use)
        }
        if not failing:
            return []
        return [
            f'!!! failure "Not everything below holds on {attribute(self._study())}"',
            "",
            *(
                f"    - {_literal(self.post.claims[name].says)} *{_literal(self.summary(name))}*"
                for name in sorted(failing)
            ),
            "",
        ]

    def _fails(self, use: Use) -> bool:
        """Whether the claim that a use makes was tested, and does not hold."""
        name = use.directive.name
        return name in self.of and self.of[name].holds is False and not _is_of_models(use)

    def _study(self) -> str:
        return str(self.post.store.current.settings(self.post.study).get("title", self.post.study))

    def _uses(self) -> list[Use]:
        return [use for use in self.post.uses.values() if use.directive.kind == claim_kind.NAME]


def _is_of_models(use: Use) -> bool:
    """Whether a use says in which models a claim holds, or a number of one of them."""
    options = use.directive.options
    return options.get("show") == models.SHOW or "study" in options


def _literal(text: str) -> str:
    """Text that is neither Markdown nor HTML where it stands in Markdown."""
    text = " ".join(plain(text).split())
    signs = re.compile(r"[!-/:-@\[-`{-~]")
    return isolated(signs.sub(lambda sign: f"&#{ord(sign[0])};", text))


def judged(project: Project, study: str) -> Verdicts:
    """The claims of a project's post; raises `BuildError` with all that keeps them untested."""
    post = Post(project, study)
    post.collect()
    verdicts = Verdicts(post, Fragments(post))
    problems = [*post.problems, *verdicts.judge()]
    if problems:
        raise BuildError(sorted(problems))
    return verdicts
