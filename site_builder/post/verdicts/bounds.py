"""The columns of a result whose bounds a test asks for: those of one say nothing of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from site_builder.post import values
from site_builder.post.verdicts import interval
from site_builder.post.verdicts.interval import Interval

OTHER = "other."


@dataclass(frozen=True)
class Bound:
    """One end of a column's interval."""

    column: str
    is_low: bool


@dataclass(frozen=True)
class Columns:
    """The columns of a result, and which of them a claim shows."""

    names: Sequence[str]
    show: str

    @property
    def standing_for(self) -> dict[str, str]:
        """The columns that `estimate`, `low` and `high` stand for; bounds only if it has some."""
        own = values.bounds(self.names, self.show)
        return {"estimate": self.show} | dict(zip(("low", "high"), own, strict=False))

    def interval(self, cells: Mapping[str, Any], column: str) -> Interval | None:
        """The interval of a column in a row, if it has one there."""
        return interval.of(cells, column, values.bounds(self.names, column))

    def bound(self, name: str) -> Bound | None:
        """What a name is a bound of: `low` of the column shown, `change_low` of `change`."""
        stem, _, side = name.removeprefix(OTHER).rpartition("_")
        if side not in ("low", "high") or (stem and stem not in self.names):
            return None
        return Bound(stem or self.show, side == "low")

    def refused(self, names: Iterable[str]) -> tuple[str, str] | None:
        """Why a test of these names says nothing of the column that is shown, and the cure."""
        asked = {name: one.column for name in names if (one := self.bound(name))}
        raw = sorted(name for name in asked if name.removeprefix(OTHER) in ("low", "high"))
        if raw and "low" in self.names and not values.bounds(self.names, self.show):
            about = values.about(self.names)
            what = f'"{self.show}" has no interval: "{raw[0]}" is that of "{about}"'
            return what, f'show "{about}", or test "{self.show}" without a bound'
        if not asked or self.show in asked.values():
            return None
        other = min(asked.values())
        what = f'the interval of "{other}" is tested, and "{self.show}" is shown'
        return what, f'write show = "{other}"'
