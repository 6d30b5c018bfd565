"""Measuring for real, on the tiny study: from nothing, twice, and again after a change."""

import subprocess
from pathlib import Path

import pytest

from site_builder.core.project import Project
from site_builder.results.reasons import sentences
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.lab.mild_saes import mild_sae
from tests.lab.saes import LOCAL
from tests.processes import Command
from tests.site_builder.conftest import write
from tests.site_builder.squares import CLI
from tests.site_builder.test_contracts import copy_of_project


def build_site(project: Path, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `build-site` with these words in a project."""
    return Command(project, CLI, args, **variables).done()


def project_with_saes(folder: Path) -> Path:
    """A copy of the project whose tiny study has autoencoders."""
    project = copy_of_project(folder)
    for layer in (0, 1):
        mild_sae(project / "saes" / str(layer), 256, layer)
    with (project / "analyses/studies/tiny.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[[saes]]\n{LOCAL}\n")
    return project


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every result of the post, measured on the tiny study."""
    project = project_with_saes(tmp_path_factory.mktemp("first"))
    told = build_site(project, "run", "--study", "tiny")
    assert told.returncode == 0, told.stderr
    return project


def contents(project: Path) -> dict[ResultId, str]:
    store = Store(Project(project))
    return {id: store.content(id) for id in store.results() if id.study == "tiny"}


def test_everything_is_measured_and_fresh(measured: Path) -> None:
    store = Store(Project(measured))
    ids = [id for id in store.results() if id.study == "tiny"]
    assert len(ids) > 5
    assert {id: store.why_stale(id) for id in ids} == {id: [] for id in ids}
    assert build_site(measured, "run", "--study", "tiny").stdout == "every result is fresh\n"


def test_two_runs_from_nothing_give_the_same_tables(measured: Path, tmp_path: Path) -> None:
    again = project_with_saes(tmp_path)
    assert build_site(again, "run", "--study", "tiny").returncode == 0
    assert contents(again) == contents(measured)


def test_the_page_of_another_study_builds(measured: Path) -> None:
    """Values pick rows of the embedded study; figures must hold for any."""
    told = build_site(measured, "--study", "tiny", "--run", "never")
    lines = [line for line in told.stderr.splitlines() if "rows match" not in line]
    assert not any("raised" in line for line in lines), told.stderr


def test_a_recipe_tells_what_was_used(measured: Path) -> None:
    store = Store(Project(measured))
    samples = store.recipe(ResultId("tiny", "list_samples"))
    assert {"seed", "sampling.top_p", "sampling.temperature", "topics.names"} <= set(
        samples.settings
    )
    assert samples.weights
    assert {"torch", "device"} <= set(samples.made_with)
    statistics = store.recipe(ResultId("tiny", "list_statistics", "items"))
    assert set(statistics.inputs) == {"list_samples"}
    assert "topics.names" in statistics.settings
    assert "sampling.top_p" not in statistics.settings
    assert statistics.weights == {}


def test_a_setting_that_was_read_makes_stale(measured: Path) -> None:
    study = measured / "analyses" / "studies" / "tiny.toml"
    before = study.read_text("utf-8")
    try:
        study.write_text(before.replace("top_p = 0.9", "top_p = 0.8"), "utf-8")
        store = Store(Project(measured))
        reasons = sentences(store.why_stale(ResultId("tiny", "list_samples")))
        assert reasons == ["sampling.top_p was 0.9 and is 0.8"]
    finally:
        study.write_text(before, "utf-8")


def test_a_parameter_names_a_variant(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    half = '''
        """A number by side."""

        import pyarrow as pa

        VARIANTS = ("left", "far-right")


        def run(lab, *, variant):
            """One row."""
            return pa.table({"x": [len(variant)]})
        '''
    write(project / "analyses" / "halves.py", half)
    write(
        project / "analyses" / "both.py",
        '''
        """Both sides."""

        import pyarrow as pa


        def run(lab, halves__left, halves__far_right):
            """Two rows."""
            return pa.concat_tables([halves__left, halves__far_right])
        ''',
    )
    told = build_site(project, "run", "both", "--study", "tiny")
    assert told.returncode == 0, told.stderr
    both = ResultId("tiny", "both")
    store = Store(Project(project))
    assert store.load(both).table.to_pydict() == {"x": [4, 9]}
    sides = [ResultId("tiny", "halves", side) for side in ("left", "far-right")]
    assert store.recipe(both).inputs == {str(side): store.content(side) for side in sides}
    assert store.why_stale(both) == []
    write(project / "analyses" / "halves.py", half.replace("len(variant)", "1 + len(variant)"))
    told = build_site(project, "run", "halves", "far-right", "--study", "tiny")
    assert told.returncode == 0, told.stderr
    store = Store(Project(project))
    changed, stale = "its input halves far-right changed", "its input halves left is stale"
    assert sorted(sentences(store.why_stale(both))) == [changed, stale]
    store.path(sides[0]).unlink()
    assert "its input halves left is gone" in sentences(Store(Project(project)).why_stale(both))
    write(project / "analyses" / "halves.py", half.replace('"left"', '"lift"'))
    told = build_site(project, "run", "both", "--study", "tiny")
    assert 'halves has no variant "left"; did you mean "lift"?' in told.stderr


@pytest.mark.parametrize(
    ("edit", "variables", "message"),
    [
        (("", ""), {"LIST_STUDY_MODEL": "nowhere"}, "no such model folder"),
        (("", ""), {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}, "no weights, and the package"),
        (("top_p = 0.9", "top_p = 1.9"), {}, "sampling.top_p must be above 0 and at most 1"),
        (("temperature = 0.8", "temprature = 0.8"), {}, "unknown key sampling.temprature"),
        (("seed = 20260", "seed = "), {}, "not TOML"),
    ],
)
def test_what_the_lab_refuses_is_one_line(
    tmp_path: Path, edit: tuple[str, str], variables: dict[str, str], message: str
) -> None:
    project = copy_of_project(tmp_path)
    study = project / "analyses" / "studies" / "smollm2-135m-instruct.toml"
    study.write_text(study.read_text("utf-8").replace(*edit, 1) if edit[0] else study.read_text())
    told = build_site(project, "run", "prompt_pairs", **variables)
    lines = told.stderr.splitlines()
    assert told.returncode == 1, told.stderr
    (line,) = [line for line in lines if message in line]
    assert line.count(": ") >= 1
    assert "; " in line
    assert "Traceback" not in told.stderr
    assert lines[-1] == line
