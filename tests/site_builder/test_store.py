"""Freshness: every kind of edit that changes a result's meaning is seen, and no other."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from site_builder import manifest
from site_builder.errors import BuildError
from site_builder.project import Project
from site_builder.store import ResultId, Store
from site_builder.upkeep import accept, check
from tests.site_builder.conftest import put

NUMBERS = ResultId("toy", "numbers", "small")
TOTALS = ResultId("toy", "totals")
BASE = ResultId("toy", "base")


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_a_measured_result_is_fresh(project: Project) -> None:
    store = Store(project)
    assert [store.why_stale(id) for id in (NUMBERS, TOTALS, BASE)] == [[], [], []]


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        ("analyses/numbers.py", "double(3)", "double(4)", "analyses/numbers.py changed"),
        ("analyses/lab/arithmetic.py", "x * 2", "x + x", "analyses/lab/arithmetic.py changed"),
        (
            "analyses/studies/toy.toml",
            "top_p = 0.9",
            "top_p = 0.95",
            "sampling.top_p was 0.9 and is 0.95",
        ),
        (
            "analyses/numbers.py",
            "from analyses.lab.arithmetic import double",
            "double = abs",
            "analyses/lab/arithmetic.py is no longer used",
        ),
    ],
)
def test_an_edit_that_changes_the_meaning_makes_stale(
    project: Project, file: str, before: str, after: str, reason: str
) -> None:
    edit(project.root / file, before, after)
    assert reason in Store(project).why_stale(NUMBERS)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("analyses/numbers.py", '"""A table of numbers."""', '"""Another docstring."""'),
        ("analyses/lab/arithmetic.py", "# a comment", "# another remark"),
        ("analyses/lab/arithmetic.py", "return x * 2", "return (\n        x\n        * 2\n    )"),
        ("analyses/studies/toy.toml", "temperature = 0.8", "temperature = 0.7"),
        ("analyses/studies/toy.toml", "seed = 1", "# a remark\nseed = 1"),
        ("analyses/totals.py", "return None", "return 1"),
    ],
)
def test_other_edits_make_nothing_stale(
    project: Project, file: str, before: str, after: str
) -> None:
    edit(project.root / file, before, after)
    assert Store(project).why_stale(NUMBERS) == []


def test_a_new_input_makes_stale_only_if_its_table_differs(project: Project) -> None:
    store = Store(project)
    put(store, BASE)
    assert store.why_stale(TOTALS) == []
    put(store, BASE, pa.table({"x": [4]}))
    assert store.why_stale(TOTALS) == ["its input base changed"]


def test_staleness_travels(project: Project) -> None:
    edit(project.analyses / "base.py", "return None", "return 1")
    store = Store(project)
    assert store.why_stale(BASE) == ["analyses/base.py changed"]
    assert store.why_stale(TOTALS) == ["its input base is stale"]


def test_an_input_is_named_with_its_variant(project: Project) -> None:
    store = Store(project)
    result = store.load(TOTALS)
    inputs = {"base": store.content(BASE), "numbers small": store.content(NUMBERS)}
    store.save(TOTALS, result.table, replace(result.recipe, inputs=inputs))
    assert store.why_stale(TOTALS) == []
    put(store, NUMBERS, pa.table({"x": [4]}))
    assert store.why_stale(TOTALS) == ["its input numbers small changed"]


def test_two_models_in_one_study_are_seen(project: Project) -> None:
    store = Store(project)
    for id, digest in ((BASE, "one"), (TOTALS, "other")):
        result = store.load(id)
        store.save(id, result.table, replace(result.recipe, weights={"model": digest}))
    assert store.why_stale(TOTALS) == ["its weights are not those of its input base"]


def test_an_sae_trained_again_makes_stale_what_read_it(project: Project) -> None:
    folder = project.data / "toy" / "saes" / "resid_post-3"
    folder.mkdir(parents=True)
    for name in ("cfg.json", "sae_weights.safetensors"):
        (folder / name).write_text("one")
    with (project.analyses / "studies" / "toy.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[saes]]\nlayers = [3]\nfolder = "data/toy/saes/resid_post-{layer}"\n')
    store = Store(project)
    for id, weights in ((BASE, {}), (TOTALS, store.current_saes("toy"))):
        result = store.load(id)
        settings = {"saes": store.current_settings("toy")["saes"]} if weights else {}
        recipe = replace(result.recipe, weights={"model": "a", **weights}, settings=settings)
        store.save(id, result.table, recipe)
    assert Store(project).why_stale(TOTALS) == []
    assert check(Store(project)) == []
    (folder / "sae_weights.safetensors").write_text("another")
    store = Store(project)
    named = "data/toy/saes/resid_post-3/sae_weights.safetensors"
    assert store.why_stale(TOTALS) == [f"{named} changed"]
    assert store.why_stale(BASE) == []
    assert accept(store, [TOTALS]) == [(TOTALS, [f"{named} changed"])]
    assert Store(project).why_stale(TOTALS) == []
    assert Store(project).recipe(TOTALS).weights["model"] == "a"


def test_an_sae_trained_again_makes_a_new_build(project: Project) -> None:
    weights = project.data / "toy" / "saes" / "resid_post-3" / "sae_weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_text("one")
    before = manifest.inputs(project)[0]
    assert manifest.inputs(project)[0] == before
    later = weights.stat().st_mtime_ns + 1000
    weights.write_text("two")
    os.utime(weights, ns=(later, later))
    after = manifest.inputs(project)[0]
    assert [name for name in before if before[name] != after[name]] == [project.named(weights)]


def test_a_table_edited_by_hand_is_seen(project: Project) -> None:
    store = Store(project)
    path = store.path(NUMBERS)
    recipe = pq.read_metadata(path).metadata[b"recipe"]
    table = pq.read_table(path)
    edited = table.set_column(0, "x", pa.array([7, 8, 9])).replace_schema_metadata(None)
    with pq.ParquetWriter(path, edited.schema) as writer:
        writer.write_table(edited)
        writer.add_key_value_metadata({"recipe": recipe})
    assert "its table was changed after it was measured" in Store(project).why_stale(NUMBERS)


def test_a_result_under_another_name_is_seen(project: Project) -> None:
    store = Store(project)
    store.path(NUMBERS).rename(store.path(ResultId("toy", "numbers", "large")))
    reasons = Store(project).why_stale(ResultId("toy", "numbers", "large"))
    assert reasons == ["it was measured as toy numbers small"]


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_foreign(path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), path)


def spoil_text(path: Path) -> None:
    path.write_text("x,estimate\n1,2\n")


def spoil_recipe(path: Path) -> None:
    table = pq.read_table(path)
    recipe = json.loads(pq.read_metadata(path).metadata[b"recipe"])
    recipe["seconds"] = 99.0
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": json.dumps(recipe)})


@pytest.mark.parametrize("spoil", [spoil_cut, spoil_empty, spoil_foreign, spoil_text, spoil_recipe])
def test_a_spoiled_file_is_one_line(project: Project, spoil: Callable[[Path], None]) -> None:
    spoil(Store(project).path(NUMBERS))
    with pytest.raises(BuildError) as caught:
        Store(project).load(NUMBERS)
    (problem,) = caught.value.problems
    line = str(problem)
    assert line.startswith("data/toy/numbers/small.parquet: cannot be used: ")
    assert line.endswith("; run: build-site run numbers small")
    assert "\n" not in line


def test_saving_leaves_no_half_file_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(project)
    before = store.path(NUMBERS).read_bytes()

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        put(store, NUMBERS, pa.table({"x": [5]}))
    assert store.path(NUMBERS).read_bytes() == before
    assert [p.name for p in store.path(NUMBERS).parent.iterdir()] == ["small.parquet"]


def test_the_same_table_is_the_same_bytes(project: Project) -> None:
    store = Store(project)
    first = put(store, NUMBERS).content
    assert put(store, NUMBERS).content == first == store.content(NUMBERS)


def test_a_recipe_survives_the_shelf(project: Project) -> None:
    store = Store(project)
    saved = put(store, NUMBERS)
    assert Store(project).load(NUMBERS).recipe == saved
    assert Store(project).recipe(NUMBERS).key == saved.key


def test_device_versions_date_and_duration_are_told_and_not_keyed(project: Project) -> None:
    store = Store(project)
    found = store.load(NUMBERS)
    elsewhere = {"device": "cuda", "torch": "9.9"}
    other = replace(found.recipe, made_with=elsewhere, made_at="2031-01-01", seconds=9e9)
    assert other.key == found.recipe.key
    store.save(NUMBERS, found.table, other)
    assert Store(project).why_stale(NUMBERS) == []
    told = Store(project).recipe(NUMBERS)
    assert (told.made_with, told.made_at, told.seconds) == (elsewhere, "2031-01-01", 9e9)
