"""Activation patching: what a run's answer becomes when a part of it is taken from another run.

Two prompts of equal length, clean and corrupted, lead to two answers. Denoising runs the corrupted
one with some activations from the clean one (are they sufficient?), noising the other way round
(are they necessary?) [Heimersheim & Nanda 2024, arXiv:2404.15255]. The metric is a difference of
two logits at the last position, which 2309.16042 recommends over probabilities.

Exact, and fast by leaving out what cannot differ:
- positions before a patch keep their keys and values, so a run starts at the patched position;
- layers before a patch keep their activations, so a run starts at the patched stage of its layer;
- a patch that changes no number (before the first differing token, say) is not run at all;
- in the last block only the last position is asked for, and of the vocabulary only two tokens.
Patches are sorted by where they start and run many in a batch; each joins at its own layer.

Memory: beside the two recorded runs, a batch takes at most `budget` bytes, or what one row takes.
On a CPU small batches that stay in its cache are fastest.

Example:
    >>> sweep = Sweep(Blocks(network), base=corrupted, source=clean, contrast=(end, line_break))
    >>> sweep.run([Patch("z", 12, (40,), head=3), Patch("resid_pre", 0, (28,))])   # tensor of 2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.stages import HEADS, Activations, Blocks, check_site

BUDGET = {"cpu": 24 << 20, "cuda": 1 << 30}  # bytes of a batch's intermediate values


@dataclass(frozen=True)
class Patch:
    """Values of one site and layer to take from the other run.

    Args:
        site: one of `blocks.SITES`.
        layer: from 0.
        positions: which tokens; for `pattern`, which destinations. None at all changes nothing.
        head: query head, or key-value head for k and v; all heads if None. Not for residual sites.
    """

    site: str
    layer: int
    positions: tuple[int, ...]
    head: int | None = None


class Sweep:
    """Patches from a `source` run into a `base` run.

    Attributes:
        base_metric, source_metric: what patching nothing and patching everything gives.
        first: the first position at which the two prompts differ.
        rows_run: how many patches had to be run so far.

    Raises:
        LabError: prompts of different length.
    """

    def __init__(
        self,
        blocks: Blocks,
        *,
        base: Sequence[int],
        source: Sequence[int],
        contrast: tuple[int, int],
        budget: int | None = None,
    ) -> None:
        if len(base) != len(source):
            what = f"prompts of {len(base)} and {len(source)} tokens"
            raise LabError("patching", what, "use wordings of equal token length")
        self.blocks, self.contrast = blocks, contrast
        self.budget = budget or BUDGET[blocks.network.device.type]
        differing = [i for i, (a, b) in enumerate(zip(base, source, strict=True)) if a != b]
        self.tokens = len(base)
        self.first = differing[0] if differing else self.tokens
        self.rows_run = 0
        with torch.inference_mode():
            self.base, self.base_metric = self._record(base)
            self.source, self.source_metric = self._record(source)
            self.rotary = blocks.rotary(self.base["resid_pre"][0])

    def _record(self, tokens: Sequence[int]) -> tuple[Activations, float]:
        resid = self.blocks.embed(torch.tensor([tokens], device=self.blocks.network.device))
        run = self.blocks.record(resid)
        return run, self.blocks.contrast(run["resid_post"][-1][0, -1], self.contrast).item()

    def run(self, patches: Sequence[Patch]) -> Tensor:
        """The metric under each patch [patches], float64, in the order given.

        Raises:
            LabError: no such site, layer, head or position.
        """
        metrics = torch.full((len(patches),), self.base_metric, dtype=torch.float64)
        with torch.inference_mode():
            starts = {i: self._start(patch) for i, patch in enumerate(patches)}
            live = [i for i, start in starts.items() if start < self.tokens]
            live.sort(key=lambda i: (starts[i], patches[i].layer, patches[i].site))
            self.rows_run += len(live)
            for batch in self._batches(live, starts):
                order, values = self._run_batch(patches, batch, starts[batch[0]])
                metrics[order] = values.double().cpu()
        return metrics

    def _start(self, patch: Patch) -> int:
        """The first position that a patch changes; `tokens` if it changes none."""
        check_site(patch.site)
        if not 0 <= patch.layer <= self.blocks.last:
            raise LabError(f"layer {patch.layer}", "no such layer", f"0 to {self.blocks.last}")
        if patch.head is not None and not 0 <= patch.head < self.blocks.heads_of(patch.site):
            what = f"{patch.site} has {self.blocks.heads_of(patch.site)} heads"
            raise LabError(f"head {patch.head}", what, "count from 0")
        if patch.positions and not 0 <= min(patch.positions) <= max(patch.positions) < self.tokens:
            raise LabError(f"positions {patch.positions}", f"of {self.tokens}", "count from 0")
        for position in sorted(patch.positions):
            if position >= self.first and self._differs(patch, position):
                return position
        return self.tokens

    def _differs(self, patch: Patch, position: int) -> bool:
        mine, theirs = (run[patch.site][patch.layer][0] for run in (self.base, self.source))
        if patch.site not in HEADS:
            return not torch.equal(mine[position], theirs[position])
        head = slice(None) if patch.head is None else patch.head
        return not torch.equal(mine[head, ..., position, :], theirs[head, ..., position, :])

    def row_bytes(self, start: int) -> int:
        """What one row takes while it runs through a block, at most."""
        blocks, length = self.blocks, self.tokens - start
        residual = length * (6 * blocks.width + 3 * blocks.hidden)
        attention = 2 * blocks.heads * length * self.tokens + 4 * blocks.width * self.tokens
        return self.base["resid_pre"][0].element_size() * (residual + attention)

    def _batches(self, live: list[int], starts: dict[int, int]) -> Iterator[list[int]]:
        place = 0
        while place < len(live):
            rows = max(1, self.budget // self.row_bytes(starts[live[place]]))
            yield live[place : place + rows]
            place += rows

    def _run_batch(
        self, patches: Sequence[Patch], batch: list[int], start: int
    ) -> tuple[list[int], Tensor]:
        """Run the patches `batch` (indices), all from position `start`: indices and metrics."""
        batch = sorted(batch, key=lambda i: (patches[i].layer, patches[i].site))
        order: list[int] = []
        resid = self.base["resid_pre"][0][:0, start:]
        for layer in range(patches[batch[0]].layer, self.blocks.last + 1):
            if order:
                resid = self._block(layer, resid, start)
            for site in dict.fromkeys(patches[i].site for i in batch if patches[i].layer == layer):
                fresh = [i for i in batch if (patches[i].layer, patches[i].site) == (layer, site)]
                joined = self._patched(layer, site, [patches[i] for i in fresh], start)
                left = 1 if layer == self.blocks.last else self.tokens - start
                resid = torch.cat((resid[:, -left:], joined[:, -left:]))
                order += fresh
        return order, self.blocks.contrast(resid[:, -1], self.contrast)

    def _block(self, layer: int, resid: Tensor, start: int) -> Tensor:
        """Further rows through a whole block; after the last one only the last position is left."""
        q, k, v = self.blocks.qkv(layer, resid, self.rotary)
        k = torch.cat((self._before("k", layer, start, resid), k), 2)
        v = torch.cat((self._before("v", layer, start, resid), v), 2)
        if layer == self.blocks.last:
            q, resid = q[:, :, -1:], resid[:, -1:]
        return self._after_z(layer, resid, self.blocks.mix(self.blocks.pattern(layer, q, k), v))

    def _before(self, site: str, layer: int, start: int, resid: Tensor) -> Tensor:
        return self.base[site][layer][:, :, :start].expand(len(resid), -1, -1, -1)

    def _after_z(self, layer: int, resid: Tensor, z: Tensor) -> Tensor:
        return self.blocks.after(layer, resid, self.blocks.attn_out(layer, z))

    def _patched(self, layer: int, site: str, patches: list[Patch], start: int) -> Tensor:
        """resid_post from `start` of the patched layer, from the patched stage on."""
        base = {name: values[layer][..., start:, :] for name, values in self.base.items()}
        theirs = self.source[site][layer][..., start:, :]
        new = torch.where(self._mask(site, patches)[..., start:, :], theirs, base[site])
        blocks, resid = self.blocks, base["resid_pre"]
        if site == "resid_pre":
            return self._block(layer, new, start)
        if site == "resid_post":
            return new
        if site == "mlp_out":
            return base["resid_mid"] + new
        if site == "attn_out":
            return blocks.after(layer, resid, new)
        if site == "z":
            return self._after_z(layer, resid, new)
        k, v = self.base["k"][layer], self.base["v"][layer]
        if site in ("k", "v"):
            whole = torch.cat((self._before(site, layer, start, new), new), 2)
            k, v = (whole, v) if site == "k" else (k, whole)
        pattern = new if site == "pattern" else base["pattern"]
        if site in ("q", "k"):
            pattern = blocks.pattern(layer, new if site == "q" else base["q"], k)
        return self._after_z(layer, resid, blocks.mix(pattern, v))

    def _mask(self, site: str, patches: list[Patch]) -> Tensor:
        """True where a row takes the source's values: [B, T, 1], or [B, heads, T, 1]."""
        device = self.base[site][0].device
        places = torch.zeros(len(patches), self.tokens, 1, dtype=torch.bool, device=device)
        for row, patch in enumerate(patches):
            places[row, list(patch.positions)] = True
        if site not in HEADS:
            return places
        count = self.blocks.heads_of(site)
        chosen = torch.tensor(
            [[patch.head in (None, head) for head in range(count)] for patch in patches],
            device=device,
        )
        return places[:, None] & chosen[:, :, None, None]


def normalised(metric: Tensor, *, clean: float, corrupted: float) -> Tensor:
    """(m − m_corrupted) / (m_clean − m_corrupted): 0 as in the corrupted run, 1 as in the clean."""
    return (metric - corrupted) / (clean - corrupted)
