"""A Gemma 3 in a GGUF file, as a folder that transformers can open.

Tensors are dequantised row by row and written block by block, so that little more is in memory than
the largest of them (the embedding), and its bytes while they are written. What a folder holds
depends on the file alone, and on no version of a library: its digests are part of every result's
key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyses.lab.core.errors import LabError
from analyses.lab.gguf.tokenizer import Vocabulary, tokenizer

if TYPE_CHECKING:
    from gguf import GGUFReader, ReaderTensor
    from torch import Tensor

FAMILY = "gemma3"
CONFIG = {
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "sliding_window": "attention.sliding_window",
}
SETTLED = {
    "architectures": ["Gemma3ForCausalLM"],
    "model_type": "gemma3_text",
    "dtype": "float32",
    "hidden_activation": "gelu_pytorch_tanh",
    "attention_bias": False,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "query_pre_attn_scalar": 256,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
"""What is so of every Gemma 3 of text alone, and not said in the file, or with a float's noise."""

FULL_EVERY = 6  # blocks; the others see a window
LOCAL_BASE = 10_000.0  # of the rotation in blocks with a window
SIZES = ("270M", "1B")
"""Those that were trained on text alone: what is settled above holds for them."""

PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "post_ffw_norm": "post_feedforward_layernorm",
}
"""Tensors of a block: GGUF's name → Hugging Face's."""

ROWS = 8192  # of a tensor, dequantised at a time

ANSWER = "{% if add_generation_prompt %}{{ '\\n' }}{% endif %}"
PLAIN = "{{ bos_token }}{{ messages[0]['content'] }}" + ANSWER
"""Of a model that was never taught turns: the text stands as it is, the answer on the next line."""


def convert(gguf: Path, folder: Path) -> None:
    """Write configuration, weights and tokenizer of a GGUF file into a folder.

    Raises:
        LabError: it is no Gemma 3 of text, or has tensors that none has.
    """
    from gguf import GGUFReader

    reader = GGUFReader(gguf)
    family, size = (_value(reader, f"general.{key}") for key in ("architecture", "size_label"))
    if family != FAMILY or size not in SIZES:
        what = f"{family} {size}, and only {FAMILY} of {' or '.join(SIZES)} can be read"
        raise LabError(gguf.name, what, "name a folder that transformers has saved (model.folder)")
    _write(folder / "config.json", config(reader))
    _write_weights(reader, folder)
    vocabulary = _vocabulary(reader)
    _write(folder / "tokenizer.json", tokenizer(vocabulary), indent=None)
    named = {f"{name}_token": vocabulary.tokens[id] for name, id in vocabulary.names.items()}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    _write(folder / "tokenizer_config.json", kind | named)
    template = reader.get_field("tokenizer.chat_template")
    text = str(template.contents()) if template else PLAIN
    (folder / "chat_template.jinja").write_text(text, "utf-8")


def config(reader: GGUFReader) -> dict[str, Any]:
    """The configuration of Hugging Face's model."""
    found = {name: _value(reader, f"{FAMILY}.{key}") for name, key in CONFIG.items()}
    kinds = ["sliding_attention"] * (FULL_EVERY - 1) + ["full_attention"]
    layers = [kinds[block % FULL_EVERY] for block in range(found["num_hidden_layers"])]
    rope = {
        "full_attention": {"rope_theta": _value(reader, f"{FAMILY}.rope.freq_base")},
        "sliding_attention": {"rope_theta": LOCAL_BASE},
    }
    ids = {f"{name}_token_id": place for name, place in _names(reader).items() if name != "unk"}
    return {
        **SETTLED,
        **found,
        **ids,
        "vocab_size": len(reader.fields["tokenizer.ggml.tokens"].data),
        "layer_types": layers,
        "rope_parameters": {kind: {"rope_type": "default"} | of for kind, of in rope.items()},
    }


def _write_weights(reader: GGUFReader, folder: Path) -> None:
    """One file a block, and one for what is before and after them all."""
    from safetensors.torch import save_file

    shards: dict[str, list[ReaderTensor]] = {}
    for tensor in reader.tensors:
        block = tensor.name.split(".")[1] if tensor.name.startswith("blk.") else ""
        name = f"block-{int(block):02}" if block else tensor.name.split(".")[0]
        shards.setdefault(f"model-{name.replace('_', '-')}.safetensors", []).append(tensor)
    places: dict[str, str] = {}
    size = 0
    for file, tensors in sorted(shards.items()):
        named = dict(map(_dequantised, tensors))
        save_file(named, folder / file, {"format": "pt"})
        places |= dict.fromkeys(named, file)
        size += sum(tensor.nbytes for tensor in named.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
    _write(folder / "model.safetensors.index.json", index)


def _dequantised(tensor: ReaderTensor) -> tuple[str, Tensor]:
    """A tensor under Hugging Face's name, in 32 bits. GGUF adds 1 to Gemma's norms."""
    import numpy as np
    import torch
    from gguf import dequantize

    name = _name(tensor.name)
    values = np.empty(tensor.shape[::-1], np.float32)  # GGUF tells the innermost size first
    for start in range(0, len(values), ROWS):
        rows = slice(start, start + ROWS)
        values[rows] = dequantize(tensor.data[rows], tensor.tensor_type)
    if name.endswith("norm.weight"):
        values -= 1
    return name, torch.from_numpy(values)


def _name(name: str) -> str:
    """What Hugging Face calls a tensor."""
    whole = {"token_embd.weight": "embed_tokens.weight", "output_norm.weight": "norm.weight"}
    if name in whole:
        return f"model.{whole[name]}"
    _, block, part, kind = (*name.split("."), "", "", "")[:4]
    if part not in PARTS:
        raise LabError(name, f"no {FAMILY} has this tensor", "name a file of text weights alone")
    return f"model.layers.{block}.{PARTS[part]}.{kind}"


def _vocabulary(reader: GGUFReader) -> Vocabulary:
    columns = {name: [*_column(reader, name)] for name in ("tokens", "scores", "token_type")}
    return Vocabulary(
        [bytes(text).decode("utf-8") for text in columns["tokens"]],
        [float(score[0]) for score in columns["scores"]],
        [int(kind[0]) for kind in columns["token_type"]],
        _names(reader),
    )


def _names(reader: GGUFReader) -> dict[str, int]:
    """The tokens that have a name, by it."""
    keys = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    return {name: _value(reader, f"tokenizer.ggml.{key}_token_id") for name, key in keys.items()}


def _column(reader: GGUFReader, name: str) -> Iterator[Any]:
    """The values of a field of the vocabulary; reading them one by one takes a minute."""
    field = reader.fields[f"tokenizer.ggml.{name}"]
    return (field.parts[place] for place in field.data)


def _value(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    if field is None:
        raise LabError("GGUF file", f"it does not say {key}", "name another file of these weights")
    return field.contents()


def _write(file: Path, content: Any, indent: int | None = 1) -> None:
    file.write_text(json.dumps(content, indent=indent, ensure_ascii=False), "utf-8")
