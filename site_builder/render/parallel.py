"""Drawing in several processes, none of which outlives the one that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from site_builder.core.errors import BuildError, Problem
from site_builder.post.uses import Use

Drawer = Callable[[Use, str], None]
"""Draws a use under its key, and keeps what comes of it; raises `BuildError`."""

MOST = 4
WORTH_ONE = 6
"""Drawings for which a further process is worth its start, a second or so."""


class Drawn(NamedTuple):
    """What came of one use: nothing to say, or the problems that it has."""

    use: Use
    problems: tuple[Problem, ...]


def processes(drawings: int) -> int:
    """How many processes draw so many figures soonest; below two, none but this one."""
    system = getattr(os, "sched_getaffinity", None)  # macOS has no such thing
    cores = len(system(0)) if system else os.cpu_count() or 1
    return min(cores, MOST, drawings // WORTH_ONE)


def draw(
    uses: Sequence[tuple[Use, str]], count: int, prepared: Callable[[], Drawer]
) -> Iterator[Drawn]:
    """Draw uses, each under its key, in `count` processes, each of which calls `prepared` once.

    If one of those ends before its time, what is left is not drawn: whoever does it then finds out
    why.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    fresh = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(count, fresh, _begin, (prepared,))
    try:
        for begun in [pool.submit(_draw, *one) for one in uses]:
            yield begun.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


_drawer: Drawer


def _begin(prepared: Callable[[], Drawer]) -> None:
    """Prepare a process to draw, and to end with its parent, however that ends."""
    global _drawer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and says so once
    threading.Thread(target=_follow, daemon=True).start()
    _drawer = prepared()


def _follow() -> None:
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _draw(use: Use, key: str) -> Drawn:
    try:
        _drawer(use, key)
    except BuildError as error:
        return Drawn(use, error.problems)
    return Drawn(use, ())
