"""Sweeps of patches over paired lists: which cells, which jobs, and their numbers, kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from analyses.instruments.paired_lists import PairedList, Role, shortest
from analyses.lab.core.statistics import Floats
from analyses.lab.model.stages import HEADS, Blocks
from analyses.lab.patching.patching import Patch, Sweep
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab

Kind = tuple[str, str]  # template of the list, wording of the pair of prompts
Step = tuple[Kind, str, int | None]  # kind, direction, how many of the shortest lists if not all


@dataclass(frozen=True)
class Cell:
    """Where a patch stands in a figure; what does not apply is None."""

    layer: int
    head: int | None = None
    role: Role | None = None
    position: int | None = None


@dataclass(frozen=True)
class Swept:
    """Metrics, in logits, of a sweep's patches, and of both runs as they are."""

    shifts: Floats  # patched − base
    clean: float
    corrupted: float

    @property
    def span(self) -> float:
        """What all patches share as denominator: clean − corrupted."""
        return self.clean - self.corrupted


@dataclass(frozen=True)
class Job:
    """One sweep of a measurement; `part` says which of its tables it is for."""

    part: str
    paired: PairedList
    direction: str
    patches: Mapping[Cell, Patch]


def contrast_of(lab: Lab) -> tuple[int, int]:
    """Token ids (plus, minus) of the study's primary proxy."""
    primary = getattr(lab.study.decision, lab.study.decision.primary)
    return lab.model.token(primary.plus), lab.model.token(primary.minus)


def sweep(
    lab: Lab, engine: Blocks, paired: PairedList, direction: str, patches: Mapping[Cell, Patch]
) -> Swept:
    """Measure the patches, or read them back.

    Args:
        direction: `denoising` (clean values into the corrupted run) or `noising`.
    """
    sides = [paired.corrupted, paired.clean]
    base, source = sides if direction == "denoising" else sides[::-1]
    contrast = contrast_of(lab)
    asked = [list(asdict(patch).values()) for patch in patches.values()]

    def run() -> Floats:
        swept = Sweep(engine, base=base, source=source, contrast=contrast)
        metrics = swept.run(list(patches.values())).numpy()
        return np.concatenate([[swept.base_metric, swept.source_metric], metrics])

    found = kept(lab, [base, source, contrast, asked], run)
    ends = found[:2] if direction == "noising" else found[1::-1]
    return Swept(found[2:] - found[0], float(ends[0]), float(ends[1]))


def sweep_all(lab: Lab, engine: Blocks, jobs: Sequence[Job], label: str) -> list[tuple[Job, Swept]]:
    """Measure all jobs, with progress."""
    done = lab.shared(jobs, label=label)
    return [(job, sweep(lab, engine, job.paired, job.direction, job.patches)) for job in done]


def heads_of(engine: Blocks, site: str) -> list[int | None]:
    """The heads of a site, or just None for a residual one."""
    return list(range(engine.heads_of(site))) if site in HEADS else [None]


def patch(engine: Blocks, site: str, cell: Cell, positions: tuple[int, ...]) -> Patch:
    """A cell's patch; site `resid` is the stream after `cell.layer` blocks."""
    if site != "resid":
        return Patch(site, cell.layer, positions, cell.head)
    after = cell.layer == len(engine.layers)
    return Patch("resid_post" if after else "resid_pre", cell.layer - after, positions)


def layers_of(engine: Blocks, site: str) -> range:
    """Layers of a site; the stream has one more, before the first block."""
    return range(len(engine.layers) + (site == "resid"))


def by_role(
    engine: Blocks, site: str, heads: Sequence[tuple[int, int | None]], paired: PairedList
) -> dict[Cell, Patch]:
    """All tokens of a role at once, for the given (layer, head)."""
    cells = {
        Cell(layer, head, role): positions
        for layer, head in heads
        for role, positions in paired.roles().items()
    }
    return {cell: patch(engine, site, cell, positions) for cell, positions in cells.items()}


def by_token(
    engine: Blocks, site: str, heads: Sequence[tuple[int, int | None]], paired: PairedList
) -> dict[Cell, Patch]:
    """One token at a time, from the first difference on, for the given (layer, head)."""
    cells = [
        Cell(layer, head, position=position)
        for layer, head in heads
        for position in range(paired.first, len(paired.clean))
    ]
    return {cell: patch(engine, site, cell, (cell.position or 0,)) for cell in cells}


def by_head(engine: Blocks, site: str, paired: PairedList) -> dict[Cell, Patch]:
    """All tokens at once, for every head of every layer."""
    whole = tuple(range(paired.first, len(paired.clean)))
    cells = [Cell(layer, head) for layer, head in everywhere(engine, site)]
    return {cell: patch(engine, site, cell, whole) for cell in cells}


def by_layer(engine: Blocks, site: str, paired: PairedList) -> dict[Cell, Patch]:
    """All tokens and all heads at once, layer by layer."""
    whole = tuple(range(paired.first, len(paired.clean)))
    cells = [Cell(layer) for layer in layers_of(engine, site)]
    return {cell: patch(engine, site, cell, whole) for cell in cells}


def jobs(
    part: str,
    plan: Sequence[Step],
    pairs: Mapping[Kind, Sequence[PairedList]],
    patches: Callable[[PairedList], Mapping[Cell, Patch]],
) -> list[Job]:
    """A job for each list of each step of a plan."""
    return [
        Job(part, paired, direction, patches(paired))
        for kind, direction, most in plan
        for paired in shortest(pairs[kind], most or len(pairs[kind]))
    ]


def strongest(done: Sequence[tuple[Job, Swept]], count: int) -> list[tuple[int, int | None]]:
    """The (layer, head) whose patch moves the metric most, by topics that are not held out."""
    moved: dict[tuple[int, int | None], float] = {}
    for job, swept in done:
        if job.direction == "denoising" and not job.paired.held_out:
            for cell, shift in zip(job.patches, swept.shifts, strict=True):
                head = (cell.layer, cell.head)
                moved[head] = moved.get(head, 0.0) + float(shift)
    return sorted(sorted(moved, key=lambda head: -abs(moved[head]))[:count])


def everywhere(engine: Blocks, site: str) -> list[tuple[int, int | None]]:
    """Every (layer, head) of a site."""
    heads = heads_of(engine, site)
    return [(layer, head) for layer in layers_of(engine, site) for head in heads]
