"""A decoder in stages, so that a run can start in the middle of a block.

    resid_pre → q, k, v → pattern → z → attn_out → mlp_out → resid_post

The stages call the modules of the Hugging Face model itself; `parts` finds them, and
`parity.checked_blocks` compares the whole with the network. Heads are grouped without copying keys.
Queries and keys are recorded after rotation, which changes no patch: at one position both runs are
rotated alike. `attn_out` and `mlp_out` are what is added to the residual stream.

Shapes: rows B, positions S from `start` to the end, all positions T, query heads H, key-value
heads G, head width W. Residual [B, S, d]; q and z [B, H, S, W]; k and v [B, G, T, W]; pattern
[B, H, S, T].
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.parts import heads_of, parts_of

RESIDUAL = ("resid_pre", "resid_post", "attn_out", "mlp_out")
HEADS = ("q", "k", "v", "z", "pattern")
SITES = RESIDUAL + HEADS

Activations = dict[str, list[Tensor]]  # site -> one tensor a layer
Rotary = dict[str, tuple[Tensor, Tensor]]  # kind of layer, "" for all -> cosines, sines


def check_site(site: str, known: Sequence[str] = SITES) -> None:
    """Refuse a misspelt site.

    Raises:
        LabError: with the nearest name.
    """
    if site not in known:
        near = difflib.get_close_matches(site, known, 1, 0.4)
        cure = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise LabError(f'site "{site}"', "no such place in a block", cure)


class Blocks:
    """The stages of one model; `network` is its Hugging Face model, used without its hooks."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.parts = parts_of(network)
        self.layers = self.parts.blocks
        config = network.config
        self.heads, self.groups = heads_of(config)
        self.width = int(config.hidden_size)
        self.hidden = int(getattr(config, "intermediate_size", None) or 4 * self.width)
        self.softcap: float | None = getattr(config, "final_logit_softcapping", None)
        self.last = len(self.layers) - 1

    def heads_of(self, site: str) -> int:
        """How many heads a site has; keys and values have one a group."""
        check_site(site, HEADS)
        return self.groups if site in ("k", "v") else self.heads

    def embed(self, tokens: Tensor) -> Tensor:
        """The first residual stream [rows, positions, d] of tokens [rows, positions]."""
        return self.parts.embed(tokens)

    def rotary(self, resid: Tensor, positions: Tensor | None = None) -> Rotary:
        """Cosines and sines [rows or 1, positions, W], by default of all positions."""
        turn = self.parts.rotary
        if turn is None:
            return {}
        if positions is None:
            positions = torch.arange(resid.shape[1], device=resid.device)[None]
        kinds = getattr(turn, "layer_types", None)  # of layers, where each has its own (Gemma 3)
        if kinds:
            return {kind: turn(resid, positions, kind) for kind in kinds}
        return {"": turn(resid, positions)}

    def qkv(self, layer: int, resid: Tensor, rotary: Rotary) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys (both rotated) and values of the last positions."""
        block = self.layers[layer]
        q, k, v = block.qkv(resid if block.read is None else block.read(resid))
        turned = rotary and getattr(block.attention, "use_rope", True)  # SmolLM3 has both
        if not turned or block.rotate is None:
            return q, k, v
        kind = "" if "" in rotary else self.network.config.layer_types[layer]
        q, k = block.rotate(q, k, *(part[:, -resid.shape[1] :] for part in rotary[kind]))
        return q, k, v

    def scores(self, layer: int, q: Tensor, k: Tensor) -> Tensor:
        """What attention is the softmax of, [B, H, S, T]; very low where a key is out of sight."""
        attn = self.layers[layer].attention
        rows, heads, queries, width = q.shape
        keys = k.shape[2]
        # The queries of a group side by side: its keys are read once. One row stands for many.
        scores = q.reshape(rows, self.groups, -1, width) @ k.transpose(2, 3)
        scores = scores.view(-1, heads, queries, keys) * attn.scaling
        cap = getattr(attn, "attn_logit_softcapping", None)
        if cap:
            scores = torch.tanh(scores / cap) * cap
        place = torch.arange(keys, device=q.device)
        away = place[-queries:, None] - place
        hidden = away < 0
        window = window_of(attn, self.network.config)
        if window:
            hidden = hidden | (away >= window)
        seen: Tensor = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        return seen

    def pattern(self, layer: int, q: Tensor, k: Tensor) -> Tensor:
        """Attention of the last positions to all of them."""
        return torch.softmax(self.scores(layer, q, k), -1, torch.float32).to(q.dtype)

    def mix(self, pattern: Tensor, v: Tensor) -> Tensor:
        """What each head read: z."""
        rows, heads, queries, keys = pattern.shape
        together = pattern.reshape(rows, self.groups, -1, keys)
        return (together @ v).view(-1, heads, queries, v.shape[3])

    def attn_out(self, layer: int, z: Tensor) -> Tensor:
        """What attention adds to the residual stream."""
        block = self.layers[layer]
        out: Tensor = block.out(z.transpose(1, 2).flatten(2))
        out = out if block.added is None else block.added(out)
        return out if block.factor == 1 else out * block.factor

    def mlp_out(self, layer: int, resid_pre: Tensor, resid_mid: Tensor) -> Tensor:
        """What the MLP adds to the residual stream: it reads it after attention, or before."""
        block = self.layers[layer]
        read = resid_pre if block.parallel else resid_mid
        out: Tensor = block.mlp(read if block.mlp_read is None else block.mlp_read(read))
        out = out if block.mlp_added is None else block.mlp_added(out)
        return out if block.factor == 1 else out * block.factor

    def after(self, layer: int, resid_pre: Tensor, attn_out: Tensor) -> Tensor:
        """The residual stream after a block, from what enters it and what attention adds."""
        resid_mid = resid_pre + attn_out
        return resid_mid + self.mlp_out(layer, resid_pre, resid_mid)

    def logits(self, resid: Tensor, tokens: Sequence[int] | None = None) -> Tensor:
        """Logits [..., tokens], of all tokens or a few, from a residual stream [..., d]."""
        normed, head = self.parts.norm(resid), self.parts.head
        if tokens is None:
            logits: Tensor = head(normed)
        else:
            logits = normed @ head.weight[list(tokens)].T
            if head.bias is not None:
                logits = logits + head.bias[list(tokens)]
        scale = getattr(self.network.config, "logits_scaling", 1)
        logits = logits if scale == 1 else logits / scale
        return torch.tanh(logits / self.softcap) * self.softcap if self.softcap else logits

    def contrast(self, resid: Tensor, contrast: tuple[int, int]) -> Tensor:
        """logit(plus) − logit(minus) [...] from a residual stream [..., d]."""
        plus, minus = self.logits(resid, contrast).unbind(-1)
        return plus - minus

    def run(self, layer: int, resid: Tensor, rotary: Rotary) -> dict[str, Tensor]:
        """A whole block on the residual stream [B, T, d] of all positions: every site."""
        q, k, v = self.qkv(layer, resid, rotary)
        return {"resid_pre": resid, "q": q, "k": k, "v": v} | self.rest(layer, resid, q, k, v)

    def rest(self, layer: int, resid: Tensor, q: Tensor, k: Tensor, v: Tensor) -> dict[str, Tensor]:
        """A block from its queries, keys and values on."""
        pattern = self.pattern(layer, q, k)
        z = self.mix(pattern, v)
        attn_out = self.attn_out(layer, z)
        resid_mid = resid + attn_out
        mlp_out = self.mlp_out(layer, resid, resid_mid)
        return {
            "pattern": pattern,
            "z": z,
            "attn_out": attn_out,
            "resid_mid": resid_mid,
            "mlp_out": mlp_out,
            "resid_post": resid_mid + mlp_out,
        }

    def record(self, resid: Tensor) -> Activations:
        """Run from the first residual stream [B, T, d] and keep every site of every layer."""
        rotary = self.rotary(resid)
        layers: list[dict[str, Tensor]] = []
        for layer in range(len(self.layers)):
            layers.append(self.run(layer, resid, rotary))
            resid = layers[-1]["resid_post"]
        return {site: [values[site] for values in layers] for site in layers[0]}


def window_of(attention: Any, config: Any) -> int | None:
    """How many positions, its own among them, a layer sees; None if it sees all before it."""
    # A layer without a window of its own has the configuration's (Mistral, Phi-3), but where that
    # says by kinds which layers have one.
    common = None if getattr(config, "layer_types", None) else "sliding_window"
    window: int | None = getattr(attention, "sliding_window", getattr(config, common or "", None))
    return window
