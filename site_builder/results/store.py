"""Results on their shelf: one Parquet file each, with the recipe that made it in the footer.

A recipe says what the table depends on (code, settings, weights, inputs), so that a result can be
asked why it is stale; and what it was made with, which is told but does not count. Its `content`
is the digest of the file's bytes between the magic number and the footer: the table as stored. So
an edited table is seen, and a measurement that comes out the same makes nothing behind it stale.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core import code_digest, digests
from site_builder.core.code_digest import Code
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.results import differences, parquet
from site_builder.results.reasons import Reason
from site_builder.results.recipe import Recipe, Result, ResultId, parsed, sealed

if TYPE_CHECKING:
    import pyarrow as pa


class Store:
    """The shelf `data/`, and what is wrong with what stands on it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._paths: dict[ResultId, Path] = {}
        self._whys: dict[ResultId, list[Reason]] = {}
        self._codes: dict[str, Code] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._named: dict[tuple[str, ...], dict[str, str]] = {}
        self._models: dict[str, dict[str, str]] = {}

    def path(self, id: ResultId) -> Path:
        """The file of a result, there or not."""
        if id not in self._paths:
            folder = self.project.data / id.study
            name = f"{id.analysis}/{id.variant}" if id.variant else id.analysis
            self._paths[id] = folder / f"{name}.parquet"
        return self._paths[id]

    def command(self, id: ResultId) -> str:
        """What measures a result; another study than the post's own has to be named."""
        study = "" if id.study == self.project.study else f" --study {id.study}"
        return f"build-site run {id}{study}"

    def results(self) -> list[ResultId]:
        """Every result that has a file."""
        ids = []
        for path in below(self.project.data, ".parquet"):
            parts = path.relative_to(self.project.data).with_suffix("").parts
            if 2 <= len(parts) <= 3:
                ids.append(ResultId(*parts))
        return ids

    def save(self, id: ResultId, table: pa.Table, made: Recipe) -> Recipe:
        """Write a result aside, then rename; returns the recipe with its content's digest.

        Raises `BuildError` for a recipe that could not be read again.
        """
        data = parquet.packed(table)
        made = Recipe(**asdict(made) | {"content": parquet.content(data)})
        text = sealed(made)
        if wrong := parsed(text)[1]:
            raise BuildError(self._spoiled(id, why) for why in wrong)
        path = self.path(id)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with aside.open("wb") as file:
                file.write(parquet.packed(table, text))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        self.project.memory.changed(path)
        self.forget()
        return made

    def forget(self) -> None:
        """Look at the files again: one of them has changed."""
        self._whys.clear()
        self._codes.clear()
        self._settings.clear()
        self._named.clear()
        self._models.clear()

    def load(self, id: ResultId) -> Result:
        """A result with its table.

        Raises `BuildError` when it is missing, not Parquet, cut short, or without a recipe.
        """
        made = self.recipe(id)
        try:
            return Result(id, parquet.table(self.path(id)), made)
        except parquet.UnreadableError as error:
            raise BuildError([self._spoiled(id, str(error))]) from None

    def recipe(self, id: ResultId) -> Recipe:
        """A result's recipe, without its table; from the cache when the file is as it was."""
        path = self.path(id)
        if not path.is_file():
            raise BuildError([self.missing(id)])
        body = self.project.memory.read(f"recipe {path}", lambda: (self._body(id), [path]))
        return Recipe(**body)

    def content(self, id: ResultId) -> str:
        """The digest of the table that is on the shelf; raises `BuildError` if there is none."""
        path = self.path(id)
        memory = self.project.memory
        try:
            return memory.read(
                f"content {path}", lambda: (parquet.content(path.read_bytes()), [path])
            )
        except FileNotFoundError:
            raise BuildError([self.missing(id)]) from None

    def missing(self, id: ResultId) -> Problem:
        """That there is no such result, and how to get it."""
        return Problem(f"data/{id.study}", f'no result for "{id}"', f"run: {self.command(id)}")

    def why_stale(self, id: ResultId) -> list[Reason]:
        """Reasons not to trust a result; empty means fresh.

        Raises `BuildError` when there is no result or it cannot be read.
        """
        if id not in self._whys:
            self._whys[id] = []  # a circle of inputs ends here
            self._whys[id] = self._reasons(id, self.recipe(id))
        return self._whys[id]

    def current_code(self, analysis: str) -> Code:
        """A measurement's code as it is now; of one that there is not, none."""
        if analysis not in self._codes:
            module = self.project.measurements().get(analysis)
            code = code_digest.remembered(self.project, module, "run") if module else Code("", {})
            self._codes[analysis] = code
        return self._codes[analysis]

    def current_settings(self, study: str) -> dict[str, Any]:
        """A study's file as it is now."""
        if study not in self._settings:
            self._settings[study] = self.project.settings(study)
        return self._settings[study]

    def current_named(self, study: str, keys: Iterable[str]) -> dict[str, str]:
        """The digests of the files in folders that these settings name, as they are now."""
        settings = self.current_settings(study)
        naming = sorted(key for key in keys if any(digests.folders(settings.get(key))))
        about = (study, *naming)
        if about not in self._named:
            named, read = {key: settings[key] for key in naming}, self.project.memory.digest
            self._named[about] = digests.of_files(self.project.root, named, read)
        return self._named[about]

    def current_model(self, study: str) -> dict[str, str]:
        """The digests of the study's model as it is now, by file, if it is in a folder here."""
        if study not in self._models:
            settings, read = self.current_settings(study), self.project.memory.digest
            self._models[study] = digests.model(self.project.root, settings, read)
        return self._models[study]

    def current_files(self, made: Recipe) -> dict[str, str]:
        """The digests of a recipe's raw files as they are now; one that is gone has none."""
        paths = {name: self.project.root / name for name in made.files}
        read = self.project.memory.digest
        return {name: read(path) for name, path in paths.items() if path.is_file()}

    def _reasons(self, id: ResultId, recipe: Recipe) -> list[Reason]:
        reasons = []
        if (recipe.study, recipe.analysis, recipe.variant) != (id.study, id.analysis, id.variant):
            measured_as = f"{recipe.study} {recipe.analysis} {recipe.variant}".rstrip()
            reasons.append(Reason("name", measured_as))
        if self.content(id) != recipe.content:
            reasons.append(Reason("table"))
        if recipe.meaning:  # what was recorded elsewhere depends on no code of ours
            now = self.current_code(id.analysis)
            if now.meaning != recipe.meaning:
                reasons += differences.code(recipe.code, now.files)
        reasons += differences.settings(recipe.settings, self.current_settings(id.study))
        model, known = differences.weights(recipe.weights)
        # A model that came from elsewhere is not that of a folder, whatever it holds.
        if model and model.keys() & (folder := self.current_model(id.study)).keys():
            reasons += differences.files(model, folder)
        reasons += differences.files(known, self.current_named(id.study, recipe.settings))
        raw = self.current_files(recipe)
        reasons += [Reason("file gone", name) for name in recipe.files if name not in raw]
        reasons += differences.files({name: recipe.files[name] for name in raw}, raw)
        for name, before in recipe.inputs.items():
            input_id = id.input(name)
            if not self.path(input_id).is_file():
                reasons.append(Reason("input gone", name))
            elif self.content(input_id) != before:
                reasons.append(Reason("input changed", name))
            elif self.why_stale(input_id):
                reasons.append(Reason("input stale", name))
            elif differences.other_model(recipe.weights, self.recipe(input_id).weights):
                reasons.append(Reason("input weights", name))
        return reasons

    def _body(self, id: ResultId) -> dict[str, Any]:
        try:
            text = parquet.recipe_text(self.path(id))
        except parquet.UnreadableError as error:
            raise BuildError([self._spoiled(id, str(error))]) from None
        body, wrong = parsed(text)
        if wrong:
            raise BuildError(self._spoiled(id, why) for why in wrong)
        return body

    def _spoiled(self, id: ResultId, why: str) -> Problem:
        where = self.project.named(self.path(id))
        return Problem(where, f"cannot be used: {why}", f"run: {self.command(id)}")
