"""A study, opened: its settings, its model, and a note of what a measurement used of them."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Study
from analyses.lab.core.study_file import load_study
from analyses.lab.core.toml import nearest

if TYPE_CHECKING:
    from analyses.lab.model.model import Model

T = TypeVar("T")
RAW = "raw"
LIBRARIES = ("torch", "transformers", "transformer_lens", "numpy", "scipy", "pyarrow")
"""Those of them that are installed are told in the recipe, by their versions."""

PATIENCE = 1.0  # seconds before progress is worth showing
QUIET_PERIOD = 10.0  # seconds between lines where there is no terminal


@dataclass(frozen=True)
class Used:
    """What a measurement read: all but `made_with` is part of its key.

    Attributes:
        settings: dotted keys of the study's file.
        weights: name → SHA-256 of the model's files, empty if the model was not touched.
        files: name below the project's root → SHA-256 of the raw files that it opened.
        made_with: versions, machine, device.
    """

    settings: frozenset[str]
    weights: dict[str, str]
    files: dict[str, str]
    made_with: dict[str, object]


class Lab:
    """The instruments of one study. Open it with `Lab.open`.

    Attributes:
        home: the project's folder, below which its raw files are.
    """

    def __init__(self, study: Study, *, name: str, root: Path, quiet: bool, read: set[str]) -> None:
        self.study = study
        self.name = name
        self.root = root
        self.home = root
        self.quiet = quiet
        self._read = read
        self._model: Model | None = None
        self._model_used = False
        self._files: dict[str, str] = {}

    @classmethod
    def open(cls, study_name: str, *, root: Path, quiet: bool = False) -> Lab:
        """Read the study's file; the model is opened when it is first asked for.

        Raises:
            LabError: no such study, or a faulty one.
        """
        read: set[str] = set()
        study = load_study(study_name, root=root, note=read.add)
        return cls(study, name=study_name, root=root, quiet=quiet, read=read)

    def begin(self) -> None:
        """Forget what was used so far."""
        self._read.clear()
        self._files.clear()
        self._model_used = False

    def code_of(self, module: Path) -> str:
        """A digest of the code that a module reaches; here, of all beside it and in the lab.

        `build-site` opens a lab that knows better: see `SharedLab`.
        """
        folders = (module.parent, Path(__file__).parents[1])
        files = {file for folder in folders for file in folder.rglob("*.py")}
        digest = hashlib.sha256()
        for file in sorted(files):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def used(self) -> Used:
        """What was read since `begin`."""
        made_with: dict[str, object] = {
            "python": platform.python_version(),
            "machine": platform.machine(),
        }
        for library in LIBRARIES:
            with suppress(PackageNotFoundError):
                made_with[library] = version(library)
        weights: dict[str, str] = {}
        if self._model_used and self._model:
            weights = dict(self._model.weights.digests)
            made_with |= {"device": self._model.device, "threads": self._threads()}
        return Used(frozenset(self._read), weights, dict(self._files), made_with)

    @property
    def model(self) -> Model:
        """The model of the study, opened on first use.

        Raises:
            LabError: no weights, wrong ones, or a bridge that computes something else.
        """
        source = self.study.model
        keys = ("repo", "device", "dtype", "folder", "wheel", "builtin")
        _ = [getattr(source, key) for key in keys]  # whoever uses the model depends on all of them
        if self._model is None:
            prepare_process()
            from analyses.lab.model.model import open_model
            from analyses.lab.model.weights import find_weights

            self._model = open_model(self.study, find_weights(source, root=self.root))
        self._model_used = True
        return self._model

    def file(self, name: str) -> Path:
        """A raw file by its path in the project, "raw/counts.csv"; the result depends on it.

        Raises:
            LabError: no such file, or it is not in the folder `raw`, which every build looks at.
        """
        home = self.home.resolve()
        path = (home / name).resolve()
        if not path.is_relative_to(home / RAW):
            raise LabError(name, f"it is not in the project's folder {RAW}", "copy it there")
        if not path.is_file():
            known = [f"{RAW}/{one.name}" for one in sorted((home / RAW).glob("*"))]
            raise LabError(name, "no such file", nearest(name, known))
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        self._files[path.relative_to(home).as_posix()] = digest
        return path

    def progress(self, things: Iterable[T], *, total: int, label: str) -> Iterator[T]:
        """Pass `things` on, with a bar on a terminal, or a line now and then in a log."""
        begun = shown = time.monotonic()
        terminal = sys.stderr.isatty()
        done = 0
        for done, thing in enumerate(things, 1):
            yield thing
            now = time.monotonic()
            pause = 0.1 if terminal else QUIET_PERIOD
            if not self.quiet and now - begun > PATIENCE and now - shown > pause:
                shown = now
                left = (now - begun) / done * (total - done)
                line = f"{label}: {done} of {total}, {now - begun:.0f} s, about {left:.0f} s left"
                print(
                    f"\r\033[K{line}" if terminal else line,
                    end="" if terminal else "\n",
                    file=sys.stderr,
                    flush=True,
                )
        if terminal and shown > begun:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def shared(self, things: Sequence[T], *, label: str) -> Iterator[T]:
        """As `progress`, of a loop whose turns may be made by anybody, in any order.

        They do not need one another and keep all that they find (`kept`): so whoever has made some
        of them, anywhere, saves the measurement these turns.
        """
        yield from self.progress(things, total=len(things), label=label)

    def _threads(self) -> int:
        import torch

        return torch.get_num_threads()


def prepare_process() -> None:
    """Settings of this process that must stand before torch is imported.

    OpenMP's waiting threads sleep by default, which costs up to ten times on small matrices.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000000")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
