"""The residual stream on many texts, after several blocks in one pass: what SAEs are trained on.

A prompt is run once for all its answers, and what two prompts say alike up to some word is kept
once: a stream depends on nothing but the tokens before it. The first position of a text is left out
everywhere. It sees only itself and is where attention rests when it has nothing to read (Xiao et
al. 2023, arXiv:2309.17453): in SmolLM2 its norm is a hundred times that of any other position, and
published SAEs were not trained on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import Prompts, forward
from analyses.lab.model.hooks import tapped
from analyses.lab.model.scores import Text

ROWS = 32  # answers in a batch


def streams(network: Any, texts: Sequence[Text], layers: Sequence[int]) -> NDArray[np.float16]:
    """The stream after each of `layers`, [layers, tokens, d]; the order of the tokens is its own.

    Raises:
        LabError: values that half precision cannot hold.
    """
    distinct = list(dict.fromkeys(text.prompt for text in texts))
    found: list[Tensor] = []  # [layers, tokens, d]
    seen: dict[int, Tensor] = {}
    with ExitStack() as taps, torch.inference_mode():
        for layer in layers:
            taps.enter_context(tapped(network, "resid_post", layer, _note(seen, layer)))
        prompts = Prompts(network, distinct)
        prompts.run(last_only=True)
        for row, prompt in enumerate(distinct):
            told = _alike(prompt, distinct[row - 1]) if row else 0
            start = int(prompts.pads[row]) + max(told, 1)
            found.append(_half(seen, layers, row, slice(start, None)))
        by_length = sorted(texts, key=lambda text: len(text.tokens))
        for start in range(0, len(texts), ROWS):
            rows = by_length[start : start + ROWS]
            _answers(prompts, [distinct.index(text.prompt) for text in rows], rows)
            for row, text in enumerate(rows):
                found.append(_half(seen, layers, row, slice(len(text.tokens))))
    joined = torch.cat(found, 1)
    if not joined.isfinite().all():
        what = "some values are beyond half precision"
        raise LabError("the residual stream", what, "train on other layers")
    return joined.cpu().numpy()


def _answers(prompts: Prompts, which: Sequence[int], texts: Sequence[Text]) -> None:
    """Run what was written after the prompts, padded on the right, where nothing sees it."""
    width = max(len(text.tokens) for text in texts)
    device = prompts.tokens.device
    padded = [[*text.tokens, *[0] * (width - len(text.tokens))] for text in texts]
    cache, pads = prompts.rows(torch.tensor(which, device=device), width)
    tokens = torch.tensor(padded, device=device)
    forward(prompts.network, tokens, cache, pads, last_only=True)


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    both = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(both) if a != b), min(len(one), len(other)))


def _note(seen: dict[int, Tensor], layer: int) -> Any:
    def note(stream: Tensor) -> None:
        seen[layer] = stream

    return note


def _half(seen: dict[int, Tensor], layers: Sequence[int], row: int, columns: slice) -> Tensor:
    return torch.stack([seen[layer][row, columns] for layer in layers]).half()
