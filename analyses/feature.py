"""Everything that a feature's card says.

One row a feature that has a card (`feature_activation`), in its order: name, site, layer, feature,
width (features of its autoencoder), rank (by effect), norm of its direction W_dec.
- label: made from the texts on which it is strongest and the tokens that it promotes;
  label_source says so. dashboard: address of its public page, where its autoencoder is published.
- attributed, measured (with _low, _high): what it adds to the study's primary proxy at the deciding
  token of short lists, one list a held-out topic (`effect_n`), in logits: by gradient × activation,
  and as the proxy really changes when it is taken away wherever it fires. band_low, band_high: 95 %
  of `band_n` random features of the same autoencoder and of about the same activation × norm, taken
  out in the same way (`instruments.features.effects`); none where it never fires there.
- by_role, by_item: mean activation per token in short lists under both prompts, by role (as in
  `patching`, and `start`: before the length word) with n topics, and at the last token of item k
  with n lists. firing: by topic, clean: share of all tokens, of the list's own, and of n lists with
  one of their own tokens on which it fires.
- examples: windows of ±8 tokens of the lists, clean: see `instruments.features.examples`.
  `position` is the token that is meant, `start` the window's first; `before` is the pre-activation
  of a near miss and of a zero. Activations are null at the first position, which is not counted.
- top_logits, bottom_logits: tokens that it promotes and demotes most by the direct path, final
  norm's scale left out (`instruments.features.tokens`); `deciding` marks the proxy's tokens, and
  `decision` is the difference of the two.
- nearest: the features of its autoencoder with the nearest directions, then of each other
  autoencoder the nearest that has a card.
Intervals are 95 % over topics.

Raises LabError when the study has no SAEs, one of them cannot be had or does not fit, or no list
on a held-out topic ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.features.values import read_activations, read_cards
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from torch import Tensor

    from analyses.instruments.features.cards import Card
    from analyses.instruments.features.effects import Effects, Run
    from analyses.instruments.lists import WrittenList
    from analyses.lab.core.statistics import Floats
    from analyses.lab.saes.saes import Sae

SAID = 2  # texts and tokens in a label
SOURCE = "automatic: the tokens on which it is strongest and the tokens that it promotes"
DASHBOARD = "https://www.neuronpedia.org/gemma-2-2b/{layer}-gemmascope-{kind}-{width}/{feature}"
PUBLISHED = {"gemma-scope-2b-pt-res-canonical": "res", "gemma-scope-2b-pt-att-canonical": "att"}

NUMBER, WHOLE, TEXT, FLAG = pa.float32(), pa.int32(), pa.string(), pa.bool_()


def _some(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct(fields))


ENDS = ("", "_low", "_high")
SIDES = {f"{side}{end}": NUMBER for side in ("clean", "corrupted") for end in ENDS}
LOGITS = _some(text=TEXT, value=NUMBER, deciding=FLAG)
SCHEMA = {
    **{"name": TEXT, "site": TEXT, "layer": WHOLE, "feature": WHOLE, "width": WHOLE, "rank": WHOLE},
    **{"label": TEXT, "label_source": TEXT, "norm": NUMBER, "dashboard": TEXT},
    **{f"{kind}{end}": NUMBER for kind in ("attributed", "measured") for end in ENDS},
    **{"band_low": NUMBER, "band_high": NUMBER, "band_n": WHOLE, "effect_n": WHOLE},
    "decision": NUMBER,
    "by_role": _some(role=TEXT, k_end=WHOLE, **SIDES, n=WHOLE),
    "by_item": _some(k=WHOLE, **SIDES, n=WHOLE),
    "firing": _some(
        topic=TEXT, held_out=FLAG, tokens=NUMBER, list_tokens=NUMBER, lists=NUMBER, n=WHOLE
    ),
    "examples": _some(
        kind=TEXT,
        template=TEXT,
        topic=TEXT,
        held_out=FLAG,
        sample=WHOLE,
        position=WHOLE,
        activation=NUMBER,
        before=NUMBER,
        start=WHOLE,
        tokens=_some(text=TEXT, role=TEXT, activation=NUMBER),
    ),
    **{"top_logits": LOGITS, "bottom_logits": LOGITS},
    "nearest": _some(site=TEXT, layer=WHOLE, feature=WHOLE, name=TEXT, cosine=NUMBER, is_card=FLAG),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, feature_activation: pa.Table) -> pa.Table:
    """Put every card together, one autoencoder in memory at a time."""
    _ = lab.model
    from analyses.instruments.decided_lists import decided_of
    from analyses.instruments.features import (
        directions as feature_directions,
    )
    from analyses.instruments.features import (
        examples,
        means,
    )
    from analyses.instruments.features import (
        tokens as feature_tokens,
    )
    from analyses.instruments.features.effects import effects
    from analyses.instruments.lists import read_lists
    from analyses.lab.saes.feature_runs import before, streams
    from analyses.lab.saes.saes import open_saes

    settings = lab.study.bootstrap
    cards, lists = read_cards(feature_activation), read_activations(feature_activation)
    samples = read_lists(list_samples, lab.study.prompt)
    pairs = decided_of(lab, samples, [one.key for one in lists])
    brief = [i for i, one in enumerate(lists) if one.key[0] == "short"]
    short = [lists[i] for i in brief]
    roles = means.by_role(short, [pairs[i] for i in brief])
    items, firing = means.by_item(short), means.firing(short)
    places = list(dict.fromkeys(card.place for card in cards))
    runs = _runs(lab, samples, places)
    engine = lab.model.blocks
    seen = [
        streams(engine, one.clean, places)
        for one in lab.progress(pairs, total=len(pairs), label="running lists")
    ]
    rows: dict[str, Row] = {}
    directions: dict[str, Tensor] = {}
    for sae in lab.progress(open_saes(lab), total=len(places), label="cards"):
        place = (sae.site, sae.layer)
        mine = [i for i, card in enumerate(cards) if card.place == place]
        if not mine:
            continue
        features = [cards[i].feature for i in mine]
        every = feature_directions.written(lab.model.network, sae)
        found = effects(lab, sae, runs, features)
        levels = [before(sae, one[place], features).numpy() for one in seen]
        told = list(feature_tokens.told(lab, every[features]))
        for column, i in enumerate(mine):
            card, tokens = cards[i], told[column]
            on = examples.fires_on(lists, i, SAID)
            seed = (settings.seed, sae.layer, card.feature)
            own_levels = [values[:, column] for values in levels]
            rows[card.name] = {
                **_about(lab, card, sae),
                "label": label(on, [one["text"] for one in tokens["top_logits"]]),
                **_effect(found, column),
                **{"effect_n": len(runs), **tokens},
                **{"by_role": roles[i], "by_item": items[i], "firing": firing[i]},
                "examples": examples.examples(lists, i, own_levels, seed),
                "nearest": feature_directions.nearest(cards, place, every, card.feature),
            }
            directions[card.name] = every[card.feature].cpu()
    for card in cards:
        rows[card.name]["nearest"] += feature_directions.elsewhere(cards, directions, card)
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    return labelled(
        table_of([rows[card.name] for card in cards], SCHEMA),
        n=f"{len(cards)} features, {len(lists)} lists, {len({one.topic for one in lists})} topics; "
        f"effects: {len(runs)} lists, one a held-out topic",
        interval=statistics.said("topics"),
        units={**dict.fromkeys(("attributed", "measured"), "logits"), "by_role": "activation"},
        note=f"Effects on logit({proxy.plus!r}) − logit({proxy.minus!r}) at the deciding token of "
        "short lists. Features are chosen on topics that are not held out.",
    )


def _runs(lab: Lab, samples: Sequence[WrittenList], places: Sequence[tuple[str, int]]) -> list[Run]:
    """One short list a held-out topic, with the slopes of the decision at its end."""
    from analyses.instruments import sweeps
    from analyses.instruments.features.effects import Run
    from analyses.instruments.paired_lists import paired_lists
    from analyses.lab.saes.attribution import contrast, traces

    engine, tokens = lab.model.blocks, sweeps.contrast_of(lab)
    metric = contrast(engine, tokens)
    held = [one for one in paired_lists(lab, samples, "short", "length") if one.held_out]
    if not held:
        what = "no short list on a held-out topic ended by itself with three items or more"
        raise LabError("list_samples", what, "hold out more topics, or raise sampling.lists")
    return [
        Run(one, metric, tokens, traces(engine, one.clean, places, [metric])[0])
        for one in lab.progress(held, total=len(held), label="gradients")
    ]


def _about(lab: Lab, card: Card, sae: Sae) -> Row:
    source = next(
        one for one in lab.study.saes if one.site == card.site and card.layer in one.layers
    )
    return {
        **{name: getattr(card, name) for name in ("name", "site", "layer", "feature", "rank")},
        **{"width": sae.width, "norm": float(sae.directions[card.feature].norm())},
        **{"label_source": SOURCE, "dashboard": dashboard(source.release, source.id, card)},
    }


def dashboard(release: str | None, identity: str | None, card: Card) -> str | None:
    """The public page of a feature, if its autoencoder is one that has such pages."""
    width = re.search(r"width_(\w+?)/", identity or "")
    if release not in PUBLISHED or not width:
        return None
    of = {"layer": card.layer, "kind": PUBLISHED[release], "width": width[1]}
    return DASHBOARD.format(**of, feature=card.feature)


def label(on: Sequence[str], promoted: Sequence[str]) -> str:
    """What is known of a feature without anybody's reading: `on "\\n", "-" → "<|im_end|>"`."""
    sides = (on, promoted[:SAID])
    said = [", ".join(json.dumps(text, ensure_ascii=False) for text in ones) for ones in sides]
    return f"on {said[0]} → {said[1]}"


def _effect(found: Effects, column: int) -> Row:
    """Means over the lists, with bounds, and the band."""
    row: Row = {"band_n": len(found.band[column])}
    for kind in ("attributed", "measured"):
        values: Floats = getattr(found, kind)[:, column]
        bounds = statistics.ratio(values, np.ones_like(values))
        row |= {kind + end: float(value) for end, value in zip(ENDS, bounds, strict=True)}
    if row["band_n"]:
        row["band_low"], row["band_high"] = map(float, statistics.middle(found.band[column]))
    return row
