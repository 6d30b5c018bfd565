"""What a worker does: one measurement, or some turns of a loop of it, from tables and numbers."""

from __future__ import annotations

import faulthandler
import importlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from site_builder.measure.runner import Measured, compute, open_lab

if TYPE_CHECKING:
    import pyarrow as pa

    from analyses.lab.runtime.shards import Errand, SharedLab

OWN = "worker"
"""What a worker's own folder in the cache is named after, with its process."""


@dataclass(frozen=True)
class Came:
    """What comes back from a worker.

    Attributes:
        measured: the result, if the errand went to its end.
        loop, total: else the loop that it stopped at, and how many turns that has.
        numbers: what was found on the way.
    """

    measured: Measured | None
    loop: str
    total: int
    numbers: dict[str, bytes]
    seconds: float


@dataclass(frozen=True)
class Limit:
    """Ends this process when its measurement takes too long, for Ray to try again elsewhere.

    A busy machine may take minutes to import the libraries and to open a model, and nothing is
    wrong with it: neither counts.
    """

    seconds: float

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count from here on."""
        self._start()
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Do not count this, and count from its end on anew."""
        faulthandler.cancel_dump_traceback_later()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        if self.seconds:
            faulthandler.dump_traceback_later(self.seconds, exit=True)


def run_errand(
    root: str,
    study: str,
    analysis: str,
    variant: str,
    tables: list[pa.Table],
    numbers: dict[str, bytes],
    errand: Errand,
    limit: float,
) -> Came:
    """Measure.

    Args:
        root: of the project; where it is empty, Ray has put the code into the working directory.
        limit: seconds that the measurement may take; after them this process ends. 0 is no limit.
    """
    from analyses.lab.runtime import numbers as shelf
    from analyses.lab.runtime.shards import Stopped

    start = time.perf_counter()
    lab = _lab(root or str(Path.cwd()), study)
    shelf.keep(lab.root, study, numbers)
    known = shelf.names(lab.root, study)
    with suppress(Exception):  # what it raises is told when it is measured
        importlib.import_module(f"analyses.{analysis}")
    patience = Limit(limit)
    lab.opening = patience.lifted
    measured, loop, total = None, "", 0
    try:
        with patience.counting():
            measured = compute(lab, analysis, variant, tables, errand=errand)
        measured.made_with["engine"] = "ray"
    except Stopped as stopped:
        loop, total = stopped.loop, stopped.total
    new = shelf.found(lab.root, study, known)
    return Came(measured, loop, total, new, time.perf_counter() - start)


@cache
def _lab(root: str, study: str) -> SharedLab:
    """One model a worker, however many errands it runs.

    Its numbers are its own: two workers that find the same number at the same time would else
    write the same file. All else is the project's.
    """
    own = Path(root, ".cache", f"{OWN}.{os.getpid()}")
    shutil.rmtree(own, ignore_errors=True)
    Path(root, ".cache", "models").mkdir(parents=True, exist_ok=True)  # fetched once for all
    for place in (Path(), Path(".cache")):
        (own / place).mkdir(parents=True)
        for path in Path(root, place).iterdir():
            if path.name not in (".cache", "numbers") and not path.name.startswith(f"{OWN}."):
                (own / place / path.name).symlink_to(path)
    lab = open_lab(own, study, quiet=True)
    lab.home = Path(root)
    return lab
