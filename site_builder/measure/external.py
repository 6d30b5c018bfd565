"""Results that were measured elsewhere, read into a study."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from site_builder.core import digests
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import now
from site_builder.measure.runner import labels, open_study
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store

RECORDED = "list_samples"
"""The result that lists which were sampled elsewhere become."""


def record(
    store: Store, study: str, file: Path, *, replace: bool = False, **origin: Any
) -> ResultId:
    """Read lists that were sampled elsewhere into a study; nothing is written unless all are sound.

    The recipe has no code: it is the file that counts, whose digest it tells. Lists that are there
    stay, unless they are to be replaced: raises `BuildError`.
    """
    id = ResultId(study, RECORDED)
    if store.path(id).is_file() and not replace:
        what, cure = f"{study} has lists", "name another --study, or say --replace"
        raise BuildError([Problem(store.project.named(store.path(id)), what, cure)])
    lab = open_study(store.project, study, quiet=True)
    from analyses.instruments.recorded import Origin, read
    from analyses.lab.core.errors import LabError

    lab.begin()
    start = time.perf_counter()
    try:
        table = read(file, lab.study, Origin(**origin))
        digest = digests.sha256_file(file)
    except LabError as error:
        raise BuildError([Problem(error.where, error.what, error.cure)]) from None
    settings = store.current_settings(study)
    recipe = Recipe(
        study=study,
        analysis=RECORDED,
        variant="",
        meaning="",
        code={},
        settings={name: settings.get(name) for name in sorted(lab.used().settings)},
        weights={},
        inputs={},
        labels=labels(table),
        made_with={"recorded": file.name, "sha256": digest},
        made_at=now(),
        seconds=round(time.perf_counter() - start, 3),
    )
    store.save(id, table, recipe)
    return id
