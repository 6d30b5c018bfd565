"""Paths over the tiny study's lists: chosen by rule, and numbers recomputed from single runs."""

import json

import pyarrow.compute as pc
import pytest

from analyses import path_patching
from analyses.instruments import sweeps
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.paths import path as chosen
from analyses.instruments.paths import steps
from analyses.instruments.paths.steps import Step
from analyses.lab.core import statistics
from analyses.lab.patching.path_patching import Paths
from tests.lab.pairs import strong_tiny
from tests.lab.saes import study_with


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The tiny study with strong layers, so that heads matter."""
    lab = study_with(tmp_path_factory.mktemp("strong"))
    strong_tiny(lab)
    return lab


@pytest.fixture(scope="module")
def pairs(lab, shelf):
    return paired_lists(lab, read_lists(shelf["list_samples"], lab.study.prompt), *chosen.KIND)


@pytest.fixture(scope="module")
def table(lab, shelf):
    return path_patching.run(lab, shelf["list_samples"])


@pytest.fixture(scope="module")
def path(lab, pairs):
    return chosen.choose(lab, lab.model.blocks, pairs)[0]


def rows(table, part: str, **wanted) -> list[dict]:
    wanted = {"direction": "denoising", "topics": "all", **wanted}
    found = [row for row in table.to_pylist() if row["part"] == part]
    found = [row for row in found if all(row[k] == v for k, v in wanted.items())]
    assert found
    return found


def by_hand(lab, pairs, direction, metric):
    """Σ (m − base) / Σ (clean − corrupted), from a metric of each list."""
    above = below = 0.0
    for one in pairs:
        sides = (one.corrupted, one.clean)
        base, source = sides if direction == "denoising" else sides[::-1]
        run = Paths(lab.model.blocks, base=base, source=source, contrast=sweeps.contrast_of(lab))
        above += metric(run) - run.base_metric
        sign = 1 if direction == "denoising" else -1
        below += sign * (run.source_metric - run.base_metric)
    return above / below + (direction == "noising")


def test_says_what_it_is_and_repeats(lab, shelf, table):
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["interval"] == statistics.said("topics")
    assert "not held out" in labels["note"]
    ends = table.filter(pc.is_valid(table["low"]))
    assert ends.num_rows > 0
    assert pc.all(pc.less_equal(ends["low"], ends["high"])).as_py()
    assert table.equals(path_patching.run(lab, shelf["list_samples"]), check_metadata=True)


def test_the_middle_is_the_strongest_head_of_other_topics(lab, pairs, path):
    other = [one for one in pairs if not one.held_out]
    heads = [(layer, head) for layer in (0, 1) for head in range(lab.model.blocks.heads)]
    alone = {
        head: by_hand(
            lab,
            other,
            "denoising",
            lambda run, head=head: run.totals([{head: run.output(head)}])[0],
        )
        for head in heads
    }
    assert path.middle == max(alone, key=lambda head: abs(alone[head]))
    assert all(head[0] < path.middle[0] for head in path.early)
    assert all(head[0] > path.middle[0] for head in path.late)
    assert len(path.stages) == 2  # there are two blocks


@pytest.mark.parametrize("direction", ["denoising", "noising"])
def test_shares_are_what_single_runs_give(lab, pairs, path, table, direction):
    sender, receiver = path.edges[0]
    name = path_patching.name_of

    def edge(run):
        heard = run.received(receiver, {sender: run.output(sender)})
        return float(run.totals([{receiver: heard}])[0])

    def together(run):
        return float(run.totals([{head: run.output(head) for head in path.heads}])[0])

    starts = path.stages[0]
    of = {"direction": direction}
    (row,) = rows(
        table, "edge", sender=name([sender]), receiver=name([receiver]), inputs="qkv",
        mlps="follow", place=None, **of,
    )  # fmt: skip
    assert row["estimate"] == pytest.approx(by_hand(lab, pairs, direction, edge), abs=1e-3)
    assert row["n"] == len(pairs)
    (row,) = rows(table, "set", sender=name(path.heads), **of)
    assert row["estimate"] == pytest.approx(by_hand(lab, pairs, direction, together), abs=1e-3)
    (row,) = rows(
        table, "path", sender=name(starts), edges="stages", inputs="qkv", mlps="held", **of
    )
    chain = by_hand(lab, pairs, direction, lambda run: run.along(starts, path.edges, follow=False))
    assert row["estimate"] == pytest.approx(chain, abs=1e-3)


def test_sums_and_gains_are_those_of_their_rows(table, pairs, path, lab):
    held = {"topics": "held-out"}
    middle = path_patching.name_of([path.middle])
    direct = rows(table, "edge", receiver="decision", inputs="qkv", mlps="follow", **held)
    heads = 2 * lab.model.blocks.heads
    assert len(direct) == heads
    (whole,) = rows(table, "sum", sender="all heads", receiver="decision", **held)
    assert whole["estimate"] == pytest.approx(sum(row["estimate"] for row in direct), abs=1e-3)
    assert whole["n"] == sum(one.held_out for one in pairs)
    starts = path_patching.name_of(path.stages[0])
    for sender in {starts, middle}:
        relays = sorted(rows(table, "relay", sender=sender, **held), key=lambda r: r["relays"])
        assert [row["relays"] for row in relays] == list(range(steps.RELAYS + 1))
        for gain in rows(table, "gain", sender=sender, **held):
            step = relays[gain["relays"]]["estimate"] - relays[gain["relays"] - 1]["estimate"]
            assert gain["estimate"] == pytest.approx(step, abs=1e-4)
    (together,) = rows(table, "set", sender=path_patching.name_of(path.heads))
    (chain,) = rows(table, "path", sender=starts, edges="stages", inputs="qkv", mlps="follow")
    (left,) = rows(table, "difference", sender=path_patching.name_of(path.heads))
    assert left["estimate"] == pytest.approx(together["estimate"] - chain["estimate"], abs=1e-4)


def test_places_are_all_positions_from_the_difference_on(pairs):
    for one in pairs:
        found = steps.places(one)
        assert list(found) == list(steps.PLACES)
        assert sorted(sum(found.values(), ())) == list(range(one.first, len(one.clean)))
        assert found["deciding"] == (len(one.clean) - 1,)


def test_a_stopped_run_goes_on(lab, pairs, path, monkeypatch):
    wanted = [Step("set", (path.middle,)), Step("edge", (path.middle,))]
    args = (lab, lab.model.blocks, pairs[0], "denoising", wanted)
    first = steps.measure(*args)
    monkeypatch.setattr(steps, "Paths", None)
    again = steps.measure(*args)
    assert again.shifts.tolist() == first.shifts.tolist()
    assert again.span == first.span
