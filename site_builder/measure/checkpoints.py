"""What is done of a result that is not there yet, so that a run goes on, and a plan can tell.

A measurement's long loops keep their numbers turn by turn (`analyses.lab.runtime.shards`). The
ledger lies beside the numbers, is no part of any result, and may be deleted with them at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from site_builder.core import digests
from site_builder.core.code_digest import Code
from site_builder.core.files import write_aside
from site_builder.results import differences
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

FOLDER = Path("numbers")
"""Where numbers are kept, in the project's cache."""


@dataclass
class Ledger:
    """The turns that are done of one result's loops.

    Attributes:
        key: all that the result depends on; what was noted under another key is forgotten.
        loops: of each loop, how many turns it has and which are done.
        seconds: what they took.
    """

    path: Path
    key: str
    loops: dict[str, tuple[int, set[int]]] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of(cls, store: Store, id: ResultId, code: Code, inputs: dict[str, str]) -> Ledger:
        """The ledger of a result that is measured with this code from these inputs."""
        settings = store.current.settings(id.study)
        named = store.current.named(id.study, settings)
        key = digests.digest([code.meaning, inputs, differences.plain(settings), named])
        new = cls(store.project.cache / FOLDER / id.study / f"{id}.json", key)
        try:
            kept = json.loads(new.path.read_text("utf-8"))
            if kept["key"] == key:
                for loop, (of, done) in kept["loops"].items():
                    new.loops[loop] = int(of), set(map(int, done))
                new.seconds = float(kept["seconds"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            new.loops.clear()  # there is none, or it is not one
        return new

    def note(self, loop: str, total: int, turns: Iterable[int], seconds: float) -> None:
        """Write down that turns are done."""
        _, done = self.loops.get(loop, (total, set()))
        self.loops[loop] = total, done | set(turns)
        self.seconds += seconds
        loops = {name: [of, sorted(done)] for name, (of, done) in self.loops.items()}
        kept = {"key": self.key, "loops": loops, "seconds": round(self.seconds, 3)}
        write_aside(self.path, json.dumps(kept).encode())

    def open_turns(self, loop: str, total: int) -> list[int]:
        """What is not done of a loop."""
        _, done = self.loops.get(loop, (total, set()))
        return [turn for turn in range(total) if turn not in done]

    @property
    def whole(self) -> tuple[str, ...]:
        """The loops that are done."""
        return tuple(loop for loop, (of, done) in self.loops.items() if len(done) == of)

    def close(self) -> None:
        """The result is there."""
        self.path.unlink(missing_ok=True)
