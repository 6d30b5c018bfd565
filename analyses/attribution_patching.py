"""Patching by gradient, for every head, role and kind of pair, beside the patches it estimates.

One forward and one backward pass a list give a first-order estimate of every patch of `patching`
[Kramár et al. 2024, arXiv:2403.00745]; a role's estimate is the sum over its tokens. For queries
and keys the pattern that the patch leads to is computed exactly (`estimate`); `plain` is without
that. How far to believe it is measured: the same patches done for real, for every topic.

Rows by `part`:
- `mean`: (m − m_corrupted) / (m_clean − m_corrupted) as estimated, mean over topics with interval.
- `check`: a patch, mean over topics: `plain`, `estimate` and `measured`, normalised; `raw` is the
  measured change in logits. Role null: all tokens from the length word on.
- `agreement`: estimate against measured over topics and patches, by `quantity` (`pearson`, or
  `slope`, measured per estimated), `method` (`plain`, `corrected`) and `layer` (null: all layers).
- `integrated`: q and k of one list, in logits: `plain`, `estimate`, `integrated` gradients on the
  line between the two values, and where head is null their sum beside the `measured` patch of all
  heads and tokens at once, which integrated gradients reach exactly with enough steps.
Sites, layers, heads and roles are those of `patching`; `resid` has one layer more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.effects import STRONG, Effect, agreement, mean_effects
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.estimates import Estimated
    from analyses.instruments.sweeps import Cell, Job, Swept
    from analyses.lab.model.stages import Blocks

VARIANTS = ("heads", "residual")
SITES = {
    "heads": ("q", "k", "v", "z", "pattern"),
    "residual": ("resid", "attn_out", "mlp_out"),
}
KINDS = (("short", "length"), ("long", "length"), ("short", "emphatic"), ("long", "emphatic"))
INTEGRATED = 2  # topics whose queries and keys are integrated
STEPS = 8
VALUES = ("estimate", "low", "high", "raw", "plain", "measured", "integrated")
SCHEMA = {
    **dict.fromkeys(("part", "template", "wording", "direction", "topic", "site"), pa.string()),
    **{"layer": pa.int32(), "head": pa.int32(), "role": pa.string(), "k_end": pa.int32()},
    **dict.fromkeys(("quantity", "method"), pa.string()),
    **dict.fromkeys(VALUES, pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, *, variant: str) -> pa.Table:
    """Estimate all patches of the heads, or of the residual stream, and check them."""
    model = lab.model
    from analyses.instruments.estimates import estimate_all
    from analyses.instruments.lists import read_lists
    from analyses.instruments.paired_lists import paired_lists

    engine = model.blocks
    lists = read_lists(list_samples, lab.study.prompt)
    rows: list[Row] = []
    for template, wording in KINDS:
        pairs = paired_lists(lab, lists, template, wording)
        first = (template, wording) == KINDS[0]
        for direction in ("denoising", "noising")[: 2 if first else 1]:
            label = f"gradients, {template} {wording} {direction}"
            found = estimate_all(lab, engine, pairs, direction, label)
            of = {"template": template, "wording": wording, "direction": direction}
            for site in SITES[variant]:
                rows += [{**of, **row} for row in _means(engine, found, site, direction)]
                if first and direction == "denoising":
                    rows += [{**of, **row} for row in _checks(lab, engine, found, site)]
                    if site in ("q", "k"):
                        rows += [{**of, **row} for row in _integrals(lab, engine, found, site)]
    note = "Estimated by gradient, checked by real patches of the same lists."
    if variant == "heads":
        note += f" Checked by role at the {STRONG} strongest heads of each site."
    return labelled(
        table_of(rows, SCHEMA),
        n=f"one list of each template for {len(lab.study.topics.names)} topics",
        interval=statistics.said("topics"),
        units={"raw": "logits", "integrated": "logits"},
        note=note,
    )


def _place(site: str, cell: Cell) -> Row:
    role, k_end = cell.role or (None, None)
    return {"site": site, "layer": cell.layer, "head": cell.head, "role": role, "k_end": k_end}


def _mean(
    cells: Sequence[dict[Cell, float]], found: Sequence[Estimated], direction: str
) -> dict[Cell, Effect]:
    return dict(mean_effects(cells, [one.span for one in found], direction=direction))


def _means(engine: Blocks, found: Sequence[Estimated], site: str, direction: str) -> Iterator[Row]:
    """Every layer, head and role."""
    from analyses.instruments.estimates import role_cells

    cells = [role_cells(engine, site, one.paired) for one in found]
    plain, corrected = (
        _mean(
            [one.cells(site, method, mine) for one, mine in zip(found, cells, strict=True)],
            found,
            direction,
        )
        for method in ("plain", "corrected")
    )
    for cell, effect in corrected.items():
        yield {"part": "mean", **_place(site, cell), **vars(effect), "plain": plain[cell].estimate}


def _checks(lab: Lab, engine: Blocks, found: Sequence[Estimated], site: str) -> Iterator[Row]:
    """Estimates beside real patches, and how they agree."""
    from analyses.instruments import sweeps
    from analyses.instruments.paired_lists import FEW_TOPICS, shortest

    pairs = [one.paired for one in found]
    if site in FEW_TOPICS:
        pairs = shortest(pairs, FEW_TOPICS[site])
        found = [one for one in found if one.paired in pairs]
    heads = sweeps.everywhere(engine, site)
    done: list[tuple[Job, Swept]] = []
    if site in SITES["heads"]:
        jobs = [
            sweeps.Job("", one, "denoising", sweeps.by_head(engine, site, one)) for one in pairs
        ]
        done = sweeps.sweep_all(lab, engine, jobs, f"{site}, checked by head")
        heads = sweeps.strongest(done, STRONG)
    jobs = [
        sweeps.Job("", one, "denoising", sweeps.by_role(engine, site, heads, one)) for one in pairs
    ]
    done += sweeps.sweep_all(lab, engine, jobs, f"{site}, checked by role")
    measured: list[dict[Cell, float]] = [{} for _ in found]
    for i, (job, swept) in enumerate(done):
        shifts = zip(job.patches, swept.shifts.tolist(), strict=True)
        measured[i % len(found)].update(shifts)
    guesses = {
        method: [one.cells(site, method, mine) for one, mine in zip(found, measured, strict=True)]
        for method in ("plain", "corrected")
    }
    true = _mean(measured, found, "denoising")
    means = {method: _mean(cells, found, "denoising") for method, cells in guesses.items()}
    for cell, effect in true.items():
        yield {
            **{"part": "check", **_place(site, cell), "raw": effect.raw, "n": effect.n},
            **{"measured": effect.estimate, "plain": means["plain"][cell].estimate},
            "estimate": means["corrected"][cell].estimate,
        }
    for method in ("plain", "corrected")[: 2 if site in ("q", "k") else 1]:
        yield from _agreements(site, method, guesses[method], measured)


def _agreements(
    site: str,
    method: str,
    guesses: Sequence[dict[Cell, float]],
    measured: Sequence[dict[Cell, float]],
) -> Iterator[Row]:
    """Correlation and slope, for all layers and for each."""
    layers = sorted({cell.layer for topic in measured for cell in topic})
    for layer in (None, *layers):
        chosen = [[c for c in topic if layer in (None, c.layer)] for topic in measured]
        sides = [
            [
                np.array([topic[cell] for cell in cells])
                for topic, cells in zip(side, chosen, strict=True)
            ]
            for side in (guesses, measured)
        ]
        for quantity, one in agreement(*sides).items():
            if not np.isfinite(one.value):  # a layer whose patches change nothing
                continue
            yield {
                **{"part": "agreement", "site": site, "layer": layer, "method": method},
                **{"quantity": quantity, "estimate": one.value, "low": one.low},
                **{"high": one.high, "n": sum(map(len, chosen))},
            }


def _integrals(lab: Lab, engine: Blocks, found: Sequence[Estimated], site: str) -> Iterator[Row]:
    """Integrated gradients of a few lists, whose sum the patch of a whole site must reach."""
    from analyses.instruments import sweeps
    from analyses.instruments.paired_lists import shortest
    from analyses.lab.patching.attribution import integrate

    few = shortest([one.paired for one in found if not one.paired.held_out], INTEGRATED)
    found = [one for one in found if one.paired in few]
    label = f"{site}, integrated gradients"
    jobs = [(one, layer) for one in found for layer in range(len(engine.layers))]
    for one, layer in lab.progress(jobs, total=len(jobs), label=label):
        paired, whole = one.paired, sweeps.by_layer(engine, site, one.paired)
        real = sweeps.sweep(lab, engine, paired, "denoising", whole)
        line = integrate(
            engine,
            base=paired.corrupted,
            source=paired.clean,
            contrast=sweeps.contrast_of(lab),
            site=site,
            layer=layer,
            steps=STEPS,
        ).sum(-1)
        cells = [sweeps.Cell(layer, head) for head in range(len(line))]
        plain, corrected = (one.cells(site, method, cells) for method in ("plain", "corrected"))
        of = {"part": "integrated", "topic": paired.topic, "n": 1}
        for cell, value in zip(cells, line.tolist(), strict=True):
            values = {"plain": plain[cell], "estimate": corrected[cell], "integrated": value}
            yield {**of, **_place(site, cell), **values}
        yield {
            **{**of, **_place(site, sweeps.Cell(layer)), "plain": sum(plain.values())},
            **{"estimate": sum(corrected.values()), "integrated": float(line.sum())},
            "measured": float(real.shifts[layer]),
        }
