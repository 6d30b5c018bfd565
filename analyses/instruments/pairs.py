"""Clean and corrupted prompts: the same request with the other length word.

The token swap is checked for every topic, because everything that compares the two prompts position
by position rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from analyses.instruments.prompts import PromptTokens, prompt_tokens
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Prompt
from analyses.lab.model.model import Model

OTHER = {"short": "long", "long": "short"}


def pair(
    model: Model, prompt: Prompt, wordings: Mapping[str, str], template: str, topic: str
) -> tuple[PromptTokens, PromptTokens]:
    """The prompt of `template` and the one of the other length, equal in tokens.

    Raises:
        LabError: the two differ in length, or `wordings` are the templates and differ in more than
            one token.
    """
    one, other = wordings[template], wordings[OTHER[template]]
    clean = prompt_tokens(model, prompt, one, other, topic)
    corrupted = prompt_tokens(model, prompt, other, one, topic)
    swapped = sum(a != b for a, b in zip(clean.ids, corrupted.ids, strict=False))
    where = f"prompt.{'templates' if wordings is prompt.templates else 'emphatic'}"
    if len(clean.ids) != len(corrupted.ids):
        what = f"short and long have {len(clean.ids)} and {len(corrupted.ids)} tokens for {topic}"
        raise LabError(where, what, "choose wordings of equal length for this tokenizer")
    if wordings is prompt.templates and swapped != 1:
        what = f"short and long differ in {swapped} tokens for {topic}"
        raise LabError(where, what, "swap one word that is one token")
    return clean, corrupted
