"""Whether a result is what its code, settings, files, weights and inputs would give today.

Each of them is held against what the recipe says of it; what differs is a reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from site_builder.results import differences
from site_builder.results.current import Current
from site_builder.results.reasons import Reason
from site_builder.results.recipe import Recipe, ResultId


class Shelf(Protocol):
    """What freshness asks of a store."""

    @property
    def current(self) -> Current:
        """The project's state."""

    def path(self, id: ResultId) -> Path:
        """The file of a result, there or not."""

    def content(self, id: ResultId) -> str:
        """The digest of its table."""

    def recipe(self, id: ResultId) -> Recipe:
        """What it was made of."""

    def why_stale(self, id: ResultId) -> list[Reason]:
        """Reasons not to trust it, remembered."""


def reasons(store: Shelf, id: ResultId) -> list[Reason]:
    """Reasons not to trust a result; empty means fresh.

    Raises `BuildError` when there is no result or it cannot be read.
    """
    recipe, current = store.recipe(id), store.current
    reasons = []
    if (recipe.study, recipe.analysis, recipe.variant) != (id.study, id.analysis, id.variant):
        measured_as = f"{recipe.study} {recipe.analysis} {recipe.variant}".rstrip()
        reasons.append(Reason("name", measured_as))
    if store.content(id) != recipe.content:
        reasons.append(Reason("table"))
    if recipe.meaning:  # what was recorded elsewhere depends on no code of ours
        now = current.code(id.analysis)
        if now.meaning != recipe.meaning:
            reasons += differences.code(recipe.code, now.files)
    reasons += differences.settings(recipe.settings, current.settings(id.study))
    model, known = differences.weights(recipe.weights)
    # A model that came from elsewhere is not that of a folder, whatever it holds.
    if model and model.keys() & (folder := current.model(id.study)).keys():
        reasons += differences.files(model, folder)
    reasons += differences.files(known, current.named(id.study, recipe.settings))
    raw = current.files(recipe)
    reasons += [Reason("file gone", name) for name in recipe.files if name not in raw]
    reasons += differences.files({name: recipe.files[name] for name in raw}, raw)
    for name, before in recipe.inputs.items():
        input_id = id.input(name)
        if not store.path(input_id).is_file():
            reasons.append(Reason("input gone", name))
        elif store.content(input_id) != before:
            reasons.append(Reason("input changed", name))
        elif store.why_stale(input_id):
            reasons.append(Reason("input stale", name))
        elif differences.other_model(recipe.weights, store.recipe(input_id).weights):
            reasons.append(Reason("input weights", name))
    return reasons
