"""`build-site import`: lists from elsewhere on the shelf, known by their file and not by our code."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import analyses.instruments.recorded  # noqa: F401  (ours, before a project's own could be found)
from site_builder.commands.main import main
from site_builder.core.digests import sha256_file
from site_builder.core.project import Project
from site_builder.results.reasons import sentences
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import REPO

LISTS = ResultId("tiny", "list_samples")
KEY = {"template": "short", "temperature": 0.8, "topic": "Fruits", "token_ids": [5, 6, 7]}
ROWS = [
    KEY | {"sample": 0, "tokens": [" Fig", "\n", "<end_of_turn>"]},
    KEY | {"sample": 1, "tokens": [" Fig", "\n", "-"]},
]


@pytest.fixture
def study(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny study in the toy project, and what makes its lists."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(project.root)
    for name in ("studies/tiny.toml", "list_samples.py"):
        shutil.copy(REPO / "analyses" / name, project.analyses / name)
    return project.analyses / "studies" / "tiny.toml"


@pytest.fixture
def read(study: Path, tmp_path: Path) -> Callable[..., Result]:
    """Import rows into the study, with more words on the command line."""

    def run(rows: list[dict[str, object]], *more: str) -> Result:
        file = tmp_path / "from-elsewhere.parquet"
        pq.write_table(pa.Table.from_pylist(rows), file)
        words = ["import", str(file), "--study", "tiny", *more]
        return CliRunner().invoke(main, words, catch_exceptions=False)

    return run


def test_the_recipe_tells_the_file_in_place_of_code(
    project: Project, read: Callable[..., Result], tmp_path: Path
) -> None:
    assert read(ROWS).exit_code == 0
    recipe = Store(project).recipe(LISTS)
    digest = sha256_file(tmp_path / "from-elsewhere.parquet")
    assert recipe.made_with == {"recorded": "from-elsewhere.parquet", "sha256": digest}
    assert recipe.code == {}
    assert Store(project).why_stale(LISTS) == []


def test_a_list_without_the_token_that_ends_the_turn_was_cut(
    project: Project, read: Callable[..., Result]
) -> None:
    read(ROWS)
    assert Store(project).load(LISTS).table["ended"].to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("before", "after", "stale"),
    [
        ("top_p = 0.9", "top_p = 0.5", ""),
        ('"Fruits", ', '"Fruits", "Rivers", ', "topics.names"),
        ("short list of {topic}", "brief list of {topic}", "prompt.templates"),
    ],
)
def test_other_prompts_or_topics_make_it_stale(
    project: Project, read: Callable[..., Result], study: Path, before: str, after: str, stale: str
) -> None:
    read(ROWS)
    text = study.read_text("utf-8")
    assert before in text
    study.write_text(text.replace(before, after), "utf-8")
    reasons = sentences(Store(project).why_stale(LISTS))
    assert bool(reasons) == bool(stale)
    assert all(reason.startswith(stale) for reason in reasons)


def test_lists_that_are_there_are_replaced_when_that_is_said(
    project: Project, read: Callable[..., Result]
) -> None:
    read(ROWS)
    assert read(ROWS[:1]).exit_code == 1
    assert Store(project).load(LISTS).table.num_rows == 2
    assert read(ROWS[:1], "--replace").exit_code == 0
    assert Store(project).load(LISTS).table.num_rows == 1
