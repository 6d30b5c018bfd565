"""Drawing in several processes, none of which outlives the one that started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from site_builder.core.errors import BuildError, Problem
from site_builder.post.uses import Use

Drawer = Callable[[Use, str], None]
"""Draws a use under its key, and keeps what comes of it; raises `BuildError`."""

_PR_SET_PDEATHSIG = 1

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
    wanted: Sequence[tuple[Use, str]], count: int, prepared: Callable[[], Drawer]
) -> Iterator[Drawn]:
    """Draw uses, each under its key, in `count` processes, each of which calls `prepared` once.

    If one of those ends before its time, what is left is drawn by one process, so that it is seen
    which drawing ends that; this one would end by it too, so it is not drawn here.
    """
    left = deque(wanted)
    while left:
        for drawn in _in_pool([*left], count, prepared):
            left.popleft()
            yield drawn
        if left:  # a process has ended
            if count == 1:
                use, _ = left.popleft()
                yield Drawn(use, (_ending(use),))
            count = 1


def _ending(use: Use) -> Problem:
    what = f'drawing "{use.id}" ended the process that drew it, without a word'
    cure = "the renderer cannot draw it, or memory ran out: draw less, or other text"
    return Problem(use.directive.where, what, cure)


def _in_pool(
    wanted: Sequence[tuple[Use, str]], count: int, prepared: Callable[[], Drawer]
) -> Iterator[Drawn]:
    """Draw uses in this order, until all are drawn or a process has ended."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    fresh = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(count, fresh, _begin, (prepared, os.getpid()))
    try:
        with _uninterrupted():
            begun = [pool.submit(_draw, *one) for one in wanted]
        for one in begun:
            yield one.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interruption wait: a process that is only loading would tell it with a traceback."""
    from multiprocessing import resource_tracker

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let interruptions through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_drawer: Drawer


def _begin(prepared: Callable[[], Drawer], parent: int) -> None:
    """Prepare a process to draw, and to end with its parent, however that ends."""
    global _drawer
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and says so once
    threading.Thread(target=_follow, daemon=True).start()
    _drawer = prepared()


def _end_with(parent: int) -> None:
    """Let the system end this process with its parent, even where a library holds all threads."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that was said
        os._exit(1)


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
