"""What the model expects of texts when its stream is what an SAE makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analyses.lab.model.decoder import Prompts
from analyses.lab.model.hooks import tapped
from analyses.lab.model.scores import Text
from analyses.lab.saes.saes import Sae
from analyses.lab.saes.splice import Places, spliced

BATCH_TOKENS = 1024  # a batch's logits are this times the vocabulary
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Expected:
    """By written token: −ln p of it, in nats, and the contrast of logits before it. [tokens]."""

    loss: Floats
    contrast: Floats


@dataclass(frozen=True)
class Rebuilt:
    """A text through an SAE without its error, at the positions before each written token.

    Attributes:
        stream: what the SAE reads, [tokens, d].
        missed: |x − x̂|², [tokens].
        fired: which features, [tokens, width].
    """

    expected: Expected
    stream: Floats
    missed: Floats
    fired: NDArray[np.bool_]


def expect(
    network: Any, texts: Sequence[Text], contrast: tuple[int, int]
) -> Iterator[tuple[int, Expected]]:
    """The model as it is: (index of the text, what it expected), shortest texts first."""
    for batch in _batches(texts):
        with torch.inference_mode():
            found, _ = _run(network, [texts[i] for i in batch], contrast)
        yield from zip(batch, found, strict=True)


def rebuild(
    network: Any, sae: Sae, texts: Sequence[Text], contrast: tuple[int, int]
) -> Iterator[tuple[int, Rebuilt]]:
    """Through the SAE: (index of the text, what came of it), shortest texts first."""
    before: list[Tensor] = []
    fired: list[Tensor] = []
    after: list[Tensor] = []

    def watch(features: Tensor, _: Places) -> Tensor:
        fired.append(features > 0)
        return features

    with ExitStack() as taps:
        # In this order: the first sees what the second replaces, the third what it put there.
        taps.enter_context(tapped(network, sae.site, sae.layer, before.append))
        taps.enter_context(spliced(network, sae, watch, keep_error=False))
        taps.enter_context(tapped(network, sae.site, sae.layer, after.append))
        for batch in _batches(texts):
            with torch.inference_mode():
                found, columns = _run(network, [texts[i] for i in batch], contrast)
            x, made, features = before.pop().float(), after.pop().float(), fired.pop()
            missed = (x - made).pow(2).sum(-1)
            for row, (i, expected) in enumerate(zip(batch, found, strict=True)):
                seen = slice(columns[row], None)
                values = [part[row, seen].cpu().numpy() for part in (x, missed, features)]
                yield i, Rebuilt(expected, *values)


def _run(
    network: Any, texts: Sequence[Text], contrast: tuple[int, int]
) -> tuple[list[Expected], list[int]]:
    """What is expected before each written token, and the column before each text's first one."""
    # The last token is only expected, never read.
    prompts = Prompts(network, [[*text.prompt, *text.tokens[:-1]] for text in texts])
    logits = prompts.run(last_only=False)
    plus, minus = contrast
    found, columns = [], []
    for row, text in enumerate(texts):
        columns.append(int(prompts.pads[row]) + len(text.prompt) - 1)
        seen = logits[row, columns[-1] :].float()
        written = torch.tensor(text.tokens, device=seen.device)
        loss = torch.nn.functional.cross_entropy(seen, written, reduction="none")
        gap = seen[:, plus] - seen[:, minus]
        found.append(Expected(loss.cpu().numpy(), gap.cpu().numpy()))
    return found, columns


def _batches(texts: Sequence[Text]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = [len(text.prompt) + len(text.tokens) for text in texts]
    for i in sorted(range(len(texts)), key=lambda i: (size[i], i)):
        if batch and (len(batch) + 1) * size[i] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
