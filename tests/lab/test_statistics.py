import math
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from analyses.lab.core import statistics


def test_resampling_draws_groups_with_replacement_from_the_seed():
    weights = statistics.resample(5, 300, seed=1)
    assert weights.shape == (300, 5)
    assert (weights.sum(1) == 5).all()
    assert (weights == statistics.resample(5, 300, seed=1)).all()
    assert (weights != statistics.resample(5, 300, seed=2)).any()


def test_mean_by_hand_with_two_topics():
    # Topic 0 has 1, 3; topic 1 has 8. Draws (2,0), (1,1), (0,2) give 2, 4 and 8.
    weights = np.array([[2.0, 0], [1, 1], [0, 2]])
    found = statistics.mean([1, 3, 8], [0, 0, 1], weights)
    assert found.value == 4
    assert found.low == pytest.approx(np.quantile([2, 4, 8], 0.025))
    assert found.high == pytest.approx(np.quantile([2, 4, 8], 0.975))


def test_topics_not_lists_are_resampled():
    # Within a topic all agree: resampling lists would hide nearly all of the spread.
    weights = statistics.resample(10, 4000, seed=0)
    values = np.repeat(np.arange(10.0), 20)
    found = statistics.mean(values, np.repeat(np.arange(10), 20), weights)
    half = 1.96 * np.std(np.arange(10)) / math.sqrt(10)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_a_bootstrap_interval_agrees_with_scipy():
    data = np.random.default_rng(3).normal(size=40)
    weights = statistics.resample(40, 9000, seed=0)
    found = statistics.mean(data, np.arange(40), weights)
    other = scipy.stats.bootstrap(
        (data,), np.mean, n_resamples=9000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.low == pytest.approx(other.low, abs=0.02)
    assert found.high == pytest.approx(other.high, abs=0.02)


def test_nothing_counted_is_nothing_said():
    weights = statistics.resample(2, 50, seed=0)
    value, low, high = statistics.ratio(np.zeros((2, 1)), np.zeros((2, 1)), weights)
    assert np.isnan([value[0], low[0], high[0]]).all()


def test_kaplan_meier_by_hand():
    # Ended at 1, 2, 2, 4; one cut after its second item: known to be longer than 2.
    found = statistics.survival(
        [1, 2, 2, 4, 2], [True, True, True, True, False], [0] * 5, np.ones((1, 1))
    )
    # P(≥2) = 4/5; P(≥3) = 4/5 · 2/4; nothing ends at 3 (one at risk); P(≥4) the same.
    assert found.share.tolist() == pytest.approx([1, 0.8, 0.4, 0.4])
    assert found.at_risk.tolist() == [5, 4, 1, 1]
    assert found.median.value == 2


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=40),
)
def test_kaplan_meier_agrees_with_scipy(lists):
    seen = [finished for finished, _ in lists]
    ended = [end for _, end in lists]
    found = statistics.survival(seen, ended, [0] * len(lists), np.ones((1, 1)))
    data = scipy.stats.CensoredData(
        uncensored=[s for s, end in zip(seen, ended, strict=True) if end],
        right=[s for s, end in zip(seen, ended, strict=True) if not end],
    )
    curve = scipy.stats.ecdf(data).sf
    for k in range(1, max(seen) + 1):
        assert found.share[k - 1] == pytest.approx(float(curve.evaluate(k - 1)), abs=1e-12)


def test_a_median_that_was_not_reached_is_infinite():
    found = statistics.survival([2, 2, 3], [False, False, True], [0, 1, 1], np.ones((1, 2)))
    assert found.median.value == 3
    found = statistics.survival([3, 3], [False, False], [0, 1], np.ones((1, 2)))
    assert math.isinf(found.median.value)


def test_without_cuts_the_median_is_the_median():
    found = statistics.survival([1, 5, 6, 7, 30], [True] * 5, [0] * 5, np.ones((1, 1)))
    assert found.median.value == 6


def test_spearman_agrees_with_scipy_ties_included():
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 5, 60), generator.integers(0, 9, 60)
    weights = statistics.resample(60, 200, seed=0)
    found = statistics.spearman(x, y, np.arange(60), weights)
    assert found.value == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    draws = [
        scipy.stats.spearmanr(np.repeat(x, w.astype(int)), np.repeat(y, w.astype(int))).statistic
        for w in weights
    ]
    assert found.low == pytest.approx(np.quantile(draws, 0.025))
    assert found.high == pytest.approx(np.quantile(draws, 0.975))


def test_spearman_of_what_never_varies_is_undefined():
    weights = statistics.resample(3, 20, seed=0)
    found = statistics.spearman([0, 0, 0], [1, 2, 3], [0, 1, 2], weights)
    assert math.isnan(found.value)
    assert math.isnan(found.low)


def test_an_interval_is_of_what_is_defined_column_by_column():
    draws = np.array([[1, np.nan, np.nan], [3, np.inf, np.nan], [5, 7, np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a column where nothing is defined
        low, high = statistics.interval(draws)
    # Quantiles of 1, 3, 5: a step of 2 for half of the resamples.
    assert low.tolist() == pytest.approx([1.1, 7, math.nan], nan_ok=True)
    assert high.tolist() == pytest.approx([4.9, 7, math.nan], nan_ok=True)


def test_a_ratio_of_columns_by_hand():
    above, below = np.array([[1.0, 2], [3, 4]]), np.array([[2.0, 1], [2, 4]])
    value, low, high = statistics.ratio(above, below, np.array([[2.0, 0], [0, 2]]))
    assert value.tolist() == [1, 1.2]
    assert low.tolist() == pytest.approx([0.525, 1.025])  # between 1/2 and 3/2, and 2 and 1
    assert high.tolist() == pytest.approx([1.475, 1.975])


def test_survival_and_its_intervals_by_hand():
    # Topic 0 ended at 1, topic 1 at 2. Draws (2,0), (1,1), (0,2) leave 0, 1/2 and 1 of them at 2.
    weights = np.array([[2.0, 0], [1, 1], [0, 2]])
    found = statistics.survival([1, 2], [True, True], [0, 1], weights)
    assert found.share.tolist() == [1, 0.5]
    assert found.low.tolist() == pytest.approx([1, 0.025])
    assert found.high.tolist() == pytest.approx([1, 0.975])
    assert found.at_risk.tolist() == [2, 1]
    assert found.at_risk.dtype == np.int64
    # The medians of the draws are 1, 1, 2: their ranks are taken as they are.
    assert (found.median.value, found.median.low, found.median.high) == (1, 1, 2)


def test_a_resample_without_any_list_ends_nowhere():
    found = statistics.survival([1, 1], [True, True], [0, 0], np.array([[0.0, 2]]))
    assert (found.share.tolist(), found.low.tolist()) == ([1], [1])
    assert (found.median.value, found.median.low) == (1, math.inf)


def test_a_median_may_be_reached_in_some_resamples_only():
    # Topic 0 ended at 2; of topic 1 it is known that it went on.
    found = statistics.survival([2, 2], [True, False], [0, 1], np.array([[2.0, 0], [0, 2]]))
    assert (found.median.value, found.median.low, found.median.high) == (2, 2, math.inf)


def test_where_none_is_left_none_goes_on():
    # Topic 0 ended at 1, topic 1 at 3: in a resample of topic 0 alone none is at risk at 2.
    found = statistics.survival([1, 3], [True, True], [0, 1], np.array([[2.0, 0], [0, 2]]))
    assert found.low.tolist() == pytest.approx([1, 0.025, 0.025])
    assert found.high.tolist() == pytest.approx([1, 0.975, 0.975])


def test_the_median_is_reached_whatever_rounding_says():
    """23/24 · 22/23 · … · 12/13 is one half, and in floating point a little more."""
    found = statistics.survival(range(1, 25), [True] * 24, [0] * 24, np.ones((1, 1)))
    assert found.share[12] > 0.5
    assert found.median.value == 12


def test_of_no_lists_nothing_is_known():
    weights = np.ones((2, 1))
    nothing = statistics.mean([], [], weights)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    nothing = statistics.spearman([], [], [], weights)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    found = statistics.survival([], [], [], weights)
    assert (found.share.tolist(), found.at_risk.tolist()) == ([1], [0])
    assert math.isinf(found.median.value)


def test_what_is_not_defined_is_no_warning():
    with np.errstate(all="raise"):
        zero = np.zeros((2, 1))
        assert np.isnan(statistics.ratio(zero, zero, np.ones((2, 2)))[0]).all()
        assert np.isinf(statistics.ratio(zero + 1, zero, np.ones((2, 2)))[0]).all()
        assert statistics.survival([], [], [], np.ones((2, 1))).share.tolist() == [1]
        # The one topic that has pairs is not drawn.
        found = statistics.spearman([0, 1], [0, 1], [0, 0], np.array([[0.0, 2]]))
        assert math.isnan(found.low)


def test_two_pairs_in_order_are_in_order():
    found = statistics.spearman([0, 1], [5, 9], [0, 1], np.ones((1, 2)))
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    assert statistics.spearman([0, 1], [9, 5], [0, 1], np.ones((1, 2))).value == pytest.approx(-1)


def test_spearman_with_ties_by_hand():
    # Ranks 1½, 1½, 3 and 1, 2½, 2½: Σ = 3/4, and 3/2 on both sides.
    found = statistics.spearman([4, 4, 7], [1, 2, 2], [0, 1, 2], np.ones((1, 3)))
    assert found.value == pytest.approx(0.5)
