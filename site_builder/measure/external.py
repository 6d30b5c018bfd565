"""Results that were measured elsewhere, read into a study.

A measurement that has `read_external(lab, file, *, option=default, …)` beside its `run` reads them:
it returns the table that `run` would, or raises `LabError` where the file is faulty.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

from site_builder.core import digests
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.files import now
from site_builder.core.project import Project
from site_builder.core.signatures import signature
from site_builder.measure import raised
from site_builder.measure.runner import labels, open_study
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store

READS = "read_external"
KINDS = ("Path", "str", "int", "float", "bool")
"""Of options, as they are annotated; each may be None as well."""

RESERVED = ("file", "analysis", "study", "replace", "help")


def readers(project: Project) -> dict[str, Path]:
    """The measurements whose results can be read from elsewhere, and their modules."""
    return {
        name: path
        for name, path in project.measurements().items()
        if f"\ndef {READS}(" in path.read_text("utf-8")
    }


def options(project: Project, path: Path) -> dict[str, str]:
    """The options that a measurement takes to read a file, each with its kind.

    Raises `BuildError` for those that no command line can give.
    """
    taken = signature(project.root, path, READS)
    kinds = {name: kind.removesuffix(" | None") for name, kind in taken.options.items()}
    where = project.named(path)
    wrong = [
        Problem(where, f"{READS}: {name} is a {kind}", f"make it one of: {', '.join(KINDS)}")
        for name, kind in kinds.items()
        if kind not in KINDS
    ]
    wrong += [
        Problem(where, f"{READS}: every import has an option {name}", "call it something else")
        for name in kinds
        if name in RESERVED
    ]
    if "" not in taken.variants:
        what = f"{READS} of a measurement that has variants"
        wrong.append(Problem(where, what, "let one without variants read the file"))
    if wrong:
        raise BuildError(wrong)
    return kinds


def chosen(project: Project, analysis: str) -> str:
    """The measurement that reads a file: the one that is named, or the only one that can."""
    known = readers(project)
    if analysis in known:
        return analysis
    if not analysis and len(known) == 1:
        return next(iter(known))
    cure = nearest(analysis, known) if known else f"add def {READS}(lab, file) to one"
    if not analysis:
        what = f"{'several measurements read' if known else 'no measurement reads'} such a file"
        cure = f"name one: {', '.join(sorted(known))}" if known else cure
    elif analysis in project.measurements():
        what = f"{analysis} reads no results from elsewhere"
    else:
        what = f'no measurement "{analysis}"'
    raise BuildError([Problem("analyses", what, cure)])


def record(
    store: Store, id: ResultId, file: Path, *, replace: bool = False, **options: Any
) -> Recipe:
    """Read a result that was measured elsewhere; nothing is written unless all of it is sound.

    The recipe has no code: it is the file that counts, whose digest it tells. A result that is
    there stays, unless it is to be replaced: raises `BuildError`.
    """
    if store.path(id).is_file() and not replace:
        what, cure = f"{id.study} has {id}", "name another --study, or say --replace"
        raise BuildError([Problem(store.project.named(store.path(id)), what, cure)])
    lab = open_study(store.project, id.study, quiet=True)
    import pyarrow as pa

    lab.begin()
    start = time.perf_counter()
    with raised.of_measurement_as_problem(lab.home, id.analysis):
        module: Any = importlib.import_module(f"analyses.{id.analysis}")
        table = getattr(module, READS)(lab, file, **options)
        digest = digests.sha256_file(file)
    if not isinstance(table, pa.Table):
        what = f"{READS}() returned {type(table).__name__}"
        where = f"analyses/{id.analysis}.py"
        raise BuildError([Problem(where, what, "return a pyarrow Table")])
    settings, used = store.current.settings(id.study), lab.used()
    named = store.current.named(id.study, used.settings)
    recipe = Recipe(
        study=id.study,
        analysis=id.analysis,
        variant="",
        meaning="",
        code={},
        settings={name: settings.get(name) for name in sorted(used.settings)},
        weights=used.weights | named,
        files=used.files,
        inputs={},
        labels=labels(table),
        made_with={"recorded": file.name, "sha256": digest},
        made_at=now(),
        seconds=round(time.perf_counter() - start, 3),
    )
    store.save(id, table, recipe)
    return recipe
