"""Directions in which features write to the stream, and which of them are near each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analyses.instruments.features.cards import USUAL, Card, name_of
from analyses.lab.model.parts import parts_of
from analyses.lab.saes.attribution import Place
from analyses.lab.saes.saes import Sae

NEAREST = 3
Row = dict[str, Any]


def written(network: Any, sae: Sae) -> Tensor:
    """What a unit of each feature adds to the stream, [width, d].

    Of heads' features it is what the output projection makes of them; where the model norms what
    attention adds (Gemma 2), with that norm's weight and without its scale.
    """
    if sae.site == USUAL:
        return sae.directions
    block = parts_of(network).blocks[sae.layer]
    out: Tensor = sae.directions @ block.out_weight.float()
    return out if block.added is None else out * gains(block.added)


def gains(norm: Any) -> Tensor:
    """The weight of a norm [d] by what it does: some families add 1 to it."""
    with torch.no_grad():
        found: Tensor = norm(torch.ones_like(norm.weight)).float()
    return found


def cosines(directions: Tensor, one: Tensor) -> Tensor:
    """Of directions [features, d] with one of them [d]; 0 where either is nothing."""
    unit = torch.nn.functional.normalize(directions, dim=-1)
    return unit @ torch.nn.functional.normalize(one, dim=0)


def nearest(cards: Sequence[Card], place: Place, directions: Tensor, feature: int) -> list[Row]:
    """The features of the same autoencoder whose directions [width, d] are nearest."""
    known = {card.name for card in cards}
    values = cosines(directions, directions[feature])
    values[feature] = -torch.inf
    found = []
    for other in values.topk(min(NEAREST, len(values) - 1)).indices.tolist():
        name = name_of(*place, other)
        of = {"site": place[0], "layer": place[1], "feature": other, "name": name}
        found.append({**of, "cosine": float(values[other]), "is_card": name in known})
    return found


def elsewhere(cards: Sequence[Card], directions: Mapping[str, Tensor], card: Card) -> list[Row]:
    """Of each other autoencoder the nearest card; `directions` are by name, [d]."""
    found = []
    for place in dict.fromkeys(one.place for one in cards if one.place != card.place):
        others = [one for one in cards if one.place == place]
        theirs = torch.stack([directions[one.name] for one in others])
        values = cosines(theirs, directions[card.name])
        best = others[int(values.argmax())]
        of = {name: getattr(best, name) for name in ("site", "layer", "feature", "name")}
        found.append({**of, "cosine": float(values.max()), "is_card": True})
    return found
