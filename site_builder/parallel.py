"""Drawing in several processes, none of which outlives the one that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from site_builder.errors import BuildError, Problem

if TYPE_CHECKING:
    from site_builder.fragments import Fragments
    from site_builder.uses import Use

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


def draw(root: Path, wanted: Sequence[tuple[Use, str]], about: str, count: int) -> Iterator[Drawn]:
    """Draw uses, each under its key, in `count` processes; `about` is that of their pieces.

    If one of those ends before its time, what is left is not drawn: whoever does it then finds out
    why.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    fresh = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(count, fresh, _begin, (root, about))
    try:
        for begun in [pool.submit(_draw, *one) for one in wanted]:
            yield begun.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


_fragments: Fragments


def _begin(root: Path, about: str) -> None:
    """Prepare a process to draw, and to end with its parent, however that ends."""
    global _fragments
    from site_builder.fragments import Fragments
    from site_builder.pieces import Pieces
    from site_builder.post import Post
    from site_builder.project import Snapshot

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and says so once
    threading.Thread(target=_follow, daemon=True).start()
    _fragments = Fragments(Post(Snapshot(root)))
    _fragments.pieces = Pieces(_fragments.folder, about)


def _follow() -> None:
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _draw(use: Use, key: str) -> Drawn:
    try:
        _fragments.draw(use, key)
    except BuildError as error:
        return Drawn(use, error.problems)
    return Drawn(use, ())
