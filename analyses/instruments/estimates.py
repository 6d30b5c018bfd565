"""Attribution's estimates, cell by cell, as the sweeps' patches are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.instruments import sweeps
from analyses.instruments.paired_lists import PairedList
from analyses.instruments.sweeps import Cell
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.attribution import Attribution, attribute
from analyses.lab.runtime.lab import Lab

METHODS = ("plain", "corrected")


@dataclass(frozen=True)
class Estimated:
    """The estimates for one list, and the difference of the two runs' metrics, in logits."""

    paired: PairedList
    span: float
    attribution: Attribution

    def effect(self, site: str, method: str) -> Tensor:
        """[layers, (heads,) tokens]; `resid` is the stream before each block and after the last."""
        effects, corrected = self.attribution.effects, self.attribution.corrected
        if site == "resid":
            return torch.cat((effects["resid_pre"], effects["resid_post"][-1:]))
        return corrected[site] if method == "corrected" and site in corrected else effects[site]

    def cells(self, site: str, method: str, wanted: Iterable[Cell]) -> dict[Cell, float]:
        """The estimate of each cell: summed over the tokens of its role, or over all of them."""
        effect, roles = self.effect(site, method), self.paired.roles()
        found = {}
        for cell in wanted:
            tokens = effect[cell.layer] if cell.head is None else effect[cell.layer, cell.head]
            chosen = tokens[list(roles[cell.role])] if cell.role else tokens
            found[cell] = float(chosen.sum())
        return found


def estimate_all(
    lab: Lab, engine: Blocks, pairs: Sequence[PairedList], direction: str, label: str
) -> list[Estimated]:
    """Estimates for all lists, with progress."""
    found = []
    for one in lab.progress(pairs, total=len(pairs), label=label):
        sides = [one.corrupted, one.clean][:: 1 if direction == "denoising" else -1]
        contrast = sweeps.contrast_of(lab)
        estimates = attribute(engine, base=sides[0], source=sides[1], contrast=contrast)
        span = sweeps.sweep(lab, engine, one, direction, {}).span
        found.append(Estimated(one, span, estimates))
    return found


def role_cells(engine: Blocks, site: str, paired: PairedList) -> list[Cell]:
    """Every layer, head and role of a site."""
    places = sweeps.everywhere(engine, site)
    return [Cell(layer, head, role) for layer, head in places for role in paired.roles()]
