"""A post that was begun opens a model if it is to, and grows by what `build-site new` writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyses.lab.core.study_file import load_study
from analyses.lab.model.weights import find_weights
from site_builder.commands.new_project import create, local, requirement
from site_builder.commands.scaffold import study
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

REPO = Path(__file__).resolve().parents[2]


def tool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    told = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told


def test_a_post_with_a_model_scores_its_prompts(tmp_path: Path) -> None:
    model = find_weights(load_study("tiny", root=REPO).model, root=REPO).folder
    begin = ("init", "words", "--with", "model", "--model", str(model))
    assert tool(tmp_path, "site_builder", *begin).stdout.endswith("cd words\nbuild-site serve\n")
    root = tmp_path / "words"
    result = Store(Project(root)).load(ResultId("words", "scores", "by-kind"))
    assert [row["kind"] for row in result.table.to_pylist()] == ["right", "wrong"]
    assert all(
        row["low"] <= row["estimate"] <= row["high"] <= 0 for row in result.table.to_pylist()
    )
    assert {*result.recipe.files} == {"raw/prompts.csv"}
    assert {"model.folder", "prompts.most"} <= {*result.recipe.settings}
    assert result.recipe.weights
    page = (root / "site" / "index.html").read_text("utf-8")
    assert "Mean log-probability per token of right and of wrong answers." in page
    tool(root, "pytest", "-q", "-p", "no:cacheprovider")


def test_a_figure_and_a_study_of_ones_own_are_written_where_ones_own_are(tmp_path: Path) -> None:
    root = tmp_path / "collatz"
    create(root)
    written = tool(root, "site_builder", "new", "figure", "widths")
    assert written.stdout == "<< figure: widths >>\n"
    for name in ("analyses/widths.py", "figures/widths.py", "tests/test_widths.py"):
        assert f"wrote {name}" in written.stderr
    tool(root, "site_builder", "run", "widths")
    tool(root, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_widths.py")
    with (root / "content" / "sections" / "01-steps.md").open("a", encoding="utf-8") as section:
        section.write(f"\n{written.stdout}")
    tool(root, "site_builder")
    page = (root / "site" / "index.html").read_text("utf-8")
    assert "Estimates with their intervals, by kind." in page

    said = tool(root, "site_builder", "new", "study", "few-numbers").stderr
    assert "wrote analyses/studies/few-numbers.toml" in said
    project = Project(root)
    assert project.settings("few-numbers")["title"] == "Few numbers"
    assert project.settings("few-numbers")["starts.most"] == 60
    tool(root, "site_builder", "run", "--study", "few-numbers")
    for name, what in (("few-numbers", "it is there already"), ("Few", "cannot name a study")):
        with pytest.raises(BuildError, match=what):
            study(project, name)


def test_the_drawings_may_lie_in_any_folder_of_the_project(
    tmp_path: Path,
) -> None:
    root = tmp_path / "collatz"
    create(root)
    (root / "figures").rename(root / "drawings")
    config = (root / "mkdocs.yml").read_text("utf-8")
    (root / "mkdocs.yml").write_text(
        config.replace("figures: figures", "figures: drawings"), "utf-8"
    )
    (root / "tests" / "test_steps.py").unlink()
    tool(root, "site_builder")
    assert [*(root / "site" / "figures").glob("steps-by-kind.*.light.svg")]
    text = config.replace("figures: figures", "figures: ../drawings")
    (root / "mkdocs.yml").write_text(text, "utf-8")
    with pytest.raises(BuildError, match="name a folder below"):
        _ = Project(root).figures


@pytest.mark.parametrize(
    ("source", "asked", "is_local"),
    [
        (None, "measured-post[lab]==9.0", False),
        ({"url": "file:///home/me/measured-post", "dir_info": {}}, "measured-post[lab]==9.0", True),
        (
            {"url": "https://example.org/engine.git",
             "vcs_info": {"vcs": "git", "commit_id": "0123abc"}},
            "measured-post[lab] @ git+https://example.org/engine.git@0123abc",
            False,
        ),
    ],
)  # fmt: skip
def test_a_workflow_installs_the_engine_from_where_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source, asked: str, is_local: bool
) -> None:
    """As pip leaves a package behind (PEP 610)."""
    installed = tmp_path / "measured_post-9.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: measured-post\nVersion: 9.0\n"
    )
    if source:
        (installed / "direct_url.json").write_text(json.dumps(source))
    monkeypatch.syspath_prepend(tmp_path)
    assert requirement("[lab]") == asked
    assert bool(local()) is is_local
