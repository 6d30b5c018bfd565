"""The sampled lists, read back: each with the roles of its tokens and its items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analyses.instruments.roles import CAPPED, Item, ListRoles, list_roles
from analyses.lab.core.study import Prompt


@dataclass(frozen=True)
class WrittenList:
    """One list. `pieces` starts with the prefilled hyphen; `items` are its complete items."""

    key: Mapping[str, Any]  # template, temperature, topic, held_out, sample
    text: str
    token_ids: list[int]
    pieces: list[str]
    roles: ListRoles

    @property
    def items(self) -> list[Item]:
        """Items that were written to their end."""
        return [item for item in self.roles.items if item.complete]

    @property
    def repeats(self) -> int:
        """Complete items that were said before in the list."""
        texts = [item.text for item in self.items]
        return len(texts) - len(set(texts))

    @property
    def malformed(self) -> bool:
        """Whether something else than list items was written."""
        return self.roles.reason not in ("", CAPPED)

    @property
    def group(self) -> tuple[str, float]:
        """Template and temperature."""
        return self.key["template"], self.key["temperature"]


KEY = ("template", "temperature", "topic", "held_out", "sample")


def read_lists(list_samples: pa.Table, prompt: Prompt) -> list[WrittenList]:
    """All lists of the table, in its order."""
    lists = []
    for row in list_samples.to_pylist():
        pieces = [prompt.prefill, *row["tokens"]]
        roles = list_roles(pieces, hyphen=prompt.hyphen, end=pieces[-1:] if row["ended"] else [])
        key = {name: row[name] for name in KEY}
        lists.append(WrittenList(key, row["text"], row["token_ids"], pieces, roles))
    return lists


def shannon(items: Iterable[str]) -> float:
    """Shannon's index −Σ p ln p of how often each item occurs, in nats; 0 without items."""
    counts = np.array(list(Counter(items).values()), dtype=np.float64)
    shares = counts / counts.sum() if len(counts) else counts
    return float(-(shares * np.log(shares)).sum()) + 0.0
