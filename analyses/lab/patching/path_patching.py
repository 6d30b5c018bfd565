"""Path patching: what one head tells another, while all that it tells anybody else is held.

Patching a head changes every head behind it, so that it shows what passes through the head and not
where it goes. Here the senders' new outputs reach one receiver alone: all other heads keep the
outputs of the base run, whatever happens before them, and the receiver reads the stream that is
left [Wang et al. 2023, arXiv:2211.00593; Goldowsky-Dill et al. 2023, arXiv:2304.05969]. A receiver
reads in three places, for its queries, its keys and its values, each of which can be patched apart.

A path runs between heads through the residual stream, directly or through the MLPs on the way.
`follow` says whether these are recomputed, as in the first of these works, or held at the base run
as well, so that only what a head adds to the stream itself arrives.

Exact. Shapes: a head's output z is [T - first, W], from the first differing position on; before it
the two runs are equal. Metrics are in logits, as in `patching`.

Example:
    >>> paths = Paths(Blocks(network), base=corrupted, source=clean, contrast=(end, line_break))
    >>> z = paths.received((13, 7), {(2, 3): paths.output((2, 3))}, inputs="v")
    >>> paths.totals([{(13, 7): z}]) - paths.base_metric   # the edge 2.3 -> values of 13.7
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.patching import Sweep

Head = tuple[int, int]  # layer, query head
Outputs = Mapping[Head, Tensor]  # z of some heads
Edge = tuple[Head, Head | None]  # sender, receiver; None is the metric itself
INPUTS = "qkv"


class Paths(Sweep):
    """Paths from a `source` run laid into a `base` run; see `Sweep` for what it is opened with.

    Attributes:
        first: where the prompts begin to differ; the last position if they never do.
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
        super().__init__(blocks, base=base, source=source, contrast=contrast, budget=budget)
        self.first = min(self.first, self.tokens - 1)

    def output(self, head: Head, positions: Sequence[int] | None = None) -> Tensor:
        """What a head writes in the source run at these positions, in the base run at the others.

        Args:
            positions: in the whole text, from 0; by default all.

        Raises:
            LabError: no such layer or head.
        """
        layer, number = head
        if not (0 <= layer <= self.blocks.last and 0 <= number < self.blocks.heads):
            what = f"there are {self.blocks.heads} heads in each of {self.blocks.last + 1} layers"
            raise LabError(f"head {layer}.{number}", what, "count from 0")
        mine, theirs = (
            run["z"][layer][0, number, self.first :] for run in (self.base, self.source)
        )
        if positions is None:
            return theirs
        chosen = torch.zeros(self.tokens, 1, dtype=torch.bool, device=mine.device)
        chosen[list(positions)] = True
        return torch.where(chosen[self.first :], theirs, mine)

    def stream(
        self, sent: Outputs, layer: int, *, follow: bool = True, start: int | None = None
    ) -> Tensor:
        """What enters block `layer`, or leaves the last, when these heads alone write other things.

        Args:
            sent: outputs; those of `layer` and behind it do not arrive.
            start: the first position that is asked for; by default the first differing one.

        Returns:
            [1, T - start, d].
        """
        earlier = {head: z for head, z in sent.items() if head[0] < layer}
        start = self.first if start is None else start
        resid = (self.base["resid_pre"] + self.base["resid_post"][-1:])[layer][:, start:]
        for at, entering in self._streams(earlier, follow, start):
            if at == layer:
                return entering
        return resid

    def _streams(self, sent: Outputs, follow: bool, start: int) -> Iterator[tuple[int, Tensor]]:
        """What enters each block behind the first that is sent from, and leaves the last."""
        begin = min((layer for layer, _ in sent), default=self.blocks.last + 1)
        resid = self.base["resid_pre"][min(begin, self.blocks.last)][:, start:]
        for layer in range(begin, self.blocks.last + 1):
            base = {site: run[layer][..., start:, :] for site, run in self.base.items()}
            attn_out = base["attn_out"]
            here = {head: z for (at, head), z in sent.items() if at == layer}
            if here:
                z = base["z"].clone()
                for head, value in here.items():
                    z[0, head] = value[start - self.first :]
                attn_out = self.blocks.attn_out(layer, z)
            if follow:
                resid = self.blocks.after(layer, resid, attn_out)
            else:
                resid = resid + attn_out + base["mlp_out"]
            yield layer + 1, resid

    def received(
        self, receiver: Head, sent: Outputs, *, inputs: str = INPUTS, follow: bool = True
    ) -> Tensor:
        """What a head writes when these outputs reach it, and it alone.

        Args:
            inputs: which of its queries, keys and values read them: letters of "qkv".
        """
        layer, head = receiver
        with torch.inference_mode():
            return self._heads(layer, self.stream(sent, layer, follow=follow), inputs)[head]

    def heard(self, sent: Outputs, *, follow: bool = True) -> dict[Head, Tensor]:
        """What every head behind these writes when what they write reaches it, and it alone."""
        with torch.inference_mode():
            return {
                (layer, head): z
                for layer, resid in self._streams(sent, follow, self.first)
                if layer <= self.blocks.last
                for head, z in enumerate(self._heads(layer, resid))
            }

    def _heads(self, layer: int, resid: Tensor, inputs: str = INPUTS) -> Tensor:
        """What the heads of a block write [H, T - first, W] when they read this stream."""
        read = dict(zip(INPUTS, self.blocks.qkv(layer, resid, self.rotary), strict=True))
        held = {name: self.base[name][layer] for name in INPUTS}
        q = read["q"] if "q" in inputs else held["q"][:, :, self.first :]
        k, v = (
            torch.cat((held[name][:, :, : self.first], read[name]), 2)
            if name in inputs
            else held[name]
            for name in "kv"
        )
        return self.blocks.mix(self.blocks.pattern(layer, q, k), v)[0]

    def direct(self, sent: Outputs, *, follow: bool = True) -> float:
        """The metric when these outputs reach it without another head on the way."""
        with torch.inference_mode():
            last = self.stream(sent, len(self.blocks.layers), follow=follow, start=self.tokens - 1)
            return float(self.blocks.contrast(last[0, -1], self.contrast))

    def along(
        self,
        starts: Sequence[Head],
        edges: Sequence[Edge],
        *,
        inputs: str = INPUTS,
        follow: bool = True,
    ) -> float:
        """The metric when the starts write what they do in the source run, heard along edges alone.

        Args:
            edges: each receiver is heard in turn; what reaches the starts changes nothing.
            inputs: of the receivers, as in `received`.
        """
        sent = {head: self.output(head) for head in starts}
        for receiver in sorted({to for _, to in edges if to is not None} - set(starts)):
            heard = {one: sent[one] for one, to in edges if to == receiver and one in sent}
            sent[receiver] = self.received(receiver, heard, inputs=inputs, follow=follow)
        last = {one: sent[one] for one, to in edges if to is None and one in sent}
        return self.direct(last, follow=follow)

    def relayed(self, starts: Sequence[Head], most: int, *, follow: bool = True) -> list[float]:
        """The metric by how many heads may stand between the starts and it: 0, 1, …, `most`.

        Every head behind the starts may pass on what reaches it. With as many as there are layers
        behind them this is all that the starts do: `totals`.
        """
        first = {head: self.output(head) for head in starts}
        sent, found = first, [self.direct(first, follow=follow)]
        for _ in range(most):
            sent = self.heard(sent, follow=follow) | first
            found.append(self.direct(sent, follow=follow))
        return found

    def totals(self, rows: Sequence[Outputs]) -> Tensor:
        """The metric of each row [rows], float64, when all behind its heads follows them.

        A head that a row names writes what the row says, whatever reaches it.
        """
        metrics = torch.full((len(rows),), self.base_metric, dtype=torch.float64)
        begins = {i: min(row)[0] for i, row in enumerate(rows) if row}
        order = sorted(begins, key=lambda i: begins[i])
        size = max(1, self.budget // self.row_bytes(self.first))
        with torch.inference_mode():
            while order:
                batch = [i for i in order[:size] if begins[i] == begins[order[0]]]
                order = order[len(batch) :]
                found = self._total([rows[i] for i in batch], begins[batch[0]])
                metrics[batch] = found.double().cpu()
        return metrics

    def _total(self, rows: Sequence[Outputs], begin: int) -> Tensor:
        resid = self.base["resid_pre"][begin][:, self.first :].expand(len(rows), -1, -1)
        for layer in range(begin, self.blocks.last + 1):
            q, k, v = self.blocks.qkv(layer, resid, self.rotary)
            k = torch.cat((self._before("k", layer, self.first, resid), k), 2)
            v = torch.cat((self._before("v", layer, self.first, resid), v), 2)
            z = self.blocks.mix(self.blocks.pattern(layer, q, k), v)
            for row, named in enumerate(rows):
                for (at, head), value in named.items():
                    if at == layer:
                        z[row, head] = value
            resid = self._after_z(layer, resid, z)
        return self.blocks.contrast(resid[:, -1], self.contrast)
