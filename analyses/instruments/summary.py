"""Summing up lists by template and temperature, with intervals over topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from analyses.instruments.lists import WrittenList
from analyses.lab.core import statistics
from analyses.lab.core.statistics import Estimate, Range

Row = dict[str, Any]
Count = Callable[[WrittenList], float]


class Summary:
    """Lists in groups of one template and temperature."""

    def __init__(self, lists: Sequence[WrittenList], topics: Sequence[str]) -> None:
        self.topics = {topic: place for place, topic in enumerate(topics)}
        self.groups: dict[tuple[str, float], list[WrittenList]] = {}
        for one in lists:
            self.groups.setdefault(one.group, []).append(one)

    def overall(self) -> Iterator[tuple[Row, list[WrittenList]]]:
        """Each group: the start of its row, and its lists."""
        for (template, temperature), lists in self.groups.items():
            yield {"part": "overall", "template": template, "temperature": temperature}, lists

    def by_topic(self) -> Iterator[tuple[Row, list[WrittenList]]]:
        """Each topic of each group: the start of its row, and its lists."""
        for row, lists in self.overall():
            for topic in self.topics:
                chosen = [one for one in lists if one.key["topic"] == topic]
                if chosen:
                    about = {"topic": topic, "held_out": chosen[0].key["held_out"]}
                    yield {**row, "part": "topic", **about}, chosen

    def places(self, lists: Sequence[WrittenList]) -> list[int]:
        """The topic of each list, as a number."""
        return [self.topics[one.key["topic"]] for one in lists]

    def ratio(
        self,
        lists: Sequence[WrittenList],
        above: Sequence[float],
        below: Sequence[float],
        within: Range = statistics.POSITIVE,
    ) -> Estimate:
        """Σ above / Σ below of counts, with an interval over topics, or over a topic's lists."""
        places = np.array(self.places(lists), dtype=np.int64)
        count = len(self.topics)
        if len(set(places)) == 1:
            count = len(lists)
            places = np.arange(count)
        sums = [
            statistics.group_sums(np.array(part, dtype=np.float64), places, count)
            for part in (above, below)
        ]
        return Estimate(*map(float, statistics.ratio(sums[0], sums[1], within)))

    def quantities(
        self, counts: Mapping[str, Count], per: Count, within: Range = statistics.POSITIVE
    ) -> Iterator[Row]:
        """Rows of each count per `per`, overall and by topic; n counts lists."""
        for row, lists in (*self.overall(), *self.by_topic()):
            below = [per(one) for one in lists]
            for name, count in counts.items():
                found = self.ratio(lists, [count(one) for one in lists], below, within)
                yield {**row, "quantity": name, "n": len(lists), **bounds(found)}


def bounds(estimate: Estimate) -> Row:
    """The columns of an estimate; null for what is not defined or was not reached."""
    values = {"estimate": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
