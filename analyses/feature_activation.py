"""How strongly every feature that has a card fires, token by token.

Over the lists of `list_features`, at most `LISTS` a topic and template, up to the deciding token;
once under their own prompt (`clean`) and once with the length word swapped, the list kept token by
token (`corrupted`). Activations are in the autoencoder's units, rounded to half precision. What
stands at the first position is not counted.

Rows by `part`, what does not apply being null:
- `card`: a feature, by name, site, layer, feature; `effect`: its mean |effect| on the decision over
  the short lists of topics that are not held out, in logits, and its `rank` by it. Their order is
  that of cards everywhere.
- `list`: template, topic, held_out, sample; `tokens`: text, role, k, k_end and part of every
  position; `first`: the position of the length word, before which both conditions are alike;
  `start`: that of the list's first token, the prefilled hyphen.
- `activation`: a feature in a list in a `condition`, where it fires at all: `activations` at
  `positions`, all others being 0; corrupted ones from `first` on.

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.features.cards import KEY, cards
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from torch import Tensor

    from analyses.instruments.features.cards import Card
    from analyses.instruments.paired_lists import PairedList

LISTS = {"short": 3, "long": 1}  # a topic, by template
TOKEN = {"text": pa.string(), "role": pa.string(), "k": pa.int32(), "k_end": pa.int32()}
SCHEMA = {
    **dict.fromkeys(("part", "name", "site"), pa.string()),
    **dict.fromkeys(("layer", "feature", "rank"), pa.int32()),
    "effect": pa.float32(),
    **{"template": pa.string(), "topic": pa.string(), "held_out": pa.bool_()},
    **{"sample": pa.int32(), "condition": pa.string()},
    **{"first": pa.int32(), "start": pa.int32()},
    "tokens": pa.list_(pa.struct({**TOKEN, "part": pa.string()})),
    **{"positions": pa.list_(pa.int16()), "activations": pa.list_(pa.float32())},
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, list_features: pa.Table) -> pa.Table:
    """Run every list under both prompts, then read both through one autoencoder at a time."""
    _ = lab.model
    from analyses.instruments.decided_lists import decided_lists
    from analyses.instruments.lists import read_lists
    from analyses.lab.saes.feature_runs import activations, streams
    from analyses.lab.saes.saes import open_saes

    chosen = cards(list_features)
    places = list(dict.fromkeys(card.place for card in chosen))
    found = decided_lists(lab, read_lists(list_samples, lab.study.prompt), LISTS)
    known = set(zip(*(list_features[name].to_pylist() for name in KEY), strict=True))
    pairs = [one for one in found if (one.template, one.topic, one.sample) in known]
    engine = lab.model.blocks
    runs = [
        {
            "clean": streams(engine, one.clean, places),
            "corrupted": streams(engine, one.corrupted, places),
        }
        for one in lab.progress(pairs, total=len(pairs), label="running lists")
    ]
    rows = [_card(card) for card in chosen]
    rows += [{**_key(one), **_list(one)} for one in pairs]
    for sae in lab.progress(open_saes(lab), total=len(places), label="autoencoders"):
        mine = [card for card in chosen if card.place == (sae.site, sae.layer)]
        for one, sides in zip(pairs, runs, strict=True):
            for condition, seen in sides.items() if mine else ():
                values = activations(sae, seen[sae.site, sae.layer], [x.feature for x in mine])
                since = 0 if condition == "clean" else one.first
                of = {"part": "activation", **_key(one), "condition": condition}
                rows += [{**of, **row} for row in _fired(mine, values, since)]
    topics = len({one.topic for one in pairs})
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(chosen)} features, {len(pairs)} lists, {topics} topics",
        units={"activations": "activation", "effect": "logits"},
        note="Lists end at the deciding token. The first position is not counted.",
    )


def _card(card: Card) -> Row:
    names = ("name", "site", "layer", "feature", "rank", "effect")
    return {"part": "card", **{name: getattr(card, name) for name in names}}


def _key(one: PairedList) -> Row:
    return {name: getattr(one, name) for name in ("template", "topic", "held_out", "sample")}


def _list(one: PairedList) -> Row:
    tokens = [
        {"text": text, **{name: getattr(token, name) for name in ("role", "k", "k_end", "part")}}
        for text, token in zip(one.pieces, one.tokens, strict=True)
    ]
    start = next(i for i, token in enumerate(one.tokens) if token.k is not None)
    return {"part": "list", "tokens": tokens, "first": one.first, "start": start}


def _fired(mine: list[Card], values: Tensor, since: int) -> Iterator[Row]:
    """Each feature that fires from a position on, of [positions, features]."""
    rounded = values.numpy().astype(np.float16).astype(np.float32)
    for card, column in zip(mine, rounded.T, strict=True):
        (positions,) = np.nonzero(column[since:])
        if len(positions):
            about = {name: getattr(card, name) for name in ("name", "site", "layer", "feature")}
            positions = positions + since
            yield {**about, "positions": positions, "activations": column[positions]}
