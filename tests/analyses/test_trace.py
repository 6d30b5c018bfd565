"""The trace: on the tiny study from lab to table, and each committed number held to its source."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from site_builder.figures import trace as drawn
from tests.analyses.conftest import measure
from tests.conftest import REPO
from tests.lab.pairs import strong_tiny
from tests.lab.saes import study_with

DATA = REPO / "data/smollm2-135m-instruct"
PATCHED = {"template": "short", "wording": "length", "direction": "denoising"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The tiny study with strong layers, so that heads matter."""
    lab = study_with(tmp_path_factory.mktemp("strong"))
    strong_tiny(lab)
    return lab


@pytest.fixture(scope="module")
def inputs(lab, shelf):
    found = {name: shelf[name] for name in ("list_samples", "token_scores")}
    for variant in ("resid", "z", "v", "mlp-out"):
        name = f"patching__{variant.replace('-', '_')}"
        found[name] = measure(lab, "patching", variant, found)
    found["path_patching"] = measure(lab, "path_patching", "", found)
    return found


@pytest.fixture(scope="module")
def table(lab, inputs):
    return measure(lab, "trace", "", inputs)


def rows(table: pa.Table, part: str, **wanted) -> list[dict]:
    return [
        row
        for row in table.to_pylist()
        if row["part"] == part and all(row[name] == value for name, value in wanted.items())
    ]


def test_says_what_it_is_and_repeats(lab, inputs, table):
    labels = json.loads(table.schema.metadata[b"labels"])
    pairs = rows(inputs["patching__resid"], "pair", template="short", wording="length")
    assert labels["n"] == f"{len(pairs)} lists, one a topic"
    assert labels["interval"] == statistics.said("topics")
    assert labels["note"].startswith("Metric: '")
    assert table.equals(measure(lab, "trace", "", inputs), check_metadata=True)
    ends = table.filter(pc.is_finite(table["low"]))
    assert ends.num_rows > 0
    assert pc.all(pc.less_equal(ends["low"], ends["high"])).as_py()


def test_a_study_of_another_depth_can_be_drawn(table):
    drawing = drawn.draw(table)
    steps = {row["step"] for row in rows(table, "mover")}
    assert drawing.body.count('class="trace-panel"') == len(steps)
    assert f'max="{max(row["depth"] for row in rows(table, "stream"))}"' in drawing.body


def test_it_opens_no_model(inputs, tmp_path):
    lab = study_with(tmp_path)
    measure(lab, "trace", "", inputs)
    assert not lab.used().weights


def test_lists_are_those_that_were_patched_token_by_token(lab, inputs, table):
    pairs = paired_lists(
        lab, read_lists(inputs["list_samples"], lab.study.prompt), "short", "length"
    )
    assert {row["topic"] for row in rows(table, "list")} == {one.topic for one in pairs}
    for one in pairs:
        found = rows(table, "list", topic=one.topic, sample=one.sample)
        before = [row for row in found if row["position"] < one.first]
        patched = found[len(before) :]
        assert {(row["role"], row["k_end"]) for row in before} == {(None, None)}
        assert "".join(row["token"] for row in before).startswith("Provide me")
        assert [row["position"] for row in patched] == [*range(one.first, len(one.clean))]
        assert [row["token"] for row in patched] == list(one.pieces[one.first :])
        roles = [one.role(row["position"]) for row in patched]
        assert [(row["role"], row["k_end"]) for row in patched] == roles


def test_movers_are_the_path_and_the_strongest_mlps(inputs, table):
    movers = rows(table, "mover", topics="all")
    heads = {(row["layer"], row["head"]) for row in movers if row["head"] is not None}
    path = rows(inputs["path_patching"], "set", direction="denoising", topics="all")
    assert heads == {(row["layer"], row["head"]) for row in path if row["stage"]}
    for role in ("length", "deciding"):
        (mlp,) = (row for row in movers if row["head"] is None and row["role"] == role)
        every = rows(inputs["patching__mlp_out"], "role", **PATCHED, topics="all", role=role)
        assert mlp["estimate"] == max(row["estimate"] for row in every)
    steps = [(row["step"], row["layer"], row["head"] is None) for row in movers]
    assert steps == sorted(steps)
    assert all(row["layer"] < row["depth"] for row in movers)


def unmeasured(inputs, stage: str) -> tuple[set[tuple[int, int]], dict[str, pa.Table]]:
    """The heads of a stage, and the inputs as if these had been measured by no role."""
    path = rows(inputs["path_patching"], "set", direction="denoising", topics="all", stage=stage)
    heads = {(row["layer"], row["head"]) for row in path}
    table = inputs["patching__z"]
    kept = [
        row["part"] != "role" or (row["layer"], row["head"]) not in heads
        for row in table.to_pylist()
    ]
    return heads, {**inputs, "patching__z": table.filter(pa.array(kept))}


def test_a_head_too_weak_to_be_measured_by_role_moves_nothing(lab, inputs):
    heads, left = unmeasured(inputs, "late")
    found = rows(measure(lab, "trace", "", left), "mover", topics="all")
    assert heads
    assert heads.isdisjoint((row["layer"], row["head"]) for row in found)
    assert {row["stage"] for row in found} == {None, "middle"}


def test_the_strongest_head_has_to_be_measured_by_role(lab, inputs):
    with pytest.raises(LabError, match="patching z: no row of a short list"):
        measure(lab, "trace", "", unmeasured(inputs, "middle")[1])


def test_a_request_begins_behind_the_lists_that_were_shown_before():
    table = pq.read_table(REPO / "data/gemma-3-270m/trace.parquet")
    texts: dict[str, str] = {}
    for row in rows(table, "list", role=None):
        texts[row["topic"]] = texts.get(row["topic"], "") + row["token"]
    assert len(texts) == 23
    assert set(texts.values()) == {"A list of "}


@pytest.mark.parametrize("name", ["patching__z", "patching__resid", "path_patching"])
def test_an_input_without_rows_is_refused_by_name(lab, inputs, name):
    told = name.replace("__", " ")
    with pytest.raises(LabError) as refusal:
        measure(lab, "trace", "", {**inputs, name: inputs[name].slice(0, 0)})
    assert refusal.value.where == told
    assert refusal.value.what.startswith("no row of a short list, denoising, with part ")
    assert refusal.value.cure == f"build-site run {told}"


def test_a_list_without_scores_is_refused_by_name(lab, inputs):
    scores = inputs["token_scores"]
    topic = rows(inputs["patching__resid"], "pair", template="short")[0]["topic"]
    left = scores.filter(pc.not_equal(scores["topic"], topic))
    with pytest.raises(LabError, match=f"token_scores: no list . of {topic}"):
        measure(lab, "trace", "", {**inputs, "token_scores": left})


@pytest.fixture(scope="module")
def committed():
    return pq.read_table(DATA / "trace.parquet")


@pytest.fixture(scope="module")
def sources():
    names = ("patching/resid", "patching/z", "patching/v", "patching/mlp-out", "path_patching")
    return {name: pq.read_table(DATA / f"{name}.parquet").to_pylist() for name in names}


def test_the_steps_of_the_committed_trace(committed):
    steps: dict[int, list] = {}
    for row in rows(committed, "mover", topics="all"):
        name = "MLP" if row["head"] is None else row["head"]
        steps.setdefault(row["depth"], []).append((row["layer"], name, row["role"]))
    assert steps == {
        1: [(0, "MLP", "length")],
        3: [(2, 3, "prompt")],
        12: [(11, 7, "prompt")],
        14: [(13, 7, "earlier")],
        21: [(19, 4, "deciding"), (20, 4, "deciding")],
        30: [(26, 6, "deciding"), (29, "MLP", "deciding")],
    }


def test_every_committed_share_is_a_row_of_its_source(committed, sources):
    """Looked up by what the row is about, in tables of numbers that this test makes itself."""
    known: dict[tuple, tuple] = {}
    numbers = ("estimate", "low", "high", "raw", "n")
    for name, found in sources.items():
        for row in found:
            if row["direction"] != "denoising" or row.get("template", "short") != "short":
                continue
            if row.get("wording", "length") != "length":
                continue
            about = (row["topics"], row.get("role"), row.get("k_end"), row["layer"], row["head"])
            if row["part"] == "token":
                about = (row["topic"], row["position"], row["layer"], row["head"])
            elif name == "path_patching":
                plain = (row["edges"] in (None, "stages"), row["inputs"], row["mlps"])
                if plain not in ((True, None, None), (True, "qkv", "follow")):
                    continue
                about = (row["topics"], row["part"], row["sender"])
            known[name, about] = tuple(row[one] for one in numbers)
    checked = dict.fromkeys(committed["part"].to_pylist(), 0)
    early, every = "2.3 + 11.7", "2.3 + 11.7 + 13.7 + 19.4 + 20.4 + 26.6"
    for row in committed.to_pylist():
        part, layer, head = row["part"], row["layer"], row["head"]
        output, number = ("mlp-out", None) if head is None else ("z", head)
        about = (row["topics"], row["role"], row["k_end"])
        at = (row["topic"], row["position"])
        wanted = {
            "stream": ("patching/resid", (*about, row["depth"], None)),
            "stream at": ("patching/resid", (*at, row["depth"], None)),
            "writes": (f"patching/{output}", (*about, layer, number)),
            "writes at": (f"patching/{output}", (*at, layer, number)),
            "reads": ("patching/v", (*about, layer, head and head // 3)),
            "reads at": ("patching/v", (*at, layer, head and head // 3)),
            "path": ("path_patching", (row["topics"], "path", early)),
            "together": ("path_patching", (row["topics"], "set", every)),
        }
        if part == "mover" and head is None:
            wanted["mover"] = ("patching/mlp-out", (*about, layer, None))
        elif part == "mover":
            wanted["mover"] = ("path_patching", (row["topics"], "set", f"{layer}.{head}"))
        if part != "list":
            assert tuple(row[one] for one in numbers) == known[wanted[part]], row
            checked[part] += 1
    assert checked == {
        "mover": 16, "stream": 868, "writes": 224, "reads": 140, "path": 2, "together": 2,
        "list": 0, "stream at": 3906, "writes at": 1008, "reads at": 630,
    }  # fmt: skip
