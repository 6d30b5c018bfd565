"""What was predicted of another study, and what was found there: `<< page: predictions >>`.

Predictions are claims that say a number and were written before their data. Beside each stands what
the post's own study has of the same test. Numbers are told by how far they are from nothing, which
is 0, or 1 where the test asks for more or less than 1: then it is a ratio, whose logarithm counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from markupsafe import Markup

from site_builder.post import values
from site_builder.post.claims import Claim
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.blocks import Blocks
from site_builder.render.claim_words import SHAPES, WORDS, numbers
from site_builder.results.recipe import ResultId

VARIANTS = ("", "count", "figure")
REACH = 3.0
"""How far the figure goes to either side, in ranges that count as replicated."""

HEAD, LABEL, ROW = 14, 20, 9
"""Pixels of what is above all, of the name of a result, and of a prediction."""

_RATIO = re.compile(r"\b(low|high) [<>] 1(?![\d.])")


@dataclass(frozen=True)
class Prediction:
    """A prediction, what the post's own study has of it, and what was found."""

    claim: Claim
    first: Verdict
    found: Verdict

    @property
    def predicted(self) -> float:
        """The number that was expected."""
        assert self.claim.predicted is not None  # as `size` is given
        return self.claim.predicted

    @property
    def in_size(self) -> bool | None:
        """Whether the estimate lies where its size counts as replicated; None: not measured."""
        estimate, (low, high) = self.found.estimate, self.claim.size
        return None if estimate is None else low <= estimate <= high

    @property
    def ratio(self) -> float | None:
        """How far from nothing the number found is, per distance of the first one."""
        ends = self.first.low, self.first.high
        if self.found.estimate is None or self.first.estimate is None or None in ends:
            return None
        low, high, first, found = map(
            self.effect, (*ends, self.first.estimate, self.found.estimate)
        )
        if not all(map(math.isfinite, (low, high, first, found))) or low * high <= 0:
            return None
        return found / first

    def effect(self, value: float | None) -> float:
        """How far a value is from nothing, towards what was predicted."""
        if value is None:
            return math.nan
        if not _RATIO.search(self.claim.test):
            return math.copysign(1, self.predicted) * value
        away = math.copysign(1, math.log(self.predicted))
        return away * math.log(value) if value > 0 else -away * math.inf

    def place(self, value: float | None) -> float:
        """Where a value stands: 0 as predicted, ±1 at the ends of the range, more is right."""
        at, middle = self.effect(value), self.effect(self.predicted)
        ends = sorted(map(self.effect, self.claim.size))
        if at == middle or math.isnan(at):
            return at - middle
        side = ends[1] - middle if at > middle else middle - ends[0]
        return (at - middle) / side if side > 0 else math.copysign(math.inf, at - middle)


def render(blocks: Blocks, *, variant: str = "") -> Markup:
    """List them by result; `count`: how many held, `figure`: all on one scale."""
    found = _predictions(blocks)
    if variant == "count":
        return blocks.frame.markup("predictions_count.html.j2", **_count(blocks, found))
    if variant == "figure":
        return blocks.frame.markup("predictions_figure.html.j2", **_figure(found))
    predicted = blocks.post.predicted()
    stale = {use.directive.name for use in predicted if use.state == "stale"}
    groups = [
        (name, [_row(one) | {"is_stale": one.claim.id in stale} for one in some])
        for name, some in _by_result(found)
    ]
    settings = blocks.post.store.current.settings(blocks.post.study)
    first = settings.get("title", blocks.post.study)
    return blocks.frame.markup("predictions.html.j2", groups=groups, first=first)


def _predictions(blocks: Blocks) -> list[Prediction]:
    verdict, study = blocks.fragments.verdict, blocks.post.study
    return [
        Prediction(one, verdict(one.at_first, study), verdict(one, one.study))
        for one in blocks.post.claims.values()
        if one.size
    ]


def _by_result(found: Sequence[Prediction]) -> list[tuple[str, list[Prediction]]]:
    return [(name, [*some]) for name, some in groupby(found, key=lambda one: one.claim.result)]


def _row(one: Prediction) -> dict[str, Any]:
    claim = one.claim

    def written(number: float) -> str:
        return values.text(number, claim.format)

    return {
        "claim": claim,
        "first": numbers(claim, one.first) if one.first.rows else values.MISSING,
        "predicted": written(one.predicted),
        "size": [*map(written, claim.size)],
        "found": numbers(claim, one.found) if one.found.rows else "",
        "word": WORDS[one.found.holds],
        "shape": SHAPES[one.found.holds],
        "in_size": one.in_size,
        "ratio": "" if one.ratio is None else values.text(one.ratio, ".2f"),
    }


def _count(blocks: Blocks, found: Sequence[Prediction]) -> dict[str, Any]:
    outcomes = [one.found.holds for one in found]
    ratios = [one.ratio for one in found if one.ratio is not None]
    sizes = [one.in_size for one in found if one.in_size is not None]
    store = blocks.post.store
    ids = {ResultId(one.claim.study, one.claim.analysis, one.claim.variant) for one in found}
    made = sorted(store.recipe(id).made_at for id in ids if store.path(id).is_file())
    return {
        "total": len(found),
        "counts": [(word, SHAPES[state], outcomes.count(state)) for state, word in WORDS.items()],
        "in_size": sizes.count(True),
        "sized": len(sizes),
        "ratio": values.text(median(ratios), ".2f") if ratios else "",
        "ratios": len(ratios),
        "begun": made[0][:10] if made else "",
    }


def _figure(found: Sequence[Prediction]) -> dict[str, Any]:
    """The marks of each prediction, at per cent of the width and pixels of the height."""
    groups, y = [], HEAD
    for name, some in _by_result(found):
        marks = [_marks(one, y + LABEL + ROW * (i + 0.5)) for i, one in enumerate(some)]
        groups.append({"name": name, "y": y + LABEL - 6, "marks": marks})
        y += LABEL + ROW * len(some)
    ends = [_across(end) for end in (-1, 0, 1)]
    return {"groups": groups, "head": HEAD, "height": y + 4, "ends": ends, "total": len(found)}


def _marks(one: Prediction, y: float) -> Mapping[str, Any]:
    def line(verdict: Verdict) -> dict[str, Any]:
        at = one.place(verdict.estimate)
        ends = [one.place(end) for end in (verdict.low, verdict.high)]
        return {
            "at": None if math.isnan(at) else _across(at),
            "ends": None if any(map(math.isnan, ends)) else sorted(map(_across, ends)),
        }

    return {
        "y": y,
        "says": one.claim.says,
        "first": line(one.first),
        "found": line(one.found),
        "shape": SHAPES[one.found.holds],
        "word": WORDS[one.found.holds],
        "numbers": [
            numbers(one.claim, verdict) if verdict.rows else values.MISSING
            for verdict in (one.first, one.found)
        ],
    }


def _across(place: float) -> float:
    """Per cent of the width; what lies beyond stands at the edge."""
    return round(50 + 48 * max(-REACH, min(REACH, place)) / REACH, 2)
