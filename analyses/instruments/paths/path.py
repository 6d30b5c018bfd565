"""The path that the strongest heads make.

It is chosen by rule, on topics that are not held out: the head whose patch moves the decision most
is its `middle`; the strongest heads of earlier blocks are its `early` ones; the `late` ones are
those of later blocks that move it most when they are patched at the deciding token alone, where
the decision is taken. A stage for which there are no blocks stays empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyses.instruments import sweeps
from analyses.instruments.paired_lists import PairedList
from analyses.instruments.sweeps import Cell, Job, Swept
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.patching import Patch
from analyses.lab.patching.path_patching import Edge, Head
from analyses.lab.runtime.lab import Lab

KIND = ("short", "length")
SITE = "z"
EARLY, LATE = 2, 3  # heads of a stage

Singles = list[tuple[Job, Swept]]


@dataclass(frozen=True)
class Path:
    """Heads by stage; each is heard by those of the next stage, and the last by the metric."""

    early: tuple[Head, ...]
    middle: Head
    late: tuple[Head, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """All of them, in the order of the network."""
        return (*self.early, self.middle, *self.late)

    @property
    def stages(self) -> list[tuple[Head, ...]]:
        """The heads of each stage that has any."""
        return [heads for heads in (self.early, (self.middle,), self.late) if heads]

    def stage(self, head: Head) -> str | None:
        """Where on the path a head stands, if it does."""
        named = {"early": self.early, "middle": (self.middle,), "late": self.late}
        return next((name for name, heads in named.items() if head in heads), None)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """From each stage to the next."""
        heard = [(one, self.middle) for one in self.early]
        heard += [(self.middle, one) for one in self.late]
        return (*heard, *((one, None) for one in self.late or (self.middle,)))

    @property
    def web(self) -> tuple[Edge, ...]:
        """From each head to every later one, and to the metric."""
        between = [(a, b) for a in self.heads for b in self.heads if a[0] < b[0]]
        return (*between, *((one, None) for one in self.heads))


def choose(lab: Lab, engine: Blocks, pairs: Sequence[PairedList]) -> tuple[Path, Singles]:
    """The path, and what every head does alone: the sweep that it was chosen by."""
    whole = [Job("head", one, "denoising", sweeps.by_head(engine, SITE, one)) for one in pairs]
    singles = sweeps.sweep_all(lab, engine, whole, "path, single heads")
    middle = _strongest(singles, 1)[0]
    last = [
        Job("deciding", one, "denoising", _at_the_end(engine, one, middle[0]))
        for one in pairs
        if not one.held_out
    ]
    ends = sweeps.sweep_all(lab, engine, last, "path, heads at the deciding token")
    early = _strongest(singles, EARLY, range(middle[0]))
    late = _strongest(ends, LATE, range(middle[0] + 1, len(engine.layers)))
    return Path(tuple(early), middle, tuple(late)), singles


def _at_the_end(engine: Blocks, one: PairedList, after: int) -> dict[Cell, Patch]:
    cells = [
        Cell(layer, head, ("deciding", -1))
        for layer, head in sweeps.everywhere(engine, SITE)
        if layer > after
    ]
    return {cell: sweeps.patch(engine, SITE, cell, (len(one.clean) - 1,)) for cell in cells}


def _strongest(done: Singles, count: int, layers: Iterable[int] | None = None) -> list[Head]:
    """The heads of the largest mean effect on topics that are not held out, in network order."""
    moved: dict[Head, float] = {}
    for job, swept in done:
        if not job.paired.held_out:
            for cell, shift in zip(job.patches, swept.shifts, strict=True):
                if cell.head is not None and (layers is None or cell.layer in layers):
                    head = (cell.layer, cell.head)
                    moved[head] = moved.get(head, 0.0) + float(shift)
    return sorted(sorted(moved, key=lambda head: -abs(moved[head]))[:count])
