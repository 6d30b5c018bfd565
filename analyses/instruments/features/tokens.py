"""Which tokens a feature promotes by the direct path: its direction read as the model ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from analyses.instruments import sweeps
from analyses.instruments.features.directions import gains
from analyses.lab.model.parts import parts_of
from analyses.lab.runtime.lab import Lab

SHOWN = 8  # promoted, and as many demoted
Row = dict[str, Any]


def promoted(network: Any, directions: Tensor) -> Tensor:
    """What directions [features, d] add to the logits, [features, vocabulary].

    Through the final norm's weight and the unembedding; without the mean over the vocabulary, which
    moves no probability. The norm's scale, which depends on the rest of the stream, and the final
    soft-capping are left out: order and signs are right, sizes are those in a stream whose mean
    square is 1.
    """
    parts = parts_of(network)
    found: Tensor = (directions * gains(parts.norm)) @ parts.head.weight.float().T
    return found - found.mean(-1, keepdim=True)


def told(lab: Lab, directions: Tensor) -> Iterator[Row]:
    """Of each direction, the tokens at both ends, and the difference of the deciding ones."""
    model = lab.model
    plus, minus = sweeps.contrast_of(lab)
    for values in promoted(model.network, directions):
        known = values[: len(model.tokenizer)]  # a vocabulary may be padded
        row: Row = {"decision": float(values[plus] - values[minus])}
        for name, largest in (("top_logits", True), ("bottom_logits", False)):
            tokens = known.topk(SHOWN, largest=largest).indices.tolist()
            row[name] = [
                {"text": text, "value": float(values[token]), "deciding": token in (plus, minus)}
                for token, text in zip(tokens, map(model.piece, tokens), strict=True)
            ]
        yield row
