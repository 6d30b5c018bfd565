"""Numbers that are kept: found once, at once on the disk, and never read for anything else."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from analyses.lab.kept import FOLDER, kept


def lab(root: Path, digest: str = "one") -> SimpleNamespace:
    weights = SimpleNamespace(digests={"model": digest})
    return SimpleNamespace(root=root, name="toy", model=SimpleNamespace(weights=weights))


def instrument(root: Path, text: str = "X = 1") -> ModuleType:
    path = root / "instrument.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location("instrument", path)
    assert spec
    return importlib.util.module_from_spec(spec)


def test_a_number_is_found_once_and_is_there_as_soon_as_it_is_found(tmp_path: Path) -> None:
    code, found = instrument(tmp_path), []
    for _ in range(2):
        number = kept(lab(tmp_path), "a", [code], lambda: found.append(1) or np.arange(3.0))
        assert number.tolist() == [0, 1, 2]
        (file,) = (tmp_path / FOLDER / "toy").iterdir()
        assert np.load(file).tolist() == [0, 1, 2]
    assert found == [1]


@pytest.mark.parametrize("other", ["what it is about", "weights", "code"])
def test_it_is_named_by_all_that_it_depends_on(tmp_path: Path, other: str) -> None:
    kept(lab(tmp_path), "a", [instrument(tmp_path)], lambda: np.zeros(1))
    about = "b" if other == "what it is about" else "a"
    weights = "two" if other == "weights" else "one"
    code = instrument(tmp_path, "X = 2" if other == "code" else "X = 1")
    assert kept(lab(tmp_path, weights), about, [code], lambda: np.ones(1)).tolist() == [1]
    assert len([*(tmp_path / FOLDER / "toy").iterdir()]) == 2
