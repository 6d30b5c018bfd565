"""The opened model: one set of weights, with hooks (TransformerBridge) and without.

The network without hooks samples and scores fast, and interventions go through its blocks in
stages; with hooks it is TransformerLens's, for measurements of one's own. That they are the same
function is checked on each opened model before a number is made of it, and fails if not.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Prompt, Study
from analyses.lab.model.parity import check_decoder, checked_blocks
from analyses.lab.model.stages import Blocks
from analyses.lab.model.weights import Weights

SAMPLE = "One, two, three: these are numbers, and words as well."
"""What both views are compared on."""

WORD = "x"
UNREADABLE = "\ufffd"
DAY = datetime(2024, 7, 26, tzinfo=UTC)
"""What a chat template that tells the day is told it is."""

_CLOCK = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")

# Largest difference of two logits that still counts as the same function.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.25, "float16": 0.05}


@dataclass(frozen=True)
class Chat:
    """A user's turn as the model reads it, with the start of the answer that is put into its mouth.

    Attributes:
        text: the turn in the chat template, without that start.
        ids: of both; pieces: each token's text.
        places: first character of each token, and the one after its last.
    """

    text: str
    ids: tuple[int, ...]
    pieces: list[str]
    places: list[tuple[int, int]]


@dataclass
class Model:
    """Views of one set of weights, and the tokenizer.

    Attributes:
        name: of the model, for messages.
        network: the Hugging Face model, without hooks, its attention set for shared prompts.
    """

    name: str
    network: Any
    tokenizer: Any
    device: str
    weights: Weights
    _bridge: Any
    _known: dict[tuple[tuple[int, ...], int], str] = field(default_factory=dict)
    _chats: dict[tuple[str, str], Chat] = field(default_factory=dict)

    @property
    def bridge(self) -> Any:
        """The TransformerBridge over the same parameters.

        Raises:
            LabError: TransformerLens does not know this family, or computes something else.
        """
        if isinstance(self._bridge, LabError):
            raise self._bridge
        return self._bridge

    @cached_property
    def blocks(self) -> Blocks:
        """The network in stages, each compared with the network's own.

        Raises:
            LabError: it is made of other parts than those of the families that are known.
        """
        return checked_blocks(self.network, self.name)

    def token(self, text: str) -> int:
        """The id of the one token that `text` is, behind a line break or else behind a word.

        At the start of a text some tokenizers put a blank in front (Llama 2), which makes another
        token of it.

        Raises:
            LabError: it is none, or several.
        """
        ids: list[int] = []
        for before in (WORD + "\n", WORD, ""):
            first = self._encode(before)
            ids = self._encode(before + text)
            if ids[: len(first)] == first and len(ids) == len(first) + 1:
                return ids[-1]
        cure = "name a text that is a single token of this model"
        raise LabError(f"token {text!r}", f"the tokenizer makes {len(ids)} tokens of it", cure)

    def pieces(self, ids: Sequence[int], after: Sequence[int] = ()) -> list[str]:
        """Each token's text where it stands, behind `after`, blanks kept.

        Bytes that are no character on their own become �.
        """
        found: list[str] = []
        before = tuple(after[-1:])
        for one in ids:
            found.append(self._text(before, one))
            if UNREADABLE not in found[-1]:
                before = (one,)
        return found

    def piece(self, token: int) -> str:
        """One token's text on its own, its blank kept."""
        return self.pieces([token], after=self._encode(WORD))[0]

    @cached_property
    def _template(self) -> str:
        """The chat template; one that tells the day tells the same one in every run."""
        if not self.tokenizer.chat_template:
            what = "its tokenizer has no chat template"
            raise LabError(self.name, what, "take an instruction-tuned model")
        template = _CLOCK.sub(
            lambda asked: repr(DAY.strftime(asked[2])), self.tokenizer.get_chat_template()
        )
        if "strftime_now(" in template:
            what = "its chat template tells the time, so that no two runs read the same prompt"
            raise LabError(self.name, what, "write a fixed one into its chat_template.jinja")
        return template

    def _text(self, before: tuple[int, ...], token: int) -> str:
        """What a token adds to the text of one before, or of none."""
        if (before, token) not in self._known:
            whole, first = (self._decode(ids) for ids in ((*before, token), before))
            self._known[before, token] = whole[len(first) :]
        return self._known[before, token]

    def _encode(self, text: str) -> list[int]:
        return [*self.tokenizer.encode(text, add_special_tokens=False)]

    def _decode(self, ids: Sequence[int]) -> str:
        known = [one for one in ids if one < len(self.tokenizer)]  # a vocabulary may be padded
        text = str(self.tokenizer.decode(known, clean_up_tokenization_spaces=False))
        return text + UNREADABLE * (len(ids) - len(known))

    @property
    def dtype(self) -> str:
        """The number format of its weights."""
        return str(self.network.dtype)

    def ends(self, prompt: Prompt) -> list[int]:
        """Ids that end the model's turn: the study's, and all that the model's own files name."""
        return sorted({self.token(prompt.end), *self.named_ends()})

    def named_ends(self) -> set[int]:
        """Ids that the model's own files name as ends."""
        ends: set[int] = set()
        for one in (self.tokenizer, self.network.config, self.network.generation_config):
            named = getattr(one, "eos_token_id", None)
            ends |= {*(named if isinstance(named, list) else [named])} - {None}
        return ends

    def chat(self, turn: str, answer: str = "") -> Chat:
        """The chat of one user's turn, whose answer begins with `answer`."""
        if (turn, answer) not in self._chats:
            text = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": turn}],
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=True,
            )
            coded = self.tokenizer(
                text + answer, add_special_tokens=False, return_offsets_mapping=True
            )
            ids, places = tuple(coded["input_ids"]), coded["offset_mapping"]
            self._chats[turn, answer] = Chat(text, ids, self.pieces(ids), places)
        return self._chats[turn, answer]


def open_model(study: Study, weights: Weights) -> Model:
    """Open the weights, with hooks and without over one memory.

    Raises:
        LabError: no such device, or logits of shared prompts are not Hugging Face's.
    """
    device = _device(study.model.device)
    dtype = getattr(torch, study.model.dtype)
    network, tokenizer = _load(weights.folder, dtype)
    network = network.to(device).eval().requires_grad_(False)
    bridge = _bridge(network, tokenizer, weights, study)
    check_decoder(network, study.model.repo)
    return Model(study.model.repo, network, tokenizer, device, weights, bridge)


def _bridge(network: Any, tokenizer: Any, weights: Weights, study: Study) -> Any:
    """A bridge over the network's memory, or the reason why there is none."""
    # The bridge rewires the model it is given, so it gets its own modules over the same memory.
    shared = {id(tensor): tensor for tensor in network.parameters()}
    rewired = copy.deepcopy(network, shared)
    device, dtype = network.device.type, network.dtype
    tokens = torch.tensor([tokenizer.encode(SAMPLE)], device=device)
    with torch.inference_mode():
        expected = network(tokens).logits
    try:
        bridge = TransformerBridge.boot_transformers(
            str(weights.folder), hf_model=rewired, tokenizer=tokenizer, device=device, dtype=dtype
        )
    except Exception as error:  # whatever a family that it does not know makes it raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        what = f"TransformerLens does not open it: {reason}"
        return LabError(study.model.repo, what, "measure with model.network or model.blocks")
    try:
        with torch.inference_mode():
            check_parity(expected, bridge(tokens), TOLERANCE[study.model.dtype], study.model.repo)
    except LabError as error:
        return error
    return bridge


def check_parity(expected: torch.Tensor, found: torch.Tensor, tolerance: float, name: str) -> None:
    """Refuse a bridge that computes something else than Hugging Face's model.

    Raises:
        LabError: logits differ by more than `tolerance`, or are not numbers.
    """
    gap = (expected.float() - found.float()).abs().max().item()
    if not gap <= tolerance:
        what = f"logits through TransformerBridge differ from Hugging Face's by {gap:.3g}"
        cure = "use the library versions of pyproject.toml; nothing measured so would mean anything"
        raise LabError(name, f"{what} (at most {tolerance:g})", cure)


def _load(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    cure = "give a folder that transformers has saved, with weights, configuration and tokenizer"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        network, found = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, attn_implementation="eager", output_loading_info=True
        )
    except Exception as error:  # whatever a foreign file makes its reader raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise LabError(str(folder), f"not a model: {reason[0]}", cure) from error
    # What is missing would be made up at random, in silence.
    if absent := sorted(found["missing_keys"]):
        raise LabError(str(folder), f"{len(absent)} weights missing, first {absent[0]}", cure)
    return network, tokenizer


def _device(wanted: str) -> str:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise LabError("model.device", "cuda, and there is no CUDA device", 'set it to "auto"')
    return "cuda" if there and wanted != "cpu" else "cpu"
