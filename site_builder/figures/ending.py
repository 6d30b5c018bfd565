"""One list, item by item: how likely it is to end there, asked for a short and for a long list."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing, DrawingError

Row = dict[str, Any]

WORDS = ("short", "long")
PLACES = ("last", "earlier")


@dataclass
class List:
    """A list as the model wrote it, with P(end) after each item under both prompts."""

    template: str
    topic: str
    sample: int
    ended: bool
    items: list[str] = field(default_factory=list)
    short: list[float | None] = field(default_factory=list)
    long: list[float | None] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """Short − long at the last item; infinite where it is not known."""
        short, long = self.short[-1], self.long[-1]
        return math.inf if short is None or long is None else short - long


def draw(
    table: pa.Table,
    *,
    variant: str = "",
    topic: str = "",
    template: str = "short",
    sample: int = -1,
) -> Drawing:
    """Draw one list; the page can then pick any other and go through it step by step.

    Args:
        table: P(end) item by item, and its means.
        variant: There is one, "".
        topic: Topic of the list that stands in the page; any if empty.
        template: The length word that it was written for.
        sample: Its number among the lists of this topic and length word. If negative, a typical one
            is taken: it ended, has the median length of those that did, and of these the gap
            between the prompts at its end that is nearest to the mean one.
    """
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "part", "template", "topic", "sample", "k", "item", "ended", "p_short", "p_long",
        "place", "prompt", "estimate", "low", "high", "n",
    )  # fmt: skip
    lists = _lists([row for row in records if row["part"] == "item"])
    means = _means([row for row in records if row["part"] == "mean"])
    topics = list(dict.fromkeys(one.topic for one in lists))
    templates = [word for word in WORDS if any(one.template == word for one in lists)]
    theme.choose(template, templates, "template")
    here = [one for one in lists if one.template == template]
    if topic:
        theme.choose(topic, topics, "topic")
        here = [one for one in here if one.topic == topic]
    if sample >= 0:
        theme.choose(str(sample), [str(one.sample) for one in here], "sample")
        here = [one for one in here if one.sample == sample]
    if not here:
        raise DrawingError(f"there is no {template} list of {topic}", "choose another topic")
    shown = _typical(here, means.get(template, {}).get("last", {}).get("difference"))
    # Numbers, and a file that has the topics in their order: a topic may be no name of a file.
    files = {name: f"topic-{number}.json" for number, name in enumerate(topics)}
    return Drawing(
        theme.markup(
            "ending.html.j2",
            shown=shown,
            topics=topics,
            files={name: theme.FILES + file for name, file in files.items()},
            templates=templates,
            samples=[
                one for one in lists if (one.topic, one.template) == (shown.topic, shown.template)
            ],
            means=means,
            places=PLACES,
            gone_on=None if shown.long[-1] is None else 1 - shown.long[-1],
            percent=percent,
            between=between,
            width=lambda chance: f"{100 * (chance or 0):.2f}%",
        ),
        "A list as the model wrote it, and after every item the probability that it ends there: "
        "under the prompt that asks for a short list, and with “long” in its place and the list "
        "kept token by token. The list shown first has the median length of lists that ended, and "
        "a typical gap at its end. "
        "The means at the last item are high in part because the end was drawn there.",
        "The items of one list in the order in which they were written, each with the probability "
        "that the list ends after it, asked for a short and asked for a long list; below them the "
        "means over all lists that ended.",
        {
            **{file: _file(lists, name) for name, file in files.items()},
            "topics.json": json.dumps(topics, ensure_ascii=False).encode(),
        },
    )


def percent(chance: float | None) -> str:
    """Return a probability as a reader wants it: two digits, and no more certainty than there is.

    Halves are rounded up, as the page's script does.
    """
    if chance is None:
        return "–"
    if chance < 0.0005:
        return "<0.1\u00a0%"
    if chance < 0.0995:
        return f"{math.floor(1000 * chance + 0.5) / 10:.1f}\u00a0%"
    return f"{min(math.floor(100 * chance + 0.5), 99)}\u00a0%"


def between(low: float, high: float) -> str:
    """Return an interval of probabilities, with one sign for both ends."""
    return f"{percent(low).removesuffix(' %')} – {percent(high)}"


def _lists(items: Sequence[Row]) -> list[List]:
    """Gather the lists from their items, which stand in order."""
    found: dict[tuple[str, str, int], List] = {}
    for row in sorted(items, key=lambda row: row["k"]):
        key = row["template"], row["topic"], row["sample"]
        one = found.setdefault(key, List(*key, ended=row["ended"]))
        one.items.append(row["item"])
        one.short.append(row["p_short"])
        one.long.append(row["p_long"])
    order = list(dict.fromkeys(row["topic"] for row in items))
    return sorted(found.values(), key=lambda one: (order.index(one.topic), one.sample))


def _typical(lists: Sequence[List], mean: Row | None) -> List:
    """Return the first list of median length whose gap is nearest to the mean one."""
    pool = [one for one in lists if one.ended] or lists
    median = median_low(len(one.items) for one in pool)
    pool = [one for one in pool if len(one.items) == median]
    gap = mean["estimate"] if mean else 0.0
    return min(pool, key=lambda one: abs(one.gap - gap))


def _means(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, Row]]]:
    """Return the means as length word -> place -> prompt -> row."""
    found: dict[str, dict[str, dict[str, Row]]] = {}
    for row in rows:
        if row["place"] in PLACES:
            places = found.setdefault(row["template"], {})
            places.setdefault(row["place"], {})[row["prompt"]] = row
    return found


def _file(lists: Sequence[List], topic: str) -> bytes:
    """Return the lists of a topic as the page's script reads them: `{"short": {"0": {…}}}`."""
    found: dict[str, dict[int, Row]] = {}
    for one in lists:
        if one.topic == topic:
            columns = {"items": one.items, "short": one.short, "long": one.long}
            found.setdefault(one.template, {})[one.sample] = {**columns, "ended": one.ended}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
