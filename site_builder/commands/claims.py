"""What `build-site claims` prints: every claim, by which numbers it holds, what a reviewer asks."""

from __future__ import annotations

from collections import Counter

import click

from site_builder.core.errors import plain
from site_builder.post.claim_form import AFTER, BEFORE
from site_builder.post.verdicts.families import CORRECTIONS
from site_builder.render.claim_marks import Verdicts
from site_builder.render.claim_words import WORDS, numbers, remarks, worded

COLOURS = dict(zip(WORDS.values(), ("green", "red", "yellow"), strict=True))


def tell(verdicts: Verdicts) -> None:
    """Print the claims in their order, then how many hold, survive, and came before their data."""
    adjusted, repeats = verdicts.adjusted(), verdicts.repeats()
    claims = verdicts.post.claims
    for name, claim in claims.items():
        verdict = verdicts.of[name]
        mark = click.style(f"[{worded(claim, verdict)}]", fg=COLOURS[WORDS[verdict.holds]])
        click.echo(f"{mark} {name}: {plain(claim.says)}")
        known = remarks(claim, verdict, adjusted.get(name))
        lines = [verdicts.summary(name), *(f"{word}: {text}" for word, text in known.items())]
        if name in repeats:
            lines.append(f"twice: all that it tests is tested by {repeats[name]}")
        if claim.study:
            lines.append(f"tested on the study {claim.study}")
        if claim.is_prediction:
            low, high = claim.size
            lines.append(f"predicted: {claim.predicted:g}; in size from {low:g} to {high:g}")
        for model, other in verdicts.models.others(claim).items():
            found = numbers(claim, other) if other.rows else ""
            lines.append(f"in {model.called}: {worded(claim, other)}{found and f', {found}'}")
        if claim.reported:
            lines.append(f"reported for {claim.reported_for}: {claim.reported}")
        for line in lines:
            click.echo(f"    {plain(line)}")
    counts = Counter(WORDS[verdict.holds] for verdict in verdicts.of.values())
    click.echo(", ".join(f"{counts[word]} {word}" for word in WORDS.values()))
    surviving = Counter(by for one in adjusted.values() for by in one.survives)
    by = ", ".join(f"{surviving[word]} survive {word}" for word in CORRECTIONS)
    click.echo(f"{len(adjusted)} have a p value: {by}, each in the family of its file")
    written = Counter(claim.written for claim in claims.values())
    click.echo(f"{written[BEFORE]} written before their data, {written[AFTER]} after")
