"""The tokenizer of a GGUF file, as `tokenizer.json` has it.

For vocabularies of SentencePiece with byte fallback that put no blank in front of a text (those of
Gemma). GGUF has each token's score and no merges: the merges are all pairs of tokens that make a
token, those of the highest score first, and of the same token those with the longest left part. So
does transformers when it reads SentencePiece, whose own conversion of GGUF takes minutes for a
vocabulary of 262,144 tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NORMAL, CONTROL, USER, BYTE = 1, 3, 4, 6
"""Kinds of tokens, as GGUF numbers them."""

BLANK = "▁"


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id, with scores and kinds; names: "bos", "eos", "unk", "pad" → id."""

    tokens: Sequence[str]
    scores: Sequence[float]
    kinds: Sequence[int]
    names: Mapping[str, int]

    @property
    def pieces(self) -> list[str]:
        """The tokens as SentencePiece writes them; llama.cpp puts real blanks into some."""
        return [
            text if kind == CONTROL else text.replace(" ", BLANK)
            for text, kind in zip(self.tokens, self.kinds, strict=True)
        ]


def tokenizer(vocabulary: Vocabulary) -> dict[str, Any]:
    """The content of `tokenizer.json`."""
    pieces, bos = vocabulary.pieces, vocabulary.tokens[vocabulary.names["bos"]]
    first = {"SpecialToken": {"id": bos, "type_id": 0}}
    single = [first, {"Sequence": {"id": "A", "type_id": 0}}]
    second = {"SpecialToken": {"id": bos, "type_id": 1}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [*_added(vocabulary, pieces)],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": BLANK},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, second, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {bos: {"id": bos, "ids": [vocabulary.names["bos"]], "tokens": [bos]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": BLANK}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": vocabulary.tokens[vocabulary.names["unk"]],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece: place for place, piece in enumerate(pieces)},
            "merges": merges(vocabulary),
        },
    }


def merges(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Which pairs of tokens are put together, the first of them first."""
    pieces = vocabulary.pieces
    known = set(pieces)
    found = [
        (0.0 if kind == USER else score, cut, len(piece) - cut, piece)
        for piece, score, kind in zip(pieces, vocabulary.scores, vocabulary.kinds, strict=True)
        for cut in range(1, len(piece))
        if piece[:cut] in known and piece[cut:] in known
    ]
    found.sort(key=lambda one: one[:3], reverse=True)
    return [(piece[:cut], piece[cut:]) for _, cut, _, piece in found]


def _added(vocabulary: Vocabulary, pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Tokens that are found in a text before it is cut into words."""
    special = set(vocabulary.names.values())
    for place, (piece, kind) in enumerate(zip(pieces, vocabulary.kinds, strict=True)):
        if kind in (CONTROL, USER):
            flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            yield {"id": place, "content": piece, **flags, "special": place in special}
