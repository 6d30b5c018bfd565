import json

from benchmarks.sampling import BATCH, compare


def test_both_sides_draw_lists_and_are_compared_by_time_per_token(tiny):
    found = json.loads(json.dumps(compare(tiny, rounds=1)))
    assert found["batch"] == BATCH == 128
    sides = found["reference"], found["ours"]
    for side in sides:
        assert BATCH < side["tokens"][0] <= BATCH * tiny.study.sampling.max_new_tokens
    # The same distribution: lists of about the same length.
    assert 0.8 < sides[0]["tokens"][0] / sides[1]["tokens"][0] < 1.25
    speeds = [side["tokens_per_second"] for side in sides]
    assert abs(found["ratio"] - speeds[1] / speeds[0]) < 0.05 * found["ratio"]
