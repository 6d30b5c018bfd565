"""Which results a command measures on the way: the missing, the stale, those that are named."""

import os
import subprocess
import sys

import pytest

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import write
from tests.site_builder.toy_lab import measurable

NOTING = """
    \"\"\"A table, and a line for each time that it is made.\"\"\"

    from pathlib import Path

    import pyarrow as pa


    def run({parameters}):
        \"\"\"Three rows.\"\"\"
        with Path("measured").open("a") as file:
            print("{name}", file=file)
        x = [1.0, 2.0, 3.0]
        return pa.table({{"x": [1, 2, 3], "estimate": x, "low": x, "high": x, "n": [1, 1, 1]}})
    """


@pytest.fixture
def noting(project: Project) -> Project:
    """The toy project with measurements that tell of themselves; `totals` reads `base`."""
    measurable(project.root, 0)
    for name, parameters in (("base", "lab"), ("totals", "lab, base")):
        text = NOTING.format(name=name, parameters=parameters)
        write(project.analyses / f"{name}.py", text)
    path = project.analyses / "numbers.py"
    noted = '    Path("measured").open("a").write("numbers\\n")\n    time.sleep'
    text = path.read_text("utf-8").replace("    time.sleep", noted)
    path.write_text(f"from pathlib import Path\n{text}", "utf-8")
    return project


def measured(project: Project, *commands: str) -> list[str]:
    """What is measured by each of the commands, given one after the other to one process."""
    code = f"""
from pathlib import Path
from site_builder.commands.main import main
for words in {commands!r}:
    main(words.split(), standalone_mode=False)
    log = Path("measured")
    print("told:", *(log.read_text().split() if log.exists() else []))
    log.unlink(missing_ok=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=dict(os.environ) | {"PYTHONPATH": str(project.root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("told:")]
    return [line.removeprefix("told:").strip() for line in lines]


def test_a_build_measures_what_is_missing_and_if_asked_what_is_stale(noting: Project) -> None:
    Store(noting).path(ResultId("toy", "totals")).unlink()
    told = measured(noting, "--run missing", "--run missing", "--run stale", "--run stale")
    assert told[:2] == ["totals", ""]
    assert sorted(told[2].split()) == ["base", "numbers", "totals"]
    assert told[3] == ""
    store = Store(noting)
    assert [id for id in store.results() if store.why_stale(id)] == []


def test_a_run_measures_what_the_post_needs_or_what_is_named_or_all_again(noting: Project) -> None:
    told = measured(noting, "run totals", "run totals", "run numbers small", "run", "run --again")
    assert told == ["base totals", "totals", "numbers", "", "numbers base totals"]


def test_a_run_without_a_name_measures_what_is_missing_or_stale(noting: Project) -> None:
    Store(noting).path(ResultId("toy", "base")).unlink()
    assert measured(noting, "run", "run") == ["numbers base totals", ""]
