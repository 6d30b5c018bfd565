"""What the lab or a measurement raised, as problems of a line each."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import write_aside
from site_builder.core.lab_installed import OF_LAB, lab_cure, of_lab
from site_builder.core.project import Project

FILE = Path(".cache", "traceback.txt")
"""Where the traceback is kept, below the project's folder."""


@contextmanager
def of_lab_as_problem() -> Iterator[None]:
    """Inside, what the lab refuses is a `BuildError`."""
    from analyses.lab.core.errors import LabError

    try:
        yield
    except LabError as error:
        raise BuildError([Problem(error.where, error.what, error.cure)]) from None


@contextmanager
def of_measurement_as_problem(root: Path, analysis: str, variant: str = "") -> Iterator[None]:
    """Inside, whatever a project's measurement raises is a `BuildError`.

    What passes: `shards.Stopped`, which says that nothing is wrong, and an import that fails in
    the engine itself, which is a fault of ours.
    """
    from analyses.lab.runtime.shards import Stopped

    try:
        with of_lab_as_problem():
            yield
    except (BuildError, Stopped):
        raise
    except Exception as error:
        if isinstance(error, ImportError):
            if not of_lab(error):
                raise
            raise _uninstalled(root, analysis, error) from error
        raise _in_a_line(error, root, analysis, variant) from error


def _uninstalled(root: Path, analysis: str, error: ImportError) -> BuildError:
    """What is said when a measurement imports a package that is not there."""
    what = f"it needs {error.name}, which is not installed"
    top = (error.name or "").partition(".")[0]
    cure = lab_cure(Project(root)) if top in OF_LAB else f"pip install {top}"
    return BuildError([Problem(f"analyses/{analysis}.py", what, cure)])


def _in_a_line(error: Exception, root: Path, analysis: str, variant: str) -> BuildError:
    """The error, at the line of the project's code that raised it; its traceback is written."""
    write_aside(root / FILE, "".join(traceback.format_exception(error)).encode())
    where = f"analyses/{analysis}.py"
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(root / "analyses"):
            where = f"{path.relative_to(root).as_posix()}:{frame.lineno}"
    named = f"{analysis} {variant}".rstrip()
    what = f'"{named}" raised {type(error).__name__}: {error}'
    return BuildError([Problem(where, what, f"mend it; its traceback is in {FILE.as_posix()}")])
