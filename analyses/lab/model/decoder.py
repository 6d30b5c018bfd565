"""Running a causal model over many rows that share their prompts.

Through the extension points of transformers only: a `Cache` whose keys and values are allocated
once, and an attention function that knows grouped heads, soft-capping and sliding windows, so that
Llama and Gemma 2 both run. Rows are aligned at the first token after the prompt; prompts are padded
on the left, and what is padding is masked, never attended to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, Cache
from transformers.cache_utils import CacheLayerMixin

ATTENTION = "shared_prompt"


class Lane(CacheLayerMixin):  # type: ignore[misc]
    """One layer's keys and values, [rows, key-value heads, columns, head width], allocated once."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.filled = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate for as many rows as come first."""
        rows, heads, _, width = key_states.shape
        self.keys = key_states.new_empty(rows, heads, self.columns, width)
        self.values = value_states.new_empty(rows, heads, self.columns, width)
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the new columns in place and return all filled ones as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        stop = self.filled + key_states.shape[2]
        self.keys[:, :, self.filled : stop] = key_states
        self.values[:, :, self.filled : stop] = value_states
        self.filled = stop
        return self.keys[:, :, :stop], self.values[:, :, :stop]

    def take(self, rows: Tensor, columns: int) -> Lane:
        """A lane of the given rows (repeats allowed) with room for `columns`."""
        lane = Lane(columns)
        lane.lazy_initialization(self.keys[:1].expand(len(rows), -1, -1, -1), self.values)
        for mine, theirs in ((self.keys, lane.keys), (self.values, lane.values)):
            theirs[:, :, : self.filled] = mine[rows, :, : self.filled]
        lane.filled = self.filled
        return lane

    def keep(self, rows: Tensor) -> None:
        """Keep the given rows (ascending) and forget the others, in the same memory."""
        for name in ("keys", "values"):
            memory = getattr(self, name)
            memory[: len(rows), :, : self.filled] = memory[rows, :, : self.filled]
            setattr(self, name, memory[: len(rows)])

    def get_seq_length(self) -> int:
        """Columns filled so far."""
        return self.filled

    def get_max_length(self) -> int:
        """Columns there is room for."""
        return self.columns

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of the keys that a mask covers."""
        return self.filled + query_length, 0


def attend(
    _: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    *,
    scaling: float,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **__: Any,
) -> tuple[Tensor, None]:
    """Attention with the heads of a group side by side, so that keys are not copied per head.

    Shapes: query [rows, heads, queries, width], key and value [rows, groups, columns, width],
    attention_mask [rows, 1, queries, columns] with True where a column is seen.
    """
    rows, heads, queries, width = query.shape
    groups, columns = key.shape[1:3]
    together = query.reshape(rows, groups, heads // groups * queries, width) * scaling
    scores = (together @ key.transpose(2, 3)).view(rows, groups, -1, queries, columns)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    seen = attention_mask
    if sliding_window is not None and columns > sliding_window:
        column = torch.arange(columns, device=key.device)
        seen = seen & (column > column[-queries:, None] - sliding_window)
    scores.masked_fill_(~seen[:, :, None], torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, -1, torch.float32).to(value.dtype)
    mixed = weights.view(rows, groups, -1, columns) @ value
    return mixed.view(rows, heads, queries, width).transpose(1, 2), None


AttentionInterface.register(ATTENTION, attend)


class Prompts:
    """Distinct prompts, each run once; `cache` holds their keys and values.

    Args:
        network: the Hugging Face model, its attention set to `ATTENTION`.
        prompts: token ids.
    """

    def __init__(self, network: Any, prompts: Sequence[Sequence[int]]) -> None:
        width = max(map(len, prompts))
        device = network.device
        self.network = network
        self.pads = torch.tensor([width - len(prompt) for prompt in prompts], device=device)
        padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        self.tokens = torch.tensor(padded, device=device)
        self.cache = Cache(layers=[Lane(width) for _ in range(network.config.num_hidden_layers)])

    def run(self, *, last_only: bool) -> Tensor:
        """Logits [prompts, columns or 1, vocabulary]; columns left of a prompt mean nothing."""
        return forward(self.network, self.tokens, self.cache, self.pads, last_only=last_only)

    def rows(self, which: Tensor, room: int) -> tuple[Cache, Tensor]:
        """A cache with a row for each of `which`, `room` tokens free, and the rows' pads."""
        columns = self.tokens.shape[1] + room
        return Cache(layers=[lane.take(which, columns) for lane in self.cache.layers]), self.pads[
            which
        ]


def forward(
    network: Any, tokens: Tensor, cache: Cache, pads: Tensor, *, last_only: bool = False
) -> Tensor:
    """Logits of further tokens [rows, columns], whose keys and values join the cache."""
    start = cache.get_seq_length()
    column = torch.arange(start + tokens.shape[1], device=tokens.device)
    query = column[start:]
    seen = (column <= query[:, None]) & (column >= pads[:, None, None])
    logits: Tensor = network(
        input_ids=tokens,
        attention_mask=seen[:, None],
        position_ids=(query - pads[:, None]).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1 if last_only else 0,
    ).logits
    return logits
