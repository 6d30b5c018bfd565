"""What the lab says of a model, before a study of it is begun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from site_builder.core.environment import MODEL_VARIABLE
from site_builder.core.errors import BuildError, Problem
from site_builder.core.lab_installed import has_lab, lab_cure
from site_builder.core.project import Project
from site_builder.measure import raised
from site_builder.measure.runner import open_study


def report(project: Project, study: str, folder: str) -> Iterator[str]:
    """Line by line, what can be measured on the model of a folder with a study's prompts.

    Raises `BuildError` when the model cannot be opened, or the lab is not installed.
    """
    with _opening(project, folder):
        from analyses.lab.runtime.model_report import report as lines

        yield from lines(open_study(project, study, quiet=True))


def changes(project: Project, study: str, folder: str) -> dict[str, str]:
    """What [prompt] has to say for the model of a folder, where the study says something else.

    Raises `BuildError` as `report` does.
    """
    with _opening(project, folder):
        from analyses.lab.runtime.model_report import changes as found

        return found(open_study(project, study, quiet=True))


@contextmanager
def _opening(project: Project, folder: str) -> Iterator[None]:
    """Inside, studies have the model of a folder, and what the lab refuses is one line."""
    if not has_lab():
        raise BuildError([Problem(folder, "to open a model needs the lab", lab_cure(project))])
    before = os.environ.get(MODEL_VARIABLE)
    os.environ[MODEL_VARIABLE] = str(Path(folder).expanduser().absolute())
    try:
        with raised.of_lab_as_problem():
            yield
    finally:
        if before is None:
            del os.environ[MODEL_VARIABLE]
        else:
            os.environ[MODEL_VARIABLE] = before
