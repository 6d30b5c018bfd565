"""A decoder in stages, so that a run can start in the middle of a block.

    resid_pre → q, k, v → pattern → z → attn_out → mlp_out → resid_post

The stages call the modules of the Hugging Face model itself, for Llama-like blocks and for Gemma 2
(norms after attention and MLP, soft-capping, sliding windows); heads are grouped without copying
keys. Queries and keys are recorded after rotation, which changes no patch: at one position both
runs are rotated alike. `attn_out` and `mlp_out` are what is added to the residual stream.

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

RESIDUAL = ("resid_pre", "resid_post", "attn_out", "mlp_out")
HEADS = ("q", "k", "v", "z", "pattern")
SITES = RESIDUAL + HEADS

Activations = dict[str, list[Tensor]]  # site -> one tensor a layer


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
        self.layers = list(network.model.layers)
        config = network.config
        self.heads = int(config.num_attention_heads)
        self.groups = int(config.num_key_value_heads)
        self.width = int(config.hidden_size)
        self.hidden = int(config.intermediate_size)
        self.softcap: float | None = getattr(config, "final_logit_softcapping", None)
        self.last = len(self.layers) - 1

    def heads_of(self, site: str) -> int:
        """How many heads a site has; keys and values have one a group."""
        check_site(site, HEADS)
        return self.groups if site in ("k", "v") else self.heads

    def embed(self, tokens: Tensor) -> Tensor:
        """The first residual stream [rows, positions, d] of tokens [rows, positions]."""
        embedded: Tensor = self.network.model.embed_tokens(tokens)
        return embedded

    def rotary(self, resid: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [1, 1, positions, W] of all positions."""
        positions = torch.arange(resid.shape[1], device=resid.device)[None]
        cos, sin = self.network.model.rotary_emb(resid, positions)
        return cos[:, None], sin[:, None]

    def qkv(
        self, layer: int, resid: Tensor, rotary: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys (both rotated) and values of the last positions."""
        block = self.layers[layer]
        normed = block.input_layernorm(resid)
        attn = block.self_attn
        cos, sin = (part[:, :, -resid.shape[1] :] for part in rotary)
        q, k, v = (
            proj(normed).unflatten(-1, (-1, attn.head_dim)).transpose(1, 2)
            for proj in (attn.q_proj, attn.k_proj, attn.v_proj)
        )
        return q * cos + _turned(q) * sin, k * cos + _turned(k) * sin, v

    def scores(self, layer: int, q: Tensor, k: Tensor) -> Tensor:
        """What attention is the softmax of, [B, H, S, T]; very low where a key is out of sight."""
        attn = self.layers[layer].self_attn
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
        window = getattr(attn, "sliding_window", None)
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
        out: Tensor = block.self_attn.o_proj(z.transpose(1, 2).flatten(2))
        return block.post_attention_layernorm(out) if _normed_after(block) else out

    def mlp_out(self, layer: int, resid_mid: Tensor) -> Tensor:
        """What the MLP adds to the residual stream."""
        block = self.layers[layer]
        if _normed_after(block):
            out = block.mlp(block.pre_feedforward_layernorm(resid_mid))
            return block.post_feedforward_layernorm(out)  # type: ignore[no-any-return]
        return block.mlp(block.post_attention_layernorm(resid_mid))  # type: ignore[no-any-return]

    def logits(self, resid: Tensor, tokens: Sequence[int]) -> Tensor:
        """Logits [..., tokens] of a few tokens from a residual stream [..., d]."""
        logits: Tensor = (
            self.network.model.norm(resid) @ self.network.lm_head.weight[list(tokens)].T
        )
        return torch.tanh(logits / self.softcap) * self.softcap if self.softcap else logits

    def contrast(self, resid: Tensor, contrast: tuple[int, int]) -> Tensor:
        """logit(plus) − logit(minus) [...] from a residual stream [..., d]."""
        plus, minus = self.logits(resid, contrast).unbind(-1)
        return plus - minus

    def run(self, layer: int, resid: Tensor, rotary: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """A whole block on the residual stream [B, T, d] of all positions: every site."""
        q, k, v = self.qkv(layer, resid, rotary)
        return {"resid_pre": resid, "q": q, "k": k, "v": v} | self.rest(layer, resid, q, k, v)

    def rest(self, layer: int, resid: Tensor, q: Tensor, k: Tensor, v: Tensor) -> dict[str, Tensor]:
        """A block from its queries, keys and values on."""
        pattern = self.pattern(layer, q, k)
        z = self.mix(pattern, v)
        attn_out = self.attn_out(layer, z)
        resid_mid = resid + attn_out
        mlp_out = self.mlp_out(layer, resid_mid)
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


def _normed_after(block: Any) -> bool:
    return hasattr(block, "post_feedforward_layernorm")


def _turned(x: Tensor) -> Tensor:
    """(a, b) → (−b, a), the halves of a head's width."""
    a, b = x.chunk(2, -1)
    return torch.cat((-b, a), -1)
