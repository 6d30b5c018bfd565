"""`<< page: models >>`: claims by model, by which numbers they hold, estimates on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.post.claims import ALL, Claim
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.blocks import Blocks
from site_builder.render.claim_words import SHAPES, outcome
from site_builder.render.models import Model

LINE, MARGIN = 14, 4
"""Pixels of a model's line in the strip of estimates; per cent of its width at either side."""


def render(blocks: Blocks) -> Markup:
    """The table: a row a claim, a column a model, estimates on one scale, what was reported."""
    models = blocks.verdicts.models
    home = blocks.post.page_with(ALL)
    rows = [_row(claim, found) for claim, found in models.compared()]
    sources = dict.fromkeys(row["claim"].reported_for for row in rows if row["claim"].reported)
    return blocks.frame.markup(
        "claims_models.html.j2",
        rows=rows,
        models=models.all(),
        sources=[*sources],
        page=f"{BASE}/{blocks.post.url(home)}" if home else "",
        counts=_counts(rows),
    )


def _row(claim: Claim, found: Mapping[Model, Verdict]) -> dict[str, Any]:
    return {
        "claim": claim,
        "cells": [{"model": model, **outcome(claim, verdict)} for model, verdict in found.items()],
        "strip": _strip(found),
        "alike": len({verdict.holds for verdict in found.values()}) == 1,
    }


def _strip(found: Mapping[Model, Verdict]) -> dict[str, Any]:
    """Where each model's estimate and its interval stand, in per cent from the least to the most.

    Nothing, 0, is always on the scale.
    """
    ends = (end for one in found.values() for end in (one.low, one.estimate, one.high))
    known = [0.0, *(end for end in ends if end is not None)]
    least, most = min(known), max(known)

    def across(number: float) -> float:
        share = (number - least) / (most - least) if most > least else 0.5
        return round(MARGIN + (100 - 2 * MARGIN) * share, 2)

    return {
        "zero": across(0.0),
        "height": LINE * len(found),
        "lines": [
            {
                "y": LINE * (place + 0.5),
                "at": None if verdict.estimate is None else across(verdict.estimate),
                "ends": None
                if verdict.low is None or verdict.high is None
                else [across(verdict.low), across(verdict.high)],
                "shape": SHAPES[verdict.holds],
                "called": model.called,
            }
            for place, (model, verdict) in enumerate(found.items())
        ],
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many claims hold in all models that they were tested on, the first alone, some, none."""
    shapes = [[cell["shape"] for cell in row["cells"]] for row in rows]
    holds, fails = SHAPES[True], SHAPES[False]
    counts = {
        "all": sum(fails not in one for one in shapes),
        "first": sum(one[0] == holds and holds not in one[1:] and fails in one for one in shapes),
        "none": sum(holds not in one for one in shapes),
    }
    return counts | {"some": len(rows) - sum(counts.values()), "total": len(rows)}
