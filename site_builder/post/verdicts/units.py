"""A mean over units, such as texts, that come in groups, such as authors, with its 95 % interval.

Units of one group resemble each other, so the interval is told by how far the mean moves when a
whole group is left out: V = (G − 1) / G · Σ (mean without g − mean)², and mean ± t · √V with the
quantile of Student's t at G − 1 degrees of freedom. It is the cluster jackknife CV3 of MacKinnon,
Nielsen and Webb (2023, Journal of Applied Econometrics 38), which keeps its level with few groups
of unequal size where the percentile bootstrap does not. Of units that are a group each it is the
interval of Student's t. Fewer than five groups have no interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from site_builder.core.digests import digest
from site_builder.post.claims import Claim
from site_builder.post.verdicts import student
from site_builder.post.verdicts.interval import FEWEST
from site_builder.post.verdicts.rows import (
    AT,
    Key,
    beside,
    free,
    key_of,
    picked,
    unclear,
    wrong,
)

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST = 1e100
"""Of a value; the squares of larger ones are no numbers any more."""

OF_ROW, OF_OTHER = "of_row", "of_other"
"""Columns of pairs: the mean of either side, over the same units, with bounds of its own."""


COLUMNS = ("estimate", "low", "high", "n", "groups", OF_ROW, OF_OTHER)


@dataclass(frozen=True)
class Mean:
    """The mean of `n` units in `groups` groups, and the ends of its interval, if it has one."""

    estimate: float
    low: float | None
    high: float | None
    n: int
    groups: int


@dataclass(frozen=True)
class Unit:
    """A value, and where in the result it stands."""

    value: float
    at: str


def mean(values: Iterable[tuple[Hashable, float]]) -> Mean:
    """The mean over units, each counting the same, given the group and the value of each.

    Raises `ValueError` if there is none.
    """
    sums: dict[Hashable, list[float]] = defaultdict(list)
    for group, value in values:
        sums[group].append(value)
    n, groups = sum(map(len, sums.values())), len(sums)
    if not n:
        raise ValueError("no unit")
    whole = math.fsum(value for of_group in sums.values() for value in of_group)
    middle = whole / n
    if groups < FEWEST:
        return Mean(middle, None, None, n, groups)
    without = [(whole - math.fsum(one)) / (n - len(one)) for one in sums.values()]
    variance = (groups - 1) / groups * math.fsum((one - middle) ** 2 for one in without)
    half = student.quantile(0.95, groups - 1) * math.sqrt(variance)
    return Mean(middle, middle - half, middle + half, n, groups)


def reduced(claim: Claim, table: pa.Table) -> tuple[Claim, pa.Table]:
    """The claim on a table of means: over units, or over the differences of pairs of them."""
    import pyarrow as pa

    several = free(claim, claim.row)
    if taken := sorted({*several} & {*COLUMNS}):
        what = f'"{taken[0]}" may be anything, and is a column of the mean over units'
        raise wrong(claim, what, "pick one value of it")
    rows = _by_unit(claim, table, claim.row)
    others = _by_unit(claim, table, claim.row | claim.other) if claim.paired else {}
    theirs = beside(claim, rows, others) if claim.paired else {}
    means = [
        dict(zip(several, key, strict=True)) | cells
        for key, units in rows.items()
        if (cells := _cells(units, theirs.get(key, {})) if claim.paired else _mean(units))
    ]
    if not means:
        has = "stands in both rows" if claim.paired else "has a number"
        raise wrong(claim, f"no unit {has}", f"see {', '.join(claim.unit_columns)} in its result")
    on_means = replace(claim, row={}, other={}, every=several, show="estimate", paired=[], over=[])
    return on_means, pa.Table.from_pylist(means)


def _cells(mine: Mapping[Key, Unit], theirs: Mapping[Key, Unit]) -> dict[str, Any]:
    """The mean difference of the units that stand in both rows, and the mean of each side."""
    both = [unit for unit in mine if unit in theirs]
    differences = {
        unit: Unit(mine[unit].value - theirs[unit].value, f"{mine[unit].at}-{theirs[unit].at}")
        for unit in both
    }
    cells = _mean(differences)
    for name, side in ((OF_ROW, mine), (OF_OTHER, theirs)):
        of_side = _mean({unit: side[unit] for unit in both})
        ends = {f"{name}_{end}": of_side[end] for end in ("low", "high") if of_side}
        cells |= {name: of_side["estimate"]} | ends if of_side else {}
    return cells


def _mean(units: Mapping[Key, Unit]) -> dict[str, Any]:
    """The mean over units as the cells of a row; none of no unit."""
    if not units:
        return {}
    found = mean((unit[0], one.value) for unit, one in units.items())
    return asdict(found) | {AT: digest(sorted(one.at for one in units.values()))[:16]}


def _by_unit(
    claim: Claim, table: pa.Table, filters: Mapping[str, list[str]]
) -> dict[Key, dict[Key, Unit]]:
    """What `show` says of each unit, by what may be anything; units without a number are none."""
    several = free(claim, filters)
    kept = picked(claim, table, filters, [*several, *claim.unit_columns, claim.show])
    if not kept.num_rows:
        raise unclear(claim, table, filters, kept)
    looked_at = dict.fromkeys((*several, *claim.unit_columns, claim.show, AT))
    rows: dict[Key, dict[Key, Unit]] = {}
    seen: dict[tuple[Key, Key], int] = {}
    for number, cells in enumerate(kept.select([*looked_at]).to_pylist()):
        key, unit = key_of(cells, several), key_of(cells, claim.unit_columns)
        if (key, unit) in seen:
            raise unclear(claim, table, filters, kept.take([seen[key, unit], number]))
        seen[key, unit] = number
        value = cells[claim.show]
        if isinstance(value, int | float) and math.isfinite(value):
            if abs(value) > LARGEST:
                raise wrong(claim, f"{value:g} is too large for a mean", "mend the result")
            rows.setdefault(key, {})[unit] = Unit(float(value), str(cells[AT]))
    return rows
