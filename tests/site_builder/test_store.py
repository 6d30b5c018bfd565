"""Freshness: every kind of edit that changes a result's meaning is seen, and no other."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from site_builder.core import cache
from site_builder.core.code_digest import Code
from site_builder.core.environment import MODEL_VARIABLE
from site_builder.core.errors import BuildError
from site_builder.core.files import now, write_aside
from site_builder.core.project import Project
from site_builder.results.maintenance import accept, check
from site_builder.results.reasons import Reason, sentences
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site import last_build
from tests.site_builder.conftest import put

NUMBERS = ResultId("toy", "numbers", "small")
TOTALS = ResultId("toy", "totals")
BASE = ResultId("toy", "base")


@pytest.fixture
def project(shelves: Project) -> Project:
    """Nothing is drawn here."""
    return shelves


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
    assert reason in sentences(Store(project).why_stale(NUMBERS))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("analyses/numbers.py", '"""A table of numbers."""', '"""Another docstring."""'),
        ("analyses/lab/arithmetic.py", "# a comment", "# another remark"),
        ("analyses/lab/arithmetic.py", "return x * 2", "return (\n        x\n        * 2\n    )"),
        ("analyses/studies/toy.toml", "temperature = 0.8", "temperature = 0.7"),
        ("analyses/studies/toy.toml", "seed = 1", "# a remark\nseed = 1"),
        ("analyses/totals.py", "return None", "return 1"),
        ("analyses/numbers.py", '("small", "large")', '("small", "huge")'),
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
    assert sentences(store.why_stale(TOTALS)) == ["its input base changed"]


def test_staleness_travels(project: Project) -> None:
    edit(project.analyses / "base.py", "return None", "return 1")
    store = Store(project)
    assert sentences(store.why_stale(BASE)) == ["analyses/base.py changed"]
    assert sentences(store.why_stale(TOTALS)) == ["its input base is stale"]


def test_an_input_is_named_with_its_variant(project: Project) -> None:
    store = Store(project)
    result = store.load(TOTALS)
    inputs = {"base": store.content(BASE), "numbers small": store.content(NUMBERS)}
    store.save(TOTALS, result.table, replace(result.recipe, inputs=inputs))
    assert store.why_stale(TOTALS) == []
    put(store, NUMBERS, pa.table({"x": [4]}))
    assert sentences(store.why_stale(TOTALS)) == ["its input numbers small changed"]


def test_two_models_in_one_study_are_seen(project: Project) -> None:
    store = Store(project)
    for id, digest in ((BASE, "one"), (TOTALS, "other")):
        result = store.load(id)
        store.save(id, result.table, replace(result.recipe, weights={"model": digest}))
    assert sentences(store.why_stale(TOTALS)) == ["its weights are not those of its input base"]


def test_an_sae_trained_again_makes_stale_what_read_it(project: Project) -> None:
    folder = project.data / "toy" / "saes" / "resid_post-3"
    folder.mkdir(parents=True)
    for name in ("cfg.json", "sae_weights.safetensors"):
        (folder / name).write_text("one")
    with (project.analyses / "studies" / "toy.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[saes]]\nlayers = [3]\nfolder = "data/toy/saes/resid_post-{layer}"\n')
    store = Store(project)
    for id, weights in ((BASE, {}), (TOTALS, store.current.named("toy", ["saes"]))):
        result = store.load(id)
        settings = {"saes": store.current.settings("toy")["saes"]} if weights else {}
        recipe = replace(result.recipe, weights={"model": "a", **weights}, settings=settings)
        store.save(id, result.table, recipe)
    assert Store(project).why_stale(TOTALS) == []
    assert check(Store(project)) == []
    (folder / "sae_weights.safetensors").write_text("another")
    store = Store(project)
    named = "data/toy/saes/resid_post-3/sae_weights.safetensors"
    assert sentences(store.why_stale(TOTALS)) == [f"{named} changed"]
    assert store.why_stale(BASE) == []
    assert accept(store, [TOTALS]) == [(TOTALS, [Reason("changed", named)])]
    assert Store(project).why_stale(TOTALS) == []
    assert Store(project).recipe(TOTALS).weights["model"] == "a"


@pytest.fixture
def of_a_folder(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A model's folder outside the project; `TOTALS` was measured with it."""
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    folder = tmp_path_factory.mktemp("model")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text("one")
    with (project.analyses / "studies" / "toy.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[model]\nfolder = "{folder}"\n')
    store = Store(project)
    result = store.load(TOTALS)
    weights = store.current.model("toy")
    assert [*weights] == ["config.json", "model.safetensors", "tokenizer.json"]
    store.save(TOTALS, result.table, replace(result.recipe, weights=weights))
    return folder


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_edit_of_a_models_folder_makes_stale_and_builds_anew(
    name: str, project: Project, of_a_folder: Path
) -> None:
    before = last_build.inputs(project)[0]
    assert Store(project).why_stale(TOTALS) == []
    later = (of_a_folder / name).stat().st_mtime_ns + 1000
    (of_a_folder / name).write_text("two")
    os.utime(of_a_folder / name, ns=(later, later))
    assert sentences(Store(project).why_stale(TOTALS)) == [f"{name} changed"]
    assert Store(project).why_stale(BASE) == []
    after = last_build.inputs(project)[0]
    changed = [Path(one).name for one in before if before[one] != after[one]]
    assert changed == [name]


def test_another_folder_in_the_environment_is_another_model(
    project: Project, of_a_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shutil.copytree(of_a_folder, other)
    monkeypatch.setenv(MODEL_VARIABLE, str(other))
    assert Store(project).why_stale(TOTALS) == []
    (other / "tokenizer.json").write_text("two")
    assert sentences(Store(project).why_stale(TOTALS)) == ["tokenizer.json changed"]


def test_what_was_measured_with_a_model_from_elsewhere_is_not_held_against_a_folder(
    project: Project, of_a_folder: Path
) -> None:
    store = Store(project)
    result = store.load(TOTALS)
    store.save(TOTALS, result.table, replace(result.recipe, weights={"model.gguf": "a"}))
    assert Store(project).why_stale(TOTALS) == []


def test_an_sae_trained_again_makes_a_new_build(project: Project) -> None:
    weights = project.data / "toy" / "saes" / "resid_post-3" / "sae_weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_text("one")
    before = last_build.inputs(project)[0]
    assert last_build.inputs(project)[0] == before
    later = weights.stat().st_mtime_ns + 1000
    weights.write_text("two")
    os.utime(weights, ns=(later, later))
    after = last_build.inputs(project)[0]
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
    assert "its table was changed after it was measured" in sentences(
        Store(project).why_stale(NUMBERS)
    )


def test_a_result_under_another_name_is_seen(project: Project) -> None:
    store = Store(project)
    store.path(NUMBERS).rename(store.path(ResultId("toy", "numbers", "large")))
    reasons = sentences(Store(project).why_stale(ResultId("toy", "numbers", "large")))
    assert reasons == ["it was measured as toy numbers small"]
    store.path(TOTALS).rename(store.path(BASE))
    reasons = sentences(Store(project).why_stale(BASE))
    assert reasons[0] == "it was measured as toy totals"


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


def test_a_spoiled_file_is_told_in_the_words_of_who_read_it(project: Project) -> None:
    path = Store(project).path(NUMBERS)
    data = path.read_bytes()
    for spoiled in (data[:-20], data[:4] + bytes(40) + data[44:]):  # cut; and with a sound footer
        path.write_bytes(spoiled)
        with pytest.raises(BuildError) as caught:
            Store(project).load(NUMBERS)
        (problem,) = caught.value.problems
        assert problem.where == "data/toy/numbers/small.parquet"
        assert re.fullmatch(r"cannot be used: .*([Pp]arquet|page|decompress).*", problem.what, re.S)
        assert problem.cure == "run: build-site run numbers small"


def test_a_folder_adds_no_column(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where others read `key=value` as a partition."""
    root = tmp_path_factory.mktemp("k=1") / "post"
    shutil.copytree(project.root, root)
    table = Store(Project(root)).load(NUMBERS).table
    assert table.column_names == ["x", "estimate", "low", "high", "n"]


def test_a_setting_counts_as_its_file_says_it(project: Project) -> None:
    """A date of TOML is a text in a recipe."""
    edit(project.analyses / "studies" / "toy.toml", "seed = 1", "seed = 1\nday = 2024-01-31")
    store = Store(project)
    result = store.load(NUMBERS)
    store.save(NUMBERS, result.table, replace(result.recipe, settings={"day": "2024-01-31"}))
    assert store.why_stale(NUMBERS) == []
    store.save(NUMBERS, result.table, replace(result.recipe, settings={"day": "2024-01-30"}))
    assert sentences(store.why_stale(NUMBERS)) == ['day was "2024-01-30" and is "2024-01-31"']


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


def test_a_table_is_packed_as_those_before_it(project: Project) -> None:
    """Its digest is that of the packed bytes: another level would make what is behind it stale."""
    table = pa.table({"x": [f"{i * i % 9973}-{i**3 % 7919}" for i in range(20_000)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=9)
    data = sink.getvalue().to_pybytes()
    footer = int.from_bytes(data[-8:-4], "little")
    store = Store(project)
    assert put(store, NUMBERS, table).content == hashlib.sha256(data[4 : -8 - footer]).hexdigest()


def test_a_recipe_survives_the_shelf(project: Project) -> None:
    store = Store(project)
    saved = put(store, NUMBERS)
    loaded = Store(project).load(NUMBERS)
    assert (loaded.id, loaded.recipe) == (NUMBERS, saved)
    assert Store(project).recipe(NUMBERS).key == saved.key


def test_device_versions_date_and_duration_are_told_and_not_keyed(project: Project) -> None:
    store = Store(project)
    found = store.load(NUMBERS)
    elsewhere = {"device": "cuda", "torch": "9.9"}
    other = replace(
        found.recipe, made_with=elsewhere, made_at="2031-01-01T00:00:00+00:00", seconds=9e9
    )
    assert other.key == found.recipe.key
    store.save(NUMBERS, found.table, other)
    assert Store(project).why_stale(NUMBERS) == []
    told = Store(project).recipe(NUMBERS)
    assert (told.made_with, told.made_at, told.seconds) == (
        elsewhere,
        "2031-01-01T00:00:00+00:00",
        9e9,
    )


def test_the_shelf_by_hand(project: Project) -> None:
    store, data = Store(project), project.data
    assert store.path(NUMBERS) == data / "toy" / "numbers" / "small.parquet"
    assert store.path(TOTALS) == data / "toy" / "totals.parquet"
    assert store.results() == [BASE, NUMBERS, TOTALS]
    for stray in ("stray.parquet", "toy/a/b/c.parquet"):  # no study; one folder too deep
        (data / stray).parent.mkdir(parents=True, exist_ok=True)
        (data / stray).write_bytes(b"")
    assert store.results() == [BASE, NUMBERS, TOTALS]
    assert NUMBERS.input("base") == BASE
    assert BASE.input("numbers small") == NUMBERS
    assert [str(NUMBERS), str(TOTALS)] == ["numbers small", "totals"]


def test_what_is_missing_names_the_command_that_measures_it(project: Project) -> None:
    store = Store(project)
    for study, more in (("toy", ""), ("other", " --study other")):
        id = ResultId(study, "numbers", "none")
        said = f'data/{study}: no result for "numbers none"; run: build-site run numbers none{more}'
        for ask in (store.recipe, store.content, store.load, store.why_stale):
            with pytest.raises(BuildError) as caught:
                ask(id)
            assert str(caught.value) == said


def test_the_digest_of_a_table_is_that_of_the_bytes_before_the_footer(project: Project) -> None:
    """Parquet: PAR1, the table, the footer, its length as four little-endian bytes, PAR1."""
    store = Store(project)
    path = store.path(NUMBERS)
    data = path.read_bytes()
    footer = int.from_bytes(data[-8:-4], "little")
    table = data[4 : len(data) - 8 - footer]
    assert store.content(NUMBERS) == hashlib.sha256(table).hexdigest()
    for short, content in (
        (b"PAR1" + b"ab" + b"foot" + bytes([4, 0, 0, 0]) + b"PAR1", hashlib.sha256(b"ab")),
        (b"PAR1" + bytes([0, 0, 0, 0]) + b"PAR1", hashlib.sha256(b"")),
        (b"PAR1" + b"ab" + bytes([99, 0, 0, 0]) + b"PAR1", hashlib.sha256(b"")),
        (b"PAR1" + b"ab" + bytes([255] * 4) + b"PAR1", hashlib.sha256(b"")),
    ):
        path.write_bytes(short)
        assert Store(Project(project.root)).content(NUMBERS) == content.hexdigest()
    for nonsense in (b"PAR1" + bytes([0, 0, 0]) + b"PAR1", b"PAR1" + bytes(8) + b"PAR2", b""):
        path.write_bytes(nonsense)
        assert Store(Project(project.root)).content(NUMBERS) == "not Parquet"


def test_a_recipe_is_sealed_in_the_footer_as_json(project: Project) -> None:
    """Whoever reads the file without us finds it there."""
    store = Store(project)
    recipe = put(store, NUMBERS)
    recipe = store.save(NUMBERS, store.load(NUMBERS).table, replace(recipe, labels={"note": "é"}))
    text = pq.read_metadata(store.path(NUMBERS)).metadata[b"recipe"].decode()
    body = json.loads(text)
    assert "é" in text
    seal = body.pop("seal")
    assert body == asdict(recipe)
    ordered = json.dumps(body, sort_keys=True, ensure_ascii=False)
    assert seal == hashlib.sha256(ordered.encode()).hexdigest()
    assert pq.ParquetFile(store.path(NUMBERS)).metadata.row_group(0).column(0).compression == "ZSTD"


def test_what_counts_of_a_recipe_is_its_key(project: Project) -> None:
    recipe = Store(project).recipe(NUMBERS)
    told = replace(
        recipe,
        study="a",
        variant="b",
        code={},
        labels={},
        made_with={},
        made_at="",
        seconds=9.0,
        content="",
    )
    assert told.key == recipe.key
    for change in (
        {"meaning": ""},
        {"settings": {}},
        {"weights": {"a": "b"}},
        {"inputs": {"a": "b"}},
    ):
        assert replace(recipe, **change).key != recipe.key


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 1}, "its recipe is of another version"),
        ({"seconds": 99.0}, "its recipe was edited"),
        ({"seal": None}, "its recipe was edited"),
        ({"seal": ...}, "its recipe was edited"),  # there is none
        ({"more": 1}, "it has no recipe of ours"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_told(
    project: Project, change: dict[str, object], why: str
) -> None:
    path = Store(project).path(NUMBERS)
    table = pq.read_table(path)
    recipe = json.loads(pq.read_metadata(path).metadata[b"recipe"]) | change
    recipe = {key: value for key, value in recipe.items() if value is not ...}
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": json.dumps(recipe)})
    for ask in (Store(project).recipe, Store(project).load):
        with pytest.raises(BuildError) as caught:
            ask(NUMBERS)
        assert str(caught.value) == (
            f"data/toy/numbers/small.parquet: cannot be used: {why}; "
            "run: build-site run numbers small"
        )


def test_every_reason_is_told_in_one_go(project: Project) -> None:
    store = Store(project)
    result = store.load(TOTALS)
    inputs = {"base": "none", "numbers large": "none", "numbers small": store.content(NUMBERS)}
    recipe = replace(
        result.recipe,
        analysis="sums",
        variant="all",
        inputs=inputs,
        settings={"sampling.top_k": 1, "seed": 2, "title": "A toy", "saes": None},
        weights={"model": "a", "saes/cfg.json": "c"},
    )
    store.save(TOTALS, result.table, recipe)
    numbers = store.load(NUMBERS)
    store.save(NUMBERS, numbers.table, replace(numbers.recipe, weights={"model": "b"}))
    assert sentences(Store(project).why_stale(TOTALS)) == [
        "it was measured as toy sums all",
        "sampling.top_k was 1 and is null",
        "seed was 2 and is 1",
        "saes/cfg.json is no longer used",
        "its input base changed",
        "its input numbers large is gone",
        "its weights are not those of its input numbers small",
    ]


def test_what_was_recorded_elsewhere_depends_on_no_code(project: Project) -> None:
    store = Store(project)
    result = store.load(NUMBERS)
    store.save(NUMBERS, result.table, replace(result.recipe, meaning="", code={}))
    edit(project.root / "analyses" / "numbers.py", "double(3)", "double(4)")
    assert Store(project).why_stale(NUMBERS) == []
    assert store.current.code("none") == Code("", {})


def test_a_circle_of_inputs_ends(project: Project) -> None:
    store = Store(project)
    for id, other in ((BASE, TOTALS), (TOTALS, BASE)):
        result = store.load(id)
        inputs = {str(other): store.content(other)}
        store.save(id, result.table, replace(result.recipe, inputs=inputs))
    assert store.why_stale(TOTALS) == store.why_stale(BASE) == []


def test_a_store_answers_from_memory_until_it_is_told_to_look_again(project: Project) -> None:
    store = Store(project)
    settings, code = store.current.settings("toy"), store.current.code("numbers")
    assert store.why_stale(NUMBERS) == []
    edit(project.root / "analyses" / "numbers.py", "double(3)", "double(4)")
    edit(project.analyses / "studies" / "toy.toml", "seed = 1", "seed = 7")
    assert store.why_stale(NUMBERS) == []
    assert store.current.settings("toy") is settings
    assert store.current.code("numbers") is code
    store.forget()
    assert sentences(store.why_stale(NUMBERS)) == ["analyses/numbers.py changed"]
    assert store.current.settings("toy")["seed"] == 7


def test_what_is_remembered_of_one_result_is_not_told_of_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SETTLED", -(10**18))  # as if files had been left alone for long
    store = Store(project)
    put(store, BASE, pa.table({"x": [4]}))
    contents = [store.content(id) for id in (BASE, NUMBERS, BASE)]
    assert contents[0] != contents[1]
    assert contents[0] == contents[2]
    assert [store.recipe(id).analysis for id in (BASE, NUMBERS)] == ["base", "numbers"]
    assert list(store.current.code("base").files) == ["analyses/base.py"]
    assert list(store.current.code("numbers").files) == [
        "analyses/lab/arithmetic.py",
        "analyses/numbers.py",
    ]
    project.memory.hold()  # as a build does: each file is looked at once
    assert store.content(BASE) == contents[0]
    put(store, BASE, pa.table({"x": [5]}))
    assert store.content(BASE) != contents[0]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_aside(path, b"one")
    write_aside(path, b"two")
    assert path.read_bytes() == b"two"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_time_is_told_to_the_second_and_with_its_zone() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", now())
