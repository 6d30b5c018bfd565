"""Two one-sided tests: against those of scipy, by hand where an interval is not Student's."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from site_builder.core.errors import BuildError
from site_builder.post.claims import Claim
from site_builder.post.verdicts import equivalence
from site_builder.post.verdicts.interval import Interval
from site_builder.post.verdicts.verdict import verdict
from site_builder.render.claim_words import numbers


def one_sided(values: np.ndarray, margin: float, around: float) -> float:
    """The larger p value of the two one-sided t tests."""
    above = stats.ttest_1samp(values, around - margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, around + margin, alternative="less").pvalue
    return float(max(above, below))


@pytest.mark.parametrize("around", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_p_value_and_the_smallest_margin_are_those_of_two_t_tests(
    seed: int, around: float
) -> None:
    values = np.random.default_rng(seed).normal(0.3 + around, 1, 12)
    whole = stats.ttest_1samp(values, 0).confidence_interval()
    own = Interval(float(values.mean()), whole.low, whole.high, 12)
    for margin in (0.2, 0.7, 1.5):
        found = equivalence.of(own, None, around, margin)
        expected = one_sided(values, margin, around)
        assert found.p == pytest.approx(expected)
        assert (found.margin < margin) == (expected < 0.05)
        assert found.by == "90 %"
    assert one_sided(values, found.margin, around) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "own", [Interval(0.25, -0.5, 1.0, None), Interval(0.5, -0.5, 1.0, 12), Interval(1, 0, 2, 1)]
)
def test_what_is_not_known_to_be_students_lies_within_by_95_percent(own: Interval) -> None:
    found = equivalence.of(own, None, 0.0, 1.2)
    assert (found.margin, found.by, found.p) == (own.high, "95 %", None)


def test_a_difference_of_two_rows_takes_the_farthest_of_their_bounds() -> None:
    own, other = Interval(3.0, 2.0, 4.0), Interval(3.5, 3.0, 4.0)
    assert equivalence.of(own, other, 0.0, 1.0).margin == 2.0
    assert equivalence.of(own, other, -0.5, 1.0).margin == 1.5


def test_two_rows_pass_no_more_often_than_they_may() -> None:
    """At a true difference of just the margin, however the rows depend on each other."""
    chance = np.random.default_rng(0)
    for shared in (-0.9, 0.0, 0.9):
        passed = 0
        for _ in range(400):
            both = chance.multivariate_normal([1.0, 0.0], [[1, shared], [shared, 1]], 8)
            own, other = (
                Interval(float(one.mean()), *stats.ttest_1samp(one, 0).confidence_interval(), 8)
                for one in both.T
            )
            found = equivalence.of(own, other, 0.0, 1.0)
            passed += found.margin < 1.0
            assert found.p is not None
            assert (found.p < 0.05) == (found.margin < 1.0)
        assert passed / 400 <= 0.05


TABLE = pa.table(
    {
        "k": [1, 2],
        "estimate": [0.1, 0.2],
        "low": [-0.3, -0.4],
        "high": [0.5, 0.8],
        "share": [0.4, 0.5],
        "groups": [9, 9],
    }
)


def claim(**keys: object) -> Claim:
    body = {"row": {"k": ["1"]}, "within": 0.45, "format": ".2f"}
    return Claim("it", "claims.toml:1", "It is so.", "numbers", "", **body | keys)


def test_a_claim_of_absence_holds_within_its_margin_and_says_which_would_do() -> None:
    holding, failing = (verdict(claim(within=margin), TABLE) for margin in (0.45, 0.4))
    half = 0.4 * stats.t.ppf(0.95, 8) / stats.t.ppf(0.975, 8)

    assert (holding.holds, failing.holds) == (True, False)
    assert holding.margin == pytest.approx(0.1 + half)
    assert holding.p == pytest.approx(stats.t.sf((0.45 - 0.1) / (0.4 / stats.t.ppf(0.975, 8)), 8))
    assert "smallest margin that holds, by the 90 % interval: ±0.42" in numbers(claim(), failing)
    assert not claim().is_of_sample


def test_every_row_has_to_lie_within_and_the_widest_tells_the_margin() -> None:
    found = verdict(claim(row={}, every=["k"]), TABLE)
    assert (found.holds, found.rows, found.failing) == (False, 2, 1)
    assert found.margin == pytest.approx(0.2 + 0.6 * 1.859548 / 2.306004)


def test_pairs_may_lie_within_a_margin() -> None:
    rows = [
        {"author": author, "place": place, "estimate": float(place == 1) * tenths / 10}
        for author, tenths in zip("abcdef", (-2, -1, 0, 1, 2, 3), strict=True)
        for place in (1, 2)
    ]
    pairs = claim(row={"place": ["1"]}, other={"place": ["2"]}, paired=["author"], within=0.25)
    found = verdict(pairs, pa.Table.from_pylist(rows))
    values = np.array([-0.2, -0.1, 0, 0.1, 0.2, 0.3])
    assert found.holds is True
    assert found.p == pytest.approx(one_sided(values, 0.25, 0))


def test_what_has_no_interval_cannot_lie_within() -> None:
    with pytest.raises(BuildError, match='"share" has no interval to lie within 0'):
        verdict(claim(show="share"), TABLE)
    empty = TABLE.set_column(2, "low", pa.array([None, None], pa.float64()))
    assert verdict(claim(), empty).holds is None
