"""A claim's verdict in words: its numbers, what chance would give, what a reviewer should know."""

from __future__ import annotations

from site_builder.post import values
from site_builder.post.claim_form import BEFORE
from site_builder.post.claims import Claim
from site_builder.post.verdicts import units
from site_builder.post.verdicts.families import CORRECTIONS, Adjusted
from site_builder.post.verdicts.interval import FEWEST
from site_builder.post.verdicts.verdict import Verdict

SIGNS = {True: "✓", False: "✗", None: "?"}
SHAPES = {True: "holds", False: "fails", None: "unmeasured"}
WORDS = {True: "holds", False: "does not hold", None: values.MISSING}


def worded(claim: Claim, verdict: Verdict) -> str:
    """What became of a claim, in words."""
    in_sample = " in the sample" if verdict.holds and claim.is_of_sample else ""
    return WORDS[verdict.holds] + in_sample


def signed(claim: Claim, verdict: Verdict) -> str:
    """What became of a claim, as a sign; in brackets if it holds of the sample alone."""
    sign = SIGNS[verdict.holds]
    return f"({sign})" if verdict.holds and claim.is_of_sample else sign


def summary(claim: Claim, verdict: Verdict) -> str:
    """A claim's numbers in words: "1.87 logits (1.20 to 2.53), n = 80; tested: low > 0"."""
    return f"{numbers(claim, verdict)}; tested: {claim.test}" if verdict.rows else values.MISSING


def numbers(claim: Claim, verdict: Verdict) -> str:
    """Estimate, interval, n and rows of a verdict in words."""
    shown = verdict.shown
    text = f"{shown['estimate']} {claim.unit}".strip()
    if "interval" in shown and verdict.low is not None:
        text += f" ({shown['interval']})"
    if shown.get("other.estimate", values.MISSING) != values.MISSING:
        text += f" against {shown['other.estimate']}"
        text += f" ({shown['other.interval']})" if "other.interval" in shown else ""
    if units.OF_ROW in shown:
        text += f", {shown[units.OF_ROW]} against {shown[units.OF_OTHER]}"
    if verdict.n is not None:
        sizes = dict.fromkeys((str(verdict.n), shown.get("other.n", values.MISSING)))
        text += f", n = {' and '.join(size for size in sizes if size != values.MISSING)}"
    if claim.unit_columns:
        text += f" in {verdict.groups} groups by {claim.unit_columns[0]}"
        text += "" if verdict.low is not None else f", no interval from fewer than {FEWEST}"
    if verdict.margin is not None:
        margin = values.text(verdict.margin, claim.format)
        text += f"; smallest margin that holds, by the {verdict.margin_by} interval: ±{margin}"
    if verdict.rows > 1:
        holding = f"{verdict.rows - verdict.failing} of {verdict.rows} rows hold"
        missing = f"a number is missing in some of {verdict.rows} rows"
        text += f"; {missing if verdict.holds is None else holding}"
    return text


def outcome(claim: Claim, verdict: Verdict) -> dict[str, str]:
    """What became of a claim, for a template: sign, word, shape, and its numbers if it has some."""
    return {
        "sign": SIGNS[verdict.holds],
        "word": worded(claim, verdict),
        "shape": SHAPES[verdict.holds],
        "numbers": numbers(claim, verdict) if verdict.rows else "",
    }


def remarks(claim: Claim, verdict: Verdict, adjusted: Adjusted | None) -> dict[str, str]:
    """What a reviewer asks of a claim, each answer by a word."""
    found = {}
    if adjusted:
        survives = " and ".join(adjusted.survives) or f"neither {' nor '.join(CORRECTIONS)}"
        found["survives"] = f"{survives} among {adjusted.of} of its file, {_small(adjusted.p)}"
    elif verdict.no_p:
        found["no p"] = verdict.no_p
    if verdict.is_certain:
        found["by construction"] = "it holds whatever the data are"
    if claim.no_interval and verdict.bare:
        found["no interval"] = claim.no_interval
    if claim.written == BEFORE:
        found["written"] = "before its data"
    return found


def _small(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p ≤ {p:.2g}"
