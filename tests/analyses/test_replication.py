"""What one study chose, tested in another: the same numbers as where it was chosen, and no choice."""

import hashlib
import re
import tomllib

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from analyses import choices, feature_baselines, path_patching, replication
from analyses.instruments.ablation.ablated_lists import draw
from analyses.instruments.features.decisions import decisions
from analyses.instruments.lists import read_lists
from analyses.instruments.replication import edits
from analyses.instruments.replication.choices import read
from analyses.instruments.sae_training import text
from analyses.lab.core.errors import LabError
from analyses.lab.core.study_file import FOLDER, load_study
from analyses.lab.saes.saes import open_saes
from tests.lab.conftest import ROOT
from tests.lab.mild_saes import mild_study
from tests.lab.pairs import strong_tiny
from tests.lab.test_parity import EXACT

FIRST, SECOND = "smollm2-135m-instruct", "smollm2-135m-instruct-replication"
FROZEN = "f44fd3cd46ea335e8075f408a3c7bdf4231afdf46f1b6d42fab19a40005b4ed9"
HEADS = ("part", "direction", "topics", "sender", "receiver", "inputs", "mlps", "place", "edges")
FEATURES = ("part", "name", "change", "other", "topics", "quantity")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, shelf):
    """As below, with strong layers, so that heads and features matter; its lists are no lists."""
    lab = mild_study(tmp_path_factory.mktemp("strong"))
    strong_tiny(lab)
    return lab, chosen_by(lab, shelf["list_samples"])


@pytest.fixture(scope="module")
def writing(tmp_path_factory, shelf):
    """The tiny study with autoencoders and its choices, writing lists as it does."""
    lab = mild_study(tmp_path_factory.mktemp("writing"))
    chosen_by(lab, shelf["list_samples"])
    return lab


def chosen_by(lab, samples):
    """What the study measured by itself; its choices are kept as a file that it names."""
    measured = {
        "path_patching": path_patching.run(lab, samples),
        "feature_baselines": feature_baselines.run(lab, samples),
    }
    table = choices.run(lab, samples, *measured.values(), variant="fixed")
    (lab.root / "choices").mkdir()
    pq.write_table(table, lab.root / "choices" / "fixed.parquet")
    lab.study._tree["chosen"] = [{"folder": "choices"}]
    return measured


def by(table, columns):
    found = {}
    for row in table.to_pylist():
        found.setdefault(tuple(row[name] for name in columns), []).append(row)
    return found


def test_fixed_heads_do_what_they_did_where_they_were_chosen(whole, shelf):
    lab, measured = whole
    mine = by(replication.run(lab, shelf["list_samples"], variant="heads"), HEADS)
    theirs = by(measured["path_patching"], HEADS)

    assert {key[0] for key in mine} == {"set", "edge", "path"}
    for key, (row,) in mine.items():
        (other,) = theirs[key]
        assert (row["n"], row["raw"]) == (other["n"], pytest.approx(other["raw"], abs=EXACT)), key
        span = other["raw"] / other["estimate"]  # logits that a share of one is worth
        assert row["estimate"] == pytest.approx(other["estimate"], abs=EXACT / abs(span)), key


def test_a_fixed_feature_and_direction_do_what_they_did_there(whole, shelf):
    lab, measured = whole
    mine = by(replication.run(lab, shelf["list_samples"], variant="features"), FEATURES)
    theirs = by(measured["feature_baselines"], FEATURES)
    shared = {key: row for key, (row,) in mine.items() if key in theirs and "random" not in key}

    assert {key[0] for key in shared} == {"share", "difference", "activation"}
    assert {key[2] for key in shared} >= {"exchanged", "removed", "mean direction", "stream"}
    for key, row in shared.items():
        (other,) = theirs[key]
        assert row["estimate"] == pytest.approx(other["estimate"], rel=1e-4, abs=1e-5), key


def test_the_rank_of_a_feature_is_among_all_of_its_layer(whole, shelf):
    lab, _ = whole
    lists = read_lists(shelf["list_samples"], lab.study.prompt)
    place = ("resid_post", 1)
    held_out = [
        one
        for one in decisions(lab, lists, "short", [place], log_prob=False)
        if one.paired.held_out
    ]
    for sae in open_saes(lab, site=place[0], layers=[place[1]]):
        totals = np.zeros(sae.width)
        for one in held_out:
            found = one.attribute(sae, "corrupted")
            last = found.positions == len(one.paired.clean) - 1
            np.add.at(totals, found.features[last].numpy(), found.effects[last].double().numpy())
    rows = replication.run(lab, shelf["list_samples"], variant="features").to_pylist()
    (row,) = (one for one in rows if one["part"] == "feature" and one["site"] == place[0])

    order = np.argsort(-np.abs(totals)).tolist()
    assert row["rank"] == 1 + order.index(row["feature"])
    assert row["estimate"] == pytest.approx(totals[row["feature"]] / len(held_out), rel=1e-4)


def test_edited_lists_are_counted_as_they_are_written(writing):
    """The hazard and the items of the unchanged network, counted from the text alone."""
    lab = writing
    found = read(lab)
    rows = [*edits.rows(lab, found)]
    (base,) = (one for one in edits.conditions(lab, found) if one.method == "base")
    ended = items = 0
    for start, ids in zip(base.starts, draw(lab, base), strict=True):
        pieces = lab.model.pieces(ids, after=start.prompt)
        has_ended = pieces[-1] in ("<end_of_turn>", "<eos>")
        lines = ("-" + "".join(pieces[:-1] if has_ended else pieces)).split("\n")
        ended += has_ended
        items += sum(
            bool(re.match(r"-\s*\S", line)) for line in (lines if has_ended else lines[:-1])
        )
    values = {(row["method"], row["quantity"]): row for row in rows}

    assert len(base.starts) == edits.LISTS * len(lab.study.topics.held_out)
    assert values["base", "hazard"]["estimate"] == pytest.approx(ended / items)
    assert values["base", "items"]["estimate"] == pytest.approx(items / len(base.starts))
    assert values["base", "items"].get("change") is None
    top, random = (values[method, "items"] for method in ("top", "random"))
    plain = values["base", "items"]["estimate"]
    assert top["change"] == pytest.approx(top["estimate"] - plain)
    assert top["beyond"] == pytest.approx(top["estimate"] - random["estimate"])


def test_a_study_that_names_no_choices_is_told(tiny, shelf):
    with pytest.raises(LabError, match="missing key chosen"):
        replication.run(tiny, shelf["list_samples"], variant="heads")


@pytest.mark.parametrize("named", [[], [{"folder": "nowhere"}], "choices", [{"file": "x"}]])
def test_choices_that_are_not_there_are_told(whole, shelf, monkeypatch, named):
    lab, _ = whole
    monkeypatch.setitem(lab.study._tree, "chosen", named)
    with pytest.raises(LabError, match=r'add \[\[chosen\]\] with folder = "data/STUDY/choices"'):
        replication.run(lab, shelf["list_samples"], variant="heads")


def test_the_choices_of_the_first_study_are_what_its_results_say():
    """The cosine of feature and direction again, from the weights and the file of choices."""
    data = ROOT / "data" / FIRST
    rows = pq.read_table(data / "choices" / "fixed.parquet").to_pylist()
    steering = {row["layer"]: np.array(row["vector"]) for row in rows if row["kind"] == "steering"}
    baselines = pq.read_table(data / "feature_baselines.parquet").to_pylist()
    cosines = {row["name"]: row["estimate"] for row in baselines if row["part"] == "cosine"}
    for row in (row for row in rows if row["kind"] == "feature"):
        weights = load_file(
            data / "saes" / f"resid_post-{row['layer']}" / "sae_weights.safetensors"
        )
        one, other = weights["W_dec"][row["feature"]].astype(float), -steering[row["layer"]]
        cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        assert cosine == pytest.approx(cosines[row["name"]], abs=1e-5)
    heads = {f"{row['layer']}.{row['head']}" for row in rows if row["kind"] == "head"}
    assert heads == {"2.3", "11.7", "13.7", "19.4", "20.4", "26.6"}


def test_no_prediction_is_edited():
    """They were frozen before their data: whoever changes one makes it a claim that came after."""
    file = ROOT / "content" / "claims" / "replication.toml"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == FROZEN


def test_every_prediction_says_a_number_and_came_before_its_data():
    tree = tomllib.loads((ROOT / "content" / "claims" / "replication.toml").read_text("utf-8"))
    assert (tree.pop("written"), tree.pop("study")) == ("before", SECOND)
    assert len(tree) == 63
    for name, one in tree.items():
        low, high = one["size"]
        assert low <= one["predicted"] <= high, name


def test_fresh_topics_are_new_to_the_post_and_to_its_autoencoders():
    first, second = (load_study(name, root=ROOT) for name in (FIRST, SECOND))
    known = [*first.topics.names, *text.topics(), *text.free_prompts()]
    told = "\n".join(known).casefold()

    assert len(set(second.topics.names)) == len(first.topics.names)
    assert set(second.topics.held_out) == set(second.topics.names)
    for topic in second.topics.names:
        stem = topic.casefold().removesuffix("s")
        assert not re.search(rf"\b{re.escape(stem)}s?\b", told), topic


def test_a_replication_differs_from_the_first_study_in_what_it_says():
    first, second = (
        tomllib.loads((ROOT / FOLDER / f"{name}.toml").read_text("utf-8"))
        for name in (FIRST, SECOND)
    )
    assert second.pop("chosen") == [{"folder": f"data/{FIRST}/choices"}]
    assert first.pop("called")  # the same model is no second one
    for changed in ("title", "summary", "seed", "topics"):
        assert first.pop(changed) != second.pop(changed)
    fewer = first.pop("sampling") | {"lists": 6}
    assert second.pop("sampling") == fewer | {
        "sweep": {"template": "short", "temperatures": [0.1], "lists": 3}
    }
    assert first == second
