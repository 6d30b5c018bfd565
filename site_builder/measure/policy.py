"""Which results a build measures without being asked for them by name."""

from __future__ import annotations

from site_builder.core.errors import BuildError, Problem
from site_builder.measure.runner import needs_lab
from site_builder.results.reasons import State
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

RUNS: dict[str, tuple[State, ...]] = {
    "never": (),
    "missing": ("missing",),
    "stale": ("missing", "stale"),
}
"""The states of results that are measured without being asked for, by `--run`."""


def needs(store: Store, id: ResultId, *, stale: bool) -> bool:
    """Whether a result has to be measured: it is missing, unusable, or (if asked) stale."""
    if not store.path(id).is_file():
        return True
    try:
        return bool(store.why_stale(id)) if stale else False
    except BuildError:
        return True


def missing(store: Store, id: ResultId, where: str) -> Problem:
    """That what stands at `where` has no result, and what measures it."""
    lab = needs_lab(store.project, id)
    return Problem(
        where, f'no result for "{id}"', f"run: {store.command(id)}" + f" ({lab})" * bool(lab)
    )
