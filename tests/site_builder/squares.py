"""A project whose one measurement takes turns as the real ones do, and needs no model.

What happens to workers, shards and runs is the same whether a turn is a batch of lists or a square,
but importing the libraries of a model takes seven seconds of processor time in every worker.
"""

import shutil
from pathlib import Path

from site_builder.core.project import Project
from site_builder.results.store import Store
from tests.processes import Command
from tests.site_builder.conftest import REPO, write

TURNS = 7
LOOP = "conditions"
CLI = "from site_builder.commands.main import main; main()"

SQUARES = f'''
    """Squares of numbers, which are kept one by one."""

    import os
    import time
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from analyses.lab.runtime.cached_arrays import FOLDER


    def is_second():
        """Whether this is the second square that is made; one maker alone is told so."""
        with Path("MADE").open("a") as made:
            made.write("x")
        if Path("MADE").stat().st_size < 2:
            return False
        try:
            Path("MADE").with_name("did").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


    def run(lab):
        """One row per square."""
        squares = []
        for number in lab.shared(range({TURNS}), label="{LOOP}"):
            file = lab.root / FOLDER / lab.name / f"{{number:032x}}.npy"
            if not file.exists():
                if is_second():
                    DEED
                file.parent.mkdir(parents=True, exist_ok=True)
                aside = file.with_suffix(".part")
                with aside.open("wb") as opened:
                    np.save(opened, np.array(number**2 + lab.study.seed))
                aside.rename(file)
            squares.append(int(np.load(file)))
        return pa.table({{"square": squares}})
    '''
SUMS = '''
    """Their sum."""

    import os
    import time
    from pathlib import Path

    import pyarrow as pa


    def run(lab, squares):
        """One row."""
        if not Path("DONE").exists():
            Path("DONE").write_text("")
            DEED
        return pa.table({"sum": [sum(squares["square"].to_pylist())]})
    '''


def project_of(root: Path, *, square: str = "pass", sum: str = "pass") -> Path:
    """Such a project; the second square that is made, and the first sum, do these deeds once."""
    for name in ("site_builder", "analyses/lab"):
        shutil.copytree(REPO / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("analyses/studies/tiny.toml", "mkdocs.yml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, root / name)
    write(root / "content" / "index.md", "# Squares\n")
    for name, text, deed in (("squares", SQUARES, square), ("sums", SUMS, sum)):
        text = text.replace("DEED", deed).replace("MADE", str(root / "made"))
        write(root / "analyses" / f"{name}.py", text.replace("DONE", str(root / "done")))
    return root


def made(project: Path) -> int:
    """How many squares were made, those that came to nothing included."""
    return (project / "made").stat().st_size


def start(project: Path, *words: str, **variables: str) -> Command:
    """Start `build-site run` with these words on the project's study."""
    return Command(project, CLI, ("run", *words, "--study", "tiny"), **variables)


def run(project: Path, *words: str, **variables: str) -> str:
    """Run it to its good end; returns what it printed."""
    done = start(project, *words, **variables).done()
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stderr + done.stdout


def contents(project: Path) -> dict[str, str]:
    """What the results of the study say, by name."""
    store = Store(Project(project))
    return {str(id): store.content(id) for id in store.results() if id.study == "tiny"}
