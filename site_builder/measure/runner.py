"""Runs the measurements behind results: the only door from pages to models.

The lab is imported on demand, so that building from committed results needs no torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from site_builder.core import code_digest, digests
from site_builder.core.code_digest import Code
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import now
from site_builder.core.lab_installed import has_lab, lab_cure, of_lab
from site_builder.core.project import Project
from site_builder.core.workspace import alone
from site_builder.measure import raised
from site_builder.measure.checkpoints import Ledger
from site_builder.measure.opened import refused, watched
from site_builder.results.graph import inputs_of, with_inputs
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from analyses.lab.runtime.lab import Used
    from analyses.lab.runtime.shards import Errand, Note, SharedLab


def needs_lab(project: Project, id: ResultId) -> str:
    """How to get the lab, if a measurement needs it and it is not installed; else "".

    Without it runs what needs no model. What cannot be imported for another reason is run to tell.
    """
    if has_lab():
        return ""
    on_path(project.root)
    needed = "model" in project.settings(id.study)
    try:
        importlib.import_module(f"analyses.{id.analysis}")
    except ImportError as error:
        needed = of_lab(error)
    except Exception:
        needed = False
    return lab_cure(project) if needed else ""


def measure(
    store: Store,
    ids: Iterable[ResultId],
    is_due: Callable[[ResultId], bool],
    *,
    say: Callable[[str], None],
    quiet: bool = False,
) -> list[ResultId]:
    """Measure `ids` and what they read, inputs first, those for which `is_due` says so.

    `is_due` is asked when a result's inputs are up to date. Each result is saved as soon as it is
    there, so nothing finished is lost. Whoever else measures in the project is waited for. Returns
    what was measured; raises `BuildError`.
    """
    project = store.project
    labs: dict[str, SharedLab] = {}
    done = []
    with alone(project, say, "run"):
        for id in with_inputs(project, ids):
            if not is_due(id):
                continue
            if id.study not in labs:
                labs[id.study] = open_study(project, id.study, quiet=quiet)
            say(f"measuring {id} for {id.study}")
            task = Task.of(store, id)
            ledger = task.ledger(store)
            before = ledger.seconds
            measured = compute(
                labs[id.study], id.analysis, id.variant, task.tables, note=ledger.note
            )
            say(task.save(store, replace(measured, seconds=measured.seconds + before)))
            ledger.close()
            done.append(id)
    return done


def open_study(project: Project, study: str, *, quiet: bool) -> SharedLab:
    """The instruments of a study of the project; raises `BuildError` when there is none."""
    project.settings(study)
    return open_lab(project.root, study, quiet=quiet)


def open_lab(root: Path, study: str, *, quiet: bool) -> SharedLab:
    """The instruments of a study; raises `BuildError` when its file is faulty."""
    on_path(root)
    from analyses.lab.runtime.shards import SharedLab

    forget_spoiled(root, study)
    with raised.of_lab_as_problem():
        lab = cast(SharedLab, SharedLab.open(study, root=root, quiet=quiet))
    lab.reach = reached
    return lab


@cache
def reached(module: Path) -> str:
    """The digest of the code that a module of measurements reaches, wherever it stands."""
    places = (Path(place).absolute() for place in sys.path)
    root = next(place for place in places if module.is_relative_to(place))
    return code_digest.code((root, Path(__file__).resolve().parents[2]), module).meaning


def forget_spoiled(root: Path, study: str) -> None:
    """Forget numbers that were kept for a study, and are not what was written."""
    from analyses.lab.runtime import numbers

    for file in numbers.check(root, study):
        what = "not the numbers that were kept here; they are found anew"
        click.echo(f"{file.relative_to(root)}: {what}", err=True)


def on_path(root: Path) -> None:
    """Let a project's own measurements be imported, beside the engine's `analyses.lab`.

    Raises `BuildError` when a package called `analyses` hides them: ours is a namespace.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    spec = importlib.util.find_spec("analyses")
    if spec and spec.origin:
        what = f"a package of this name hides the project's: {spec.origin}"
        raise BuildError([Problem("analyses", what, "uninstall it, or remove its __init__.py")])


def _known(lab: SharedLab, used: Used) -> Iterator[str]:
    """The files of the project that a result knows of, and those of its model's folder."""
    yield from used.files
    settings = Project(lab.home).settings(lab.name)
    yield from digests.files(lab.home, {key: settings.get(key) for key in used.settings})
    if used.weights:
        home, folder = lab.home.resolve(), lab.model.weights.folder.resolve()
        if folder.is_relative_to(home):
            yield from (file.relative_to(home).as_posix() for file in folder.rglob("*"))


@dataclass(frozen=True)
class Measured:
    """A table, and what was read for it: settings, digests of weights and of raw files."""

    table: pa.Table
    settings: frozenset[str]
    weights: dict[str, str]
    made_with: dict[str, Any]
    seconds: float
    files: dict[str, str] = field(default_factory=dict)


def compute(
    lab: SharedLab,
    analysis: str,
    variant: str,
    tables: Iterable[pa.Table],
    *,
    errand: Errand | None = None,
    note: Note | None = None,
) -> Measured:
    """Measure on this machine, from the tables that the measurement reads; nothing is saved.

    Raises `BuildError` for what the measurement says is wrong, and `shards.Stopped` where the
    errand ends before the measurement does.
    """
    import pyarrow as pa

    from analyses.lab.runtime import numbers, shards

    where = f"analyses/{analysis}.py"
    lab.errand, lab.note = errand or shards.Errand(), note
    lab.begin()
    start = time.perf_counter()
    try:
        with (
            raised.of_measurement_as_problem(lab.home, analysis, variant),
            warnings.catch_warnings(),
            watched(lab.home) as opened,
        ):
            # Until transformers 5.40 both names of a model's cache are understood.
            warnings.filterwarnings("ignore", "`past_key_values` is deprecated", FutureWarning)
            module: Any = importlib.import_module(f"analyses.{analysis}")
            table = module.run(lab, *tables, **({"variant": variant} if variant else {}))
    finally:
        numbers.sign(lab.root, lab.name)
    used = lab.used()
    problems = refused(opened.difference(_known(lab, used)), where)
    if not isinstance(table, pa.Table):
        what = f"run() returned {type(table).__name__}"
        problems.append(Problem(where, what, "return a pyarrow Table"))
    if problems:
        raise BuildError(problems)
    made_with = dict(used.made_with)
    if lab.turns:
        made_with["shards"] = sum(lab.turns.values())
    seconds = time.perf_counter() - start
    return Measured(table, used.settings, used.weights, made_with, seconds, used.files)


@dataclass(frozen=True)
class Task:
    """One result to measure: the code and the tables that it is measured from, as they were."""

    id: ResultId
    code: Code
    inputs: dict[str, str]
    tables: list[pa.Table]

    @classmethod
    def of(cls, store: Store, id: ResultId) -> Task:
        """What `id` is measured from now."""
        inputs = inputs_of(store.project, id)
        contents = {str(i): store.content(i) for i in inputs}
        tables = [store.load(i).table for i in inputs]
        return cls(id, store.current.code(id.analysis), contents, tables)

    def ledger(self, store: Store) -> Ledger:
        """Which of its turns were made by a run that did not come to its end."""
        return Ledger.of(store, self.id, self.code, self.inputs)

    def save(self, store: Store, measured: Measured) -> str:
        """Put the result on the shelf; returns what there is to say of it."""
        id = self.id
        settings = store.current.settings(id.study)
        named = store.current.named(id.study, measured.settings)
        recipe = Recipe(
            study=id.study,
            analysis=id.analysis,
            variant=id.variant,
            meaning=self.code.meaning,
            code=self.code.files,
            settings={name: settings.get(name) for name in sorted(measured.settings)},
            weights=measured.weights | named,
            files=measured.files,
            inputs=self.inputs,
            labels=labels(measured.table),
            made_with=measured.made_with,
            made_at=now(),
            seconds=round(measured.seconds, 3),
        )
        store.save(id, measured.table, recipe)
        size = store.path(id).stat().st_size / 1e3
        return f"measured {id} in {measured.seconds:.1f} s, {size:.0f} kB"


def labels(table: Any) -> dict[str, Any]:
    """What a table says of itself: n, interval, units, note."""
    import json

    written = (table.schema.metadata or {}).get(b"labels", b"{}")
    return dict(json.loads(written))
