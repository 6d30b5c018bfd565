"""After every item of a list: how likely it is to end here, asked for a short and for a long list.

P(end) is the probability that the end of the turn is the next token, at temperature 1 and over the
whole vocabulary, where the study's model decides (the place and the end of its primary proxy). The
lists are those of the length words at the study's temperature; each is kept token by token under
both prompts. Nothing is run: `token_scores` has the probability of the token that followed, and the
proxies say by how much its logit differs from the end's, so that

    P(end) = P(followed) · exp(logit(end) − logit(followed)).

That needs a token of the proxies to have followed. Where none did, or where the rounding of
`token_scores` could move the value by more than `EXACT`, it is null, and counted in the note.

Part `item`, one row an item: template (the list was written for), topic, held_out, sample, k,
k_end, item (its text), ended (whether the list did), p_short, p_long. The last item of a capped
list, being cut, is absent. Part `mean`, by template: P(end) under `prompt` short or long, or their
paired `difference` short − long, over items with both, with its interval over topics; `place` is
`last` (the item where the list ended), `earlier` (all items before it) or `item` (item k of all
lists). n counts items, which is one a list unless `place` is `earlier`. Malformed lists are left
out. Units: probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from math import exp
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.lists import read_lists
from analyses.lab.core import statistics
from analyses.lab.core.study import Decision
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

EXACT = 0.001
HALF = {"probability": 5e-6, "proxy": 5e-5}  # half of the last digit that token_scores keeps
FARTHEST = 20  # items from the start that have means
OTHER = {"short": "long", "long": "short"}
PLACES = {"item-last": "last token of each item", "break": "line break after each item"}
LIST = ("template", "topic", "sample")
SCHEMA = {
    "part": pa.string(),
    "template": pa.string(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "k": pa.int32(),
    "k_end": pa.int32(),
    "item": pa.string(),
    "ended": pa.bool_(),
    **dict.fromkeys(("p_short", "p_long"), pa.float32()),
    "place": pa.string(),
    "prompt": pa.string(),
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, token_scores: pa.Table) -> pa.Table:
    """Read the chances off the scores, item by item, and average them."""
    study = lab.study
    usual = pc.field("temperature") == study.sampling.temperature
    paired = usual & pc.field("template").isin(list(OTHER))
    lists = read_lists(list_samples.filter(paired), study.prompt)
    usable = [one for one in lists if not one.malformed]
    primary = getattr(study.decision, study.decision.primary)
    chances: dict[tuple[Any, ...], float | None] = {}
    if primary.plus == study.prompt.end:
        chances = dict(_chances(token_scores.filter(paired), study.decision))
    rows: list[Row] = []
    for one in usable:
        name = tuple(one.key[key] for key in LIST)
        for k, item in enumerate(one.items, 1):
            rows.append(
                {
                    **{"part": "item", **one.key, "k": k, "item": item.text},
                    **{"k_end": k - 1 - len(one.items) if one.roles.ended else None},
                    **{"ended": one.roles.ended},
                    **{f"p_{word}": chances.get((*name, word, k)) for word in OTHER},
                }
            )
    unknown = sum(row[f"p_{word}"] is None for row in rows for word in OTHER)
    topics = list(study.topics.names)
    return labelled(
        table_of([*rows, *_means(rows, topics)], SCHEMA),
        n=f"{len(usable):,} lists, {len(topics)} topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("p_short", "p_long", "estimate", "low", "high"), "probability"),
        note=f"At the {PLACES[primary.at]}, at temperature 1 and over the whole vocabulary (lists "
        f"were drawn at {study.sampling.temperature:g}), exact to {EXACT:g}. "
        f"Malformed lists left out: {len(lists) - len(usable)}. "
        f"Values not known: {unknown} of {2 * len(rows):,}.",
    )


def _chances(
    scores: pa.Table, decision: Decision
) -> Iterator[tuple[tuple[Any, ...], float | None]]:
    """(template, topic, sample, length word of the prompt, k) -> P(end) after item k."""
    at = getattr(decision, decision.primary).at
    columns = ["condition", "token", "role", "k", "part"]
    columns += ["probability", "proxy_a", "proxy_b"]
    tokens = scores.select([*LIST, *columns]).to_pylist()
    for name, text in groupby(tokens, key=itemgetter(*LIST, "condition")):
        *key, condition = name
        word = key[0] if condition == "clean" else OTHER[key[0]]
        for row, after in pairwise(text):
            last = row["role"] == "item" and row["part"] in ("last", "only")
            if row["role"] == "break" if at == "break" else last:
                yield (*key, word, row["k"]), _chance(row, after, decision)


def _chance(row: Row, after: Row, decision: Decision) -> float | None:
    """P(end) where `after` followed; null where that is not known well enough."""
    first, second = decision.primary, "proxy_b"
    if first == second:
        second = "proxy_a"
    contrast, other = getattr(decision, first), getattr(decision, second)
    logits = {contrast.minus: 0.0, contrast.plus: row[first]}  # above that of `minus`
    if other.minus == contrast.minus:
        logits.setdefault(other.plus, row[second])
    followed, share = logits.get(after["token"]), after["probability"]
    if followed is None or not share:
        return None
    chance: float = share * exp(row[first] - followed)
    error = chance * (HALF["probability"] / share + 2 * HALF["proxy"])
    return round(min(chance, 1.0), 5) if error <= EXACT else None


def _means(rows: list[Row], topics: list[str]) -> Iterator[Row]:
    """Means over the items of each place of which both chances are known."""
    known = [row for row in rows if None not in (row["p_short"], row["p_long"])]
    for template in OTHER:
        mine = [row for row in known if row["template"] == template]
        places: dict[tuple[str, int | None], list[Row]] = {
            ("last", None): [row for row in mine if row["k_end"] == -1],
            ("earlier", None): [row for row in mine if (row["k_end"] or -1) < -1],
        }
        for number in range(1, FARTHEST + 1):
            places["item", number] = [row for row in mine if row["k"] == number]
        for (place, k), there in places.items():
            if not there:
                continue
            values = np.array([[row["p_short"], row["p_long"]] for row in there])
            values = np.column_stack([values, values[:, 0] - values[:, 1]])
            index = np.array([topics.index(row["topic"]) for row in there])
            sums = statistics.group_sums(values, index, len(topics))
            counts = statistics.group_sums(np.ones((len(there), 1)), index, len(topics))
            found = statistics.ratio(sums, counts)
            for i, prompt in enumerate((*OTHER, "difference")):
                estimate, low, high = (float(part[i]) for part in found)
                yield {
                    **{"part": "mean", "template": template, "place": place, "k": k},
                    **{"prompt": prompt, "estimate": estimate, "low": low, "high": high},
                    "n": len(there),
                }
