"""Sampling from a network that is changed at chosen places only: some roles of the prompt, and
the tokens after which it decides how its answer goes on.

`Gated` stands for the network in `sampling.sample`, which itself stays as it is. The prompt is
changed while it is read. A later token is deciding when the likeliest next token of the unchanged
network, given all that was changed before, is one of the two that the study's contrast compares.
Such rows alone run through the changed block and those behind it once more, on the recorded keys
and values; every other row, and every row that a change leaves as it is, keeps its numbers bit for
bit. The prefilled start of the answer belongs to the prompt and is never deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analyses.lab.model.hooks import tapped
from analyses.lab.model.stages import Blocks
from analyses.lab.saes.saes import Sae

DECIDING = "deciding"
Move = Callable[[Tensor], Tensor]  # x [places, d] -> what is added to it, [places, d]
Roles = Mapping[tuple[int, ...], Sequence[str | None]]  # a prompt -> the role of each token


@dataclass(frozen=True)
class Change:
    """What is added to the stream at a site of a layer, at the tokens of one role."""

    site: str
    layer: int
    role: str
    move: Move


def replacing(sae: Sae, features: Sequence[int], values: Sequence[float]) -> Move:
    """Give features other activations, the error kept: −a · W_dec of each where the value is 0."""
    directions = sae.directions[list(features)]
    wanted = torch.tensor(values, dtype=directions.dtype, device=directions.device)
    return lambda x: (wanted - sae.encode(x)[:, list(features)]) @ directions


def adding(vector: Tensor) -> Move:
    """Add the same [d] everywhere."""
    return lambda x: vector.to(x).expand_as(x)


class Gated:
    """A network under changes, as `sampling.sample` wants it.

    Args:
        network: the Hugging Face model, its attention set to `decoder.ATTENTION`.
        contrast: the tokens (plus, minus) that make a place deciding when either is likeliest.
        changes: of the roles of prompts, and of `DECIDING`; places later in the network see what
            earlier ones changed.
        roles: what the changes of prompts are placed by; every prompt that is run.
        bias: added to the logit of `plus` at deciding places.
    """

    def __init__(
        self,
        network: Any,
        contrast: tuple[int, int],
        changes: Sequence[Change] = (),
        *,
        roles: Roles | None = None,
        bias: float = 0.0,
    ) -> None:
        self.network, self.contrast, self.bias = network, contrast, bias
        self.config, self.device = network.config, network.device
        self.prompt = [one for one in changes if one.role != DECIDING]
        self.deciding = [one for one in changes if one.role == DECIDING]
        self.roles = roles or {}
        self.engine = Blocks(network)

    def __call__(self, **given: Any) -> Any:
        """Run as `decoder.forward` does: a whole prompt, or one more token."""
        if given["past_key_values"].get_seq_length() == 0:
            return self._read(given)
        if given["input_ids"].shape[1] != 1:
            raise ValueError("after the prompt, one token at a time: each may be deciding")
        return self._decide(given)

    def _read(self, given: dict[str, Any]) -> Any:
        """Run the prompts, changed where the roles say."""
        with ExitStack() as stack:
            for one in self.prompt:
                where = self._where(given, one.role)

                def change(x: Tensor, one: Change = one, where: Tensor = where) -> Tensor:
                    changed = x.clone()
                    changed[where] += one.move(x[where]).to(x.dtype)
                    return changed

                stack.enter_context(tapped(self.network, one.site, one.layer, change))
            return self.network(**given)

    def _where(self, given: dict[str, Any], role: str) -> Tensor:
        """The tokens of a role, [prompts, columns]."""
        tokens: Tensor = given["input_ids"]
        where = torch.zeros(tokens.shape, dtype=torch.bool)
        lengths = given["attention_mask"][:, 0, -1].sum(-1).tolist()
        for row, length in enumerate(lengths):
            known = self.roles[tuple(tokens[row, tokens.shape[1] - length :].tolist())]
            where[row, -length:] = torch.tensor([one == role for one in known])
        return where.to(tokens.device)

    def _decide(self, given: dict[str, Any]) -> Any:
        """Run one token a row, and the deciding rows again under the changes."""
        before: list[Tensor] = []
        first = min((one.layer for one in self.deciding), default=0)
        handle = self.engine.layers[first].module.register_forward_pre_hook(
            lambda _, args: before.append(args[0])
        )
        try:
            out = self.network(**given)
        finally:
            handle.remove()
        likeliest = out.logits[:, -1].argmax(-1)
        rows = torch.isin(likeliest, likeliest.new_tensor(self.contrast)).nonzero()[:, 0]
        if self.deciding and len(rows):
            self._again(out.logits, before[0][rows], rows, first, given)
        out.logits[rows, -1, self.contrast[0]] += self.bias
        return out

    def _again(
        self, logits: Tensor, x: Tensor, rows: Tensor, first: int, given: dict[str, Any]
    ) -> None:
        """Write the changed rows' logits, and keys and values of their last column, in place.

        Args:
            x: what enters block `first` in these rows, [rows, 1, d].
        """
        engine, lanes = self.engine, given["past_key_values"].layers
        rotary = engine.rotary(x, given["position_ids"][rows])
        unseen = ~given["attention_mask"][rows]
        moved = torch.zeros(len(rows), dtype=torch.bool, device=x.device)
        for number in range(first, engine.last + 1):
            q, k, v = engine.qkv(number, x, rotary)
            lane = lanes[number]
            column = lane.get_seq_length() - 1
            lane.keys[rows[moved], :, column] = k[moved, :, 0]
            lane.values[rows[moved], :, column] = v[moved, :, 0]
            keys, values = (part[rows, :, : column + 1] for part in (lane.keys, lane.values))
            scores = engine.scores(number, q, keys)
            scores = scores.masked_fill(unseen, torch.finfo(scores.dtype).min)
            heads = engine.mix(torch.softmax(scores, -1, torch.float32).to(q.dtype), values)
            z = self._changed("z", number, heads.transpose(1, 2).flatten(2), moved)
            mixed = z.view(*z.shape[:-1], engine.heads, -1).transpose(1, 2)
            x = engine.after(number, x, engine.attn_out(number, mixed))
            x = self._changed("resid_post", number, x, moved)
        logits[rows[moved]] = engine.logits(x[moved])

    def _changed(self, site: str, layer: int, x: Tensor, moved: Tensor) -> Tensor:
        """x [rows, 1, d] after the changes at a place; `moved` learns which rows they moved."""
        for one in self.deciding:
            if (one.site, one.layer) == (site, layer):
                more = one.move(x[:, 0]).to(x.dtype)
                moved |= (more != 0).any(-1)
                x = x + more[:, None]
        return x
