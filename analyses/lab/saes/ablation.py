"""What the metric really loses when features are taken out of one run: the check of attributions.

Exact, and the same as `splice` with the error kept: x changes by what the features add to it and by
nothing else. Fast as in `patching`: a run starts at the layer and the first position that change,
with the recorded keys and values of the positions before, and many changes run in one batch.
Integrated gradients, the other check, follow the slope on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.lab.model.stages import Blocks
from analyses.lab.saes.attribution import Metric, Place, beside, last_place

BATCH_TOKENS = 512


@dataclass(frozen=True)
class Removal:
    """What is taken away from x at some positions: [positions, d]."""

    positions: tuple[int, ...]
    amount: Tensor


class Removals:
    """One recorded run, from whose places things are taken away."""

    def __init__(self, blocks: Blocks, tokens: Sequence[int]) -> None:
        self.blocks, self.count = blocks, len(tokens)
        with torch.inference_mode():
            resid = blocks.embed(torch.tensor([tokens], device=blocks.network.device))
            self.run = blocks.record(resid)
            self.rotary = blocks.rotary(resid)

    def losses(
        self,
        place: Place,
        removals: Sequence[Removal],
        metric: Metric,
        at: Place | None = None,
    ) -> Tensor:
        """m as it is − m without, of each removal, float64: what was taken away had added it.

        Args:
            at: where the metric reads; by default after all blocks.
        """
        at = at or last_place(self.blocks)
        found = torch.zeros(len(removals), dtype=torch.float64)
        starts = {i: min(one.positions) for i, one in enumerate(removals) if one.positions}
        order = sorted(starts, key=lambda i: starts[i])
        with torch.inference_mode():
            own = beside(self.run[at[0]][at[1]])
            whole = metric(own).double()
            while order:
                start = starts[order[0]]
                rows = max(1, BATCH_TOKENS // (self.count - start))
                batch, order = order[:rows], order[rows:]
                changed = self._without(place, [removals[i] for i in batch], start, at)
                for i, late in zip(batch, changed, strict=True):
                    found[i] = (whole - metric(torch.cat((own[:start], late))).double()).cpu()
        return found

    def _without(self, place: Place, removals: Sequence[Removal], start: int, at: Place) -> Tensor:
        """What stands at `at` from position `start` on, [removals, positions, d]."""
        blocks, (site, layer) = self.blocks, place
        late = beside(self.run[site][layer])[start:]
        x = late.expand(len(removals), -1, -1).clone()
        for row, one in enumerate(removals):
            x[row, [p - start for p in one.positions]] -= one.amount.to(x)
        if site == "z":
            x = after_z(blocks, layer, self.run["resid_pre"][layer][:, start:], x)
        for number in range(layer + 1, at[1] + 1):
            q, k, v = blocks.qkv(number, x, self.rotary)
            k, v = (
                torch.cat((self.run[name][number][:, :, :start].expand(len(x), -1, -1, -1), new), 2)
                for name, new in (("k", k), ("v", v))
            )
            values = blocks.rest(number, x, q, k, v)
            if (number, at[0]) == (at[1], "z"):
                return values["z"].transpose(1, 2).flatten(2)
            x = values["resid_post"]
        return x


def after_z(blocks: Blocks, layer: int, resid_pre: Tensor, z: Tensor) -> Tensor:
    """The stream after a block whose heads read z [rows, positions, d], heads side by side."""
    heads = z.view(*z.shape[:-1], blocks.heads, -1).transpose(1, 2)
    return blocks.after(layer, resid_pre, blocks.attn_out(layer, heads))


def average_slope(
    blocks: Blocks,
    tokens: Sequence[int],
    place: Place,
    start: Tensor,
    metric: Metric,
    *,
    steps: int,
) -> Tensor:
    """∂m/∂x averaged on the line from `start` to the run's own x, [positions, d].

    With it instead of the slope at x, effects are integrated gradients: (x − start) · slope is
    exactly what m changes from `start` to x, given enough steps [Sundararajan et al. 2017,
    arXiv:1703.01365].

    Args:
        steps: points on the line, at the middle of equal parts.
    """
    site, layer = place
    with torch.no_grad():
        resid = blocks.embed(torch.tensor([tokens], device=blocks.network.device))
        rotary = blocks.rotary(resid)
        for number in range(layer + 1):
            values = blocks.run(number, resid, rotary)
            resid = values["resid_post"]
        mine = beside(values[site])
        start = start.to(mine)
        share = (torch.arange(steps, device=mine.device) + 0.5) / steps
        line = start + share[:, None, None].to(mine.dtype) * (mine - start)
    total = torch.zeros_like(mine)
    for points in torch.split(line, max(1, BATCH_TOKENS // len(mine))):
        with torch.enable_grad():
            x = points.detach().requires_grad_()
            resid = after_z(blocks, layer, values["resid_pre"], x) if site == "z" else x
            for number in range(layer + 1, len(blocks.layers)):
                resid = blocks.run(number, resid, rotary)["resid_post"]
            (slope,) = torch.autograd.grad(torch.stack([metric(row) for row in resid]).sum(), [x])
        total += slope.sum(0)
    return (total / steps).cpu()
