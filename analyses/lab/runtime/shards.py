"""Shards: the turns of a measurement's loops, counted, and made in any order by anybody.

A measurement says which of its loops can be shared (`lab.shared`), and reads back the numbers of
the turns that others have made. So it knows nothing of shards, and its table cannot depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.lab.model.model import Model

T = TypeVar("T")
Note = Callable[[str, int, list[int], float], None]
"""Told of a loop, how many turns it has, which are done, and the seconds that they took."""


class Stopped(Exception):  # noqa: N818  (nothing is wrong)
    """A measurement was left at a loop: before it, or after the turns that it was sent for."""

    def __init__(self, loop: str, total: int) -> None:
        super().__init__(loop, total)
        self.loop, self.total = loop, total


@dataclass(frozen=True)
class Errand:
    """How far a measurement is to go; by default to its end.

    Attributes:
        known: loops to be gone through, as their numbers are here; it stops at any other, if set.
        loop, turns: the loop that it is sent for, and which of its turns to make.
    """

    known: tuple[str, ...] | None = None
    loop: str = ""
    turns: tuple[int, ...] = ()


class SharedLab(Lab):
    """A lab whose measurements can be left at a loop, and whose turns are counted.

    Attributes:
        errand: how far to go.
        note: told when a turn is done, if anybody wants to know.
        opening: entered while a model is opened, which is no part of any measurement.
        reach: says what code a module reaches, as results are keyed by it.
        turns: how many each loop has that can be shared.
    """

    errand = Errand()
    note: Note | None = None
    reach: Callable[[Path], str] | None = None
    opening: Callable[[], AbstractContextManager[None]] = nullcontext
    _opened: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Forget what was used and counted so far."""
        super().begin()
        self.turns: dict[str, int] = {}

    @property
    def model(self) -> Model:
        """As `Lab.model`; what was read to open it counts for every measurement that uses it."""
        if self._model is None:
            from analyses.lab.gguf.packages import provide

            others = set(self._read)
            try:
                with self.opening():
                    provide(self.study, self.root)
                    self._read.clear()  # where the weights come from is no part of a key
                    _ = super().model
            finally:
                self._opened = frozenset(self._read)
                self._read |= others
        self._read |= self._opened
        return super().model

    def code_of(self, module: Path) -> str:
        """A digest of the code that a module reaches: as results are keyed, if that is told."""
        return self.reach(module) if self.reach else super().code_of(module)

    def shared(self, things: Sequence[T], *, label: str) -> Iterator[T]:
        """As `Lab.shared`; raises `Stopped` where the errand ends."""
        through, total = super().progress, len(things)
        loop, errand = self._name(label), self.errand
        self.turns[loop] = total
        if errand.loop == loop:
            mine = [thing for turn, thing in enumerate(things) if turn in errand.turns]
            yield from through(mine, total=len(mine), label=label)
            raise Stopped(loop, total)
        if errand.known is not None and loop not in errand.known and total > 1:
            raise Stopped(loop, total)
        begun = time.perf_counter()
        for turn, thing in enumerate(through(things, total=total, label=label)):
            yield thing
            begun, spent = time.perf_counter(), time.perf_counter() - begun
            if self.note:
                self.note(loop, total, [turn], spent)

    def _name(self, label: str) -> str:
        """The label, numbered where a measurement comes to such a loop again."""
        again = sum(loop.partition(" #")[0] == label for loop in self.turns)
        return f"{label} #{again + 1}" if again else label
