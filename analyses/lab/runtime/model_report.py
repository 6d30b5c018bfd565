"""What can be measured on a model, and what a study of it has to say: asked before it is begun."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from analyses.lab.core.errors import LabError
from analyses.lab.model.model import Model
from analyses.lab.model.sampling import Request, sample
from analyses.lab.runtime.lab import Lab

TOKENS = ("hyphen", "line_break", "blank", "end", "turn_open", "turn_close")
ASKED = "MARK"
ANSWERS, LONGEST = 8, 120
"""Answers that are written to see where they end, and tokens of each at most."""


@dataclass(frozen=True)
class Marks:
    """The tokens that a chat template puts around turns, and the one that ends an answer.

    A base model has no turns, and none of the first two.
    """

    turn_open: str
    turn_close: str
    end: str

    @classmethod
    def of(cls, model: Model) -> Marks:
        """Those of a model, as its chat template and its own files have them."""
        pieces = model.chat(ASKED).pieces
        known = {*model.tokenizer.all_special_tokens, *model.tokenizer.get_added_vocab()}
        known = {piece for piece in known if piece.strip()}
        asked = next(place for place, piece in enumerate(pieces) if piece.strip() in ASKED)
        before = [piece for piece in pieces[:asked] if piece in known]
        after = [piece for piece in pieces[asked:] if piece in known]
        close = after[0] if after else ""
        opens = after[1] if len(after) > 1 else before[-1] if before and close else ""
        ends = model.named_ends()
        is_end = close and model.tokenizer.convert_tokens_to_ids(close) in ends
        return cls(opens, close, close if is_end else str(model.tokenizer.eos_token or ""))


def report(lab: Lab) -> Iterator[str]:
    """Line by line, what is so of the model that the study names, and what to change in its file.

    Raises:
        LabError: the model cannot be opened, or nothing be sampled from it.
    """
    model = lab.model
    config = model.network.config
    weights = sum(part.numel() for part in model.network.parameters())
    size = sum(part.numel() * part.element_size() for part in model.network.parameters())
    yield (
        f"{model.weights.folder}: {config.model_type}, {config.num_hidden_layers} blocks of "
        f"{config.hidden_size:,}, {config.num_attention_heads} heads, vocabulary "
        f"{config.vocab_size:,}; {weights / 1e6:,.0f} million weights, {size / 1e9:.1f} GB as "
        f"{model.dtype.removeprefix('torch.')}"
    )
    yield "sampling, scores, entropy: as Hugging Face's network"
    yield f"lens, patching, attribution, ablation: {_said(model, 'blocks')}"
    yield f"TransformerLens: {_said(model, 'bridge')}"
    if lab.study.gives("prompt"):
        yield from _prompt(lab, model)


def _said(model: Model, view: str) -> str:
    try:
        getattr(model, view)
    except LabError as error:
        return f"no; {error.what}"
    return "as Hugging Face's network"


def changes(lab: Lab) -> dict[str, str]:
    """The keys of [prompt] that have to say something else for the model, and what."""
    if not lab.study.gives("prompt"):
        return {}
    marks = Marks.of(lab.model)
    if not marks.turn_close:  # its answers end as the texts do that a wording shows it
        return {}
    better = asdict(marks)
    return {name: text for name, text in better.items() if text != getattr(lab.study.prompt, name)}


def _prompt(lab: Lab, model: Model) -> Iterator[str]:
    """Which of the study's tokens are tokens of the model, and where its answers end."""
    for name in TOKENS:
        text = getattr(lab.study.prompt, name)
        try:
            yield f"prompt.{name} = {text!r}: token {model.token(text)}"
        except LabError as error:
            yield f"prompt.{name} = {text!r}: {error.what}"
    yield from _endings(lab, model)
    if found := changes(lab):
        yield "to change under [prompt] in the study's file:"
        yield from (f"  {name} = {json.dumps(text)}" for name, text in found.items())


def _endings(lab: Lab, model: Model) -> Iterator[str]:
    """What stands before the end of some answers: the token at which a model decides."""
    prompt, study = lab.study.prompt, lab.study
    wording = next(iter(prompt.templates.values()))
    topics = list(study.topics.names)[:ANSWERS]
    end = model.tokenizer.convert_tokens_to_ids(Marks.of(model).end)
    stop = {end, *model.named_ends()}
    with suppress(LabError):  # the end of another model's answers
        stop.add(model.token(prompt.end))
    requests = [
        Request(model.chat(wording.replace("{topic}", topic), prompt.prefill).ids, 0.8, (topic,))
        for topic in topics
    ]
    drawn = sample(
        model.network, requests, top_p=0.9, max_new_tokens=LONGEST, stop=sorted(stop), batch=ANSWERS
    )
    before = [ids[-2] for _, ids in drawn if ids[-1] in stop and len(ids) > 1]
    said = Counter("a line break" if "\n" in model.piece(one) else "a word" for one in before)
    where = ", ".join(f"{count} behind {what}" for what, count in said.most_common())
    yield f"of {len(topics)} answers {len(before)} ended{f': {where}' if where else ''}"
