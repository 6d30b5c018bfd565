"""Features over the tiny study's lists, against plain recomputation and tables made by hand."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from safetensors.torch import load_file
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from analyses import feature_clusters, feature_overlap, feature_presence, list_features
from analyses.instruments.decided_lists import decided_lists, decided_of
from analyses.instruments.features.cards import CARDS, cards
from analyses.instruments.features.values import read_activations, read_cards
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import table_of
from analyses.lab.model.decoder import Prompts
from analyses.lab.model.hooks import tapped
from analyses.lab.saes.clusters import clustered, distances
from tests.analyses.conftest import measure
from tests.lab.mild_saes import mild_study

PLACES = [("resid_post", 0), ("resid_post", 1), ("z", 1)]
NAMES = {
    "list_features": "", "feature_activation": "", "feature_presence": "",
    "feature_overlap": "topics", "feature_clusters": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return mild_study(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def tables(lab, shelf):
    found = dict(shelf)
    for name, variant in NAMES.items():
        found[name] = measure(lab, name, variant, found)
    return found


@pytest.fixture(scope="module")
def pairs(lab, tables):
    lists = read_lists(tables["list_samples"], lab.study.prompt)
    return decided_lists(lab, lists, {"short": 3, "long": 1})


def rows(table, **wanted) -> list[dict]:
    found = [row for row in table.to_pylist() if all(row[k] == v for k, v in wanted.items())]
    assert found
    return found


def of(one) -> dict:
    return {"template": one.template, "topic": one.topic, "sample": one.sample}


def encode(lab, place, x) -> np.ndarray:
    """The mild autoencoders by hand, from their files."""
    site, layer = place
    folder = lab.root / ("z" if site == "z" else "saes") / str(layer)
    weights = load_file(folder / "sae_weights.safetensors")
    before = x.double() @ weights["W_enc"].double() + weights["b_enc"].double()
    found = (before * (before > weights["threshold"])).clamp(min=0).numpy()
    found[0] = 0
    return found


def stream(lab, place, tokens, *, slope: bool = False):
    """What stands at a place, by a hook on the whole network, and the contrast's slope on it."""
    seen = []

    def watch(x):
        seen.append(x.detach().clone().requires_grad_(slope))
        return seen[0]

    plus, minus = contrast_of(lab)
    with tapped(lab.model.network, *place, watch), torch.set_grad_enabled(slope):
        logits = Prompts(lab.model.network, [tokens]).run(last_only=True)[0, -1]
        if slope:
            (logits[plus] - logits[minus]).backward()
    return seen[0][0].detach(), seen[0].grad[0] if slope else None


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is_and_repeats(lab, tables, name):
    table = tables[name]
    labels = json.loads(table.schema.metadata[b"labels"])
    assert "topics" in labels["n"]
    assert table.equals(measure(lab, name, NAMES[name], tables), check_metadata=True)


def test_lists_are_cut_and_paired_as_patching_does(lab, tables, pairs):
    """Where both choose the same list, both make the same of it."""
    lists = read_lists(tables["list_samples"], lab.study.prompt)
    for template in ("short", "long"):
        patched = paired_lists(lab, lists, template, "length")
        again = decided_of(lab, lists, [(template, one.topic, one.sample) for one in patched])
        assert again == patched
    for one in pairs:
        mine = [two for two in pairs if (two.template, two.topic) == (one.template, one.topic)]
        assert [two.sample for two in mine] == sorted({two.sample for two in mine})
        assert len(mine) <= {"short": 3, "long": 1}[one.template]
    brief = decided_lists(lab, lists, {"short": 1})
    assert {one.topic for one in brief} == {one.topic for one in pairs if one.template == "short"}


def test_effects_are_gradients_times_activations(lab, tables, pairs):
    """One list, every feature of two autoencoders, by backward through the whole network."""
    one = pairs[0]
    for place in (("resid_post", 0), ("z", 1)):
        x, slope = stream(lab, place, one.clean, slope=True)
        folder = lab.root / ("z" if place[0] == "z" else "saes") / str(place[1])
        directions = load_file(folder / "sae_weights.safetensors")["W_dec"].double()
        activations = encode(lab, place, x)
        effects = activations * (slope.double() @ directions.T).numpy()
        found = rows(tables["list_features"], **of(one), site=place[0], layer=place[1])
        total, last = effects.sum(0), effects[-1]
        order = np.argsort(-np.abs(total))[: list_features.TOP]
        assert len(found) == min(list_features.TOP, int((total != 0).sum()))
        assert {row["feature"] for row in found} == {int(i) for i in order[: len(found)]}
        assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
        size = np.abs(total).max()
        for row in found:
            i = row["feature"]
            assert row["effect"] == pytest.approx(total[i], rel=1e-3, abs=1e-4 * size)
            assert row["last"] == pytest.approx(last[i], rel=1e-3, abs=1e-4 * size)
            assert row["activation"] == pytest.approx(activations[:, i].sum(), rel=1e-4)


def test_activations_are_those_of_a_plain_run(lab, tables, pairs):
    table = tables["feature_activation"]
    chosen, lists = read_cards(table), read_activations(table)
    assert [one.key for one in lists] == [(o.template, o.topic, o.sample) for o in pairs]
    for one, paired in list(zip(lists, pairs, strict=True))[::5]:
        assert [token["text"] for token in one.tokens] == list(paired.pieces)
        assert [token["role"] for token in one.tokens] == [token.role for token in paired.tokens]
        assert one.tokens[one.first]["role"] == "length"
        assert one.tokens[one.start]["role"] == "hyphen"
        for place in PLACES:
            mine = [i for i, card in enumerate(chosen) if card.place == place]
            features = [chosen[i].feature for i in mine]
            for values, tokens in ((one.clean, paired.clean), (one.corrupted, paired.corrupted)):
                expected = encode(lab, place, stream(lab, place, tokens)[0])[:, features]
                assert np.isnan(values[0]).all()
                np.testing.assert_allclose(values[1:, mine], expected[1:], rtol=2e-3, atol=1e-4)
                assert (expected[1:] > 0).any()


def test_corrupted_rows_begin_where_the_prompts_differ(tables):
    table = tables["feature_activation"]
    first = {tuple(row[k] for k in ("template", "topic", "sample")): row["first"]
             for row in rows(table, part="list")}  # fmt: skip
    for row in rows(table, part="activation"):
        assert row["positions"] == sorted(set(row["positions"]))
        assert len(row["positions"]) == len(row["activations"])
        assert min(row["activations"]) > 0
        least = first[row["template"], row["topic"], row["sample"]]
        assert row["positions"][0] >= (least if row["condition"] == "corrupted" else 1)


def listed(*lists) -> pa.Table:
    """`list_features` from (topic, held out, sample, layer, {feature: effect})."""
    found = []
    for topic, held_out, sample, layer, effects in lists:
        order = sorted(effects, key=lambda feature: -abs(effects[feature]))
        found += [
            {
                "template": "short", "topic": topic, "held_out": held_out, "sample": sample,
                "site": "resid_post", "layer": layer, "feature": feature, "rank": rank,
                "effect": effects[feature], "activation": 1.0, "last": 0.0,
            }
            for rank, feature in enumerate(order, 1)
        ]  # fmt: skip
    return table_of(found, list_features.SCHEMA)


def test_cards_are_chosen_by_mean_effect_on_other_topics():
    table = listed(
        ("Fruits", False, 0, 3, {7: -3.0, 1: 2.0, 5: 0.5}),
        ("Fruits", False, 1, 3, {1: 2.5, 9: 0.1}),
        ("Animals", True, 0, 3, {2: 100.0}),
    )
    found = [(card.name, card.rank, card.effect) for card in cards(table)]
    assert found[:3] == [("3/1", 1, 2.25), ("3/7", 2, 1.5), ("3/5", 3, 0.25)]
    assert len(found) == 4
    many = listed(("Fruits", False, 0, 3, dict.fromkeys(range(30), 1.0)))
    assert [card.feature for card in cards(many)] == list(range(CARDS))


def test_presence_by_hand(lab, monkeypatch):
    monkeypatch.setattr(feature_presence, "STRONGEST", 2)
    monkeypatch.setattr(feature_presence, "SHOWN", 3)
    table = listed(
        ("Fruits", False, 0, 1, {4: 3.0, 5: 2.0, 6: 1.0}),
        ("Fruits", False, 1, 1, {4: 3.0, 6: -2.0}),
        ("Animals", True, 0, 1, {8: 3.0, 6: 2.0}),
        ("Fruits", False, 0, 0, {4: 1.0}),
    )
    found = feature_presence.run(lab, table).to_pylist()
    shares = {(row["name"], row["topic"]): (row["estimate"], row["n"]) for row in found}
    assert shares == {
        ("0/4", "Fruits"): (0.5, 2), ("0/4", "Animals"): (0.0, 1),
        ("1/4", "Fruits"): (1.0, 2), ("1/4", "Animals"): (0.0, 1),
        ("1/5", "Fruits"): (0.5, 2), ("1/5", "Animals"): (0.0, 1),
    }  # fmt: skip
    # Layers in the table's order; 1/6 and 1/8 give way: ties go to the first, held-out count not.
    assert list(dict.fromkeys(row["name"] for row in found)) == ["1/4", "1/5", "0/4"]
    assert [row["order"] for row in found] == [0, 0, 1, 1, 2, 2]
    assert {row["overall"] for row in found if row["name"] == "1/4"} == {1.0}


def test_overlap_by_hand(lab):
    """Lists of a topic share all features, of two topics none: a third of all deals are as good."""
    table = listed(
        ("Fruits", False, 0, 1, {1: 1.0, 2: 1.0}),
        ("Fruits", False, 1, 1, {1: 1.0, 2: 1.0}),
        ("Animals", True, 0, 1, {3: 1.0}),
        ("Animals", True, 3, 1, {3: 1.0}),
    )
    found = feature_overlap.run(lab, table, variant="topics")
    matrix = {
        (row["topic"], row["other_topic"]): (row["estimate"], row["n"])
        for row in rows(found, part="pair")
    }
    assert matrix == {
        ("Fruits", "Fruits"): (1, 1), ("Fruits", "Animals"): (0, 4),
        ("Animals", "Fruits"): (0, 4), ("Animals", "Animals"): (1, 1),
    }  # fmt: skip
    means = {row["quantity"]: row for row in rows(found, part="mean")}
    assert [(means[name]["estimate"], means[name]["n"]) for name in means] == [
        (1, 2), (0, 4), (1, 4),
    ]  # fmt: skip
    difference = means["difference"]
    # Of the six ways to deal two topics to four lists two keep the pairs (1) and four part them
    # (0 within, one half between).
    assert difference["p"] == pytest.approx(1 / 3, abs=0.03)
    assert difference["null_mean"] == pytest.approx(0, abs=0.05)
    assert (difference["null_low"], difference["null_high"]) == (-0.5, 1)
    assert means["within"]["p"] is None


def test_a_list_is_not_compared_with_itself(lab):
    table = listed(
        ("Fruits", False, 0, 1, {1: 1.0, 2: 1.0, 3: 1.0}),
        ("Fruits", False, 1, 1, {1: 1.0, 4: 1.0}),
        ("Fruits", False, 2, 1, {5: 1.0}),
        ("Colors", True, 0, 1, {1: 1.0}),
    )
    found = feature_overlap.run(lab, table, variant="topics")
    matrix = {(r["topic"], r["other_topic"]): r for r in rows(found, part="pair")}
    assert matrix["Fruits", "Fruits"]["estimate"] == pytest.approx((1 / 4 + 0 + 0) / 3)
    assert matrix["Fruits", "Fruits"]["n"] == 3
    assert matrix["Fruits", "Colors"]["estimate"] == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)
    assert matrix["Colors", "Colors"]["estimate"] is None


def test_overlap_is_the_plain_double_loop(tables):
    sets: dict[tuple, set] = {}
    for row in rows(tables["list_features"], template="short"):
        mine = sets.setdefault((row["topic"], row["sample"]), set())
        if row["rank"] <= feature_overlap.STRONGEST:
            mine.add((row["site"], row["layer"], row["feature"]))
    same, other = [], []
    for one in sets:
        for two in sets:
            if one != two:
                value = len(sets[one] & sets[two]) / len(sets[one] | sets[two])
                (same if one[0] == two[0] else other).append(value)
    means = {row["quantity"]: row for row in rows(tables["feature_overlap"], part="mean")}
    assert means["within"]["estimate"] == pytest.approx(np.mean(same), rel=1e-5)
    assert means["between"]["estimate"] == pytest.approx(np.mean(other), rel=1e-5)
    assert means["within"]["n"] == len(same) / 2
    for row in means.values():
        assert row["low"] <= row["estimate"] <= row["high"]


def test_clusters_are_those_of_scipy(tables):
    """The measured cells once more, through scipy alone."""
    table = tables["feature_clusters"]
    cells = rows(table, part="cell")
    names = list(dict.fromkeys(row["name"] for row in cells))
    lists = list(dict.fromkeys((row["topic"], row["sample"]) for row in cells))
    matrix = np.zeros((len(names), len(lists)))
    for row in cells:
        i, j = names.index(row["name"]), lists.index((row["topic"], row["sample"]))
        matrix[i, j] = row["value"]
    assert matrix.max(1) == pytest.approx(1)
    assert matrix.min() >= 0
    tree = hierarchy.linkage(matrix, "average", "correlation", optimal_ordering=True)
    leaves = hierarchy.leaves_list(tree)
    places = {row["name"]: row["y"] for row in cells}
    assert [places[names[i]] for i in leaves] == list(range(len(names)))
    expected, _ = hierarchy.cophenet(tree, pdist(matrix, "correlation"))
    (fit,) = rows(table, part="fit", side="features")
    assert fit["estimate"] == pytest.approx(expected, abs=1e-4)
    assert fit["n"] == len(names)
    links = rows(table, part="link", side="features")
    assert sorted(row["height"][1] for row in links) == pytest.approx(sorted(tree[:, 2]), abs=1e-5)
    feet = {row["across"][i] for row in links for i in (0, 3) if row["height"][i] == 0}
    assert feet == set(range(len(names)))
    assert {row["x"] for row in cells} == set(range(len(lists)))


def test_a_cell_is_the_mean_over_the_lists_own_tokens(tables):
    row = max(rows(tables["feature_clusters"], part="cell"), key=lambda row: row["raw"])
    key = {name: row[name] for name in ("topic", "sample")} | {"template": "short"}
    (written,) = rows(tables["feature_activation"], part="list", **key)
    fired = rows(
        tables["feature_activation"], part="activation", **key, name=row["name"], condition="clean"
    )
    own = [
        value
        for position, value in zip(fired[0]["positions"], fired[0]["activations"], strict=True)
        if position >= written["start"]
    ]
    mean = sum(own) / (len(written["tokens"]) - written["start"])
    assert row["raw"] == pytest.approx(mean, rel=1e-5)


def test_rows_that_never_vary_are_correlated_with_nothing():
    matrix = np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [1.0, 2.0, 4.0], [2.0, 4.0, 8.0]])
    assert distances(matrix) == pytest.approx([1, 1, 1, 1, 1, 0])
    found = clustered(matrix)
    assert sorted(found.order) == [0, 1, 2, 3]
    assert abs(found.order.index(2) - found.order.index(3)) == 1
    assert np.isfinite(found.cophenetic)
    alone = clustered(matrix[:1])
    assert (alone.order, len(alone.across)) == ([0], 0)
    assert np.isnan(alone.cophenetic)
    assert np.isnan(clustered(matrix[:2]).cophenetic)


def test_what_was_measured_on_held_out_topics_does_not_choose(tables):
    """Other effects there, the same cards and the same features shown."""
    table = tables["list_features"]
    loud = pc.if_else(table["held_out"], pc.multiply(table["effect"], 1e3), table["effect"])
    place = table.column_names.index("effect")
    other = table.set_column(place, "effect", pc.cast(loud, pa.float32()))
    assert cards(other) == cards(table)
    assert {card.place for card in cards(table)} == set(PLACES)


def test_a_study_without_saes_is_refused(tiny, shelf):
    with pytest.raises(LabError, match="no sparse autoencoders in this study"):
        list_features.run(tiny, shelf["list_samples"])


def test_scaled_values_are_of_the_features_largest(tables):
    cells = rows(tables["feature_clusters"], part="cell")
    largest: dict[str, float] = {}
    for row in cells:
        largest[row["name"]] = max(largest.get(row["name"], 0), row["raw"])
    for row in cells:
        assert row["value"] * largest[row["name"]] == pytest.approx(row["raw"], rel=1e-5)
    assert feature_clusters.SCHEMA.keys() == set(tables["feature_clusters"].column_names)


def test_lists_that_ended_are_needed(lab, shelf):
    with pytest.raises(LabError, match="no short or long list ended by itself"):
        list_features.run(lab, shelf["list_samples"].slice(0, 0))
