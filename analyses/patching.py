"""Activation patching: which activations carry the length word to the decision to end a list.

Each list is read under its own prompt (clean) and under the one with the other length word
(corrupted), equal token by token elsewhere, and cut at the deciding token; the metric is the
study's primary proxy there, in logits. Patches are exact (`lab.patching.patching`), each site a
variant. Denoising puts clean values into the corrupted run, noising the reverse; both are reported
as (m − m_corrupted) / (m_clean − m_corrupted), so denoising starts at 0 and noising at 1
[arXiv:2404.15255, 2309.16042].

Rows by `part`:
- `pair`: a list and its two metrics; `flagged` where they differ by less than 0.5 logits.
- `role`: mean over topics, one list each, of patching all tokens of a role at once.
- `head`: the same for all tokens from the length word on, at each head.
- `token`: one list, one token at a time.
`layer` counts blocks from 0; for `resid` it counts the blocks before the stream, so that the last
is the stream after them all. `head` is a key-value head for k and v. `k_end` counts items from the
end. `topics` is `all` or `held-out`. `raw` is the change of the metric, in logits; `estimate` is
normalised, with a 95 % interval over topics.

Sites of heads are measured by role and by token at the heads that move the metric most on topics
that are not held out; `attribution_patching` estimates all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.effects import SMALL, STRONG, mean_effects
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.paired_lists import PairedList
    from analyses.instruments.sweeps import Job, Swept

VARIANTS = ("resid", "attn-out", "mlp-out", "q", "k", "v", "z", "pattern")
SHORT, LONG, EMPHATIC = ("short", "length"), ("long", "length"), ("short", "emphatic")
KINDS = (SHORT, LONG, EMPHATIC)
# What is measured by role: kind, direction, and how many of the shortest lists if not all.
BRANCH = ((SHORT, "denoising", None), (SHORT, "noising", 8))
ROLES = {
    "resid": (
        (SHORT, "denoising", None),
        (SHORT, "noising", 12),
        (LONG, "denoising", 12),
        (EMPHATIC, "denoising", 12),
    ),
    "attn-out": BRANCH,
    "mlp-out": BRANCH,
}
WHOLE_HEADS = BRANCH
STRONG_HEADS = ((SHORT, "denoising", None), (LONG, "denoising", 12))
TOKENS = ((SHORT, "denoising", 3), (LONG, "denoising", 3), (SHORT, "noising", 3))
SCHEMA = {
    **dict.fromkeys(("part", "template", "wording", "direction", "topics", "topic"), pa.string()),
    **{"held_out": pa.bool_(), "sample": pa.int32(), "items": pa.int32(), "layer": pa.int32()},
    **{"head": pa.int32(), "position": pa.int32(), "token": pa.string(), "role": pa.string()},
    "k_end": pa.int32(),
    **dict.fromkeys(("estimate", "low", "high", "raw", "clean", "corrupted"), pa.float32()),
    **{"flagged": pa.bool_(), "n": pa.int32()},
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, *, variant: str) -> pa.Table:
    """Patch one site in every paired list."""
    model, site = lab.model, variant.replace("-", "_")
    from analyses.instruments import sweeps
    from analyses.instruments.lists import read_lists
    from analyses.instruments.paired_lists import FEW_TOPICS, paired_lists, shortest

    engine = model.blocks
    lists = read_lists(list_samples, lab.study.prompt)
    pairs = {kind: paired_lists(lab, lists, *kind) for kind in KINDS}
    if variant in FEW_TOPICS:
        pairs = {kind: shortest(found, FEW_TOPICS[variant]) for kind, found in pairs.items()}
    done: list[tuple[Job, Swept]] = []
    heads = sweeps.everywhere(engine, site)
    if variant not in ROLES:
        jobs = sweeps.jobs("head", WHOLE_HEADS, pairs, partial(sweeps.by_head, engine, site))
        done = sweeps.sweep_all(lab, engine, jobs, f"{variant}, heads")
        heads = sweeps.strongest(done, STRONG)
    by_role = partial(sweeps.by_role, engine, site, heads)
    by_token = partial(sweeps.by_token, engine, site, heads)
    jobs = sweeps.jobs("role", ROLES.get(variant, STRONG_HEADS), pairs, by_role)
    seen = {kind: [one for one in found if not one.held_out] for kind, found in pairs.items()}
    jobs += sweeps.jobs("token", TOKENS[: 3 if variant == "resid" else 2], seen, by_token)
    done += sweeps.sweep_all(lab, engine, jobs, f"{variant}, roles and tokens")
    return _labelled(lab, variant, done)


def _pair_rows(done: Sequence[tuple[Job, Swept]]) -> Iterator[Row]:
    """One row a list and wording."""
    seen = set()
    for job, swept in done:
        one = job.paired
        key = (one.template, one.wording, one.topic)
        if key not in seen:
            seen.add(key)
            yield {
                **_of(one),
                "part": "pair",
                "items": one.items,
                "clean": swept.clean,
                "corrupted": swept.corrupted,
                "flagged": abs(swept.span) < SMALL,
            }


def _of(one: PairedList) -> Row:
    names = ("template", "wording", "topic", "held_out", "sample")
    return {name: getattr(one, name) for name in names}


def _mean_rows(done: Sequence[tuple[Job, Swept]]) -> Iterator[Row]:
    """Means over all topics, and over those that are held out."""
    groups: dict[tuple[str, str, str, str], list[tuple[Job, Swept]]] = {}
    for job, swept in done:
        if job.part != "token":
            key = (job.part, job.paired.template, job.paired.wording, job.direction)
            groups.setdefault(key, []).append((job, swept))
    for (part, template, wording, direction), group in groups.items():
        for topics in ("all", "held-out"):
            chosen = [one for one in group if topics == "all" or one[0].paired.held_out]
            means = mean_effects(
                [dict(zip(job.patches, swept.shifts, strict=True)) for job, swept in chosen],
                [swept.span for _, swept in chosen],
                direction=direction,
            )
            for cell, effect in means:
                role, k_end = cell.role or (None, None)
                yield {
                    **{"part": part, "template": template, "wording": wording},
                    **{"direction": direction, "topics": topics},
                    **{"layer": cell.layer, "head": cell.head, "role": role, "k_end": k_end},
                    **vars(effect),
                }


def _token_rows(done: Sequence[tuple[Job, Swept]]) -> Iterator[Row]:
    """One list, token by token."""
    for job, swept in done:
        if job.part != "token":
            continue
        start = float(job.direction == "noising")
        for cell, shift in zip(job.patches, swept.shifts, strict=True):
            place = cell.position or 0
            token = job.paired.tokens[place]
            yield {
                **_of(job.paired),
                **{"part": "token", "direction": job.direction, "layer": cell.layer},
                **{"head": cell.head, "position": place, "token": job.paired.pieces[place]},
                **{"role": token.role, "k_end": token.k_end, "n": 1},
                **{"estimate": start + shift / swept.span, "raw": shift},
            }


def _labelled(lab: Lab, variant: str, done: Sequence[tuple[Job, Swept]]) -> pa.Table:
    from analyses.instruments.paired_lists import FEW_TOPICS

    rows = [*_pair_rows(done), *_mean_rows(done), *_token_rows(done)]
    pairs = [row for row in rows if row["part"] == "pair"]
    flagged = sum(row["flagged"] for row in pairs)
    primary = lab.study.decision.primary
    proxy = getattr(lab.study.decision, primary)
    said = [f"Metric: {proxy.plus!r} − {proxy.minus!r} at the deciding token."]
    if variant not in ROLES:
        said.append(
            f"By role and token: the {STRONG} heads that move it most, chosen on topics "
            "that are not held out; attribution estimates the others."
        )
    if flagged:
        said.append(f"{flagged} of {len(pairs)} pairs differ by less than {SMALL:g} logits.")
    said.append(f"Token by token: the {TOKENS[0][2]} shortest lists that are not held out.")
    if variant in FEW_TOPICS:
        said.append(f"The {FEW_TOPICS[variant]} shortest lists of each template.")
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(pairs)} pairs, {len({row['topic'] for row in pairs})} topics",
        interval=statistics.said("topics"),
        units={"raw": "logits", "clean": "logits", "corrupted": "logits"},
        note=" ".join(said),
    )
