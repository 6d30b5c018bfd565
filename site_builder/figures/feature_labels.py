"""What a feature is called: where it is active, on which tokens in which text, and what it writes.

Made by rule from what was measured of the feature, and by nobody's reading of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from site_builder.figures import feature_cards

Row = dict[str, Any]

BEFORE = 3
"""Tokens of text before the one that is meant."""

CONTEXTS, WRITES = 2, 3
"""Texts and promoted tokens in a label."""

COMMON = 0.05
"""A token that more than this share of all cards promote says little of any of them."""

PLACES = {
    "start": "the text before",
    "length": "the length word",
    "prompt": "the rest of the prompt",
    "topic": "the topic",
    "turn": "marks of turns",
    "earlier": "earlier items",
    "hyphen": "hyphens",
    "item": "last tokens of items",
    "blank": "blanks",
    "break": "line breaks",
    "deciding": "the deciding token",
}
"""Roles of tokens in words; those of single items are one."""


def label(row: Row, common: frozenset[str]) -> Row:
    """Return a feature's label.

    Args:
        row: its record.
        common: tokens that many features promote, which are told last.

    Returns:
        `place`, where its mean activation is largest; `contexts`, the text before a token on which
        it is among the strongest, and that token, each text once; `writes`, promoted tokens.
    """
    active = [one for one in row["by_role"] or () if (one["clean"] or 0) > 0]
    most = max(active, key=lambda one: one["clean"])["role"] if active else ""
    contexts = [_context(one) for one in row["examples"] or () if one["kind"] == "top"]
    promoted = [one["text"] for one in row["top_logits"] or ()]
    telling = sorted(promoted, key=lambda text: text in common)  # else in their order
    return {
        "place": PLACES.get(most, most),
        "contexts": list(dict.fromkeys(contexts))[:CONTEXTS],
        "writes": [feature_cards.token(text) for text in telling[:WRITES]],
    }


def common(records: Sequence[Row]) -> frozenset[str]:
    """Return the tokens that are promoted most by too many features to tell one from another."""
    told = Counter(one["text"] for row in records for one in row["top_logits"] or ())
    return frozenset(text for text, count in told.items() if count > max(1, COMMON * len(records)))


def _context(example: Row) -> tuple[str, str]:
    at = example["position"] - example["start"]
    texts = [feature_cards.token(one["text"]) for one in example["tokens"]]
    return "".join(texts[max(0, at - BEFORE) : at]), texts[at]
