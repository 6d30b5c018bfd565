"""Numbers that are kept: found once, at once on the disk, and never read for anything else."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analyses.lab.runtime.cached_arrays import FOLDER
from site_builder.core.code_digest import code


def lab(
    root: Path, digest: str = "one", device: str = "cpu", dtype: str = "torch.float32"
) -> SimpleNamespace:
    """A lab that knows code as `build-site run` does."""
    weights = SimpleNamespace(digests={"model": digest})
    model = SimpleNamespace(weights=weights, device=device, dtype=dtype)
    known = lambda module: code([root], module).meaning  # noqa: E731
    return SimpleNamespace(root=root, name="toy", model=model, code_of=known)


CALLER = """
from analyses.lab.runtime.cached_arrays import kept
from parts import size


def ask(lab, about="a"):
    return kept(lab, about, lambda: size(lab))


def layout(found):
    return found[0]
"""
PARTS = """
import numpy as np


def size(lab):
    lab.made = 1
    return np.arange(3.0)


def other():
    return 1
"""


def caller(root: Path, text: str = CALLER, parts: str = PARTS) -> Callable[..., np.ndarray]:
    """`ask` of a module that asks for a number."""
    for name, written in (("parts", parts), ("caller", text)):
        (root / f"{name}.py").write_text(written, "utf-8")
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        return importlib.import_module("caller").ask


def made(root: Path, ask: Callable[..., np.ndarray], *args: str, **about: str) -> bool:
    """Whether the number had to be made."""
    opened = lab(root, **about)
    assert ask(opened, *args).tolist() == [0, 1, 2]
    return hasattr(opened, "made")


def test_a_number_is_found_once_and_is_there_as_soon_as_it_is_found(tmp_path: Path) -> None:
    ask = caller(tmp_path)
    assert made(tmp_path, ask)
    (file,) = (tmp_path / FOLDER / "toy").iterdir()
    assert np.load(file).tolist() == [0, 1, 2]
    assert not made(tmp_path, ask)


def test_it_is_named_by_what_it_is_about_and_all_of_the_model(tmp_path: Path) -> None:
    ask = caller(tmp_path)
    assert made(tmp_path, ask)
    assert made(tmp_path, ask, "b")
    assert made(tmp_path, ask, digest="two")
    assert made(tmp_path, ask, device="cuda")
    assert made(tmp_path, ask, dtype="torch.bfloat16")
    assert not made(tmp_path, ask)


@pytest.mark.parametrize(
    ("text", "parts", "anew"),
    [
        (CALLER, PARTS.replace("lab.made = 1", "lab.made = 2"), True),  # what makes it
        (CALLER.replace("found[0]", "found[1]"), PARTS, True),  # who reads it, in the same module
        (CALLER + "\n# A word.\n", PARTS, False),
        (CALLER, PARTS.replace("return 1", "return 2"), False),  # nobody's
    ],
)
def test_an_edit_of_what_makes_or_reads_it_makes_it_anew(
    tmp_path: Path, text: str, parts: str, anew: bool
) -> None:
    assert made(tmp_path, caller(tmp_path))
    assert made(tmp_path, caller(tmp_path, text, parts)) is anew


def test_without_a_digest_of_code_all_that_lies_beside_a_module_counts(tmp_path: Path) -> None:
    from analyses.lab.runtime.lab import Lab

    plain = Lab.open("tiny", root=Path(__file__).parents[2], quiet=True)
    module = tmp_path / "module.py"
    module.write_text("A = 1\n", "utf-8")
    before = plain.code_of(module)
    assert plain.code_of(module) == before
    (tmp_path / "other.py").write_text("A = 2\n", "utf-8")
    assert plain.code_of(module) != before
