"""Every measurement on the tiny study: its columns, its labels, and that it repeats."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analyses import entropy, list_samples, list_statistics
from analyses.lab.core.study_file import FOLDER
from analyses.lab.runtime.lab import Lab
from tests.analyses.conftest import measure
from tests.lab.conftest import ROOT

ALL = [
    ("dataset", ""),
    ("lists", ""),
    ("prompt_pairs", ""),
    ("example", ""),
    ("ending", ""),
    *(("list_statistics", variant) for variant in list_statistics.VARIANTS),
    *(("entropy", variant) for variant in entropy.VARIANTS),
]


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_a_measurement_says_what_it_is_and_repeats(tiny, shelf, name, variant):
    tiny.begin()
    table = measure(tiny, name, variant, shelf)
    assert table.num_rows > 0
    labels = json.loads(table.schema.metadata[b"labels"])
    assert set(labels) == {"n", "interval", "units", "note"}
    assert labels["n"]
    if {"low", "high"} & set(table.column_names):
        assert labels["interval"].startswith("95 % over topics")
        there = table.filter(pc.is_valid(table["low"]))
        assert pc.all(pc.less_equal(there["low"], there["high"])).as_py()
    assert tiny.used().settings
    assert bool(tiny.used().weights) == (name == "prompt_pairs")
    assert table.equals(measure(tiny, name, variant, shelf), check_metadata=True)


def test_two_runs_from_nothing_give_the_same_tables(shelf):
    again: dict[str, pa.Table] = {}
    lab = Lab.open("tiny", root=ROOT, quiet=True)
    for name in ("list_samples", "list_statistics", "token_scores"):
        again[name] = measure(lab, name, "", again)
        assert again[name].equals(shelf[name], check_metadata=True)


def test_samples_cover_the_plan(tiny, shelf):
    samples, study = shelf["list_samples"], tiny.study
    topics, sweep = len(study.topics.names), study.sampling.sweep
    usual = samples.filter(pc.equal(samples["temperature"], 0.8))
    assert usual.num_rows == 3 * topics * study.sampling.lists
    assert samples.num_rows - usual.num_rows == len(sweep.temperatures) * topics * sweep.lists
    held_out = set(samples.filter(samples["held_out"])["topic"].to_pylist())
    assert held_out == set(study.topics.held_out)
    for row in samples.to_pylist():
        assert row["text"].startswith("-")
        assert "<end_of_turn>" not in row["text"]
        assert row["new_tokens"] == len(row["token_ids"]) == len(row["tokens"])
        assert row["ended"] == (row["tokens"][-1] == "<end_of_turn>")
        assert row["ended"] or row["new_tokens"] == study.sampling.max_new_tokens


def test_scores_cover_every_token_of_every_list(tiny, shelf):
    samples, scores = shelf["list_samples"], shelf["token_scores"]
    lists = scores.group_by(
        ["template", "temperature", "topic", "sample", "condition"], use_threads=False
    ).aggregate([("position", "max"), ("position", "count")])
    conditions = pc.value_counts(lists["condition"]).to_pylist()
    counts = {entry["values"]: entry["counts"] for entry in conditions}
    usual = pc.field("temperature") == 0.8
    paired = samples.filter(usual & pc.field("template").isin(["short", "long"])).num_rows
    assert counts == {"clean": samples.num_rows, "corrupted": paired}
    for row in lists.to_pylist():
        assert row["position_max"] + 1 == row["position_count"]
    known = {"bos", "turn", "prompt", "length", "topic", "hyphen", "item", "blank", "break", "end"}
    assert set(scores["role"].to_pylist()) == known
    first = scores.filter(pc.equal(scores["position"], 0))
    assert first["probability"].null_count == first.num_rows
    assert scores["probability"].null_count == first.num_rows
    for name in ("entropy", "varentropy"):
        assert pc.min(scores[name]).as_py() >= 0


def test_clean_and_corrupted_differ_from_the_length_word_on(shelf):
    scores = shelf["token_scores"].to_pylist()
    one = [
        row for row in scores
        if (row["template"], row["temperature"], row["topic"], row["sample"])
        == ("short", 0.8, "Fruits", 0)
    ]  # fmt: skip
    clean = [row for row in one if row["condition"] == "clean"]
    corrupted = [row for row in one if row["condition"] == "corrupted"]
    tokens = [(a["token"], b["token"]) for a, b in zip(clean, corrupted, strict=True)]
    assert [pair for pair in tokens if pair[0] != pair[1]] == [(" short", " long")]
    place = [row["role"] for row in clean].index("length")
    for name in ("entropy", "proxy_a", "proxy_b"):
        before = [(a[name], b[name]) for a, b in zip(clean, corrupted, strict=True)][:place]
        assert all(a == b for a, b in before)
    assert any(a["proxy_a"] != b["proxy_a"] for a, b in zip(clean, corrupted, strict=True))


@pytest.mark.parametrize("topic", ["<b>x</b></script>", "{{ 7*7 }}<< figure: lists >>"])
def test_hostile_topics_travel_through_every_measurement_as_text(tmp_path, topic):
    text = (ROOT / FOLDER / "tiny.toml").read_text("utf-8")
    text = text.replace('"Fruits"', f"'{topic}'").replace("lists = 4", "lists = 1")
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "tiny.toml").write_text(text, "utf-8")
    lab = Lab.open("tiny", root=tmp_path, quiet=True)
    found: dict[str, pa.Table] = {}
    for name in ("list_samples", "list_statistics", "token_scores"):
        found[name] = measure(lab, name, "", found)
        assert topic in found[name]["topic"].to_pylist()
    for name, variant in ALL:
        table = measure(lab, name, variant, found)
        if name in ("lists", "example", "ending", "prompt_pairs"):
            assert topic in table["topic"].to_pylist()


def test_a_token_of_another_model_is_refused(tmp_path):
    from analyses.lab.core.errors import LabError

    text = (ROOT / FOLDER / "tiny.toml").read_text("utf-8")
    (tmp_path / FOLDER).mkdir(parents=True)
    changed = text.replace('end = "<end_of_turn>"', 'end = "<|im_end|>"')
    (tmp_path / FOLDER / "tiny.toml").write_text(changed, "utf-8")
    with pytest.raises(LabError, match="the tokenizer makes"):
        list_samples.run(Lab.open("tiny", root=tmp_path, quiet=True))
