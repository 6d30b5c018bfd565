"""Lists in numbers: items, tokens per item, blanks, repeats and diversity.

Without a variant one row a list: `items` (with the one being cut), `blanks` (items followed by a
white-space-only token), `ended`, `well_formed` and `reason` ("", "capped" or "malformed: …"), and
over its complete items: `tokens_per_item` (hyphen, blank and break not counted), `one_token_share`,
`repeats` (items said before in the same list), `shannon_list` = −Σ p ln p over the list's item
strings in nats, `shannon_topic` the same over all lists of its topic, template and temperature.

The variants summarise with 95 % intervals that leave out one topic at a time (for a single topic:
one list). Malformed lists are left out and counted in `dataset`; capped ones stay. One schema for
all, null where it does not apply; `part` says what a row is:

    items            survival (P(length ≥ items), Kaplan–Meier: capped lists are censored),
                     summary (mean of the items written, a lower bound where lists were cut; median
                     of the survival curve, absent when too many were cut), topic (mean)
    tokens-per-item  overall, topic: tokens_per_item, one_token_share (over items)
    blanks           overall, topic, position (k_end, lists that ended), temperature (share of items
                     with a blank); spearman (a list's share of blanks against its temperature)
    repeats          overall, topic: repeated_share (of items), lists_with_repeat (of lists),
                     repeats, shannon_list and shannon_topic (means)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from analyses.instruments.items import read_items
from analyses.instruments.lists import WrittenList, shannon
from analyses.instruments.summary import Row, Summary, bounds
from analyses.lab.core import statistics
from analyses.lab.core.statistics import SHARE, Estimate
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

VARIANTS = ("", "items", "tokens-per-item", "blanks", "repeats")

LIST_SCHEMA = {
    "template": pa.string(),
    "temperature": pa.float64(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "items": pa.int32(),
    "blanks": pa.int32(),
    "ended": pa.bool_(),
    "well_formed": pa.bool_(),
    "reason": pa.string(),
    "tokens_per_item": pa.float64(),
    "one_token_share": pa.float64(),
    "repeats": pa.int32(),
    "shannon_list": pa.float64(),
    "shannon_topic": pa.float64(),
}
SCHEMA = {
    "part": pa.string(),
    "template": pa.string(),
    "temperature": pa.float64(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "quantity": pa.string(),
    "items": pa.int32(),
    "k_end": pa.int32(),
    "estimate": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "n": pa.int32(),
    "at_risk": pa.int32(),
    "capped": pa.int32(),
}


def run(lab: Lab, list_samples: pa.Table, *, variant: str = "") -> pa.Table:
    """Count, or summarise the counts of `variant`."""
    lists = [*read_items(list_samples, lab.study.prompt)]
    topics = lab.study.topics.names
    if not variant:
        return labelled(
            table_of(_by_list(lists), LIST_SCHEMA),
            n=f"{len(lists):,} lists, {len(topics)} topics",
            units={"shannon_list": "nats", "shannon_topic": "nats"},
        )
    usable = [one for one in lists if not one.malformed]
    parts: dict[str, Callable[[Summary], Iterator[Row]]] = {
        "items": _items,
        "tokens-per-item": _tokens_per_item,
        "blanks": _blanks,
        "repeats": _repeats,
    }
    rows = parts[variant](Summary(usable, topics))
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(usable):,} lists, {len(topics)} topics",
        interval=f"{statistics.said('topics')}; of a single topic over its lists",
        note=f"Malformed lists left out: {len(lists) - len(usable)}.",
    )


def _by_list(lists: Sequence[WrittenList]) -> Iterator[Row]:
    together: dict[tuple[str, float, str], list[str]] = {}
    for one in lists:
        texts = [item.text for item in one.items]
        together.setdefault((*one.group, one.key["topic"]), []).extend(texts)
    diversity = {place: shannon(texts) for place, texts in together.items()}
    for one in lists:
        sizes = [item.tokens for item in one.items]
        yield {
            **one.key,
            "items": len(one.roles.items),
            "blanks": sum(item.blank for item in one.items),
            "ended": one.roles.ended,
            "well_formed": not one.roles.reason,
            "reason": one.roles.reason,
            "tokens_per_item": float(np.mean(sizes)) if sizes else None,
            "one_token_share": sizes.count(1) / len(sizes) if sizes else None,
            "repeats": one.repeats,
            "shannon_list": shannon(item.text for item in one.items),
            "shannon_topic": diversity[(*one.group, one.key["topic"])],
        }


def _items(summary: Summary) -> Iterator[Row]:
    def written(one: WrittenList) -> int:
        return len(one.roles.items)

    for row, lists in summary.overall():
        lengths, ended = [written(one) for one in lists], [one.roles.ended for one in lists]
        finished = [len(one.items) for one in lists]
        counts = {"n": len(lists), "capped": ended.count(False)}
        curve = statistics.survival(finished, ended, summary.places(lists), len(summary.topics))
        columns = (curve.share, curve.low, curve.high, curve.at_risk)
        for k, (share, low, high, at_risk) in enumerate(zip(*columns, strict=True), 1):
            at = {"part": "survival", "items": k, "at_risk": at_risk}
            yield {**row, **at, **bounds(Estimate(share, low, high)), **counts}
        mean = summary.ratio(lists, lengths, [1] * len(lists))
        for name, estimate in (("mean", mean), ("median", curve.median)):
            yield {**row, "part": "summary", "quantity": name, **bounds(estimate), **counts}
    for row, lists in summary.by_topic():
        mean = summary.ratio(lists, [written(one) for one in lists], [1] * len(lists))
        counts = {"n": len(lists), "capped": sum(not one.roles.ended for one in lists)}
        yield {**row, "quantity": "mean", **bounds(mean), **counts}


def _items_of(one: WrittenList) -> int:
    return len(one.items)


def _tokens_per_item(summary: Summary) -> Iterator[Row]:
    def tokens(one: WrittenList) -> int:
        return sum(item.tokens for item in one.items)

    def single(one: WrittenList) -> int:
        return sum(item.tokens == 1 for item in one.items)

    yield from summary.quantities({"tokens_per_item": tokens}, per=_items_of)
    yield from summary.quantities({"one_token_share": single}, per=_items_of, within=SHARE)


def _blanks(summary: Summary) -> Iterator[Row]:
    def blanks(one: WrittenList) -> int:
        return sum(item.blank for item in one.items)

    for row in summary.quantities({"blanks": blanks}, per=_items_of, within=SHARE):
        yield row
        if row["part"] == "overall":
            yield {**row, "part": "temperature"}
    for row, lists in summary.overall():
        ended = [one for one in lists if one.roles.ended]
        for k_end in range(-max((len(one.items) for one in ended), default=0), 0):
            there = [one for one in ended if len(one.items) >= -k_end]
            with_blank = [one.items[k_end].blank for one in there]
            at = {"part": "position", "quantity": "blanks", "k_end": k_end, "n": len(there)}
            found = summary.ratio(there, with_blank, [1] * len(there), SHARE)
            yield {**row, **at, **bounds(found)}
    for template in dict.fromkeys(template for template, _ in summary.groups):
        chosen = [one for (name, _), some in summary.groups.items() if name == template
                  for one in some if one.items]  # fmt: skip
        temperatures = [one.key["temperature"] for one in chosen]
        if len(set(temperatures)) > 1:
            shares = [blanks(one) / len(one.items) for one in chosen]
            places = summary.places(chosen)
            found = statistics.spearman(shares, temperatures, places, len(summary.topics))
            of = {"part": "spearman", "template": template, "quantity": "blanks"}
            yield {**of, "n": len(chosen), **bounds(found)}


def _repeats(summary: Summary) -> Iterator[Row]:
    def repeats(one: WrittenList) -> int:
        return one.repeats

    def repeating(one: WrittenList) -> bool:
        return one.repeats > 0

    yield from summary.quantities({"repeated_share": repeats}, per=_items_of, within=SHARE)
    yield from summary.quantities({"lists_with_repeat": repeating}, per=lambda _: 1, within=SHARE)
    counts = {
        "repeats": repeats,
        "shannon_list": lambda one: shannon(item.text for item in one.items),
    }
    yield from summary.quantities(counts, per=lambda _: 1)
    pooled: dict[tuple[str, float], list[tuple[WrittenList, float]]] = {}
    for row, lists in summary.by_topic():
        index = shannon(item.text for one in lists for item in one.items)
        pooled.setdefault((row["template"], row["temperature"]), []).append((lists[0], index))
        # One number for the topic's lists together: within the topic nothing is left to resample.
        yield {**row, "quantity": "shannon_topic", "estimate": index, "n": len(lists)}
    for row, lists in summary.overall():
        topics = pooled[row["template"], row["temperature"]]
        indices = [index for _, index in topics]
        mean = summary.ratio([one for one, _ in topics], indices, [1] * len(topics))
        yield {**row, "quantity": "shannon_topic", "n": len(lists), **bounds(mean)}
