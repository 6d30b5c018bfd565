"""Lists read through the logit lens, at every place where they could have ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from analyses.instruments.lists import WrittenList
from analyses.instruments.paired_lists import deciding_places
from analyses.instruments.pairs import pair
from analyses.lab.core.statistics import Floats
from analyses.lab.model import lens
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab


@dataclass(frozen=True)
class Read:
    """A list under one prompt, at every place where it could have ended.

    Attributes:
        key: proxy, condition (clean or corrupted), and what says which list it is.
        topic: number of its topic.
        items: the items, from 1, whose places these are.
        values: the lens, [layers + 1, places], in logits.
    """

    key: Mapping[str, Any]
    topic: int
    ended: bool
    items: tuple[int, ...]
    values: Floats

    @property
    def ends(self) -> list[int]:
        """Item numbers from the end."""
        return [item - self.items[-1] - 1 for item in self.items]


FARTHEST = 20  # items looked at of a list that was cut


def _places(one: WrittenList, at: str) -> dict[int, int]:
    """Where it could have ended: all places of a list that ended, the first ones of another."""
    found = deciding_places(one.roles.tokens, at)
    return {k: i for k, i in found.items() if one.roles.ended or k <= FARTHEST}


def read(
    lab: Lab, lists: Sequence[WrittenList], proxies: Sequence[str], *, both: bool
) -> Iterator[Read]:
    """The lens on every list under its own prompt and, if `both`, with the length word swapped."""
    model, study = lab.model, lab.study
    engine = model.blocks
    contrasts = [study.decision.proxy_a, study.decision.proxy_b]
    tokens = [(model.token(one.plus), model.token(one.minus)) for one in contrasts]
    topics, wordings = list(study.topics.names), study.prompt.templates
    for one in lab.shared(lists, label="reading through the lens"):
        topic = one.key["topic"]
        asked = pair(model, study.prompt, wordings, one.key["template"], topic)[: 1 + both]
        places = [_places(one, contrast.at) for contrast in contrasts]
        start = len(asked[0].ids) - 1  # the prefilled hyphen is the list's first token
        wanted = sorted({start + i for found in places for i in found.values()})
        if not wanted:
            continue
        texts = [[*prompt.ids, *one.token_ids][: wanted[-1] + 1] for prompt in asked]
        about = [texts, wanted, tokens]
        found = kept(lab, about, partial(lens.lens, engine, texts, wanted, tokens))
        for row, condition in enumerate(("clean", "corrupted")[: len(asked)]):
            for number, proxy in enumerate(("proxy_a", "proxy_b")):
                items = tuple(places[number])
                columns = [wanted.index(start + places[number][item]) for item in items]
                if items and proxy in proxies:
                    values = found[row][:, columns, number].astype(np.float64)
                    key = {**one.key, "proxy": proxy, "condition": condition}
                    yield Read(key, topics.index(topic), one.roles.ended, items, values)
