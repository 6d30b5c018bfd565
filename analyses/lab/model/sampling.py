"""Drawing many texts at once from exactly the distribution of Hugging Face's `generate`.

Each distinct prompt is run once for all its samples, keys and values are written into memory
allocated once, finished rows leave the batch, and the nucleus is looked for among the likeliest
tokens before the whole vocabulary is sorted. A row's random numbers belong to the row, not to the
batch, so the batch size does not change what is drawn (but where two draws differ by less than
the rounding of the logits, about one token in 100,000).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from analyses.lab.model.decoder import Prompts, forward

SHORTLISTS = (64, 2048)  # a nucleus nearly always lies among so few tokens
ROUNDING = 1e-5  # a shortlist that reaches top-p by less may have missed a token
LIVE = 0.8  # share of unfinished rows below which the batch is compacted


@dataclass(frozen=True)
class Request:
    """One text to draw; `name` says which, and with it which random numbers are its own."""

    prompt: tuple[int, ...]
    temperature: float
    name: tuple[object, ...]


class Draws:
    """Requests to be drawn, their prompts run once for all; batches can be drawn in any order.

    Args:
        stop: a row ends with one of these tokens, or is cut at `max_new_tokens`.
        batch: rows that are drawn together.
    """

    def __init__(
        self,
        network: Any,
        requests: Sequence[Request],
        *,
        top_p: float,
        max_new_tokens: int,
        stop: Sequence[int],
        batch: int,
    ) -> None:
        self.requests = requests
        self.top_p = top_p
        self.max_new_tokens = max_new_tokens
        self.stop = stop
        self.batches = [
            range(start, min(start + batch, len(requests)))
            for start in range(0, len(requests), batch)
        ]
        self._network = network
        self._distinct = list(dict.fromkeys(request.prompt for request in requests))

    @cached_property
    def _prompts(self) -> tuple[Prompts, Tensor]:
        """All distinct prompts, and the logits after each."""
        with torch.inference_mode():
            prompts = Prompts(self._network, self._distinct)
            return prompts, prompts.run(last_only=True)[:, -1]

    def draw(self, batch: range) -> Iterator[tuple[int, list[int]]]:
        """Draw a batch; yields (index of the request, its new tokens) as rows finish."""
        prompts, first = self._prompts
        rows = [self.requests[place] for place in batch]
        places = [self._distinct.index(row.prompt) for row in rows]
        which = torch.tensor(places, device=first.device)
        drawn = _draw_batch(prompts, first, which, rows, self.top_p, self.max_new_tokens, self.stop)
        for row, tokens in drawn:
            yield batch[row], tokens


def sample(
    network: Any,
    requests: Sequence[Request],
    *,
    top_p: float,
    max_new_tokens: int,
    stop: Sequence[int],
    batch: int,
) -> Iterator[tuple[int, list[int]]]:
    """Draw every request; yields (index of the request, its new tokens) as rows finish.

    A row ends with one of the `stop` tokens, or was cut at `max_new_tokens`.
    """
    draws = Draws(
        network, requests, top_p=top_p, max_new_tokens=max_new_tokens, stop=stop, batch=batch
    )
    for rows in draws.batches:
        yield from draws.draw(rows)


def _draw_batch(
    prompts: Prompts,
    first: Tensor,
    which: Tensor,
    rows: Sequence[Request],
    top_p: float,
    max_new_tokens: int,
    stop: Sequence[int],
) -> Iterator[tuple[int, list[int]]]:
    device = first.device
    numbers = np.stack([uniforms(row.name, max_new_tokens) for row in rows])
    uniform = torch.tensor(numbers, device=device)
    temperature = torch.tensor([row.temperature for row in rows], device=device)
    drawn = torch.zeros(len(rows), max_new_tokens, dtype=torch.long, device=device)
    ends = torch.tensor(stop, device=device)
    running = torch.arange(len(rows), device=device)  # rows of the batch that the cache holds
    alive = torch.ones(len(rows), dtype=torch.bool, device=device)
    with torch.inference_mode():
        cache, pads = prompts.rows(which, max_new_tokens)
    logits = first[which]
    for step in range(max_new_tokens):
        with torch.inference_mode():
            chosen = draw(logits, temperature[running], top_p, uniform[running, step])
            drawn[running, step] = chosen
            finished = alive[running] & torch.isin(chosen, ends)
            alive[running[finished]] = False
        for row in running[finished].tolist():
            yield row, drawn[row, : step + 1].tolist()
        live = alive[running]
        if step + 1 == max_new_tokens or not live.any():
            break
        with torch.inference_mode():
            if live.float().mean() < LIVE:
                kept = live.nonzero()[:, 0]
                for lane in cache.layers:
                    lane.keep(kept)
                running, pads, chosen = running[kept], pads[kept], chosen[kept]
            logits = forward(prompts.network, chosen[:, None], cache, pads, last_only=True)[:, -1]
    for row in alive.nonzero()[:, 0].tolist():
        yield row, drawn[row].tolist()


def uniforms(name: tuple[object, ...], count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """`count` numbers in [0, 1) that belong to `name`, from a counter-based generator (Philox)."""
    key = hashlib.blake2b(repr(name).encode(), digest_size=16).digest()
    generator = np.random.Philox(key=int.from_bytes(key, "little"))
    return np.random.Generator(generator).random(count)


def draw(logits: Tensor, temperature: Tensor, top_p: float, uniform: Tensor) -> Tensor:
    """One token a row: temperature, then the nucleus, then the inverse of its distribution.

    Shapes: logits [rows, vocabulary], temperature and uniform [rows]; returns [rows].
    """
    tokens, weights = nucleus(logits / temperature[:, None].to(logits.dtype), top_p)
    reached = weights.double().cumsum(-1)
    target = uniform[:, None].double() * reached[:, -1:]
    place = torch.searchsorted(reached, target, right=True)
    # Rounding may reach the very end, where the weights are those of left-out tokens: zero.
    last = (weights > 0).sum(-1, keepdim=True) - 1
    return tokens.gather(-1, place.minimum(last))[:, 0]


def nucleus(scores: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The smallest set of likeliest tokens whose probability reaches `top_p`.

    Returns:
        token ids and their probabilities (zero when left out), [rows, candidates], likeliest first.
        The probabilities are those of the whole distribution: not yet made to sum to one.
    """
    total = scores.logsumexp(-1, keepdim=True)
    tokens, weights, enough = _shortlist(scores, total, top_p, SHORTLISTS[0])
    for size in (*SHORTLISTS[1:], scores.shape[-1]):
        flat = (~enough).nonzero()[:, 0]
        if not len(flat):
            break
        some = (scores[flat], total[flat], top_p)
        wider = _whole(*some) if size == scores.shape[-1] else _shortlist(*some, size)
        width = wider[0].shape[-1] - tokens.shape[-1]
        tokens, weights = (functional.pad(part, (0, max(width, 0))) for part in (tokens, weights))
        tokens[flat, : wider[0].shape[-1]] = wider[0]
        weights[flat, : wider[1].shape[-1]] = wider[1]
        enough[flat] = wider[2]
    return tokens, weights


def _shortlist(
    scores: Tensor, total: Tensor, top_p: float, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The nucleus if it lies among the `size` likeliest tokens, and for which rows it does."""
    top, tokens = scores.topk(min(size, scores.shape[-1]), dim=-1)
    weights = (top - total).exp()
    above = weights.cumsum(-1) - weights
    enough = above[:, -1] + weights[:, -1] >= top_p + ROUNDING
    return tokens, weights.masked_fill(above >= top_p, 0), enough


def _whole(scores: Tensor, _: Tensor, top_p: float) -> tuple[Tensor, Tensor, Tensor]:
    """The nucleus by sorting all tokens, in the very steps of Hugging Face's TopPLogitsWarper."""
    ascending, order = scores.sort(dim=-1)
    chances = ascending.softmax(-1)
    left_out = chances.cumsum(-1) <= 1 - top_p
    left_out[:, -1] = False
    weights = chances.masked_fill(left_out, 0).flip(-1)
    return order.flip(-1), weights, torch.ones_like(left_out[:, 0])
