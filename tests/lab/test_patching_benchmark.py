"""The benchmark compares the same heatmaps."""

import json

from benchmarks.patching import HEATMAPS, compare


def test_both_sides_give_the_same_heatmaps(tiny):
    found = json.loads(json.dumps(compare(tiny, rounds=1, sample=40)))
    assert found["ratio"] == found["residual"]["ratio"]
    assert 0 <= found["difference"] < 1e-4
    for name in HEATMAPS:
        one = found[name]
        assert one["reference_patches"] == min(40, one["patches"])
        assert one["ratio"] > 0
    layers, tokens = len(tiny.model.network.model.layers), found["tokens"]
    assert found["residual"]["patches"] == layers * tokens
    assert found["heads_by_position"]["patches"] == layers * tokens * 4
