"""Attribution over the tiny study's lists, and numbers of it recomputed through the splice."""

import json
from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pytest
import torch

from analyses import attribution
from analyses.instruments.features import decisions
from analyses.instruments.features.cells import ROLES, Cells, role_numbers
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.sweeps import contrast_of
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import Prompts
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime import cached_arrays
from analyses.lab.saes.attribution import attribute, contrast, traces
from analyses.lab.saes.saes import open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.lab.mild_saes import mild_study

PLACES = {("resid_post", 0), ("resid_post", 1), ("z", 1)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return mild_study(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def tables(lab, shelf):
    return {
        variant: attribution.run(lab, shelf["list_samples"], variant=variant)
        for variant in attribution.VARIANTS
    }


@pytest.fixture(scope="module")
def pairs(lab, shelf):
    return paired_lists(lab, read_lists(shelf["list_samples"], lab.study.prompt), "short", "length")


def rows(table, part: str, **wanted) -> list[dict]:
    found = [row for row in table.to_pylist() if row["part"] == part]
    found = [row for row in found if all(row[k] == v for k, v in wanted.items())]
    assert found
    return found


@pytest.mark.parametrize("variant", attribution.VARIANTS)
def test_says_what_it_is_and_repeats(lab, shelf, tables, variant):
    table = tables[variant]
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["interval"] == statistics.said("topics")
    assert "topics" in labels["n"]
    assert "not held out" in labels["note"]
    assert labels["units"]["estimate"] == attribution.UNITS[variant]
    ends = table.filter(pc.is_finite(table["low"]))
    assert ends.num_rows > 0
    assert pc.all(pc.less_equal(ends["low"], ends["high"])).as_py()
    again = attribution.run(lab, shelf["list_samples"], variant=variant)
    assert table.equals(again, check_metadata=True)


@pytest.mark.parametrize("variant", attribution.VARIANTS[:2])
def test_every_layer_has_its_features_on_both_sides_of_the_choice(tables, variant):
    found = rows(tables[variant], "feature")
    assert {(row["site"], row["layer"]) for row in found} == PLACES
    assert {row["against"] for row in found} == {"zero", "corrupted"}
    assert {row["template"] for row in found} == {"short", "long"}
    assert {(row["role"], row["k_end"]) for row in found} <= set(ROLES)
    names = ("site", "layer", "against", "template", "topics")
    for group, count in Counter(tuple(row[k] for k in names) for row in found).items():
        assert count <= attribution.TOP
        ranked = [r for r in found if tuple(r[k] for k in names) == group]
        assert [row["rank"] for row in ranked] == list(range(1, count + 1))
        if group[-1] == "other":
            sizes = [abs(row["estimate"]) for row in ranked]
            assert sizes == sorted(sizes, reverse=True)
            assert all(row["fires"] > 0 for row in ranked)
        assert 0 <= sum(row["share"] for row in ranked) <= 1 + 1e-5


def test_held_out_topics_do_not_choose(tables):
    pairs = rows(tables["logit-difference"], "pair", template="short")
    held_out = sum(row["held_out"] for row in pairs)
    for topics, n in (("held-out", held_out), ("other", len(pairs) - held_out)):
        for row in rows(tables["logit-difference"], "feature", template="short", topics=topics):
            assert row["n"] == n
    assert {row["topics"] for row in rows(tables["logit-difference"], "check")} == {"held-out"}


@pytest.mark.parametrize("variant", attribution.VARIANTS[:2])
def test_parts_make_up_the_whole(tables, variant):
    found = rows(tables[variant], "sum")
    values: dict[tuple, dict[str, float]] = {}
    for row in found:
        key = tuple(row[k] for k in ("template", "against", "site", "layer", "role", "k_end"))
        values.setdefault(key, {})[row["quantity"]] = row["estimate"]
    assert len(values) == 2 * 2 * 3 * (len(ROLES) + 1)
    for key, of in values.items():
        parts = of["features"] + of["error"] + of["bias"]
        assert parts == pytest.approx(of["whole"], abs=1e-4)
        if key[4] is None:
            by_role = [other["features"] for name, other in values.items() if name[:4] == key[:4]]
            assert sum(by_role) == pytest.approx(2 * of["features"], abs=1e-4)
        if key[1] == "corrupted":
            assert of["bias"] == 0
            assert key[4] != "start" or of["whole"] == 0


def test_a_feature_is_what_its_lists_say(lab, tables, pairs):
    """The strongest cell's mean over topics that are not held out, list by list."""
    engine, place = Blocks(lab.model.network), ("resid_post", 1)
    chosen = {"against": "zero", "topics": "other", "rank": 1, "template": "short"}
    (row,) = rows(tables["logit-difference"], "feature", site=place[0], layer=place[1], **chosen)
    role, effects = ROLES.index((row["role"], row["k_end"])), []
    for sae in open_saes(lab, site=place[0], layers=[place[1]]):
        for one in (one for one in pairs if not one.held_out):
            metric = contrast(engine, contrast_of(lab))
            (trace,) = traces(engine, one.clean, [place], [metric])
            parts = attribute(sae, trace.streams[place], trace.slopes[place])
            roles = torch.from_numpy(role_numbers(one))
            mine = (parts.features == row["feature"]) & (roles[parts.positions] == role)
            effects.append(float(parts.effects[mine].sum()))
    assert row["estimate"] == pytest.approx(np.mean(effects), rel=1e-4)
    assert row["low"] is row["high"] is None  # of four topics


def test_a_check_is_what_the_splice_gives(lab, tables, pairs):
    """One cell really set to zero in the held-out lists, by hooks on the whole network."""
    place = {"site": "resid_post", "layer": 0}
    checks = rows(tables["logit-difference"], "check", against="zero", group="top", **place)
    row = max(checks, key=lambda row: abs(row["measured"]))
    role, losses = ROLES.index((row["role"], row["k_end"])), []
    plus, minus = contrast_of(lab)
    network = lab.model.network

    def metric(tokens) -> float:
        with torch.inference_mode():
            logits = Prompts(network, [tokens]).run(last_only=True)[0, -1]
        return float(logits[plus] - logits[minus])

    for sae in open_saes(lab, site="resid_post", layers=[0]):
        for one in (one for one in pairs if one.held_out):
            where = torch.from_numpy(role_numbers(one) == role)[None]
            own = metric(one.clean)
            with spliced(network, sae, setting([row["feature"]], 0.0, where)):
                losses.append(own - metric(one.clean))
    assert row["measured"] == pytest.approx(np.mean(losses), abs=1e-4)
    assert row["n"] == len(losses)


# The tiny study's decision hardly moves, and bends, when a feature is zeroed; what one feature does
# to the next, and what the other prompt changes, is nearly a straight line.
@pytest.mark.parametrize(
    ("variant", "against", "least"),
    [
        ("logit-difference", "zero", 0.5),
        ("logit-difference", "corrupted", 0.9),
        ("log-prob", "zero", 0.5),
        ("log-prob", "corrupted", 0.9),
        ("cross-layer", "zero", 0.99),
    ],
)
def test_estimates_agree_with_ablations(tables, variant, against, least):
    of = {"group": "all", "method": "gradient", "against": against, "layer": None}
    found = rows(tables[variant], "agreement", **of)
    assert {row["quantity"] for row in found} == {"pearson", "slope"}
    for row in found:
        assert row["estimate"] > least
        assert row["n"] > 10


def test_integrated_gradients_reach_the_ablation_of_all(tables):
    for row in rows(tables["logit-difference"], "integrated"):
        assert (row["site"], row["layer"], row["against"]) == ("resid_post", 0, "corrupted")
        assert row["integrated"] == pytest.approx(row["measured"], abs=0.02)
    lines = [row for row in rows(tables["logit-difference"], "check") if row["integrated"]]
    assert {(row["site"], row["layer"]) for row in lines} == {("resid_post", 0)}


def test_the_loss_is_that_of_the_token_that_was_written(lab, shelf, tables, pairs):
    lists = read_lists(shelf["list_samples"], lab.study.prompt)
    end = lab.model.token(lab.study.prompt.end)
    assert {decisions.written(lab, lists, one) for one in pairs} == {end}
    by_topic = {one.topic: one for one in pairs}
    for row in rows(tables["log-prob"], "pair", template="short"):
        with torch.inference_mode():
            ids = by_topic[row["topic"]].clean
            logits = Prompts(lab.model.network, [ids]).run(last_only=True)[0, -1]
        expected = -torch.log_softmax(logits.float(), -1)[end].item()
        assert row["clean"] == pytest.approx(expected, abs=1e-4)


def test_links_run_from_earlier_to_later(tables):
    found = rows(tables["cross-layer"], "feature")
    depth = {("resid_post", 0): 0, ("z", 1): 1, ("resid_post", 1): 2}
    links = [row for row in found if row["to_site"]]
    ways = {((r["site"], r["layer"]), (r["to_site"], r["to_layer"])) for r in links}
    assert len(ways) == 3
    assert all(depth[one] < depth[other] for one, other in ways)
    targets = {
        (row["site"], row["layer"], row["role"], row["k_end"], row["feature"])
        for row in found
        if not row["to_site"]
    }
    names = ("to_site", "to_layer", "to_role", "to_k_end", "to_feature")
    assert {tuple(row[name] for name in names) for row in links} == targets
    assert len(targets) == 2 * attribution.TARGETS


def test_a_stopped_run_goes_on(lab, shelf, tables, tmp_path, monkeypatch):
    """What was ablated is not ablated again."""
    files = sorted((lab.root / cached_arrays.FOLDER).rglob("*.npy"))
    assert files
    files[0].unlink()
    ran = []
    run = decisions.Removals.losses
    monkeypatch.setattr(
        decisions.Removals, "losses", lambda *args: ran.append(1) or run(*args)
    )  # fmt: skip
    for variant in attribution.VARIANTS:
        assert attribution.run(lab, shelf["list_samples"], variant=variant).equals(tables[variant])
    assert len(ran) == 1


def test_cells_are_sums_over_roles(pairs):
    """Three lists by hand: choice, values and shares."""
    from analyses.lab.saes.attribution import Attributions

    cells = Cells(width=10)
    for number, one in enumerate(pairs[:3]):
        length, last = len(one.clean), len(one.clean) - 1
        zeros = torch.zeros(length)
        positions = torch.tensor([one.first, last, last])
        effects = torch.tensor([1.0, -4.0 if not one.held_out else 50.0, 2.0 * number])
        features = torch.tensor([3, 3, 7])
        found = Attributions(positions, features, effects.abs(), effects, zeros, zeros, zeros)
        cells.add(one, found)
    held_out = sum(one.held_out for one in pairs[:3])
    assert held_out < 3
    deciding, length = ROLES.index(("deciding", -1)) * 10, ROLES.index(("length", None)) * 10
    assert cells.strongest(1) == [deciding + 3]
    assert cells.role(deciding + 3) == ("deciding", -1)
    values = cells.values([length + 3, deciding + 7, 9])
    assert values[:, 0].T.tolist() == [[1, 1, 1], [0, 2, 4], [0, 0, 0]]
    found = cells.means([length + 3], "other")
    assert found.estimate[0] == 1
    assert np.isnan([found.low[0], found.high[0]]).all()  # too few lists
    assert found.n == 3 - held_out
    assert cells.drawn(9, leave=[deciding + 3], seed=0) == sorted([length + 3, deciding + 7])


def test_a_study_without_saes_is_refused(tiny, shelf):
    with pytest.raises(LabError, match="no sparse autoencoders in this study"):
        attribution.run(tiny, shelf["list_samples"], variant="log-prob")
