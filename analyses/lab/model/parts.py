"""The parts of a decoder by what they are, whatever its family calls them.

Most families name and join their parts as Llama does, some with norms elsewhere (Gemma 2 and 3,
OLMo 2), norms of queries and keys (Qwen 3, Gemma 3, OLMo 2), one matrix for queries, keys and
values (Phi-3) or multipliers (Granite). GPT-2 and GPT-NeoX have names of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Norm = Callable[[Tensor], Tensor]
Rotate = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Block:
    """The parts of one block.

    Attributes:
        module: all of it; its output is the residual stream.
        out: the projection of what all heads read, side by side, to the stream.
        read: before attention; added: of what attention adds; mlp_read and mlp_added likewise.
        qkv: queries, keys and values of the normed stream, before rotation, by head [B, H, S, W].
        rotate: queries and keys, by cosines and sines [B, S, W]: the family's own function, as some
            rotate pairs of neighbours and some the halves of a head.
        parallel: whether the MLP reads the stream that attention reads.
        factor: of what attention and MLP add.
    """

    module: Any
    attention: Any
    out: Any
    mlp: Any
    read: Norm | None
    added: Norm | None
    mlp_read: Norm | None
    mlp_added: Norm | None
    qkv: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
    rotate: Rotate | None
    parallel: bool = False
    factor: float = 1

    @property
    def out_weight(self) -> Tensor:
        """What one unit of z writes, [heads · W, d]; GPT-2 keeps it so, others turned."""
        weight: Tensor = self.out.weight
        return weight.T if isinstance(self.out, torch.nn.Linear) else weight


@dataclass(frozen=True)
class Decoder:
    """The parts of a decoder around its blocks.

    Attributes:
        embed: the first residual stream [rows, positions, d] of tokens [rows, positions].
        rotary: what makes cosines and sines; None if positions are embedded.
        norm: the last one; head: the unembedding.
    """

    blocks: list[Block]
    embed: Callable[[Tensor], Tensor]
    rotary: Any
    norm: Any
    head: Any


def parts_of(network: Any) -> Decoder:
    """The parts of a Hugging Face decoder.

    Raises:
        AttributeError: it is made of others.
    """
    if hasattr(network, "transformer"):
        return _like_gpt2(network)
    if hasattr(network, "gpt_neox"):
        return _like_neox(network)
    model = network.model
    factor = getattr(model, "embedding_multiplier", 1)
    return Decoder(
        [_like_llama(layer, network.config) for layer in model.layers],
        model.embed_tokens if factor == 1 else lambda tokens: model.embed_tokens(tokens) * factor,
        model.rotary_emb,
        model.norm,
        network.lm_head,
    )


def heads_of(config: Any) -> tuple[int, int]:
    """How many heads queries have, and how many keys and values."""
    heads = int(config.num_attention_heads)
    return heads, int(getattr(config, "num_key_value_heads", None) or heads)


def _like_llama(layer: Any, config: Any) -> Block:
    attn, (heads, groups) = layer.self_attn, heads_of(config)
    norms = [getattr(attn, name, None) for name in ("q_norm", "k_norm", "v_norm")]

    def qkv(normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if hasattr(attn, "qkv_proj"):
            sizes = [count * attn.head_dim for count in (heads, groups, groups)]
            made = attn.qkv_proj(normed).split(sizes, -1)
        else:
            made = (attn.q_proj(normed), attn.k_proj(normed), attn.v_proj(normed))
        q, k, v = (_by_head(x, n, attn.head_dim) for x, n in zip(made, norms, strict=True))
        return q, k, v

    after = hasattr(layer, "post_feedforward_layernorm")  # Llama's name is of the norm before
    return Block(
        layer,
        attn,
        attn.o_proj,
        layer.mlp,
        read=getattr(layer, "input_layernorm", None),
        added=layer.post_attention_layernorm if after else None,
        mlp_read=getattr(layer, "pre_feedforward_layernorm", None)
        if after
        else layer.post_attention_layernorm,
        mlp_added=layer.post_feedforward_layernorm if after else None,
        qkv=qkv,
        rotate=_rotation(attn),
        factor=getattr(layer, "residual_multiplier", 1),
    )


def _like_gpt2(network: Any) -> Decoder:
    model = network.transformer

    def embed(tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        embedded: Tensor = model.wte(tokens) + model.wpe(places)
        return embedded

    def block(layer: Any) -> Block:
        attn = layer.attn

        def qkv(normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            q, k, v = (_by_head(x, None, attn.head_dim) for x in attn.c_attn(normed).chunk(3, -1))
            return q, k, v

        norms = {"read": layer.ln_1, "added": None, "mlp_read": layer.ln_2, "mlp_added": None}
        return Block(layer, attn, attn.c_proj, layer.mlp, qkv=qkv, rotate=None, **norms)

    return Decoder([block(one) for one in model.h], embed, None, model.ln_f, network.lm_head)


def _like_neox(network: Any) -> Decoder:
    model = network.gpt_neox

    def block(layer: Any) -> Block:
        attn = layer.attention

        def qkv(normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            # Each head's queries, keys and values stand together.
            q, k, v = _by_head(attn.query_key_value(normed), None, 3 * attn.head_size).chunk(3, -1)
            return q, k, v

        return Block(
            layer,
            attn,
            attn.dense,
            layer.mlp,
            read=layer.input_layernorm,
            added=None,
            mlp_read=layer.post_attention_layernorm,
            mlp_added=None,
            qkv=qkv,
            rotate=_rotation(attn),
            parallel=layer.use_parallel_residual,
        )

    blocks = [block(one) for one in model.layers]
    return Decoder(
        blocks, model.embed_in, model.rotary_emb, model.final_layer_norm, network.lm_head
    )


def _rotation(attention: Any) -> Rotate:
    rotate: Rotate = sys.modules[type(attention).__module__].apply_rotary_pos_emb
    return rotate


def _by_head(x: Tensor, norm: Any, width: int) -> Tensor:
    """[B, S, heads · W] as [B, heads, S, W], after a norm of all heads, or of each."""
    at_once = norm is not None and norm.weight.shape[0] != width
    x = (norm(x) if at_once else x).unflatten(-1, (-1, width))
    return (x if norm is None or at_once else norm(x)).transpose(1, 2)
