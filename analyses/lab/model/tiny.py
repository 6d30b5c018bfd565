"""A model for tests: a random two-layer Gemma 2 that writes lists by construction.

It has what makes Gemma 2 awkward: soft-capping, a sliding window shorter than its lists, grouped
heads, a chat template, blanks as `▁`. Layers are random and weak, embeddings are orthonormal, and
the (untied) unembedding is log P(next | last) of a small grammar, which the logits nearly follow:

    hyphen → item (one or two tokens) → blank or break;  blank → break;  break → hyphen or end
"""

from __future__ import annotations

import math
from pathlib import Path

SEED = 7
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
SINGLE = ["▁Apple", "▁Pear", "▁Plum", "▁Fig", "▁Dog", "▁Cat", "▁Red", "▁Blue", "▁Paris", "▁Oak"]
FIRST, SECOND = ["▁New", "▁Los", "▁Sea"], ["▁York", "▁Angeles", "▁Lion"]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
PROMPT = (
    "Provide ▁me ▁with ▁a ▁short ▁long ▁list ▁of ▁few ▁very ▁many ▁Fruits ▁Animals ▁City ▁Names "
    "▁Colors ▁Capital ▁Cities ▁Types ▁Trees . ▁Just ▁provide ▁the ▁names , ▁no ▁need ▁for ▁any "
    "▁other ▁information user model"
)


def write_tiny(folder: Path) -> None:
    """Write configuration, weights and tokenizer, as transformers reads them."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    vocabulary = _vocabulary()
    size, width = len(vocabulary), 256
    config = Gemma2Config(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=24,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        pad_token_id=0,
        eos_token_id=[1, 5],
        bos_token_id=2,
    )
    torch.manual_seed(SEED)
    model = Gemma2ForCausalLM(config)
    embedding = torch.linalg.qr(torch.randn(width, size))[0].T  # orthonormal rows, size <= width
    # Embeddings enter scaled by √width and leave with norm √width, so this reads one of them.
    unembedding = _log_probabilities(vocabulary).T @ embedding / math.sqrt(width)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(embedding)
        model.lm_head.weight.copy_(unembedding)
        for layer in model.model.layers:
            # Gemma scales by 1 + weight: weak layers that still move every logit.
            layer.post_attention_layernorm.weight.fill_(-0.9)
            layer.post_feedforward_layernorm.weight.fill_(-0.9)
    model.save_pretrained(folder)
    _tokenizer(vocabulary).save_pretrained(folder)


def _vocabulary() -> list[str]:
    letters = [chr(code) for code in range(33, 127)]
    pieces = [*SPECIAL, "\n", "▁", *PROMPT.split(), *SINGLE, *FIRST, *SECOND, *letters]
    return list(dict.fromkeys(pieces))


def _log_probabilities(vocabulary: list[str]):  # type: ignore[no-untyped-def]
    """log P(next | last), rows by last token; unlikely tokens get 12 nats less than likely ones."""
    import torch

    index = {piece: i for i, piece in enumerate(vocabulary)}
    table = torch.full((len(vocabulary), len(vocabulary)), -12.0)

    def after(last: str, odds: dict[str, float]) -> None:
        for following, odd in odds.items():
            table[index[last], index[following]] = math.log(odd / sum(odds.values()))

    # Unequal odds, so that the entropy of an item is that of a real choice.
    after("-", {piece: 1 / (i + 1) for i, piece in enumerate(SINGLE + FIRST)})
    for piece in FIRST:
        after(piece, {other: i + 1.0 for i, other in enumerate(SECOND)})
    for piece in SINGLE + SECOND:
        after(piece, {"\n": 0.8, "▁": 0.2})
    after("▁", {"\n": 1.0})
    after("\n", {"-": 0.8, "<end_of_turn>": 0.2})
    return table


def _tokenizer(vocabulary: list[str]):  # type: ignore[no-untyped-def]
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    # Whole words are likelier than their letters; an unknown character is <unk>.
    scores = [(piece, -1.0 if len(piece) > 1 else -5.0) for piece in vocabulary]
    backend = Tokenizer(models.Unigram(scores, unk_id=SPECIAL.index("<unk>")))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    backend.add_special_tokens([AddedToken(piece, special=True) for piece in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        chat_template=TEMPLATE,
    )
