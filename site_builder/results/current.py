"""What results depend on, as it is now: code, settings, files and models, each looked at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from site_builder.core import code_digest, digests
from site_builder.core.code_digest import Code
from site_builder.core.project import Project
from site_builder.results.recipe import Recipe


class Current:
    """The project's state, remembered for as long as nobody says that it has changed."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._codes: dict[str, Code] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._named: dict[tuple[str, ...], dict[str, str]] = {}
        self._models: dict[str, dict[str, str]] = {}

    def code(self, analysis: str) -> Code:
        """A measurement's code as it is now; of one that there is not, none."""
        if analysis not in self._codes:
            module = self.project.measurements().get(analysis)
            code = code_digest.remembered(self.project, module, "run") if module else Code("", {})
            self._codes[analysis] = code
        return self._codes[analysis]

    def settings(self, study: str) -> dict[str, Any]:
        """A study's file as it is now."""
        if study not in self._settings:
            self._settings[study] = self.project.settings(study)
        return self._settings[study]

    def named(self, study: str, keys: Iterable[str]) -> dict[str, str]:
        """The digests of the files in folders that these settings name, as they are now."""
        settings = self.settings(study)
        naming = sorted(key for key in keys if any(digests.folders(settings.get(key))))
        about = (study, *naming)
        if about not in self._named:
            named, read = {key: settings[key] for key in naming}, self.project.memory.digest
            self._named[about] = digests.of_files(self.project.root, named, read)
        return self._named[about]

    def model(self, study: str) -> dict[str, str]:
        """The digests of the study's model as it is now, by file, if it is in a folder here."""
        if study not in self._models:
            settings, read = self.settings(study), self.project.memory.digest
            self._models[study] = digests.model(self.project.root, settings, read)
        return self._models[study]

    def files(self, made: Recipe) -> dict[str, str]:
        """The digests of a recipe's raw files as they are now; one that is gone has none."""
        paths = {name: self.project.root / name for name in made.files}
        read = self.project.memory.digest
        return {name: read(path) for name, path in paths.items() if path.is_file()}
