"""Lists by somebody else against the model's own: does it foresee the end of such a text?

One fixed list a topic (`instruments.other_lists`), set in the model's own format and scored under
the short and the long prompt as the model's short lists are in `token_scores`. A model is at home
in its own text [Panickssery et al. 2024, arXiv:2404.13076], so its behaviour near an end may show
only there. All values are of the next-token distribution after the last token of an item, or for a
proxy where it decides: entropy (nats), proxy_a and proxy_b (logits); `surprise` is −log p (nats) a
token of the items' own tokens.

Rows by `part`:
- `list`: another author's list, item by item: topic, held_out, condition, k, k_end, value.
- `mean`: by `author` (`model` or `other`), condition (clean: short prompt; corrupted: long),
  quantity, `align` and item k from that side; interval over topics, n lists.
- `place`: the same at the `last` place of a list and its `earlier` ones together.
- `difference`: other − model of `place`, with the interval of the difference over topics.
The model's lists are its short ones at the study's temperature that ended and are well-formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.lists import read_lists
from analyses.instruments.other_lists import OTHER_LISTS
from analyses.instruments.roles import Token, list_roles
from analyses.lab.core import left_out, statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

QUANTITIES = ("entropy", "proxy_a", "proxy_b", "surprise")
CONDITIONS = ("clean", "corrupted")
FARTHEST = 12  # items from either side
SCHEMA = {
    **dict.fromkeys(("part", "author", "condition", "quantity"), pa.string()),
    **{"topic": pa.string(), "held_out": pa.bool_(), "item": pa.string(), "align": pa.string()},
    **{"place": pa.string(), "k": pa.int32(), "k_end": pa.int32(), "value": pa.float32()},
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, token_scores: pa.Table) -> pa.Table:
    """Score the other author's lists and set them beside the model's."""
    topics = list(lab.study.topics.names)
    others = list(_others(lab))
    cells = {"other": others, "model": list(_own(lab, list_samples, token_scores))}
    rows = [{**cell, "part": "list", "author": "other"} for cell in others]
    for condition, quantity in product(CONDITIONS, QUANTITIES):
        of = {"condition": condition, "quantity": quantity}
        chosen = {
            author: [c for c in found if (c["condition"], c["quantity"]) == (condition, quantity)]
            for author, found in cells.items()
        }
        for author, found in chosen.items():
            rows += [{**of, "author": author, **row} for row in _by_item(found, topics)]
        rows += [{**of, **row} for row in _by_place(chosen, topics)]
    lists = len({cell["topic"] for cell in others})
    own = len({(cell["topic"], cell["sample"]) for cell in cells["model"]})
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{lists} lists by another author, {own} of the model's",
        interval=statistics.said("topics"),
        units={"value": "nats or logits", "estimate": "nats or logits"},
        note="The other author's lists are a fixed file, written by hand.",
    )


def _others(lab: Lab) -> Iterator[Row]:
    """The fixed lists, scored in the model's format."""
    model, study = lab.model, lab.study
    from analyses.instruments.pairs import pair
    from analyses.lab.model.scores import Text, score

    prompt, decision = study.prompt, study.decision
    contrasts = [
        (model.token(one.plus), model.token(one.minus))
        for one in (decision.proxy_a, decision.proxy_b)
    ]
    jobs = []
    for topic in study.topics.names:
        if topic not in OTHER_LISTS:
            continue
        lines = f"\n{prompt.prefill} ".join(OTHER_LISTS[topic])
        # As the model writes: a break before the end where it decides at a break.
        after = prompt.line_break if getattr(decision, decision.primary).at == "break" else ""
        ids = model.tokenizer.encode(f" {lines}{after}", add_special_tokens=False)
        ids.append(model.token(prompt.end))
        sides = pair(model, prompt, prompt.templates, "short", topic)
        jobs += [(topic, *side, ids) for side in zip(CONDITIONS, sides, strict=True)]
    texts = [Text(asked.ids, tuple(ids)) for _, _, asked, ids in jobs]
    found = dict(score(model.network, texts, contrasts))
    for i, (topic, condition, asked, ids) in enumerate(jobs):
        pieces = [prompt.prefill, *model.pieces(ids, after=asked.ids)]
        roles = list_roles(pieces, hyphen=prompt.hyphen, end=pieces[-1:]).tokens
        start, scores = len(asked.ids) - 1, found[i]
        of = {"topic": topic, "held_out": topic in study.topics.held_out, "condition": condition}
        names = ("probability", "entropy", "proxy_a", "proxy_b")
        values = [scores.probability, scores.entropy, *scores.contrasts]
        tokens = [
            (token, {name: float(v[start + j]) for name, v in zip(names, values, strict=True)})
            for j, token in enumerate(roles)
        ]
        for cell in _cells(tokens, lab):
            yield {**of, **cell, "item": OTHER_LISTS[topic][cell["k"] - 1]}


def _own(lab: Lab, list_samples: pa.Table, token_scores: pa.Table) -> Iterator[Row]:
    """The model's short lists that ended and are well-formed."""
    usual = lab.study.sampling.temperature
    mine = pc.field("temperature") == usual
    mine &= pc.field("template") == "short"
    good = {
        (one.key["topic"], one.key["sample"])
        for one in read_lists(list_samples.filter(mine), lab.study.prompt)
        if one.roles.reason == ""
    }
    lists: dict[tuple[str, int, str], list[tuple[Token, Row]]] = {}
    for row in token_scores.filter(mine & pc.is_valid(pc.field("k"))).to_pylist():
        if (row["topic"], row["sample"]) in good:
            token = Token(row["role"], row["k"], row["k_end"], row["part"])
            key = (row["topic"], row["sample"], row["condition"])
            lists.setdefault(key, []).append((token, row))
    for (topic, sample, condition), tokens in lists.items():
        for cell in _cells(tokens, lab):
            yield {"topic": topic, "sample": sample, "condition": condition, **cell}


def _cells(tokens: Sequence[tuple[Token, Row]], lab: Lab) -> Iterator[Row]:
    """A value an item and quantity."""
    surprise: dict[int, list[float]] = {}
    for token, values in tokens:
        if token.k is None:
            continue
        item = {"k": token.k, "k_end": token.k_end}
        last = token.role == "item" and token.part in ("last", "only")
        if token.role == "item":
            surprise.setdefault(token.k, []).append(-float(np.log(values["probability"])))
        if last:
            yield {**item, "quantity": "entropy", "value": values["entropy"]}
            mean = float(np.mean(surprise[token.k]))
            yield {**item, "quantity": "surprise", "value": mean}
        for proxy in ("proxy_a", "proxy_b"):
            at = getattr(lab.study.decision, proxy).at
            if token.role == "break" if at == "break" else last:
                yield {**item, "quantity": proxy, "value": values[proxy]}


def _by_item(cells: Sequence[Row], topics: Sequence[str]) -> Iterator[Row]:
    for align, key in (("start", "k"), ("end", "k_end")):
        near = [c for c in cells if c[key] is not None and abs(c[key]) <= FARTHEST]
        sums, counts = _sums(near, [abs(c[key]) - 1 for c in near], FARTHEST, topics)
        value, low, high = statistics.ratio(sums, counts)
        for k in np.flatnonzero(counts.sum(0)).tolist():
            yield {
                **{"part": "mean", "align": align, "k": k + 1 if align == "start" else -k - 1},
                **{"estimate": value[k], "low": low[k], "high": high[k]},
                "n": int(counts[:, k].sum()),
            }


def _by_place(chosen: Mapping[str, Sequence[Row]], topics: Sequence[str]) -> Iterator[Row]:
    """The last place and the earlier ones, of both authors, and their difference."""
    found = {}
    for author, cells in chosen.items():
        sums, counts = _sums(cells, [int(c["k_end"] == -1) for c in cells], 2, topics)
        mean = found[author] = left_out.ratio(sums, counts)
        low, high = mean.interval()
        for i, place in enumerate(("earlier", "last")):
            yield {
                **{"part": "place", "author": author, "place": place, "estimate": mean.value[i]},
                **{"low": low[i], "high": high[i], "n": int(counts[:, i].sum())},
            }
    difference = found["other"] - found["model"]
    low, high = difference.interval()
    for i, place in enumerate(("earlier", "last")):
        ends = {"low": low[i], "high": high[i]}
        yield {"part": "difference", "place": place, "estimate": difference.value[i], **ends}


def _sums(
    cells: Sequence[Row], columns: Sequence[int], width: int, topics: Sequence[str]
) -> tuple[Floats, Floats]:
    """Sums and counts by topic and column."""
    sums, counts = np.zeros((len(topics), width)), np.zeros((len(topics), width))
    for cell, column in zip(cells, columns, strict=True):
        place = topics.index(cell["topic"]), column
        sums[place] += cell["value"]
        counts[place] += 1
    return sums, counts
