"""Reads a study's file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Group, Study
from analyses.lab.core.study_checks import senseless
from analyses.lab.core.toml import build, nearest

FOLDER = Path("analyses", "studies")


def study_names(root: Path) -> list[str]:
    """Names of the studies of the project at `root`."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def load_study(name: str, *, root: Path, note: Callable[[str], None] | None = None) -> Study:
    """Read `analyses/studies/NAME.toml`; `note` is told every dotted key that is read later.

    Raises:
        LabError: no such study, broken TOML, or unknown, missing, ill-typed or senseless keys,
            all of them in one message.
    """
    where = f"{(FOLDER / f'{name}.toml').as_posix()}"
    try:
        text = (root / FOLDER / f"{name}.toml").read_text("utf-8")
    except OSError:
        raise LabError(where, "no such study", nearest(name, study_names(root))) from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabError(where, f"broken TOML: {error}", "mend the file") from None
    problems: list[str] = []
    study = build(Study, raw, problems, free=True)
    if not problems:
        problems = senseless(study)
    if problems:
        raise LabError(where, "; ".join(problems), "mend the file")
    _listen(study, "", note or (lambda _key: None))
    object.__setattr__(study, "_where", where)
    object.__setattr__(study, "_tree", raw)
    return study  # type: ignore[no-any-return]


def _listen(group: Group, prefix: str, note: Callable[[str], None]) -> None:
    object.__setattr__(group, "_prefix", prefix)
    object.__setattr__(group, "_note", note)
    for name, value in list(vars(group).items()):
        if isinstance(value, Group):
            _listen(value, f"{prefix}{name}.", note)
