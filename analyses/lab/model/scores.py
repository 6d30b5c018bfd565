"""What the model expects after each token of a text: probability, entropy, contrasts of logits.

Prompts are run once for all texts that continue them; texts are sorted by length, padded on the
right, where padding cannot reach back, and padded positions are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analyses.lab.model.decoder import Prompts, forward

BATCH_TOKENS = 1024  # a batch's logits are this times the vocabulary


@dataclass(frozen=True)
class Text:
    """A prompt and its continuation, as token ids."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Scores:
    """One value a token, prompt included.

    Attributes:
        probability: of this token given those before it; NaN for the first.
        entropy: H = −Σ p ln p of the next-token distribution after this token, in nats.
        varentropy: Σ p (−ln p − H)², nats².
        contrasts: logit differences after this token, [contrasts, tokens].
    """

    probability: NDArray[np.float32]
    entropy: NDArray[np.float32]
    varentropy: NDArray[np.float32]
    contrasts: NDArray[np.float32]


class Scoring:
    """Texts to be scored, their prompts run once for all; batches can be scored in any order.

    Args:
        contrasts: pairs of token ids (plus, minus).
    """

    def __init__(
        self, network: Any, texts: Sequence[Text], contrasts: Sequence[tuple[int, int]]
    ) -> None:
        self.texts = texts
        self.contrasts = contrasts
        self.batches = [*_batches(texts)]
        self.prompts = list(dict.fromkeys(text.prompt for text in texts))
        self._network = network

    @cached_property
    def _place(self) -> dict[tuple[int, ...], int]:
        return {prompt: i for i, prompt in enumerate(self.prompts)}

    @cached_property
    def _run(self) -> tuple[Prompts, Tensor, list[NDArray[np.float32]]]:
        """All distinct prompts, the logits after each, and the scores within each."""
        with torch.inference_mode():
            prompts = Prompts(self._network, self.prompts)
            first = prompts.run(last_only=True)[:, -1]
            within = [_within(self._network, one, self.contrasts) for one in self.prompts]
        return prompts, first, within

    def score(self, batch: Sequence[int]) -> Iterator[Scores]:
        """Score the texts of a batch."""
        prompts, first, before = self._run
        which = [self._place[self.texts[i].prompt] for i in batch]
        tokens = [self.texts[i].tokens for i in batch]
        found = _continue(prompts, first, which, tokens, self.contrasts)
        for source, after in zip(which, found, strict=True):
            # The last column of the prompt says how likely the first new token was.
            joined = np.concatenate([before[source], after[:, 1:]], 1)
            chances = np.concatenate([before[source][0], after[0, :-1]])
            yield Scores(chances, joined[1], joined[2], joined[3:])


def score(
    network: Any, texts: Sequence[Text], contrasts: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, Scores]]:
    """Score every text; yields (index of the text, its scores), shortest texts first.

    Args:
        contrasts: pairs of token ids (plus, minus).
    """
    scoring = Scoring(network, texts, contrasts)
    for batch in scoring.batches:
        yield from zip(batch, scoring.score(batch), strict=True)


def next_token(logits: Tensor, following: Tensor, contrasts: Sequence[tuple[int, int]]) -> Tensor:
    """Probability of the following token, entropy, varentropy and contrasts of distributions.

    Shapes: logits [n, vocabulary], following [n]; returns [3 + contrasts, n].
    """
    logits = logits.float()
    surprise = -torch.log_softmax(logits, -1)
    chance = torch.exp(-surprise)
    entropy = (chance * surprise).sum(-1)
    varentropy = (chance * (surprise - entropy[:, None]) ** 2).sum(-1)
    probability = chance.gather(-1, following[:, None])[:, 0]
    pairs = [logits[:, plus] - logits[:, minus] for plus, minus in contrasts]
    return torch.stack([probability, entropy, varentropy, *pairs])


def _within(
    network: Any, prompt: Sequence[int], contrasts: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Scores of a prompt's own tokens, [3 + contrasts, tokens]; the first has no probability."""
    logits = Prompts(network, [prompt]).run(last_only=False)[0]
    following = torch.tensor([*prompt[1:], 0], device=logits.device)
    found = next_token(logits, following, contrasts)
    found[0] = torch.cat([found.new_full((1,), torch.nan), found[0, :-1]])
    return found.cpu().numpy()


def _continue(
    prompts: Prompts,
    first: Tensor,
    which: Sequence[int],
    tokens: Sequence[Sequence[int]],
    contrasts: Sequence[tuple[int, int]],
) -> Iterator[NDArray[np.float32]]:
    """Scores from each prompt's last token to each text's last, [3 + contrasts, 1 + tokens].

    Column i holds the probability of the text's token i, and what is expected before that token.
    """
    rows = torch.tensor(which, device=first.device)
    width = max(map(len, tokens))
    padded = torch.zeros(len(tokens), width + 1, dtype=torch.long, device=first.device)
    for row, ids in enumerate(tokens):
        padded[row, : len(ids)] = torch.tensor(ids)
    with torch.inference_mode():
        cache, pads = prompts.rows(rows, width)
        logits = forward(prompts.network, padded[:, :width], cache, pads)
        logits = torch.cat([first[rows, None].to(logits.dtype), logits], 1)
    for row, ids in enumerate(tokens):
        seen = slice(0, len(ids) + 1)
        with torch.inference_mode():
            found = next_token(logits[row, seen], padded[row, seen], contrasts)
        yield found.cpu().numpy()


def _batches(texts: Sequence[Text]) -> Iterator[list[int]]:
    batch: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: (len(texts[i].tokens), i)):
        if batch and (len(batch) + 1) * len(texts[i].tokens) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
