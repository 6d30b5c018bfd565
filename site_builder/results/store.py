"""Results on their shelf: one Parquet file each, with the recipe that made it in the footer.

A recipe says what the table depends on (code, settings, weights, inputs), so that a result can be
asked why it is stale; and what it was made with, which is told but does not count. Its `content`
is the digest of the file's bytes between the magic number and the footer: the table as stored. So
an edited table is seen, and a measurement that comes out the same makes nothing behind it stale.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.results import freshness, parquet
from site_builder.results.current import Current
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
        self.current = Current(project)

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
        self.current = Current(self.project)

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
            self._whys[id] = freshness.reasons(self, id)
        return self._whys[id]

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
