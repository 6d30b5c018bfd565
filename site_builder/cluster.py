"""Measuring past one machine: the same measurements as tasks of Ray.

What to measure, in which order, and what is saved is decided here, by whoever started the run; a
worker gets a study's name and tables, and gives a table back. So no worker needs to see the shelf,
a worker that dies costs its own task, which Ray starts again elsewhere, and what is finished is
safe as soon as it is here.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.errors import BuildError, Problem
from site_builder.runner import Measured, Task, compute, inputs_of, open_lab, with_inputs
from site_builder.store import ResultId, Store

if TYPE_CHECKING:
    import pyarrow as pa

    from analyses.lab.lab import Lab

CURE = 'install it: pip install -e ".[lab,cluster]"'
PATIENCE = 10
"""Seconds in which a cluster has to answer."""

TRIES = 3
"""How often a task is started again when its worker dies."""

LEFT = [".git", ".venv", ".cache", "site", "tests", "node_modules", "*.parquet"]
"""What a worker on another machine does not get: results come as tables."""

PASSED_ON = ("LIST_STUDY_MODEL", "LIST_STUDY_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE")
"""Variables of the environment that say where weights are."""


@dataclass(frozen=True)
class Cluster:
    """Where Ray is and what a task takes; without `address`, a Ray of one's own on this machine.

    cpus: cores a task, which is also the number of its threads. limit: seconds after which a task
    counts as hung, and is started again; 0 is never.
    """

    address: str = ""
    cpus: int = 0
    limit: float = 0


def measure(
    store: Store,
    ids: Iterable[ResultId],
    wanted: Callable[[ResultId], bool],
    cluster: Cluster,
    *,
    say: Callable[[str], None],
) -> list[ResultId]:
    """What `runner.measure` does, with every measurement that can begin under way at once.

    Raises `BuildError` when one fails, after those under way have come to their end.
    """
    project = store.project
    waiting = with_inputs(project, ids)
    ray = _start(project.root, cluster)
    try:
        root = "" if cluster.address else str(project.root)
        remote = ray.remote(_measure).options(**_needs(ray, cluster), max_retries=TRIES)
        running: dict[Any, Task] = {}
        settled: set[ResultId] = set()
        done: list[ResultId] = []
        problems: list[Problem] = []
        while running or (waiting and not problems):
            due = [id for id in waiting if settled.issuperset(inputs_of(project, id))]
            for id in () if problems else due:
                waiting.remove(id)
                if not wanted(id):
                    settled.add(id)
                    continue
                task = Task.of(store, id)
                of = id.study, id.analysis, id.variant
                running[remote.remote(root, *of, task.tables, cluster.limit)] = task
                say(f"sent {id} for {id.study}; {len(running)} under way, {len(waiting)} wait")
            ready, _ = ray.wait([*running], timeout=1) if running else ([], [])
            for reference in ready:
                task = running.pop(reference)
                try:
                    found = ray.get(reference)
                except ray.exceptions.RayError as error:
                    problems += _told(task.id, error)
                    continue
                say(task.save(store, found))
                settled.add(task.id)
                done.append(task.id)
    finally:
        ray.shutdown()
    if problems:
        raise BuildError(problems)
    return done


def _start(root: Path, cluster: Cluster) -> Any:
    """Ray, connected to its cluster or started here."""
    if importlib.util.find_spec("ray") is None:
        raise BuildError([Problem("engine ray", "Ray is not installed", CURE)])
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    told = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment: dict[str, Any] = {"env_vars": told | {"PYTHONPATH": str(root)}}
    if cluster.address:
        environment = {"working_dir": str(root), "excludes": LEFT, "env_vars": told}
    where = cluster.address or "this machine"
    try:
        _knock(cluster.address)
    except OSError as error:
        what = f"no cluster at {where}: {error}"
        raise BuildError([Problem("engine ray", what, "start it: ray start --head")]) from None
    try:
        ray.init(
            address=cluster.address or "local",
            runtime_env=environment,
            include_dashboard=False if not cluster.address else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as error:
        what = f"the cluster at {where} cannot be used: {error}"
        cure = "give its token (RAY_AUTH_MODE=token, RAY_AUTH_TOKEN), or see its logs"
        raise BuildError([Problem("engine ray", what, cure)]) from None
    return ray


def _knock(address: str) -> None:
    """See whether anybody answers, as Ray itself would try for minutes; raises `OSError`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def _needs(ray: Any, cluster: Cluster) -> dict[str, float]:
    """What a task takes: a GPU where there are some, else all cores of a machine like this one."""
    if ray.cluster_resources().get("GPU"):
        return {"num_gpus": 1, "num_cpus": cluster.cpus or 1}
    return {"num_cpus": cluster.cpus or os.cpu_count() or 1}


def _measure(
    root: str, study: str, analysis: str, variant: str, tables: list[pa.Table], limit: float
) -> Measured:
    """Measure, in a worker; a task that takes too long ends its process, and Ray tries again."""
    if limit:
        faulthandler.dump_traceback_later(limit, exit=True)
    try:
        found = compute(_lab(root or str(Path.cwd()), study), analysis, variant, tables)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return replace(found, made_with=found.made_with | {"engine": "ray"})


@cache
def _lab(root: str, study: str) -> Lab:
    """One model a worker, however many measurements it makes."""
    return open_lab(Path(root), study, quiet=True)


def _told(id: ResultId, error: Exception) -> Iterable[Problem]:
    """What went wrong with a task: what the measurement said, or that its workers died."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BuildError):
        return cause.problems
    first = str(cause or error).strip().splitlines()[-1:] or [type(error).__name__]
    what = f"{id} ended without a result: {type(cause or error).__name__}: {first[0][:200]}"
    return [Problem("engine ray", what, "see the workers' logs; finished results are kept")]
