"""Tokens, ends and chats of tokenizers of several kinds are what the model itself would read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core.errors import LabError
from analyses.lab.model.model import Model

WORDS = ["New", "York", "Name", "a", "list", "of", "short", "Fruits", "user", "model", "x", "Kiwi"]
SPECIAL = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
TURNS = "{{ bos_token }}{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}"


def like_llama2() -> PreTrainedTokenizerFast:
    """A blank in front of every text; decoding takes it away again."""
    letters = [chr(code) for code in range(33, 127)]
    pieces = [*SPECIAL, "\n", "▁", "▁-", *(f"▁{word}" for word in WORDS), *WORDS, *letters]
    scores = [(piece, -1.0 if len(piece) > 1 else -5.0) for piece in dict.fromkeys(pieces)]
    backend = Tokenizer(models.Unigram(scores, unk_id=0))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return finished(backend)


def byte_level() -> PreTrainedTokenizerFast:
    """Every byte is a token, and so are some words."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*SPECIAL, *alphabet]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        for start in ("Ġ", ""):
            whole = start + word
            for stop in range(2, len(whole) + 1):
                if whole[:stop] not in pieces:
                    merges.append((whole[: stop - 1], whole[stop - 1]))
                    pieces.append(whole[:stop])
    backend = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return finished(backend)


def finished(backend: Tokenizer) -> PreTrainedTokenizerFast:
    backend.add_special_tokens([AddedToken(piece, special=True) for piece in SPECIAL])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=TURNS, **names)


def model(tokenizer: Any, *, ends: Any = None, also: Any = None, padded: int = 0) -> Model:
    network = SimpleNamespace(
        config=SimpleNamespace(eos_token_id=ends),
        generation_config=SimpleNamespace(eos_token_id=also),
        get_input_embeddings=lambda: torch.nn.Embedding(len(tokenizer) + padded, 2),
    )
    return Model("somebody/model", network, tokenizer, "cpu", None, None)  # type: ignore[arg-type]


KINDS = {"llama2": like_llama2, "bytes": byte_level}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["-", "\n", "</s>"])
def test_a_token_is_the_one_that_stands_in_a_list(kind: str, text: str) -> None:
    tokenizer = KINDS[kind]()
    one = model(tokenizer)
    written = tokenizer.encode(f"x\n- Kiwi\n-{text}" if text != "-" else "x\n-")
    assert one.token(text) == written[-1]
    assert one.piece(one.token(text)) == text


def test_llama_2_would_put_a_blank_before_a_hyphen_of_its_own() -> None:
    tokenizer = like_llama2()
    (alone,) = tokenizer.encode("-")
    assert tokenizer.convert_ids_to_tokens(alone) == "▁-"
    assert model(tokenizer).token("-") != alone


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_joined_are_the_text(kind: str) -> None:
    tokenizer = KINDS[kind]()
    before = tokenizer.encode("x\n-")
    ids = tokenizer.encode("x\n- New York\n- Kiwi\n")[len(before) :]
    pieces = model(tokenizer).pieces(ids, after=before)
    assert pieces[:3] == [" New", " York", "\n"]
    assert "".join(pieces) == " New York\n- Kiwi\n"


def test_bytes_that_are_no_character_are_told_one_by_one() -> None:
    tokenizer = byte_level()
    pieces = model(tokenizer).pieces(tokenizer.encode("龘 Kiwi"))
    assert pieces == ["\ufffd"] * 3 + [" Kiwi"]


def test_a_padded_vocabulary_has_tokens_without_a_text() -> None:
    tokenizer = byte_level()
    one = model(tokenizer, padded=3)
    assert one.pieces([*tokenizer.encode("Kiwi"), len(tokenizer) + 2]) == ["Kiwi", "\ufffd"]


def test_a_turn_ends_at_whatever_any_of_its_files_names() -> None:
    prompt: Any = SimpleNamespace(end="[/INST]")
    tokenizer = byte_level()
    close, eos = tokenizer.convert_tokens_to_ids(["[/INST]", "</s>"])
    assert model(tokenizer).ends(prompt) == sorted([close, eos])
    assert model(tokenizer, ends=7, also=[9, eos]).ends(prompt) == sorted([close, eos, 7, 9])
    tokenizer.eos_token = None
    assert model(tokenizer).ends(prompt) == [close]


def test_a_template_that_tells_the_day_tells_the_same_one_in_every_run() -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }} " + TURNS
    assert model(tokenizer).chat("Kiwi").text.startswith("26 Jul 2024 <s>[INST] Kiwi")
    tokenizer.chat_template = "{% set f = '%H:%M' %}{{ strftime_now(f) }}" + TURNS
    with pytest.raises(LabError, match="its chat template tells the time"):
        model(tokenizer).chat("Kiwi")


def test_a_tokenizer_without_a_template_is_told() -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = None
    with pytest.raises(LabError, match="somebody/model: its tokenizer has no chat template"):
        model(tokenizer).chat("Kiwi")


def prompt_of(**more: str) -> Any:
    words = {"prefill": "-", "turn_open": "[INST]", "turn_close": "[/INST]"}
    return SimpleNamespace(**(words | more))


@pytest.mark.parametrize("kind", KINDS)
def test_marks_without_a_line_break_are_no_part_of_the_question(kind: str) -> None:
    asked = prompt_tokens(
        model(KINDS[kind]()),
        prompt_of(),
        "a short list of {topic}",
        "a x list of {topic}",
        "Fruits",
    )
    of = dict(zip([piece.strip() for piece in asked.pieces], asked.roles, strict=True))
    assert (of["[INST]"], of["[/INST]"], of["<s>"]) == ("turn", "turn", "bos")
    assert (of["short"], of["Fruits"], of["list"]) == ("length", "topic", "prompt")
    assert asked.roles[-1] == "hyphen"


def test_marks_of_several_tokens_are_no_part_of_the_question_either() -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = (
        "{% for m in messages %}<|user|>{{ m['content'] }}<|model|>{% endfor %}"
    )
    prompt = prompt_of(turn_open="<|user|>", turn_close="<|model|>")
    asked = prompt_tokens(model(tokenizer), prompt, "a list of {topic}", None, "Fruits")
    roles = list(dict.fromkeys(asked.roles))
    assert roles == ["turn", "prompt", "topic", "hyphen"]
    said = [p for p, role in zip(asked.pieces, asked.roles, strict=True) if role == "turn"]
    assert "".join(said) == "<|user|><|model|>"


def test_what_a_template_changes_and_a_long_prefill_are_told() -> None:
    tokenizer = byte_level()
    with pytest.raises(LabError, match="' is 2 tokens behind the chat template"):
        prompt_tokens(model(tokenizer), prompt_of(prefill="- a"), "{topic}", None, "Kiwi")
    tokenizer.chat_template = TURNS.replace("m['content']", "m['content'] | upper")
    with pytest.raises(LabError, match="the chat template changes the text of 'Kiwi'"):
        prompt_tokens(model(tokenizer), prompt_of(), "{topic}", None, "Kiwi")
