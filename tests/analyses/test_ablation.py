"""Lists drawn from the tiny model under each condition, and their sums, recomputed plainly."""

import shutil
from collections import Counter

import numpy as np
import pytest
import scipy.stats
import torch

from analyses import ablation, ablation_samples, feature_tests, list_samples
from analyses.instruments.ablation import ablated_lists
from analyses.instruments.ablation import plan as ablation_plan
from analyses.instruments.features.profiles import profiles
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.pairs import pair
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import table_of
from analyses.lab.model.decoder import Prompts
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime import cached_arrays
from analyses.lab.saes.attribution import contrast, traces
from analyses.lab.saes.saes import open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.lab.mild_saes import mild_study

PLACES = [("resid_post", 0), ("resid_post", 1), ("z", 1)]
CONDITION = list(ablation.CONDITION)
LISTS, TOKENS, FEATURES = 2, 24, 5


@pytest.fixture(scope="module", autouse=True)
def small():
    """Fewer and shorter lists."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablated_lists, "LISTS", LISTS)
        patch.setattr(ablated_lists, "HELD_OUT_LISTS", LISTS)
        patch.setattr(ablated_lists, "TOKENS", TOKENS)
        patch.setattr(ablation_plan, "FEATURES", FEATURES)
        yield


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Layers strong enough for the length word to matter, weak enough to write lists."""
    found = mild_study(tmp_path_factory.mktemp("project"))
    with torch.no_grad():
        for layer in found.model.network.model.layers:
            layer.post_attention_layernorm.weight.fill_(-0.5)
            layer.post_feedforward_layernorm.weight.fill_(-0.5)
    return found


@pytest.fixture(scope="module")
def written_lists(lab):
    return list_samples.run(lab)


@pytest.fixture(scope="module")
def samples(lab, written_lists):
    return ablation_samples.run(lab, written_lists)


def by_condition(samples) -> dict[tuple, list[dict]]:
    found: dict[tuple, list[dict]] = {}
    for row in samples.to_pylist():
        found.setdefault(tuple(row[name] for name in CONDITION), []).append(row)
    return found


def test_the_conditions_are_those_that_can_be(samples):
    """The last layer's prompt tokens are behind all that reads them, and the first layer's
    deciding ones see nothing of the length word: nothing to ablate there."""
    found = list(by_condition(samples))
    assert found[0] == ("prompt", "base", None, None, None, None)
    from_prompt = Counter((c[1], c[2], c[3]) for c in found if c[0] == "prompt")
    behind, everywhere = 2, 3
    assert from_prompt == {
        **dict.fromkeys([(name, None, None) for name in ("base", "other seeds", "long prompt")], 1),
        ("logit bias", None, "deciding"): 1,
        ("steering", None, "deciding"): everywhere,
        **{(name, "mean", "deciding"): behind + 1 for name in ("top", "random")},
        **{(name, "mean", "deciding"): behind for name in ("keep", "keep random")},
        ("top", "own mean", "deciding"): behind,
        **{(name, "zero", "deciding"): everywhere for name in ("top", "random")},
        **{(name, edit, "prompt"): 1 for name in ("top", "random") for edit in ("zero", "mean")},
    }
    assert {(c[4], c[5]) for c in found if c[3] == "prompt"} == {PLACES[0]}
    together = [c for c in found if c[1] in ("top", "random") and c[5] is None]
    assert [c[1] for c in together] == ["top", "random"]
    cut = [c for c in found if c[0] != "prompt"]
    assert {c[1] for c in cut} == {
        "base", "long prompt", "logit bias", "top", "random", "steering"
    }  # fmt: skip
    assert {c[2] for c in cut} == {"mean", None}
    for row in samples.to_pylist():
        edited = {"top": FEATURES, "random": FEATURES, "keep": 35, "keep random": 35}
        several = 2 if row["layer"] is None else 1
        assert row["features"] == edited.get(row["method"], 0) * several


def test_base_lists_are_the_sampled_ones(lab, written_lists, samples):
    """Token by token, as far as the budget goes, and so is whatever a change leaves alone."""
    known = {
        (row["topic"], row["sample"]): row["tokens"][:TOKENS]
        for row in written_lists.to_pylist()
        if row["template"] == "short" and row["temperature"] == lab.study.sampling.temperature
    }
    groups = by_condition(samples)
    base = groups["prompt", "base", None, None, None, None]
    assert len(base) == LISTS * len(lab.study.topics.names)
    for row in base:
        assert row["tokens"] == known[row["topic"], row["sample"]]
        assert row["new_tokens"] == len(row["tokens"]) <= TOKENS
        assert row["ended"] == (row["tokens"][-1] == lab.study.prompt.end)
    edited = groups["prompt", "top", "mean", "prompt", "resid_post", 0]
    for other in (groups["prompt", "other seeds", None, None, None, None], edited):
        assert [row["tokens"] for row in base] != [row["tokens"] for row in other]
    keys = [(row["topic"], row["sample"]) for row in base]
    for name, rows in groups.items():
        if name[0] == "prompt":
            assert [(row["topic"], row["sample"]) for row in rows] == keys


def test_a_cut_list_goes_on_from_its_last_hyphen(lab, written_lists):
    lists = read_lists(written_lists, lab.study.prompt)
    short = [one for one in lists if one.group == ("short", lab.study.sampling.temperature)]
    by_key = {(one.key["topic"], one.key["sample"]): one for one in short}
    starts = ablated_lists.from_cut_lists(lab, lists)
    assert len(starts["short"]) == len(starts["long"]) > 6
    assert max(Counter(one.topic for one in starts["short"]).values()) <= 2
    for one, other in zip(starts["short"], starts["long"], strict=True):
        whole = by_key[one.topic, one.sample]
        assert whole.roles.ended
        assert len(whole.items) >= 3
        clean, long = pair(
            lab.model, lab.study.prompt, lab.study.prompt.templates, "short", one.topic
        )
        given = one.prompt[len(clean.ids) :]
        assert one.prompt[: len(clean.ids)] == clean.ids
        assert other.prompt == (*long.ids, *given)
        text = "-" + "".join(lab.model.pieces(given))
        lines = whole.text.strip().split("\n")
        assert text == "\n".join(lines[:-1]) + "\n-"
        assert one.given_items == len(lines) - 1


def test_the_same_again_from_nothing(lab, written_lists, samples, tmp_path):
    """Every fifth condition, its profile included."""
    folder = lab.root / cached_arrays.FOLDER
    folder.rename(tmp_path / "aside")
    try:
        plan = ablation_plan.conditions(lab, written_lists)
        for one, rows in list(zip(plan, by_condition(samples).values(), strict=True))[::5]:
            again = [lab.model.pieces(ids) for ids in ablated_lists.draw(lab, one)]
            assert again == [row["tokens"] for row in rows]
    finally:
        shutil.rmtree(folder)
        (tmp_path / "aside").rename(folder)


def test_a_stopped_run_goes_on_from_either_end(lab, written_lists, samples, monkeypatch):
    """Two processes may share the work: what was drawn by one is read by the other."""
    plan = ablation_plan.conditions(lab, written_lists)
    drawn = []
    draw = ablated_lists.sample
    monkeypatch.setattr(
        ablated_lists, "sample", lambda *args, **options: drawn.append(1) or draw(*args, **options)
    )
    files = set((lab.root / cached_arrays.FOLDER).rglob("*.npy"))
    for one in reversed(plan):
        ablated_lists.draw(lab, one)
    assert not drawn
    assert len(plan) == len(by_condition(samples)) <= len(files)
    assert set((lab.root / cached_arrays.FOLDER).rglob("*.npy")) == files
    next(file for file in sorted(files) if np.load(file).shape == (12, TOKENS)).unlink()
    assert ablation_samples.run(lab, written_lists).equals(samples)
    assert len(drawn) == 1


def test_profiles_are_means_over_topics_that_are_not_held_out(lab, written_lists):
    lists = read_lists(written_lists, lab.study.prompt)
    pairs = [x for x in paired_lists(lab, lists, "short", "length") if not x.held_out]
    found, shift = profiles(lab, lists)
    assert [one.place for one in found] == PLACES
    metric = contrast(Blocks(lab.model.network), contrast_of(lab))
    runs = [
        [
            traces(Blocks(lab.model.network), ids, PLACES, [metric], slopes=False)[0]
            for ids in (one.clean, one.corrupted)
        ]
        for one in pairs
    ]
    assert shift == pytest.approx(np.mean([b.metric - a.metric for a, b in runs]), abs=1e-6)
    for sae, profile in zip(open_saes(lab), found, strict=True):
        place = profile.place
        for side, quantity in enumerate(("own", "other")):
            for role in ("topic", "deciding", "last"):
                found_there = []
                for one, both in zip(pairs, runs, strict=True):
                    features = sae.encode(both[side].streams[place])
                    found_there += [features[position] for position in places(lab, one, role)]
                there = torch.stack(found_there)
                mean = there.mean(0).numpy()
                np.testing.assert_allclose(profile.of(role, quantity), mean, atol=1e-5)
                if quantity == "own":
                    gone = there - torch.tensor(profile.of(role, "other"), dtype=torch.float32)
                    spread = gone.pow(2).mean(0).sqrt().numpy()
                    np.testing.assert_allclose(profile.of(role, "spread"), spread, atol=1e-5)
        last = [b.streams[place][-1] - a.streams[place][-1] for a, b in runs]
        np.testing.assert_allclose(profile.steering, torch.stack(last).mean(0), atol=1e-5)


def places(lab, paired, role) -> list[int]:
    """Where a role stands; `deciding`: after every item, told from the texts of the tokens."""
    if role == "last":
        return [len(paired.clean) - 1]
    if role == "topic":
        return [i for i in range(paired.first, len(paired.clean)) if paired.role(i)[0] == role]
    breaks = [i for i, token in enumerate(paired.tokens) if token.role == "break" and token.k]
    at_break = getattr(lab.study.decision, lab.study.decision.primary).at == "break"
    return breaks if at_break else [*(i - 1 for i in breaks), len(paired.clean) - 1]


def test_matched_cells_are_others_of_the_same_role(lab, written_lists):
    found, _ = profiles(lab, read_lists(written_lists, lab.study.prompt))
    for profile in found[:2]:
        place = "prompt" if profile is found[0] else "deciding"
        chosen = profile.strongest(place, "corrupted", 6)
        effects = [abs(profile.of(role, "corrupted")[feature]) for role, feature in chosen]
        assert effects == sorted(effects, reverse=True)
        matched = profile.matched(chosen, "zero", 1)
        assert matched == profile.matched(chosen, "zero", 1)
        assert len(set(matched)) == len(matched) == len(chosen)
        assert not set(matched) & set(chosen)
        for (role, _), (like, feature) in zip(chosen, matched, strict=True):
            assert role == like
            assert profile.of(role, "own")[feature] > 0


def plainly(row) -> dict[str, float]:
    """A tiny model's list, counted by splitting its text."""
    text = "-" + "".join(row["tokens"]).removesuffix("<end_of_turn>")
    lines = text.split("\n")
    whole = lines if row["ended"] else lines[:-1]
    items = [line[1:].strip() for line in whole if line.startswith("-") and line[1:].strip()]
    shares = [count / len(items) for count in Counter(items).values()]
    return {
        "items": len(items),
        "decisions": len(items) + (row["start"] == "list minus last item"),
        "distinct": len(set(items)),
        "tokens": row["new_tokens"],
        "ended": row["ended"],
        "repeats": len(items) - len(set(items)),
        "shannon_list": -sum(share * np.log(share) for share in shares),
        "malformed": not all(line.startswith("-") for line in lines if line),
    }


@pytest.mark.parametrize("topics", ["all", "held-out", "other"])
def test_by_layer_is_what_plain_counting_gives(lab, samples, topics):
    table = ablation.run(lab, samples, variant="by-layer")
    groups = by_condition(samples)
    rows = {
        (tuple(row[n] for n in CONDITION), row["quantity"]): row
        for row in table.to_pylist()
        if row["topics"] == topics
    }
    assert len(rows) == 8 * len(groups)
    wanted = {"all": (True, False), "held-out": (True,), "other": (False,)}[topics]

    parts = {  # what is divided by what, if not by the number of lists
        "repeated_share": ("repeats", "items"),
        "hazard": ("ended", "decisions"),
    }

    def mean(condition, quantity, without=None) -> float:
        """The ratio of sums, without one of the topics."""
        above = below = 0.0
        name, per = parts.get(quantity, (quantity, ""))
        for row in groups[condition]:
            if row["held_out"] in wanted and row["topic"] != without:
                found = plainly(row)
                above += found[name]
                below += found[per] if per else 1
        return above / below

    def apart(one, other, quantity) -> float:
        """Hazards are compared by their ratio, all else by its difference."""
        return one / other if quantity == "hazard" else one - other

    base = {start: (start, "base", *[None] * 4) for start in ("prompt", "list minus last item")}
    for (condition, quantity), row in rows.items():
        value = mean(condition, quantity)
        if quantity == "hazard" and not value:  # no list of this condition ended
            continue
        assert row["estimate"] == pytest.approx(value), (condition, quantity)
        assert row["n"] == sum(one["held_out"] in wanted for one in groups[condition])
        if condition[1] == "base":
            assert row["change"] is row["beyond"] is None
            continue
        change = apart(value, mean(base[condition[0]], quantity), quantity)
        assert row["change"] == pytest.approx(change, abs=1e-12)
        baseline = {"top": "random", "keep": "keep random"}.get(condition[1])
        if baseline and condition[2] != "own mean":
            random = mean((condition[0], baseline, *condition[2:]), quantity)
            assert row["beyond"] == pytest.approx(apart(value, random, quantity), abs=1e-12)
        else:
            assert row["beyond"] is None
        control = (*condition[:2], "own mean", *condition[3:])
        if condition[1:3] == ("top", "mean") and control in groups:
            word = apart(value, mean(control, quantity), quantity)
            assert row["word"] == pytest.approx(word, abs=1e-12)
        else:
            assert row["word"] is None
    condition = next(name for name in groups if name[1:4] == ("top", "mean", "prompt"))
    names = [row["topic"] for row in groups[condition] if row["held_out"] in wanted]
    names = list(dict.fromkeys(names))
    row = rows[condition, "items"]
    if len(names) < 5:
        assert row["change_low"] is row["change_high"] is None
        return
    moved = [
        mean(condition, "items", name) - mean(base["prompt"], "items", name) - row["change"]
        for name in names
    ]
    half = scipy.stats.t.ppf(0.975, len(names) - 1) * np.sqrt(
        (len(names) - 1) / len(names) * np.square(moved).sum()
    )
    bounds = (row["change_low"], row["change_high"])
    assert bounds == pytest.approx((row["change"] - half, row["change"] + half))


def test_by_topic_is_what_plain_counting_gives(lab, samples):
    groups = by_condition(samples)
    table = ablation.run(lab, samples, variant="by-topic")
    assert table.num_rows == len(groups) * len(lab.study.topics.names)
    for row in table.to_pylist():
        condition = tuple(row[name] for name in CONDITION)
        base = (condition[0], "base", *[None] * 4)
        items, before = (
            [plainly(one)["items"] for one in groups[name] if one["topic"] == row["topic"]]
            for name in (condition, base)
        )
        assert row["estimate"] == pytest.approx(np.mean(items))
        assert row["held_out"] == (row["topic"] in lab.study.topics.held_out)
        if condition != base:
            gaps = np.array(items) - np.array(before)
            assert row["change"] == pytest.approx(gaps.mean())
        assert row["low"] is row["high"] is row["change_low"] is row["change_high"] is None


def test_survival_counts_cut_lists_as_censored(tiny):
    """Six lists by hand: ended after 0, 1, 2 and 2 items, cut after 2 and 3; one with text besides."""
    texts = [" A|<end>", " A|\n|-| B|<end>", " A|\n|-| B|\n|so|<end>", " A|\n|-| B|\n|-",
             " A|\n|-| B|\n|-| C|\n", "<end>"]  # fmt: skip
    rows = [
        {
            "start": "prompt", "method": "base", "features": 0, "size": 0.0, "topic": ("Fruits", "Animals")[i % 2],
            "held_out": i % 2 == 1, "sample": i, "given_items": 0, "tokens": text.split("|"),
            "new_tokens": len(text.split("|")), "ended": text.endswith("<end>"),
        }
        for i, text in enumerate(texts)
    ]  # fmt: skip
    table = table_of(rows, ablation_samples.SCHEMA)
    curve = ablation.run(tiny, table, variant="survival").to_pylist()
    assert [row["items"] for row in curve] == [1, 2, 3, None]
    assert [row["at_risk"] for row in curve[:3]] == [5, 4, 1]
    # One of six ends without an item, one of five after the first, two of four after the second.
    shares = np.cumprod([5 / 6, 4 / 5, 2 / 4])
    assert [row["estimate"] for row in curve[:3]] == pytest.approx(shares)
    assert curve[3]["quantity"] == "median"
    assert curve[3]["estimate"] == 2
    assert {row["capped"] for row in curve} == {2}
    found = {
        row["quantity"]: row["estimate"]
        for row in ablation.run(tiny, table, variant="by-layer").to_pylist()
        if row["topics"] == "all"
    }
    assert found["items"] == pytest.approx((0 + 1 + 2 + 2 + 2 + 3) / 6)
    assert found["ended"] == pytest.approx(4 / 6)
    assert found["malformed"] == pytest.approx(2 / 6)


def test_q_values_by_hand():
    """p by rank times tests over rank, and never above that of a larger p."""
    found = feature_tests.adjusted([0.01, 0.04, 0.005, 0.03, 0.9])
    assert found == pytest.approx([0.025, 0.05, 0.025, 0.05, 0.9])
    assert feature_tests.adjusted([]) == []


@pytest.fixture(scope="module")
def tested(lab, written_lists):
    return feature_tests.run(lab, written_lists)


def test_features_of_a_group_are_tested_together(lab, written_lists, tested):
    rows = tested.to_pylist()
    assert {(row["site"], row["layer"]) for row in rows} == {*PLACES[1:]}
    for group in ("top", "random"):
        known = [row for row in rows if row["p"] is not None and row["group"] == group]
        ordered, least = sorted(known, key=lambda row: -row["p"]), 1.0
        assert known
        for place, row in enumerate(ordered):
            least = min(least, row["p"] * len(known) / (len(known) - place))
            assert row["q"] == pytest.approx(least)
            assert row["survives"] == (row["q"] <= 0.05)
    for row in rows:
        if row["moved"] == 0:
            assert row["estimate"] == 0
            assert row["p"] is row["q"] is row["survives"] is None
    assert {row["n"] for row in rows} == {len(lab.study.topics.held_out)}
    assert feature_tests.run(lab, written_lists).equals(tested, check_metadata=True)


def test_a_tested_feature_is_what_the_splice_gives(lab, written_lists, tested):
    """Set to its value at the deciding token of each held-out list, by hooks."""
    rows = [row for row in tested.to_pylist() if (row["site"], row["layer"]) == ("z", 1)]
    row = max(rows, key=lambda row: abs(row["estimate"]))
    assert abs(row["estimate"]) > 1e-4
    lists = read_lists(written_lists, lab.study.prompt)
    (plus, minus), network, changes = contrast_of(lab), lab.model.network, []

    def metric(ids) -> float:
        with torch.inference_mode():
            logits = Prompts(network, [ids]).run(last_only=True)[0, -1]
        return float(logits[plus] - logits[minus])

    for sae in open_saes(lab, site="z", layers=[1]):
        for one in paired_lists(lab, lists, "short", "length"):
            if one.held_out:
                where = torch.zeros(1, len(one.clean), dtype=torch.bool)
                where[0, -1] = True
                own = metric(one.clean)
                with spliced(network, sae, setting([row["feature"]], row["value"], where)):
                    changes.append(metric(one.clean) - own)
    assert row["estimate"] == pytest.approx(np.mean(changes), abs=1e-5)


@pytest.mark.parametrize("module", [ablation_samples, feature_tests])
def test_a_study_without_saes_is_refused(tiny, shelf, module):
    with pytest.raises(LabError, match="no sparse autoencoders in this study"):
        module.run(tiny, shelf["list_samples"])
