"""A new figure by one command: files that work as written, a line that shows it, nothing lost."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import REPO, put, write
from tests.site_builder.test_contracts import copy_of_project
from tests.site_builder.test_runner import build_site

TABLE = pa.table(
    {
        "template": ["short", "short", "long"],
        "held_out": [True, False, False],
        "layer": [1, 1, 1],
        "estimate": [1.5, 2.5, -0.25],
        "low": [1.0, 2.0, -1.0],
        "high": [2.0, 3.5, 0.5],
        "n": [10, 11, 12],
    }
)


@pytest.fixture
def whole(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The small project, where commands find it."""
    (project.root / "tests" / "figures").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(project.root)
    return project


def new(name: str) -> Result:
    return CliRunner().invoke(main, ["new", "figure", name], catch_exceptions=False)


def files(project: Project) -> dict[Path, bytes]:
    folders = (project.analyses, project.root / "site_builder", project.root / "tests")
    return {p: p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file()}


def passes(project: Path, *command: str) -> None:
    """Run one of our tools on a project; all is well with it."""
    told = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def works(project: Path, name: str, *more: str) -> None:
    """What was written is as all code is here, and its test passes."""
    written = [f"site_builder/figures/{name}.py", f"tests/figures/test_{name}.py", *more]
    (project / "pyproject.toml").write_bytes((REPO / "pyproject.toml").read_bytes())
    passes(project, "ruff", "check", "--no-cache", *written)
    passes(project, "ruff", "format", "--no-cache", "--check", *written)
    passes(project, "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", written[1])


def test_a_figure_that_nothing_measures_is_measured_drawn_and_shown(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    (project / "tests" / "figures").mkdir(parents=True)
    told = build_site(project, "new", "figure", "tokens_written")
    assert (told.returncode, told.stdout) == (0, "<< figure: tokens_written >>\n")
    assert told.stderr.splitlines() == [
        "wrote analyses/tokens_written.py",
        "wrote site_builder/figures/tokens_written.py",
        "wrote tests/figures/test_tokens_written.py",
        "measure it: build-site run tokens_written",
        "put this line into a section:",
    ]
    works(project, "tokens_written", "analyses/tokens_written.py")
    passes(
        project,
        "mypy",
        "-m",
        "site_builder.figures.tokens_written",
        "-m",
        "analyses.tokens_written",
    )
    assert build_site(project, "run", "tokens_written").returncode == 0
    shutil.rmtree(project / "content")
    write(project / "content" / "index.md", f"# Post\n\n{told.stdout}")
    built = build_site(project, "--run", "never")
    assert built.returncode == 0, built.stderr
    page = (project / "site" / "index.html").read_text("utf-8")
    assert "Estimates with their intervals, by template." in page
    assert "95 % over topics" in page
    assert not list((project / "site").rglob("*.j2"))
    samples = Store(Project(project)).load(ResultId("smollm2-135m-instruct", "list_samples")).table
    rows = Store(Project(project)).load(ResultId("smollm2-135m-instruct", "tokens_written")).table
    for row in rows.to_pylist():
        chosen = [
            one
            for one in samples.to_pylist()
            if (one["template"], one["temperature"]) == (row["template"], 0.8)
        ]
        assert row["n"] == len(chosen)
        mean = sum(one["new_tokens"] for one in chosen) / len(chosen)
        assert row["estimate"] == pytest.approx(mean)
        assert row["low"] < row["estimate"] < row["high"]
        assert row["capped"] == sum(not one["ended"] for one in chosen)


def test_few_estimates_are_drawn_with_their_intervals(whole: Project) -> None:
    put(Store(whole), ResultId("toy", "base"), TABLE)
    told = new("base")
    assert (told.exit_code, told.stdout) == (0, "<< figure: base >>\n")
    text = (whole.figures / "base.py").read_text("utf-8")
    assert 'KEYS = ("template", "held_out")' in text
    works(whole.root, "base")
    write(whole.content / "sections" / "01-numbers.md", f"## Numbers\n\n{told.stdout}")
    built = build_site(whole.root, "--run", "never")
    assert built.returncode == 0, built.stderr
    page = (whole.site / "index.html").read_text("utf-8")
    assert "by template, held_out." in page
    assert re.search(r'<img class="only-light" src="[^"]+\.light\.svg"', page)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (TABLE.drop_columns(["high"]), "estimate"),
        (TABLE.drop_columns(["template"]), "estimate"),
        (pa.concat_tables([TABLE] * 11), "estimate"),
        (pa.table({"temperature": [0.8, 0.8, 0.5], "of": ["a", "b", "c"], "k": [1, 2, 3]}), "k"),
        (pa.table({"a b": [1, 2], "x": [0.5, None]}), "x"),
    ],
)
def test_of_other_results_a_column_is_counted(whole: Project, table: pa.Table, column: str) -> None:
    put(Store(whole), ResultId("toy", "base"), table)
    assert new("base").exit_code == 0
    assert f'COLUMN = "{column}"' in (whole.figures / "base.py").read_text("utf-8")
    works(whole.root, "base")


def test_variants_and_studies_are_named(whole: Project) -> None:
    (whole.figures / "numbers.py").unlink()
    assert new("numbers").stdout == "<< figure: numbers small >>\n"
    text = (whole.figures / "numbers.py").read_text("utf-8")
    assert 'VARIANTS = (\n    "small",\n    "large",\n)' in text
    works(whole.root, "numbers")
    (whole.data / "toy" / "totals.parquet").unlink()
    (whole.figures / "totals.py").unlink()
    study = (whole.analyses / "studies" / "toy.toml").read_text("utf-8")
    write(whole.analyses / "studies" / "other.toml", study)
    put(Store(whole), ResultId("other", "base"))
    put(Store(whole), ResultId("other", "totals"))
    assert new("totals").stdout == "<< figure: totals study=other >>\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("numbers", "site_builder/figures/numbers.py: it is there already; choose another"),
        ("tested", "tests/figures/test_tested.py: it is there already; choose another"),
        ("lab", "analyses/lab: it is there already; choose another"),
        ("base", "analyses/base.py: it has no result yet that says what there is to draw; run: build-site run base"),
        ("text", "data/toy/text.parquet: it has no column of numbers to draw; write its drawing by hand"),
        ("Tokens-Written", '"Tokens-Written" cannot name a figure; write small letters, digits and _, a letter first, such as "tokens_written"'),
        ("3d", 'a letter first, such as "figure_3d"'),
        ("class", 'a letter first, such as "figure_class"'),
        ("../../x", 'a letter first, such as "x"'),
        ("é", 'a letter first, such as "figure_"'),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_in_one_line(
    whole: Project, name: str, message: str
) -> None:
    write(whole.root / "tests" / "figures" / "test_tested.py", '"""Tests."""\n')
    (whole.data / "toy" / "base.parquet").unlink()
    write(whole.analyses / "text.py", '"""Text."""\n\n\ndef run(lab):\n    """A table."""\n')
    put(Store(whole), ResultId("toy", "text"), pa.table({"text": ["a"]}))
    before = files(whole)
    told = new(name)
    (line,) = told.stderr.splitlines()
    assert (told.exit_code, told.stdout) == (1, "")
    assert message in line
    assert files(whole) == before


def test_a_second_time_nothing_is_overwritten(whole: Project) -> None:
    assert new("fresh").exit_code == 0
    before = files(whole)
    assert "it is there already" in new("fresh").stderr
    assert files(whole) == before
