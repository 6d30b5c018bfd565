"""Which features get a card, and what a feature is called.

A feature's name is its layer and its index, `26/1201`; where heads are read, `z-14/77`. Cards go to
the features that move the decision most: chosen on topics that are not held out, so that what is
said of their effect on the others is not what they were chosen for.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

CARDS = 16  # of each autoencoder
USUAL = "resid_post"  # the site that names leave out
KEY = ("template", "topic", "sample")  # what says which list of a table


@dataclass(frozen=True)
class Card:
    """A feature that has a card.

    Attributes:
        rank: 1 for the strongest of its autoencoder.
        effect: mean |effect| on the decision over the lists that chose it, in logits.
    """

    site: str
    layer: int
    feature: int
    rank: int
    effect: float

    @property
    def place(self) -> tuple[str, int]:
        """Its autoencoder."""
        return self.site, self.layer

    @property
    def name(self) -> str:
        """As directives and tables call it."""
        return name_of(self.site, self.layer, self.feature)


def name_of(site: str, layer: int, feature: int) -> str:
    """What a feature is called: `26/1201`, `z-14/77`."""
    return f"{layer}/{feature}" if site == USUAL else f"{site}-{layer}/{feature}"


def places(list_features: pa.Table) -> list[tuple[str, int]]:
    """The autoencoders of the table, in its order."""
    columns = (list_features[name].to_pylist() for name in ("site", "layer"))
    return list(dict.fromkeys(zip(*columns, strict=True)))


def cards(list_features: pa.Table) -> list[Card]:
    """Those of each autoencoder with the largest mean |effect| on short lists of other topics.

    A feature that is not among a list's strongest counts 0 there. Ties go to the lower index.
    """
    rows = [
        row
        for row in list_features.to_pylist()
        if row["template"] == "short" and not row["held_out"]
    ]
    lists = len({tuple(row[name] for name in KEY) for row in rows})
    found = []
    for site, layer in places(list_features):
        totals: dict[int, float] = {}
        for row in rows:
            if (row["site"], row["layer"]) == (site, layer):
                totals[row["feature"]] = totals.get(row["feature"], 0.0) + abs(row["effect"])
        order = sorted(totals, key=lambda feature: (-totals[feature], feature))[:CARDS]
        for rank, feature in enumerate(order, 1):
            found.append(Card(site, layer, feature, rank, totals[feature] / lists))
    return found
