"""How much of a decision the features of several layers carry together.

The base is a list under the corrupted prompt. At each layer of a set the features of the stream are
set to what they are in the clean run, the base's error kept: x + (f_clean − f(x)) · W_dec, where x
is already what the set's earlier layers made of it. All autoencoders of a set are needed at once.

Sets share work: they are run together, layer by layer, and part only where one of them sets
features and the other does not. All 2ⁿ sets of n layers cost some eight runs when n is six. As in
`sae_ablation`, runs begin at the first position that changes, with recorded keys and values.

Memory is counted from shapes: 4 bytes for each number of encoder, decoder, biases and thresholds,
and of the features of one list, positions × width. What a process needs beside that, and in truth,
the benchmark `attribution_memory` measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations

import torch
from torch import Tensor

from analyses.instruments.features.cells import ROLES, role_numbers
from analyses.instruments.paired_lists import PairedList
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.attribution import DENSE
from analyses.lab.saes.saes import Sae, open_saes

Layers = tuple[int, ...]  # ascending
SITE = "resid_post"
EXHAUSTIVE = 6  # layers of which all sets are run, and of more only those of one and two
BATCH_TOKENS = 512
NUMBER = 4  # bytes


@contextmanager
def together(lab: Lab) -> Iterator[list[Sae]]:
    """The study's autoencoders of the stream, in the order of their layers, all open at once.

    Raises:
        LabError: there are none, or one of them cannot be had or does not fit.
    """
    layers = {layer for one in lab.study.saes if one.site == SITE for layer in one.layers}
    turns = [open_saes(lab, site=SITE, layers=[layer]) for layer in sorted(layers)]
    saes = [next(turn) for turn in turns or [open_saes(lab, site=SITE)]]
    try:
        yield saes
    finally:
        for sae in saes:
            sae.close()


def subsets(layers: Layers) -> list[Layers]:
    """The sets that are searched, small ones first."""
    largest = len(layers) if len(layers) <= EXHAUSTIVE else 2
    return [one for size in range(1, largest + 1) for one in combinations(layers, size)]


def held_bytes(sae: Sae, positions: int) -> int:
    """What one autoencoder and its features of one list take."""
    width, d = sae.directions.shape
    return NUMBER * (2 * width * d + 2 * width + d + positions * width)


def chosen_features(paired: PairedList, cells: Sequence[int], width: int) -> Tensor:
    """Which features of which tokens belong to some cells of `sae_cells`, [positions, width]."""
    chosen = torch.zeros(len(ROLES), width, dtype=torch.bool)
    for cell in cells:
        chosen[cell // width, cell % width] = True
    return chosen[torch.from_numpy(role_numbers(paired))]


class Between:
    """One list, and runs of it between the corrupted prompt and the clean one."""

    def __init__(self, blocks: Blocks, paired: PairedList, contrast: tuple[int, int]) -> None:
        self.blocks, self.paired, self.contrast = blocks, paired, contrast
        with torch.inference_mode():
            resid = [
                blocks.embed(torch.tensor([tokens], device=blocks.network.device))
                for tokens in (paired.corrupted, paired.clean)
            ]
            self.corrupted, self.clean = map(blocks.record, resid)
            self.rotary = blocks.rotary(resid[0])

    def ends(self) -> Tensor:
        """The metric under the corrupted prompt, and under the clean one, in logits."""
        with torch.inference_mode():
            last = [run["resid_post"][-1][0, -1] for run in (self.corrupted, self.clean)]
            return self.blocks.contrast(torch.stack(last), self.contrast).double().cpu()

    def metrics(
        self,
        saes: Sequence[Sae],
        sets: Sequence[Layers],
        chosen: Mapping[int, Tensor] | None = None,
        start: int | None = None,
    ) -> Tensor:
        """The metric with each set's features as in the clean run, in logits, [sets], float64.

        Args:
            saes: of all layers of the sets, in their order.
            chosen: by layer, which features are set where, [positions, width]; by default all.
            start: the first position where they are; by default that of the first difference.
        """
        start = self.paired.first if start is None else start
        depth = [*(sae.layer for sae in saes), self.blocks.last]
        row: dict[Layers, int] = {(): 0}
        with torch.inference_mode():
            x = self.corrupted[SITE][depth[0]][:, start:]
            for sae, following in zip(saes, depth[1:], strict=True):
                begun = list(dict.fromkeys(_until(one, sae.layer) for one in sets))
                x = x[[row[_until(one, sae.layer - 1)] for one in begun]]
                mine = [i for i, one in enumerate(begun) if sae.layer in one]
                where = None if chosen is None else chosen[sae.layer][start:]
                x[mine] = self._set(sae, x[mine], where, start)
                row = {one: i for i, one in enumerate(begun)}
                for number in range(sae.layer + 1, following + 1):
                    x = self._block(number, x, start)
            found = self.blocks.contrast(x[[row[one] for one in sets], -1], self.contrast)
        return found.double().cpu()

    def _set(self, sae: Sae, x: Tensor, where: Tensor | None, start: int) -> Tensor:
        """x [rows, positions, d] with the features that it has in the clean run."""
        clean = sae.encode(self.clean[SITE][sae.layer][0, start:])
        made = []
        for part in torch.split(x, max(1, DENSE // clean.numel())):
            change = clean - sae.encode(part)
            if where is not None:
                change = change * where.to(change.device)
            made.append(part + (change @ sae.directions).to(part))
        return torch.cat(made)

    def _block(self, number: int, x: Tensor, start: int) -> Tensor:
        made = []
        before = [self.corrupted[name][number][:, :, :start] for name in ("k", "v")]
        for part in torch.split(x, max(1, BATCH_TOKENS // x.shape[1])):
            q, *new = self.blocks.qkv(number, part, self.rotary)
            k, v = (
                torch.cat((old.expand(len(part), -1, -1, -1), late), 2)
                for old, late in zip(before, new, strict=True)
            )
            made.append(self.blocks.rest(number, part, q, k, v)["resid_post"])
        return torch.cat(made)


def _until(layers: Layers, last: int) -> Layers:
    """What of a set lies at `last` or before."""
    return tuple(layer for layer in layers if layer <= last)
