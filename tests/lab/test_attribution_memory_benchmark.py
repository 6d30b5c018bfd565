"""The benchmark's sides give the same effects, and each can run in a process of its own."""

import json

from benchmarks import attribution_memory
from benchmarks.attribution_memory import SIDES, compare


def test_both_ways_give_the_same_effects(monkeypatch):
    """All sides in this process: what they compute, and how peaks become ratios."""
    monkeypatch.setattr(attribution_memory, "_child", attribution_memory.run_side)
    # Before and after: none 10, one 14, ours 14, held 30.
    peaks = iter([0, 10, 0, 14, 0, 14, 0, 30])
    monkeypatch.setattr(attribution_memory, "_peak", lambda cuda: next(peaks))
    found = json.loads(json.dumps(compare("tiny", width=512, layers=2)))
    assert 0 < found["difference"] < 1e-4
    assert (found["ratio"], found["all_over_one"]) == (5.0, 1.0)
    assert [found[side]["over_none"] for side in SIDES] == [0, 4, 4, 20]
    for side in SIDES:
        assert found[side]["tokens"] == found["none"]["tokens"] > 30


def test_a_side_runs_on_its_own(tmp_path):
    attribution_memory.run_side("tiny", tmp_path, 512, 2, "write")
    found = attribution_memory._child("tiny", tmp_path, 512, 2, "one")
    assert found["peak"] > 1 << 20
    assert found["opening"] > 1 << 20
    assert (tmp_path / "one.npz").exists()
