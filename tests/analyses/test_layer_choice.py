"""Sets of layers on the tiny study, beside hooks on the whole network and sums by hand."""

import json
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import pytest
import torch

from analyses import layer_choice
from analyses.instruments.features import layer_orders, layer_sets
from analyses.instruments.features.cells import ROLES
from analyses.instruments.features.layer_sets import Between, chosen_features, subsets, together
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import Prompts
from analyses.lab.model.stages import Blocks
from tests.analyses.conftest import measure
from tests.lab.mild_saes import mild_sae, mild_study
from tests.lab.pairs import strong_tiny
from tests.lab.saes import LOCAL, perfect_sae, study_with

LAYERS = (0, 1)


@pytest.fixture(scope="module")
def mild(tmp_path_factory):
    """With the two tokens that the length word moves most, so that small changes are seen."""
    return strong_tiny(mild_study(tmp_path_factory.mktemp("mild")))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Features that are a part of the stream after the first block, and all of it after the last."""
    root = tmp_path_factory.mktemp("perfect")
    mild_sae(root / "saes" / "0", 256, 0)
    perfect_sae(root / "saes" / "1")
    lab = study_with(root, LOCAL)
    strong_tiny(lab)
    return lab


@pytest.fixture(scope="module")
def inputs(tiny, shelf):
    health = [
        {"site": "resid_post", "layer": layer, "group": group, "places": "written",
         "quantity": "loss_change", "estimate": loss}
        for group, losses in (("other", (0.5, 0.1)), ("held-out", (0.1, 0.5)))
        for layer, loss in zip(LAYERS, losses, strict=True)
    ]  # fmt: skip
    return (
        shelf["list_samples"],
        measure(tiny, "logit_lens", "end-hyphen", shelf),
        measure(tiny, "patching", "resid", shelf),
        pa.Table.from_pylist(health),
    )


@pytest.fixture(scope="module")
def table(lab, inputs):
    return layer_choice.run(lab, *inputs)


def pairs_of(lab, shelf):
    return paired_lists(lab, read_lists(shelf["list_samples"], lab.study.prompt), "short", "length")


def rows(table, part: str, **wanted) -> list[dict]:
    found = [row for row in table.to_pylist() if row["part"] == part]
    found = [row for row in found if all(row[k] == v for k, v in wanted.items())]
    assert found
    return found


def plainly(case, tokens, edits=None) -> tuple[float, list[torch.Tensor]]:
    """The metric of a run of the whole network, and the stream after each block, by hooks."""
    network, streams = case.lab.model.network, []
    plus, minus = case.contrast
    with ExitStack() as stack, torch.inference_mode():
        for number, block in enumerate(network.model.layers):

            def hook(_, __, x, number=number):
                x = edits[number](x) if edits and number in edits else x
                streams.append(x[0])
                return x

            stack.enter_context(block.register_forward_hook(hook))
        logits = Prompts(network, [tokens]).run(last_only=True)[0, -1].double()
    return float(logits[plus] - logits[minus]), streams


@pytest.mark.parametrize("budget", ["all", "some", "last"])
def test_sets_are_what_hooks_on_the_network_give(mild, shelf, budget, monkeypatch):
    monkeypatch.setattr(layer_sets, "DENSE", 1)  # parts of one row each
    monkeypatch.setattr(layer_sets, "BATCH_TOKENS", 1)
    one = pairs_of(mild.lab, shelf)[0]
    step = 2 if budget == "some" else 1
    cells = [role * 40 + i for role in range(1, len(ROLES)) for i in range(0, 40, step)]
    with together(mild.lab) as saes:
        assert [sae.layer for sae in saes] == [0, 1]
        chosen = {sae.layer: chosen_features(one, cells, sae.width) for sae in saes}
        own, clean = plainly(mild, one.corrupted)[0], plainly(mild, one.clean)[1]
        start = len(one.clean) - 1 if budget == "last" else one.first
        where = torch.zeros(len(one.clean), 40, dtype=torch.bool)
        where[start:, ::step] = True

        def edit(sae):
            def change(x):
                difference = sae.encode(clean[sae.layer]) - sae.encode(x)
                return x + (difference * where) @ sae.directions

            return change

        expected = [
            plainly(mild, one.corrupted, {layer: edit(saes[layer]) for layer in layers})[0]
            for layers in [(), *subsets(LAYERS)]
        ]
        run = Between(Blocks(mild.lab.model.network), one, mild.contrast)
        args = {"all": (), "some": (chosen,), "last": (chosen, start)}[budget]
        found = run.metrics(saes, [(), *subsets(LAYERS)], *args).tolist()
    assert found == pytest.approx(expected, abs=1e-5)
    assert found[0] == pytest.approx(own, abs=1e-5)
    # In the first block the deciding token is too far from the length word to see it.
    assert len({round(value, 4) for value in found}) == (2 if budget == "last" else 4)
    ends = [plainly(mild, tokens)[0] for tokens in (one.corrupted, one.clean)]
    assert run.ends().tolist() == pytest.approx(ends, abs=1e-4)


ROUNDING = 3e-4
"""Logits that float32 leaves open in the strengthened network; a share of so small a span is noise."""


def spans_of(lab, shelf):
    runs = (
        Between(Blocks(lab.model.network), one, contrast_of(lab)) for one in pairs_of(lab, shelf)
    )
    ends = [run.ends().tolist() for run in runs]
    return [clean - corrupted for corrupted, clean in ends]


def test_setting_all_of_the_stream_is_the_clean_run(lab, shelf, table):
    with together(lab):
        least = min(map(abs, spans_of(lab, shelf)))
    # Leaving out any of six topics moves the ratio by no more than rounding there: t(5) · √5 times.
    widest = 2.571 * 5**0.5 * ROUNDING / least
    for topics in ("other", "held-out", "all"):
        for layers in ("1", "0+1"):
            (row,) = rows(table, "set", budget="all", topics=topics, layers=layers)
            assert row["estimate"] == pytest.approx(1, abs=1e-3)
            if topics == "all":
                assert row["low"] == pytest.approx(1, abs=1e-3 + widest)
                assert row["high"] == pytest.approx(1, abs=1e-3 + widest)
            else:
                assert row["low"] is row["high"] is None
        (row,) = rows(table, "set", budget="all", topics=topics, layers="0")
        assert abs(row["estimate"] - 1) > 0.01


def test_faithfulness_is_a_ratio_of_sums_over_topics(lab, shelf, table):
    moved, spans = [], []
    with together(lab) as saes:
        for one in pairs_of(lab, shelf):
            if one.held_out:
                run = Between(Blocks(lab.model.network), one, contrast_of(lab))
                corrupted, clean = run.ends().tolist()
                moved.append(float(run.metrics(saes[:1], [(0,)])) - corrupted)
                spans.append(clean - corrupted)
    (row,) = rows(table, "set", budget="all", topics="held-out", layers="0")
    may = 1e-4 + ROUNDING / abs(sum(spans))
    assert row["estimate"] == pytest.approx(sum(moved) / sum(spans), abs=may)
    assert row["low"] is row["high"] is None  # two held-out topics are too few
    (whole,) = rows(table, "set", budget="all", topics="all", layers="0")
    assert whole["low"] <= whole["estimate"] <= whole["high"]
    assert row["n"] == len(spans) < rows(table, "set", topics="all")[0]["n"]


def test_says_what_it_is_and_repeats(lab, inputs, table):
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["interval"] == statistics.said("topics")
    assert "held out" in labels["n"]
    assert {"memory": "bytes"}.items() <= labels["units"].items()
    assert {row["budget"] for row in rows(table, "set")} == set(layer_choice.BUDGETS)
    assert table.equals(layer_choice.run(lab, *inputs), check_metadata=True)


@pytest.mark.parametrize("budget", layer_choice.BUDGETS)
def test_regret_is_against_the_best_set_of_the_size(table, budget):
    sets = {
        topics: {
            row["layers"]: row["estimate"]
            for row in rows(table, "set", budget=budget, topics=topics)
        }
        for topics in ("other", "held-out")
    }
    of_rule = rows(table, "heuristic", budget=budget)
    assert {(row["name"], row["size"]) for row in of_rule} == {
        (name, size)
        for name in ("lens slope", "discounted patching", "attribution mass", "spliced loss",
                     "even spacing", "best on other topics", "random")
        for size in (1, 2)
    }  # fmt: skip
    best = max(sets["held-out"]["0"], sets["held-out"]["1"])
    for row in of_rule:
        assert row["regret"] >= 0
        assert row["regret_low"] is row["regret_high"] is None  # two held-out topics are too few
        if row["size"] == 2:
            assert row["regret"] == 0
        elif row["name"] == "random":
            assert row["layers"] is None
            mean = (sets["held-out"]["0"] + sets["held-out"]["1"]) / 2
            assert row["estimate"] == pytest.approx(mean)
            assert row["regret"] == pytest.approx(best - mean)
        else:
            assert row["estimate"] == pytest.approx(sets["held-out"][row["layers"]])
            assert row["regret"] == pytest.approx(best - row["estimate"], abs=1e-9)
    (mine,) = rows(table, "heuristic", budget=budget, name="best on other topics", size=1)
    assert mine["layers"] == max("0", "1", key=lambda layer: sets["other"][layer])
    (mine,) = rows(table, "heuristic", budget=budget, name="spliced loss", size=1)
    assert mine["layers"] == "1"  # by what it costs on topics that are not held out


def test_memory_is_that_of_the_tensors(lab, shelf, table):
    longest = max(len(one.clean) for one in pairs_of(lab, shelf))
    with together(lab) as saes:
        sizes = [
            sum(part.numel() * part.element_size() for part in sae._module.parameters())
            + torch.zeros(longest, sae.width).nbytes
            for sae in saes
        ]
    (row,) = rows(table, "set", budget="all", topics="all", layers="0+1")
    assert (row["memory"], row["attribution_memory"]) == (sum(sizes), max(sizes))
    assert row["layer_list"] == [0, 1]
    (row,) = rows(table, "heuristic", budget="all", name="random", size=1)
    assert row["memory"] == round(sum(sizes) / 2)


def test_the_front_has_no_set_that_another_beats(table):
    for budget in layer_choice.BUDGETS:
        sets = rows(table, "set", budget=budget, topics="held-out")
        front = {row["layers"] for row in rows(table, "front", budget=budget)}
        for row in sets:
            beaten = any(
                other["memory"] <= row["memory"]
                and other["estimate"] >= row["estimate"]
                and other["layers"] != row["layers"]
                for other in sets
            )
            assert (row["layers"] in front) == (not beaten)


def test_above_six_layers_only_small_sets_are_searched():
    assert subsets((3, 5, 9)) == [(3,), (5,), (9,), (3, 5), (3, 9), (5, 9), (3, 5, 9)]
    assert len(subsets(tuple(range(6)))) == 63
    assert len(subsets(tuple(range(7)))) == 7 + 21


def test_sizes_that_are_not_searched_have_no_regret(lab, inputs, table, monkeypatch):
    monkeypatch.setattr(layer_sets, "subsets", lambda layers: [(layer,) for layer in layers])
    found = rows(layer_choice.run(lab, *inputs), "heuristic", size=2)
    assert {row["regret"] for row in found} == {None}
    names = {row["name"] for row in found}
    assert not names & {layer_choice.BEST, layer_choice.RANDOM}
    assert {row["estimate"] for row in found} <= {
        row["estimate"] for row in rows(table, "heuristic", size=2)
    }


def test_without_autoencoders_it_says_so(tiny, inputs):
    with pytest.raises(LabError, match="no sparse autoencoders of resid_post"):
        layer_choice.run(tiny, *inputs)


def test_layers_are_ordered_by_score_and_spaced_evenly():
    assert layer_orders.sizes({6: 0.1, 12: 0.3, 18: 0.1}) == {1: (12,), 2: (6, 12), 3: (6, 12, 18)}
    assert layer_orders.evenly((6, 12, 18, 22, 26, 28)) == {
        1: (22,), 2: (12, 26), 3: (12, 22, 28), 4: (6, 18, 22, 28), 5: (6, 12, 22, 26, 28),
        6: (6, 12, 18, 22, 26, 28),
    }  # fmt: skip


def test_the_lens_slope_is_the_change_over_two_blocks_on_other_topics():
    gap = {"Fruits": [0, 0, 1, 5], "Rivers": [0, 2, 1, -3], "Colors": [9, 99, 999, 9999]}
    listed = [
        {"part": "list", "template": "short", "condition": "clean", "held_out": topic == "Colors",
         "topic": topic, "layer": layer, "k_end": k_end,
         "estimate": float(value) if k_end == -1 else 2.0 * (k_end == -2) - 1}
        for topic, values in gap.items()
        for layer, value in enumerate(values)
        for k_end in (-3, -2, -1)
    ]  # fmt: skip
    found = layer_orders.lens_slope(pa.Table.from_pylist(listed), (0, 2))
    # Means after 0, 1, 2, 3 blocks: 0, 1, 1, 1; one block before layer 0, two before layer 2.
    assert found == pytest.approx({0: 1.0, 2: 0.0})


def test_patching_is_discounted_late_and_at_the_end():
    same = {"part": "role", "template": "short", "wording": "length", "direction": "denoising"}
    patches = [
        {**same, "topics": topics, "layer": passed, "role": role, "k_end": k_end, "raw": raw, "n": n}
        for topics, n, factor in (("all", 3, 2.0), ("held-out", 1, 3.0))
        for passed, role, k_end, raw in (
            (1, "length", None, 1.0), (1, "item", -1, -2.0), (3, "deciding", -1, 4.0),
            (2, "length", None, 100.0),
        )
        for raw in (raw * factor,)
    ]  # fmt: skip
    found = layer_orders.discounted_patching(pa.Table.from_pylist(patches), (0, 2), depth=4)
    # Of other topics, Σ raw is 3 · 2 − 1 · 3 = 3 times what stands above.
    assert found == pytest.approx({0: 3 * 3 / 4 * (1 + 2 / 2), 2: 3 * 1 / 4 * 4 / 2})


def test_attributed_mass_leaves_held_out_topics_out(lab, shelf):
    from analyses.instruments.features.decisions import decisions

    lists = read_lists(shelf["list_samples"], lab.study.prompt)
    found = decisions(lab, lists, "short", [("resid_post", 0)], log_prob=False)
    with together(lab) as saes:
        cells, mass = layer_orders.attributed(saes[0], found)
        other = [one.attribute(saes[0], "corrupted") for one in found if not one.paired.held_out]
    assert mass == pytest.approx(np.mean([float(one.effects.abs().sum()) for one in other]))
    assert mass > 0
    assert len(cells.rows("all")) == len(found)
