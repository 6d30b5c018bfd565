"""Keeping the shelf in order: restamping, checking, sweeping."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from site_builder.core import digests
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import now
from site_builder.core.signatures import signature
from site_builder.core.workspace import alone, recover, remove
from site_builder.results import differences, graph
from site_builder.results.reasons import Reason, sentences
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store

OLD = 3600.0
"""Seconds after which a half-written file belongs to nobody."""

LEFT = ("site", "preview", "worker")
"""Folders of the cache that belong to the process whose number they end with."""


def accept(
    store: Store, ids: Iterable[ResultId], because: str = ""
) -> list[tuple[ResultId, list[Reason]]]:
    """Give stale results, inputs first, a recipe of today; returns what was waved through.

    `because` is the author's word, which is kept with it.

    Raises `BuildError` when a result cannot be read.
    """
    done = []
    for id in ids:
        reasons = store.why_stale(id)
        if not reasons:
            continue
        result = store.load(id)
        settings = store.current.settings(id.study)
        code = store.current.code(id.analysis if result.recipe.meaning else "")
        time = {"at": now(), "reasons": sentences(reasons)}
        time |= {"because": because} if because else {}
        recipe = replace(
            result.recipe,
            study=id.study,
            analysis=id.analysis,
            variant=id.variant,
            meaning=code.meaning,
            code=code.files,
            settings={name: settings.get(name) for name in result.recipe.settings},
            weights=_weights(store, result.recipe),
            files=store.current.files(result.recipe),
            inputs={str(i): store.content(i) for i in graph.inputs_of(store.project, id)},
            accepted=[*result.recipe.accepted, time],
        )
        store.save(id, result.table, recipe)
        done.append((id, reasons))
    return done


def _weights(store: Store, recipe: Recipe) -> dict[str, str]:
    """A recipe's weights, those in folders that its settings name as they are now."""
    models, _ = differences.weights(recipe.weights)
    return models | store.current.named(recipe.study, recipe.settings)


def check(store: Store) -> list[Problem]:
    """Everything that is wrong with the files on the shelf, whether a page uses them or not."""
    project = store.project
    problems: list[Problem] = []
    named = {
        project.root / folder
        for study in project.studies()
        for setting in store.current.settings(study).values()
        for folder in digests.folders(setting)
    }
    for path in sorted(project.data.rglob("*")):
        if path.is_file() and path.suffix != ".parquet" and path.parent not in named:
            problems.append(Problem(project.named(path), "not a result", "remove it"))
    for id in store.results():
        where = project.named(store.path(id))
        try:
            recipe = store.load(id).recipe
            if store.content(id) != recipe.content:
                what = "its table was changed after it was measured"
                problems.append(Problem(where, what, f"run: {store.command(id)}"))
        except BuildError as error:
            problems += error.problems
            continue
        if not _is_known(store, id):
            what = f'nothing here measures "{id}" of study {id.study}'
            problems.append(Problem(where, what, "remove it: build-site gc --results"))
            continue
        graph.inputs_of(project, id)
        for name in recipe.inputs:
            if not store.path(id.input(name)).is_file():
                cure = f"run: {store.command(id.input(name))}"
                problems.append(Problem(where, f"its input {name} is gone", cure))
    return problems


def collect(store: Store, *, results: bool) -> Iterator[str]:
    """Remove half-built sites, half-written files and, if asked, results that nothing can measure.

    Drawings that the post no longer uses go with every build.

    Yields a line for everything found.
    """
    project = store.project
    with alone(project, lambda _line: None):
        lost = recover(project)
    if lost:
        yield f"put back {project.named(project.site)}, which a build had taken away"
    for folder in [one for name in LEFT for one in project.cache.glob(f"{name}.*")]:
        if not _at_work(folder):
            remove(folder)
            yield f"removed {project.named(folder)}"
    for path in sorted(project.data.rglob(".*.tmp")):
        if _age(path) > OLD:
            path.unlink()
            yield f"removed {project.named(path)}"
    for id in store.results():
        if _is_known(store, id):
            continue
        where = project.named(store.path(id))
        if results:
            store.path(id).unlink()
            yield f"removed {where}"
        else:
            yield f"kept {where}, though nothing can measure it (remove with --results)"


def _is_known(store: Store, id: ResultId) -> bool:
    module = store.project.measurements().get(id.analysis)
    if module is None or id.study not in store.project.studies():
        return False
    return id.variant in signature(store.project.root, module, "run").variants


def _at_work(folder: Path) -> bool:
    """Whether the process that a folder is named after still runs, as far as one can tell."""
    number = folder.name.split(".")[1]
    if os.name != "posix" or not (number.isdecimal() and len(number) < 10):
        return _age(folder) < OLD
    try:
        os.kill(int(number), 0)  # asks, and sends nothing
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _age(path: Path) -> float:
    return time.time() - path.lstat().st_mtime
