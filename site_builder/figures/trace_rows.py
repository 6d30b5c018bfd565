"""The rows of the trace by what they are about: steps, the stream by depth, movers, lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from site_builder.charts.drawing import DrawingError
from site_builder.figures.trace_stage import Place

Row = dict[str, Any]
Name = tuple[int, int | None]  # of a mover: layer and head, or an MLP's layer; or a depth


@dataclass(frozen=True)
class Trace:
    """The rows of a result that a page shows, by what they are about.

    Attributes:
        rows: those of all lists, and of the means over the topics that are shown.
    """

    rows: Sequence[Row]

    def part(self, name: str) -> list[Row]:
        """Return the rows of a part.

        Raises:
            DrawingError: if there is none.
        """
        found = [row for row in self.rows if row["part"] == name]
        if not found:
            raise DrawingError(f"the result has no row with part {name}", "measure it again")
        return found

    @cached_property
    def steps(self) -> list[list[Row]]:
        """The movers of each step."""
        found: dict[int, list[Row]] = {}
        for row in self.part("mover"):
            found.setdefault(row["step"], []).append(row)
        return [found[step] for step in sorted(found)]

    @cached_property
    def stream(self) -> list[dict[Place, Row]]:
        """Depth -> role -> what the stream holds there."""
        found: dict[int, dict[Place, Row]] = {}
        for row in self.part("stream"):
            found.setdefault(row["depth"], {})[row["role"], row["k_end"]] = row
        return [found[depth] for depth in sorted(found)]

    @cached_property
    def lists(self) -> dict[str, list[Row]]:
        """Topic -> the tokens of its list."""
        found: dict[str, list[Row]] = {}
        for row in self.part("list"):
            found.setdefault(row["topic"], []).append(row)
        return found

    @cached_property
    def known(self) -> list[str]:
        """Topics whose list was patched token by token."""
        return list(dict.fromkeys(row["topic"] for row in self.rows if row["part"] == "stream at"))

    @property
    def blocks(self) -> int:
        """Blocks of the network."""
        return len(self.stream) - 1

    def leader(self, depth: int) -> Place:
        """The role at which most stands after so many blocks."""
        held = self.stream[depth]
        return max(held, key=lambda place: held[place]["estimate"])

    def by_role(self, part: str) -> dict[Name, dict[Place, float]]:
        """Mover -> role -> share."""
        found: dict[Name, dict[Place, float]] = {}
        for row in self.rows:
            if row["part"] == part:
                shares = found.setdefault((row["layer"], row["head"]), {})
                shares[row["role"], row["k_end"]] = row["estimate"]
        return found

    def by_token(self, part: str, topic: str) -> dict[Name, dict[int, float]]:
        """Mover, or depth, -> position -> share in one list."""
        found: dict[Name, dict[int, float]] = {}
        for row in self.rows:
            if row["part"] == part and row["topic"] == topic:
                name = (row["depth"], None) if row["layer"] is None else (row["layer"], row["head"])
                found.setdefault(name, {})[row["position"]] = row["estimate"]
        return found
