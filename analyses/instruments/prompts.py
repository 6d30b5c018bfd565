"""Prompts that ask for a list, as the model reads them, with the role of every token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses.instruments.roles import differing_words, prompt_roles
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Prompt

if TYPE_CHECKING:
    from analyses.lab.model.model import Model


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the model reads it, the prefilled start of its answer included."""

    ids: tuple[int, ...]
    roles: list[str]
    pieces: list[str]


def prompt_tokens(
    model: Model, prompt: Prompt, wording: str, other: str | None, topic: str
) -> PromptTokens:
    """The prompt for a topic; `other` is the wording that asks for another length, if any."""
    # Replaced by hand: a topic may contain braces, and is text all the same.
    head, tail = wording.split("{topic}")
    turn = head + topic + tail
    chat = model.chat(turn, prompt.prefill)
    start = chat.text.find(turn)
    if start < 0:
        what = f"the chat template changes the text of {turn!r}"
        raise LabError("prompt.templates", what, "write it without blanks at its ends")
    shift = len(topic) - len("{topic}")

    def moved(place: int) -> int:
        """Where a place of the wording is in the chat."""
        return start + place + shift * (place > len(head))

    words = differing_words(wording, other) if other else []
    length = [(moved(first), moved(end)) for first, end in words]
    asking = sum(place[0] < len(chat.text) for place in chat.places)
    roles = prompt_roles(
        chat.places[:asking],
        chat.pieces[:asking],
        turn=(start, start + len(turn)),
        length=length,
        topic=(start + len(head), start + len(head) + len(topic)),
        turn_open=prompt.turn_open,
        turn_close=prompt.turn_close,
        bos=model.tokenizer.bos_token,
    )
    prefilled = len(chat.pieces) - asking
    if prefilled > 1:
        what = f"{prompt.prefill!r} is {prefilled} tokens behind the chat template"
        raise LabError("prompt.prefill", what, "name a text that is a single token of this model")
    return PromptTokens(chat.ids, roles + ["hyphen"] * prefilled, chat.pieces)
