"""Many tests at once: what survives when all claims of a file are one family.

Holm (1979) keeps the chance of a single false claim in the family at 5 %; Benjamini and Hochberg
(1995) the expected share of false ones among those that survive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from site_builder.post.claims import Claim
from site_builder.post.verdicts.verdict import Verdict

LEVEL = 0.05
CORRECTIONS = ("Holm", "Benjamini–Hochberg")


@dataclass(frozen=True)
class Adjusted:
    """A p value, the same for a family of so many, and what survives at 5 %."""

    p: float
    holm: float
    benjamini_hochberg: float
    of: int

    @property
    def survives(self) -> list[str]:
        """The corrections after which it still is at most 5 %."""
        both = zip(CORRECTIONS, (self.holm, self.benjamini_hochberg), strict=True)
        return [name for name, p in both if p <= LEVEL]


def families(claims: Mapping[str, Claim], verdicts: Mapping[str, Verdict]) -> dict[str, Adjusted]:
    """Every claim that has a p value by its id, corrected for the others of its file."""
    of_file: dict[str, dict[str, float]] = {}
    for name, verdict in verdicts.items():
        if verdict.p is not None:
            of_file.setdefault(claims[name].file, {})[name] = verdict.p
    return {name: one for found in of_file.values() for name, one in adjust(found).items()}


def adjust(found: Mapping[str, float]) -> dict[str, Adjusted]:
    """The p values of one family by name, corrected."""
    both = zip(holm([*found.values()]), benjamini_hochberg([*found.values()]), strict=True)
    return {
        name: Adjusted(found[name], by_holm, by_bh, len(found))
        for name, (by_holm, by_bh) in zip(found, both, strict=True)
    }


def holm(found: Sequence[float]) -> list[float]:
    """Each p value times how many are no smaller, and never below that of a smaller one."""
    adjusted, least = [0.0] * len(found), 0.0
    for rank, index in enumerate(sorted(range(len(found)), key=found.__getitem__)):
        least = max(least, min(1.0, found[index] * (len(found) - rank)))
        adjusted[index] = least
    return adjusted


def benjamini_hochberg(found: Sequence[float]) -> list[float]:
    """Each p value times their number by its rank, and never above that of a larger one."""
    adjusted, most = [0.0] * len(found), 1.0
    order = sorted(range(len(found)), key=found.__getitem__)
    for rank, index in reversed([*enumerate(order, start=1)]):
        most = min(most, found[index] * len(found) / rank)
        adjusted[index] = most
    return adjusted
