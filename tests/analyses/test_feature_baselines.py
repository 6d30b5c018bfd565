"""A feature and its baselines on the tiny study, beside hooks on the whole network and numpy."""

import json

import numpy as np
import pytest
import torch

from analyses import feature_baselines
from analyses.instruments import exchanges
from analyses.instruments.features.decisions import decisions
from analyses.instruments.lists import read_lists
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import Prompts
from analyses.lab.saes.saes import open_saes
from tests.lab.mild_saes import mild_study
from tests.lab.pairs import strong_tiny

PLACES = (("resid_post", 0), ("resid_post", 1), ("z", 1))


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return strong_tiny(mild_study(tmp_path_factory.mktemp("mild")))


@pytest.fixture(scope="module")
def found(case, shelf):
    lists = read_lists(shelf["list_samples"], case.lab.study.prompt)
    return decisions(case.lab, lists, "short", PLACES, log_prob=False)


@pytest.fixture(scope="module")
def table(case, shelf):
    return feature_baselines.run(case.lab, shelf["list_samples"])


def rows(table, part: str, **wanted) -> list[dict]:
    found = [row for row in table.to_pylist() if row["part"] == part]
    found = [row for row in found if all(row[k] == v for k, v in wanted.items())]
    assert found
    return found


def plainly(lab, tokens, layer, change=None):
    """The contrast of a run of the whole network, and x at its last token, by a hook."""
    seen = []

    def hook(_, __, out):
        out = out.clone()
        seen.append(out[0, -1].double().numpy())
        if change is not None:
            out[0, -1] += torch.from_numpy(change).to(out)
        return out

    handle = lab.model.network.model.layers[layer].register_forward_hook(hook)
    with torch.inference_mode():
        logits = Prompts(lab.model.network, [tokens]).run(last_only=True)[0, -1].double()
    handle.remove()
    plus, minus = contrast_of(lab)
    return float(logits[plus] - logits[minus]), seen[0]


def unit(x):
    return x / np.linalg.norm(x)


def test_shares_are_what_hooks_on_the_network_give(case, found, table):
    lab, layer = case.lab, 1
    (feature,) = {row["feature"] for row in rows(table, "share", site="resid_post", layer=layer)}
    with torch.inference_mode():
        for sae in open_saes(lab, site="resid_post", layers=[layer]):
            written = sae.directions[feature].double().numpy()
            runs = [
                [plainly(lab, tokens, layer) for tokens in (one.paired.clean, one.paired.corrupted)]
                for one in found
            ]
            acts = [
                [float(sae.encode(torch.from_numpy(x).float())[feature]) for _, x in both]
                for both in runs
            ]
    losses = {
        name: [] for name in ("exchanged", "removed", "other mean", "mean direction", "stream")
    }
    for i, one in enumerate(found):
        others = [
            j for j, x in enumerate(found)
            if not x.paired.held_out and x.paired.topic != one.paired.topic
        ]  # fmt: skip
        (clean, x), (_, other) = runs[i]
        direction = unit(np.mean([runs[j][0][1] - runs[j][1][1] for j in others], 0))
        mean = np.mean([acts[j][1] for j in others])
        changes = {
            "exchanged": (acts[i][1] - acts[i][0]) * written,
            "removed": -acts[i][0] * written,
            "other mean": (mean - acts[i][0]) * written,
            "mean direction": (other - x) @ direction * direction,
            "stream": other - x,
        }
        for name, change in changes.items():
            losses[name].append(clean - plainly(lab, one.paired.clean, layer, change)[0])
    spans = [both[0][0] - both[1][0] for both in runs]
    for topics in ("all", "held-out"):
        here = [i for i, one in enumerate(found) if topics == "all" or one.paired.held_out]
        for name, ones in losses.items():
            (row,) = rows(
                table, "share", site="resid_post", layer=layer, change=name, topics=topics
            )
            share = sum(ones[i] for i in here) / sum(spans[i] for i in here)
            assert row["estimate"] == pytest.approx(share, abs=1e-3), name
            assert row["n"] == len(here)
    assert len({round(sum(ones), 4) for ones in losses.values()}) == len(losses)


def test_a_random_direction_moves_x_as_far_and_not_away_from_the_other_prompt(case):
    moved = torch.randn(256, generator=torch.Generator().manual_seed(1))
    for sae in open_saes(case.lab, site="resid_post", layers=[1]):
        draws = exchanges._random(sae, 3)
        towards = exchanges._towards(draws, moved)
        assert torch.allclose(draws, exchanges._random(sae, 3))
    assert towards.shape == (exchanges.DRAWS, 256)
    assert torch.allclose(towards.norm(dim=-1), torch.ones(exchanges.DRAWS))
    assert (towards @ moved >= 0).all()
    assert torch.allclose(towards.abs(), draws.abs())


def test_the_whole_stream_after_the_last_block_takes_all(table):
    for row in rows(table, "list", site="resid_post", layer=1, change="stream"):
        assert row["estimate"] == pytest.approx(1, abs=1e-3)


def test_a_feature_is_the_strongest_at_the_deciding_token(case, found, table):
    for sae in open_saes(case.lab, site="resid_post", layers=[1]):
        totals = np.zeros(sae.width)
        for one in found:
            attributed = one.attribute(sae, "corrupted")
            if not one.paired.held_out:
                last = attributed.positions == len(one.paired.clean) - 1
                np.add.at(
                    totals, attributed.features[last].numpy(), attributed.effects[last].numpy()
                )
    (feature,) = {row["feature"] for row in rows(table, "share", site="resid_post", layer=1)}
    assert feature == np.abs(totals).argmax()


def test_differences_are_those_of_shares(table):
    for row in rows(table, "difference"):
        of = {name: row[name] for name in ("site", "layer", "topics")}
        one, other = (
            rows(table, "share", **of, change=row[name])[0]["estimate"]
            for name in ("change", "other")
        )
        assert row["estimate"] == pytest.approx(one - other, abs=1e-6)


def test_says_what_it_is_and_repeats(case, shelf, table):
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["interval"] == statistics.said("topics")
    assert "not held out" in labels["note"]
    # After the first block nothing differs at the deciding token yet.
    assert {(row["site"], row["layer"]) for row in rows(table, "share")} == set(PLACES[1:])
    assert len({row["name"] for row in rows(table, "share", strongest=True)}) == 1
    for row in rows(table, "cosine"):
        assert -1 <= row["estimate"] <= 1
    for row in rows(table, "share", change="random"):
        assert row["band_low"] <= row["estimate"] <= row["band_high"]
    again = feature_baselines.run(case.lab, shelf["list_samples"])
    assert table.equals(again, check_metadata=True)


def test_a_study_without_autoencoders_is_refused(tiny, shelf):
    with pytest.raises(LabError, match="no sparse autoencoders"):
        feature_baselines.run(tiny, shelf["list_samples"])
