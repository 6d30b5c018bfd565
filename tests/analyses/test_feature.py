"""What the cards of the tiny study's features say, against plain recomputation."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from analyses import feature
from analyses.instruments.features.cards import Card
from analyses.instruments.features.effects import ALIKE, RANDOM, matched
from analyses.instruments.features.examples import examples, fires_on
from analyses.instruments.features.values import Activations, read_activations, read_cards
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.prompts import prompt_tokens
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import Prompts
from analyses.lab.saes.feature_runs import before
from analyses.lab.saes.saes import open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.analyses.conftest import measure
from tests.lab.mild_saes import mild_study

CHAIN = ("list_features", "feature_activation", "feature")
HOSTILE = '<script>alert("1")</script>\u202e'


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return mild_study(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def tables(lab, shelf):
    found = dict(shelf)
    for name in CHAIN:
        found[name] = measure(lab, name, "", found)
    return found


@pytest.fixture(scope="module")
def cards(tables) -> dict[str, dict]:
    return {row["name"]: row for row in tables["feature"].to_pylist()}


def weights(lab, site: str, layer: int) -> torch.Tensor:
    """What a unit of each feature adds to the stream, by hand."""
    (found,) = [sae.directions.clone() for sae in open_saes(lab, site=site, layers=[layer])]
    if site == "resid_post":
        return found
    block = lab.model.network.model.layers[layer]
    return found @ block.self_attn.o_proj.weight.T * (1 + block.post_attention_layernorm.weight)


def test_says_what_it_is_and_repeats(lab, tables):
    labels = json.loads(tables["feature"].schema.metadata[b"labels"])
    assert labels["interval"].startswith("95 % over topics")
    assert "one a held-out topic" in labels["n"]
    again = measure(lab, "feature", "", tables)
    assert again.equals(tables["feature"], check_metadata=True)


def test_every_card_is_there_in_the_order_of_all(tables, cards):
    chosen = read_cards(tables["feature_activation"])
    assert list(cards) == [card.name for card in chosen]
    for card in chosen:
        row = cards[card.name]
        assert (row["site"], row["layer"], row["feature"]) == (*card.place, card.feature)
        assert (row["rank"], row["width"]) == (card.rank, 40)
        assert row["norm"] == pytest.approx(1, rel=1e-5)
        assert row["dashboard"] is None


def test_the_measured_effect_is_what_the_splice_gives(lab, tables, cards):
    """One card really set to zero at every position of the held-out lists, by hooks."""
    lists = read_lists(tables["list_samples"], lab.study.prompt)
    held = [one for one in paired_lists(lab, lists, "short", "length") if one.held_out]
    plus, minus = contrast_of(lab)

    def metric(tokens) -> float:
        with torch.inference_mode():
            logits = Prompts(lab.model.network, [tokens]).run(last_only=True)[0, -1]
        return float(logits[plus] - logits[minus])

    for sae in open_saes(lab):
        mine = [
            row for row in cards.values() if (row["site"], row["layer"]) == (sae.site, sae.layer)
        ]
        for row in sorted(mine, key=lambda row: -abs(row["measured"]))[:2]:
            losses = []
            for one in held:
                with spliced(lab.model.network, sae, setting([row["feature"]])):
                    without = metric(one.clean)
                losses.append(metric(one.clean) - without)
            assert row["measured"] == pytest.approx(np.mean(losses), abs=2e-5)
            assert row["effect_n"] == len(held)
            assert row["measured_low"] is row["attributed_high"] is None  # too few lists


def test_random_features_are_of_about_the_same_size():
    sizes = np.concatenate(([0.0, 5.0], np.geomspace(1, 100, 200), [1e6]))
    found = matched(sizes, [0, 1, 150, 202], seed=0)
    assert [len(ones) for ones in found] == [0, RANDOM, RANDOM, RANDOM]
    for feature_, ones in zip((1, 150), found[1:3], strict=True):
        assert len(set(ones)) == RANDOM
        assert not {0, 1, 150, 202} & set(ones)
        assert np.abs(np.log(sizes[ones] / sizes[feature_])).max() <= np.log(ALIKE)
    # Where none is alike: the nearest.
    assert set(found[3]) == set(range(202 - RANDOM, 202))
    # Features of one size share most of theirs, so that fewer are taken out.
    near = matched(sizes, [150, 152], seed=0)
    assert len(set(near[0]) & set(near[1])) >= RANDOM - 4
    assert matched(sizes, [0, 1, 150, 202], seed=1)[2] != found[2]


def test_every_card_has_its_band(cards):
    for row in cards.values():
        assert (row["band_low"] is None) == (row["band_n"] == 0)
        if row["band_n"]:
            assert row["band_low"] <= row["band_high"]
    assert max(row["band_n"] for row in cards.values()) == RANDOM


def test_tokens_are_those_of_the_direct_path(lab, cards):
    network = lab.model.network
    plus, minus = contrast_of(lab)
    pieces = lab.model.pieces(range(len(lab.model.tokenizer)))
    for name in ("0/", "1/", "z-1/"):
        row = next(row for key, row in cards.items() if key.startswith(name))
        direction = weights(lab, row["site"], row["layer"])[row["feature"]]
        gain = 1 + network.model.norm.weight
        logits = torch.diag(gain) @ network.lm_head.weight.T
        logits = direction @ logits
        logits = (logits - logits.mean())[: len(pieces)]
        for column, largest in (("top_logits", True), ("bottom_logits", False)):
            values, tokens = logits.topk(8, largest=largest)
            assert [one["value"] for one in row[column]] == pytest.approx(
                values.tolist(), rel=1e-3, abs=1e-5
            )
            for one, token in zip(row[column], tokens.tolist(), strict=True):
                assert one["deciding"] == (one["text"] in (pieces[plus], pieces[minus]))
                assert abs(logits[token] - one["value"]) < 1e-3
        assert row["decision"] == pytest.approx(float(logits[plus] - logits[minus]), abs=1e-5)


def test_neighbours_are_by_cosine(lab, cards):
    for name in ("0/", "z-1/"):
        row = next(row for key, row in cards.items() if key.startswith(name))
        every = weights(lab, row["site"], row["layer"]).numpy()
        mine = every[row["feature"]]
        own = every @ mine / np.linalg.norm(every, axis=1) / np.linalg.norm(mine)
        own[row["feature"]] = -2
        order = np.argsort(-own)[:3]
        same, others = row["nearest"][:3], row["nearest"][3:]
        assert [one["feature"] for one in same] == order.tolist()
        assert [one["cosine"] for one in same] == pytest.approx(own[order].tolist(), abs=1e-5)
        assert [one["is_card"] for one in same] == [one["name"] in cards for one in same]
        assert len({(one["site"], one["layer"]) for one in others}) == len(others) == 2
        for one in others:
            theirs = [
                r for r in cards.values() if (r["site"], r["layer"]) == (one["site"], one["layer"])
            ]
            rows = weights(lab, one["site"], one["layer"])[[r["feature"] for r in theirs]].numpy()
            cosines = rows @ mine / np.linalg.norm(rows, axis=1) / np.linalg.norm(mine)
            assert one["cosine"] == pytest.approx(cosines.max(), abs=1e-5)
            assert one["name"] == theirs[int(cosines.argmax())]["name"]


def test_means_by_role_and_item_are_plain_means(tables, cards):
    lists = read_activations(tables["feature_activation"], "short")
    for column, row in list(enumerate(cards.values()))[::7]:
        found = {(one["role"], one["k_end"]): one for one in row["by_role"]}
        for side in ("clean", "corrupted"):
            length = [getattr(one, side)[one.first, column] for one in lists]
            assert found["length", None][side] == pytest.approx(np.mean(length), rel=1e-5)
            deciding = [getattr(one, side)[-1, column] for one in lists]
            assert found["deciding", -1][side] == pytest.approx(np.mean(deciding), rel=1e-5)
            second = [
                getattr(one, side)[place, column]
                for one in lists
                for place, token in enumerate(one.tokens)
                if token["k"] == 2 and token["part"] in ("last", "only")
            ]
            assert row["by_item"][1][side] == pytest.approx(np.mean(second), rel=1e-5)
        assert row["by_item"][1]["n"] == len(second) == len(lists)
        start = found["start", None]
        assert start["clean"] == start["corrupted"]
        before_length = np.concatenate([one.clean[1 : one.first, column] for one in lists])
        assert start["clean"] == pytest.approx(before_length.mean(), rel=1e-5)
        for one in found.values():
            topics = len({x.topic for x in lists})
            assert one["n"] <= topics
            assert (one["clean_low"] is None) == (one["n"] < 5)
            if one["n"] >= 5:
                assert one["clean_low"] <= one["clean"] <= one["clean_high"]


def test_firing_is_counted_by_topic(tables, cards):
    lists = read_activations(tables["feature_activation"], "short")
    for column, row in list(enumerate(cards.values()))[::7]:
        assert {one["topic"] for one in row["firing"]} == {one.topic for one in lists}
        for one in row["firing"]:
            mine = [x for x in lists if x.topic == one["topic"]]
            own = [x.clean[x.start :, column] > 0 for x in mine]
            assert one["n"] == len(mine)
            assert one["held_out"] == mine[0].held_out
            assert one["lists"] == pytest.approx(np.mean([fires.any() for fires in own]))
            tokens = np.concatenate([x.clean[1:, column] > 0 for x in mine])
            assert one["tokens"] == pytest.approx(tokens.mean())
            assert one["list_tokens"] == pytest.approx(np.concatenate(own).mean())


def test_examples_are_what_their_kind_says(lab, tables, cards):
    lists = {one.key: one for one in read_activations(tables["feature_activation"])}
    for column, row in enumerate(cards.values()):
        kinds: dict[str, list[dict]] = {}
        for one in row["examples"]:
            kinds.setdefault(one["kind"], []).append(one)
            mine = lists[one["template"], one["topic"], one["sample"]]
            shown = range(one["start"], one["start"] + len(one["tokens"]))
            assert [t["text"] for t in one["tokens"]] == [mine.tokens[p]["text"] for p in shown]
            assert one["position"] in shown
            assert one["tokens"][one["position"] - one["start"]]["activation"] == one["activation"]
            for p, token in zip(shown, one["tokens"], strict=True):
                expected = None if p == 0 else pytest.approx(mine.clean[p, column])
                assert token["activation"] == expected
        values = np.concatenate([one.clean[1:, column] for one in lists.values()])
        top = [one["activation"] for one in kinds["top"]]
        assert top[0] == pytest.approx(values.max())
        assert top == sorted(top, reverse=True)
        for kind in ("top", "middle", "low"):
            topics = [one["topic"] for one in kinds.get(kind, [])]
            assert len(topics) == len(set(topics)) <= 3
            assert all(one["activation"] > 0 for one in kinds.get(kind, []))
        for kind in ("near miss", "zero"):
            assert [one["activation"] for one in kinds.get(kind, [])] in ([], [0.0])
        places = [(o["template"], o["topic"], o["sample"], o["position"]) for o in row["examples"]]
        assert len(places) == len(set(places))


def test_a_near_miss_is_the_nearest_below_the_threshold(lab, tables, cards):
    """Of all tokens on which the feature is silent, by the encoder's weights alone."""
    lists = read_activations(tables["feature_activation"])
    samples = read_lists(tables["list_samples"], lab.study.prompt)
    ids = {
        (one.key["template"], one.key["topic"], one.key["sample"]): one.token_ids
        for one in samples
        if one.key["temperature"] == lab.study.sampling.temperature
    }
    column = next(i for i, row in enumerate(cards.values()) if row["name"].startswith("0/"))
    row = list(cards.values())[column]
    (near,) = [one for one in row["examples"] if one["kind"] == "near miss"]
    highest = -np.inf
    for sae in open_saes(lab, site="resid_post", layers=[0]):
        for one in lists:
            template, topic, _ = one.key
            asked = prompt_tokens(
                lab.model, lab.study.prompt, lab.study.prompt.templates[template], None, topic
            )
            tokens = [*asked.ids, *ids[one.key]][: len(one.tokens)]
            seen = []
            layer = lab.model.network.model.layers[0]
            watch = layer.register_forward_hook(lambda _, __, out, seen=seen: seen.append(out[0]))
            with torch.inference_mode():
                Prompts(lab.model.network, [tokens]).run(last_only=True)
            watch.remove()
            module = sae._module
            own = (seen[0] @ module.W_enc + module.b_enc)[:, row["feature"]]
            torch.testing.assert_close(
                before(sae, seen[0], [row["feature"]])[1:, 0], own[1:], rtol=1e-4, atol=1e-5
            )
            threshold = float(module.threshold[row["feature"]])
            quiet = own[1:][own[1:] <= threshold]
            highest = max(highest, float(quiet.max()))
    assert near["before"] == pytest.approx(highest, abs=1e-4)
    assert near["before"] <= threshold


def test_examples_by_hand():
    """One feature over two lists of five tokens; the first position is never shown as a value."""

    def a_list(topic: str, values: list[float]) -> Activations:
        tokens = [{"text": f"{topic}{i}", "role": "item"} for i in range(len(values))]
        column = np.array([np.nan, *values[1:]])[:, None]
        return Activations(("short", topic, 0), False, tokens, 1, 2, column, column)

    lists = [a_list("a", [9, 4, 3, 0, 0]), a_list("b", [9, 5, 2, 1, 0])]
    levels = [np.array([9, 4, 3, -0.5, -0.1]), np.array([9, 5, 2, 1, -0.3])]
    found = [
        (one["kind"], one["topic"], one["position"], one["before"])
        for one in examples(lists, 0, levels, [0])
    ]
    assert found[:5] == [
        ("top", "b", 1, None), ("top", "a", 1, None), ("middle", "a", 2, None),
        ("middle", "b", 2, None), ("low", "b", 3, None),
    ]  # fmt: skip
    assert found[5] == ("near miss", "a", 4, -0.1)
    assert found[6] in (("zero", "a", 3, -0.5), ("zero", "b", 4, -0.3))
    assert examples(lists, 0, levels, [0])[0]["tokens"][0]["activation"] is None
    assert fires_on(lists, 0, 2) == ["b1", "a1"]
    silent = [a_list("a", [9, 0, 0, 0, 0])]
    assert [one["kind"] for one in examples(silent, 0, levels, [0])] == ["near miss", "zero"]


def test_texts_of_the_model_stay_what_they_are(lab, shelf):
    """A token that looks like markup is data in every table, and quoted in labels."""
    found = dict(shelf)
    samples = shelf["list_samples"]
    tokens = [
        [HOSTILE if text == " Apple" else text for text in row]
        for row in samples["tokens"].to_pylist()
    ]
    place = samples.column_names.index("tokens")
    found["list_samples"] = samples.set_column(place, "tokens", pa.array(tokens))
    for name in CHAIN:
        found[name] = measure(lab, name, "", found)
    texts = [
        token["text"]
        for row in found["feature"].to_pylist()
        for one in row["examples"]
        for token in one["tokens"]
    ]
    assert HOSTILE in texts
    assert " Apple" not in texts
    said = feature.label([HOSTILE, "\n"], ['"', "end", "more"])
    first, second = said.removeprefix("on ").split(" → ")
    assert json.loads(f"[{first}]") == [HOSTILE, "\n"]
    assert json.loads(f"[{second}]") == ['"', "end"]


def test_published_features_have_an_address():
    card = Card("resid_post", 20, 77, 1, 0.5)
    found = feature.dashboard(
        "gemma-scope-2b-pt-res-canonical", "layer_{layer}/width_16k/canonical", card
    )
    assert found == "https://www.neuronpedia.org/gemma-2-2b/20-gemmascope-res-16k/77"
    assert feature.dashboard("somebody-else", "layer_{layer}/width_16k/canonical", card) is None
    assert feature.dashboard(None, None, card) is None


def test_effects_need_a_held_out_list(lab, tables):
    samples = tables["list_samples"].filter(pc.invert(tables["list_samples"]["held_out"]))
    known = tables["feature_activation"]
    other = pc.fill_null(pc.invert(known["held_out"]), True)
    with pytest.raises(LabError, match="no short list on a held-out topic ended"):
        feature.run(lab, samples, known.filter(other))
