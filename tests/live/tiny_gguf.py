"""A random Llama of three blocks that writes lists of letters, as a GGUF file and as Hugging Face's model."""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.constants import GGMLQuantizationType as Type
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

END, START, BREAK, HYPHEN = 2, 1, 198, 29  # ids as SmolLM2's, which the post's prompts are read by
WIDTH, HIDDEN, BLOCKS, HEADS, GROUPS, HEAD_WIDTH = 64, 96, 3, 4, 2, 16
CONTROL = {0: "<|endoftext|>", START: "<|im_start|>", END: "<|im_end|>"}
MERGES = ["Ġ t", "h e", "Ġt he", "i n", "e r", "a n", "1 2", "Ã ¤"]
STORED = {"attn_q": Type.Q4_1, "attn_k": Type.Q8_0, "ffn_down": Type.Q4_1, "ffn_up": Type.Q4_1}
"""How tensors are stored; all others are float32."""


@dataclass
class Tiny:
    """The file, the model and the tokenizer that it is to be compared with."""

    path: Path
    model: LlamaForCausalLM
    tokenizer: Tokenizer


def vocabulary() -> list[str]:
    """Control tokens, a character for each byte, and what merges make of them."""
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [CONTROL.get(id, "") for id in range(len(bytes_) + len(CONTROL))]
    tokens[BREAK], tokens[HYPHEN] = "Ċ", "-"
    rest = (sign for sign in bytes_ if sign not in ("Ċ", "-"))
    tokens = [token or next(rest) for token in tokens]
    return tokens + [merge.replace(" ", "") for merge in MERGES]


def make(path: Path, *, seed: int = 0, family: str = "llama") -> Tiny:
    """Write the file; its weights are those that the file's blocks can say."""
    tokens = vocabulary()
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokens), hidden_size=WIDTH, intermediate_size=HIDDEN,
            num_hidden_layers=BLOCKS, num_attention_heads=HEADS, num_key_value_heads=GROUPS,
            head_dim=HEAD_WIDTH, rms_norm_eps=1e-5, rope_theta=10_000.0, tie_word_embeddings=False,
            attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    for name, tensor in weights.items():
        if "proj" in name:
            tensor *= 5  # else every block says next to nothing
        if "o_proj" in name or "down_proj" in name:
            tensor[0] = 0
    # The first coordinate is the same everywhere: with it letters and line breaks are likely.
    weights["model.embed_tokens.weight"][...] *= 10
    weights["model.embed_tokens.weight"][:, 0] = 2
    head = weights["lm_head.weight"]
    head[...] *= 5
    head[:, 0] = -2
    head[[tokens.index(letter) for letter in "abcdefghijklmnopqrstuvwxyz"], 0] = 0
    head[BREAK, 0], head[END, 0] = 0.5, 0.1
    writer = gguf.GGUFWriter(path, family)
    writer.add_context_length(384)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(BLOCKS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if id in CONTROL else 1 for id in range(len(tokens))])
    writer.add_token_merges(MERGES)
    for name, target in names().items():
        kind = STORED.get(target.split(".")[-2], Type.F32)
        stored = gguf.quants.quantize(weights[name], kind)
        weights[name][...] = gguf.quants.dequantize(stored, kind)
        if target.endswith(("attn_q.weight", "attn_k.weight")):
            stored = _paired(stored, HEADS if "attn_q" in target else GROUPS)
        writer.add_tensor(target, stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Tiny(path, model, _tokenizer(tokens))


def names() -> dict[str, str]:
    """Hugging Face's name of each tensor, and the file's."""
    found = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    parts = {
        "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    }  # fmt: skip
    for block in range(BLOCKS):
        for ours, theirs in parts.items():
            found[f"model.layers.{block}.{ours}.weight"] = f"blk.{block}.{theirs}.weight"
    return found


def _paired(rows: np.ndarray, heads: int) -> np.ndarray:
    """The rows of a head so that both of a rotated pair stand side by side, as GGUF has them."""
    split = rows.reshape(heads, 2, HEAD_WIDTH // 2, *rows.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(rows.shape))


def _tokenizer(tokens: list[str]) -> Tokenizer:
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    found = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    return found
