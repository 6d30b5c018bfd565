"""What a measurement raised, as one line: at the line of the project's code where it happened."""

from __future__ import annotations

import traceback
from pathlib import Path

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import write_aside

FILE = Path(".cache", "traceback.txt")
"""Where the traceback is kept, below the project's folder."""


def in_a_line(error: Exception, root: Path, analysis: str, variant: str) -> BuildError:
    """The error in a line; its traceback is written aside."""
    write_aside(root / FILE, "".join(traceback.format_exception(error)).encode())
    where = f"analyses/{analysis}.py"
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(root / "analyses"):
            where = f"{path.relative_to(root).as_posix()}:{frame.lineno}"
    named = f"{analysis} {variant}".rstrip()
    what = f'"{named}" raised {type(error).__name__}: {error}'
    return BuildError([Problem(where, what, f"mend it; its traceback is in {FILE.as_posix()}")])
