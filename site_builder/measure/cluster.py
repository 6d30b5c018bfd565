"""Measuring past one machine: the same measurements as tasks of Ray.

What to measure, in which order, and what is saved is decided here, by whoever started the run; a
worker gets a study's name and tables, and gives a table back, or the numbers of a shard. So no
worker needs to see the shelf, a worker that dies costs its own task, which Ray starts again
elsewhere, and what is finished is safe as soon as it is here.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core.environment import CACHE_VARIABLE, MODEL_VARIABLE
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.core.workspace import alone
from site_builder.measure.checkpoints import Ledger
from site_builder.measure.runner import Task, forget_spoiled, on_path
from site_builder.measure.worker import OWN, Came, run_errand
from site_builder.results.graph import inputs_of, with_inputs
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

if TYPE_CHECKING:
    from analyses.lab.runtime.shards import Errand

CURE = 'install it: pip install -e ".[lab,cluster]"'
PATIENCE = 10
"""Seconds in which a cluster has to answer."""

TRIES = 3
"""How often a task is started again when its worker dies."""

LEFT = [".git", ".venv", ".cache", "site", "tests", "node_modules", "*.parquet"]
"""What a worker on another machine does not get: results come as tables."""

PASSED_ON = (MODEL_VARIABLE, CACHE_VARIABLE, "HF_TOKEN", "HF_HUB_OFFLINE")
"""Variables of the environment that say where weights are."""


@dataclass(frozen=True)
class Cluster:
    """Where Ray is and what a task takes; without `address`, a Ray of one's own on this machine.

    cpus: cores per task, which is also the number of its threads. limit: seconds that a task may
    measure before it counts as hung and is started again, imports and the opening of its model
    apart; 0 is no limit.
    """

    address: str = ""
    cpus: int = 0
    limit: float = 0


@dataclass
class Work:
    """One result on its way: where its measurement was left, and how many tasks are at it."""

    task: Task
    ledger: Ledger
    under_way: int = 0

    def next(self, came: Came | None, slots: int) -> list[Errand]:
        """What to send for, when all that was sent for has come: the rest of a loop, or the end.

        The turns of a loop are dealt out in turn, as neighbours cost about the same.
        """
        from analyses.lab.runtime.shards import Errand

        if slots == 1:
            return [Errand()]
        left = self.ledger.open_turns(came.loop, came.total) if came else []
        if not came or not left:
            return [Errand(known=self.ledger.whole)]
        shards = min(slots, len(left))
        return [Errand(loop=came.loop, turns=tuple(left[i::shards])) for i in range(shards)]


def measure(
    store: Store,
    ids: Iterable[ResultId],
    is_due: Callable[[ResultId], bool],
    cluster: Cluster,
    *,
    say: Callable[[str], None],
) -> list[ResultId]:
    """What `runner.measure` does, with every measurement that can begin under way at once.

    Where there is room for more than one task, a long loop of a measurement is left at its
    beginning, its turns are made by as many tasks as there is room for, and the measurement is
    sent again with their numbers. Raises `BuildError` when one fails, after those under way have
    come to their end.
    """
    project = store.project
    waiting = with_inputs(project, ids)
    on_path(project.root)
    from analyses.lab.runtime.numbers import found, keep

    numbers: dict[str, dict[str, bytes]] = {}
    with alone(project, say, "run"), _connected(project, cluster) as ray:
        for study in {id.study for id in waiting}:
            forget_spoiled(project.root, study)
            numbers[study] = found(project.root, study)
        needs, slots = _needs(ray, cluster)
        root = "" if cluster.address else str(project.root)
        remote = ray.remote(run_errand).options(**needs, max_retries=TRIES)
        running: dict[Any, tuple[Work, Errand]] = {}
        settled: set[ResultId] = set()
        done: list[ResultId] = []
        problems: list[Problem] = []

        def send(work: Work, errands: list[Errand]) -> None:
            id = work.task.id
            tables, known = ray.put(work.task.tables), ray.put(numbers[id.study])
            for errand in errands:
                about = root, id.study, id.analysis, id.variant, tables, known, errand
                running[remote.remote(*about, cluster.limit)] = work, errand
            work.under_way = len(errands)
            of = f"{len(errands)} shards, {errands[0].loop}: " if errands[0].loop else ""
            under = f"{len(running)} under way, {len(waiting)} wait"
            say(f"sent {of}{id} for {id.study}; {under}")

        while running or (waiting and not problems):
            due = [id for id in waiting if settled.issuperset(inputs_of(project, id))]
            for id in () if problems else due:
                waiting.remove(id)
                if is_due(id):
                    task = Task.of(store, id)
                    work = Work(task, task.ledger(store))
                    send(work, work.next(None, slots))
                else:
                    settled.add(id)
            ready, _ = ray.wait([*running], timeout=1) if running else ([], [])
            for reference in ready:
                work, errand = running.pop(reference)
                work.under_way -= 1
                try:
                    came: Came = ray.get(reference)
                except ray.exceptions.RayError as error:
                    problems += _told(work.task.id, error)
                    continue
                keep(project.root, work.task.id.study, came.numbers)
                numbers[work.task.id.study] |= came.numbers
                if came.measured:
                    seconds = came.seconds + work.ledger.seconds
                    say(work.task.save(store, replace(came.measured, seconds=seconds)))
                    work.ledger.close()
                    settled.add(work.task.id)
                    done.append(work.task.id)
                    continue
                work.ledger.note(came.loop, came.total, errand.turns, came.seconds)
                if not work.under_way and not problems:
                    send(work, work.next(came, slots))
    if problems:
        raise BuildError(problems)
    return done


@contextmanager
def _connected(project: Project, cluster: Cluster) -> Iterator[Any]:
    """Ray, as long as there is something to measure; workers' folders go with it."""
    ray = _start(project.root, cluster)
    try:
        yield ray
    finally:
        ray.shutdown()
        for folder in project.cache.glob(f"{OWN}.*"):
            shutil.rmtree(folder, ignore_errors=True)


def _start(root: Path, cluster: Cluster) -> Any:
    """Ray, connected to its cluster or started here."""
    if importlib.util.find_spec("ray") is None:
        raise BuildError([Problem("engine ray", "Ray is not installed", CURE)])
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    where = cluster.address or "this machine"
    try:
        _knock(cluster.address)
    except OSError as error:
        what = f"no cluster at {where}: {error}"
        raise BuildError([Problem("engine ray", what, "start it: ray start --head")]) from None
    try:
        ray.init(
            address=cluster.address or "local",
            runtime_env=_environment(root, cluster),
            include_dashboard=False if not cluster.address else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as error:
        what = f"the cluster at {where} cannot be used: {error}"
        cure = "give its token (RAY_AUTH_MODE=token, RAY_AUTH_TOKEN), or see its logs"
        raise BuildError([Problem("engine ray", what, cure)]) from None
    return ray


def _environment(root: Path, cluster: Cluster) -> dict[str, Any]:
    """What workers run in: the project's code, sent if Ray is elsewhere, and where weights are."""
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    if cluster.address:
        return {"working_dir": str(root), "excludes": LEFT, "env_vars": variables}
    return {"env_vars": variables | {"PYTHONPATH": str(root)}}


def _knock(address: str) -> None:
    """See whether anybody answers, as Ray itself would try for minutes; raises `OSError`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def _needs(ray: Any, cluster: Cluster) -> tuple[dict[str, float], int]:
    """What a task takes, and for how many there is room.

    A GPU where there are some, else all cores of a machine like this one.
    """
    there = ray.cluster_resources()
    if there.get("GPU"):
        return {"num_gpus": 1, "num_cpus": cluster.cpus or 1}, max(1, int(there["GPU"]))
    cores = cluster.cpus or os.cpu_count() or 1
    return {"num_cpus": cores}, max(1, int(there.get("CPU", 0)) // cores)


def _told(id: ResultId, error: Exception) -> Iterable[Problem]:
    """What went wrong with a task: what the measurement said, or that its workers died."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BuildError):
        return cause.problems
    first = str(cause or error).strip().splitlines()[-1:] or [type(error).__name__]
    what = f"{id} ended without a result: {type(cause or error).__name__}: {first[0][:200]}"
    return [Problem("engine ray", what, "see the workers' logs; finished results are kept")]
