"""What all tests share: one thread per process, long files first, and the post, built once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import Phase, settings

from analyses.lab.runtime.lab import prepare_process
from site_builder.core.project import FOLDERS

REPO = Path(__file__).resolve().parents[1]

# Two test processes on two cores are faster than any number of threads that wait for each other,
# and sums of one thread are the same on every machine. Set before anything imports torch.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("LIST_STUDY_MODEL", None)  # the tests say themselves which model they mean
# A copy of the project runs as a user's does: its modules are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
prepare_process()

# For mutants: the same examples each time, and of one that fails no smallest one.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)

LONG = (
    "browser/test_page.py",
    "site_builder/test_cluster.py",
    "browser/test_reach.py",
    "browser/test_preview.py",
    "site_builder/test_contracts.py",
    "browser",
    "lab/test_patching.py",
    "site_builder/test_runner.py",
    "site_builder",
)
"""Files that take long, longest first: whoever is done early takes the short ones."""

WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {
            "torch", "transformer_lens", "sae_lens", "transformers", "numpy", "pandas", "scipy"
        }:
            raise ImportError(f"{name} must not be imported")
sys.meta_path.insert(0, Refuse())
"""
"""Python code that makes importing torch and its like an error."""

BUILD = "from site_builder.commands.main import main\nmain(['--run', 'never'])\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; the order within a file stays."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(REPO / "tests").as_posix()
        return next((n for n, start in enumerate(LONG) if path.startswith(start)), len(LONG))

    items.sort(key=place)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a text by what of it is plain, so that a command can ask for it by its name.

    Of other characters pytest makes escapes, and of these, when it is run again, as mutmut does,
    escapes once more.
    """
    if not isinstance(val, str):
        return None
    return "".join(c if c.isascii() and c.isprintable() and c != "\\" else "~" for c in val)


def light(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a project as somebody does who has only the light install."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH + code],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def built_post(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with its page, built by the light install, once for all test processes.

    Nobody writes there: `copy_of_built` makes a copy to change at will.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root = shared / "post"
    with FileLock(shared / "post.lock"):
        if not (root / "site").exists():
            ignore = shutil.ignore_patterns("__pycache__", "node_modules", "tiny")
            for name in FOLDERS:
                shutil.copytree(REPO / name, root / name, ignore=ignore)
            shutil.copy(REPO / "mkdocs.yml", root)
            built = light(root, BUILD)
            assert built.returncode == 0, built.stdout + built.stderr
    return root


def copy_of_built(post: Path, root: Path) -> Path:
    """A copy of the built post: what it draws is drawn already.

    The large files, which nobody changes in place, are the same on the disk.
    """
    for name in (*FOLDERS, "mkdocs.yml"):
        if name != "data":
            copy = shutil.copytree if (post / name).is_dir() else shutil.copy
            copy(post / name, root / name)
    for name in ("data", "site", ".cache"):
        shutil.copytree(post / name, root / name, copy_function=os.link)
    return root
