import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from analyses.lab.core import left_out, statistics


def test_without_each_group_by_hand():
    assert statistics.leave_one_out(3).tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    above, below = np.array([[2.0], [6], [0]]), np.array([[1.0], [2], [0]])
    # Without the first 6/2, without the second 2/1; the third has nothing, and changes nothing.
    assert statistics.without_each(above, below)[:, 0].tolist() == [3, 2, 8 / 3]


def test_an_interval_by_hand():
    # Means of five groups: 1, 2, 3, 4, 10. s = 3.5355, t(4) = 2.7764: 4 ± 2.7764 · 3.5355 / √5.
    found = statistics.mean([1, 2, 3, 4, 10], range(5), 5)
    assert found.value == 4
    assert (found.low, found.high) == pytest.approx((-0.3899, 8.3899), abs=1e-4)


def test_unequal_groups_by_hand():
    # Six values in five groups: 2; 0, 1; 5; 4; 3. Mean 15/6. Without each: 13/5, 14/4, 10/5, 11/5,
    # 12/5; squares of what changes: .01, 1, .25, .09, .01. 4/5 of their sum is 1.088; √ is 1.0431.
    found = statistics.mean([2, 0, 1, 5, 4, 3], [0, 1, 1, 2, 3, 4], 5)
    assert found.value == 2.5
    assert found.high - found.value == pytest.approx(2.77645 * 1.04307, abs=1e-4)


def test_of_groups_of_one_size_it_is_the_t_interval_of_their_means():
    """And the cluster-robust one, CR1, which is the same there."""
    data = np.random.default_rng(3).normal(size=(9, 4))
    found = statistics.mean(data.ravel(), np.repeat(np.arange(9), 4), 9)
    other = scipy.stats.ttest_1samp(data.mean(1), 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((other.low, other.high))
    residuals = (data - data.mean()).sum(1)
    cr1 = math.sqrt(9 / 8 * (residuals**2).sum()) / data.size
    assert found.high - found.value == pytest.approx(scipy.stats.t.ppf(0.975, 8) * cr1)


@given(st.lists(st.integers(1, 9), min_size=5, max_size=12), st.integers(0, 2**32 - 1))
def test_where_sizes_differ_it_is_never_narrower_than_cr1(sizes, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    values = rng.normal(size=len(groups))
    found = statistics.mean(values, groups, len(sizes))
    sums = np.bincount(groups, values - values.mean())
    count = len(sizes)
    cr1 = math.sqrt(count / (count - 1) * (sums**2).sum()) / len(values)
    half = scipy.stats.t.ppf(0.975, count - 1) * cr1
    # Up to the factor of groups, which is (G − 1)/G here and G/(G − 1) there.
    assert found.high - found.value >= half * (count - 1) / count - 1e-12


def test_topics_not_lists_are_counted():
    """Within a topic all agree: an interval over lists would hide nearly all of the spread."""
    values = np.repeat(np.arange(10.0), 20)
    found = statistics.mean(values, np.repeat(np.arange(10), 20), 10)
    once = statistics.mean(np.arange(10.0), range(10), 10)
    assert (found.low, found.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize("groups", [5, 8, 12, 23])
@pytest.mark.parametrize("shape", ["normal", "moderately skewed"])
def test_an_interval_covers_what_it_says(groups, shape):
    """Of 20,000 samples; the share's own error is .002. What is printed as 95 % covers .92."""
    rng, size = np.random.default_rng(groups), (groups, 20_000)
    draws = rng.normal(size=size) if shape == "normal" else rng.gamma(4, size=size) - 4
    _, low, high = statistics.ratio(draws, np.ones_like(draws))
    covered = ((low <= 0) & (high >= 0)).mean()
    assert 0.92 < covered < 0.97
    percentile = np.quantile(
        np.tensordot(
            rng.multinomial(groups, [1 / groups] * groups, 400) / groups, draws[:, :2000], 1
        ),
        (0.025, 0.975),
        axis=0,
    )
    worse = ((percentile[0] <= 0) & (percentile[1] >= 0)).mean()
    assert worse < covered, "a percentile bootstrap would do as well"


def test_few_groups_get_no_interval():
    for groups in (1, 4):
        found = statistics.mean(range(groups), range(groups), groups)
        assert np.isfinite(found.value)
        assert np.isnan([found.low, found.high]).all()
    # Twenty groups, four of which have anything.
    found = statistics.mean([1, 2, 3, 4], [0, 5, 9, 19], 20)
    assert math.isnan(found.low)


def test_an_interval_ends_where_the_quantity_does():
    found = statistics.mean([1, 1, 1, 1, 0], range(5), 5, statistics.SHARE)
    assert found.value == 0.8
    assert (found.low, found.high) == pytest.approx((0.8 - 2.77645 * 0.2, 1), abs=1e-4)


def test_a_difference_is_paired():
    """Two rows that differ by one everywhere differ by exactly one, whatever their spread."""
    one, many = np.array([3.0, 9, 1, 7, 40]), np.ones(5)
    other = one + 1
    low, high = statistics.interval(
        np.float64(other.mean() - one.mean()),
        statistics.without_each(other, many) - statistics.without_each(one, many),
        5,
    )
    assert (low, high) == pytest.approx((1, 1))


def test_nothing_counted_is_nothing_said():
    value, low, high = statistics.ratio(np.zeros((6, 1)), np.zeros((6, 1)))
    assert np.isnan([value[0], low[0], high[0]]).all()


def test_the_middle_of_a_null():
    low, high = statistics.middle(np.arange(1001.0))
    assert (low, high) == (25, 975)


def test_kaplan_meier_by_hand():
    # Ended at 1, 2, 2, 4; one cut after its second item: known to be longer than 2.
    found = statistics.survival([1, 2, 2, 4, 2], [True, True, True, True, False], [0] * 5, 1)
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
    found = statistics.survival(seen, ended, [0] * len(lists), 1)
    data = scipy.stats.CensoredData(
        uncensored=[s for s, end in zip(seen, ended, strict=True) if end],
        right=[s for s, end in zip(seen, ended, strict=True) if not end],
    )
    curve = scipy.stats.ecdf(data).sf
    for k in range(1, max(seen) + 1):
        assert found.share[k - 1] == pytest.approx(float(curve.evaluate(k - 1)), abs=1e-12)


def test_a_median_that_was_not_reached_is_infinite():
    found = statistics.survival([2, 2, 3], [False, False, True], [0, 1, 1], 2)
    assert found.median.value == 3
    found = statistics.survival([3, 3], [False, False], [0, 1], 2)
    assert math.isinf(found.median.value)


def test_without_cuts_the_median_is_the_median():
    found = statistics.survival([1, 5, 6, 7, 30], [True] * 5, [0] * 5, 1)
    assert found.median.value == 6


def test_spearman_agrees_with_scipy_ties_included():
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 5, 60), generator.integers(0, 9, 60)
    groups = np.repeat(np.arange(12), 5)
    found = statistics.spearman(x, y, groups, 12)
    value = scipy.stats.spearmanr(x, y).statistic
    assert found.value == pytest.approx(value)
    without = [scipy.stats.spearmanr(x[groups != g], y[groups != g]).statistic for g in range(12)]
    # On Fisher's scale, with 11 degrees of freedom.
    moved = np.square(np.arctanh(without) - np.arctanh(value)).sum()
    half = scipy.stats.t.ppf(0.975, 11) * math.sqrt(11 / 12 * moved)
    ends = np.tanh([np.arctanh(value) - half, np.arctanh(value) + half])
    assert (found.low, found.high) == pytest.approx(tuple(ends))


def test_spearman_of_what_never_varies_is_undefined():
    found = statistics.spearman([0] * 5, range(5), range(5), 5)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_survival_and_its_intervals_by_hand():
    # Nine topics, a list each: two ended at 1, seven at 2. P(≥ 2) = 7/9, 7/8 without one of the two,
    # 6/8 without one of the seven; the variance is 8/9 · (2 · (7/72)² + 7 · (1/36)²) = 7/324.
    found = statistics.survival([1, 1, *[2] * 7], [True] * 9, range(9), 9)
    assert found.share.tolist() == pytest.approx([1, 7 / 9])
    assert found.low.tolist() == pytest.approx([1, 7 / 9 - 2.30600 * math.sqrt(7 / 324)], abs=1e-5)
    assert found.high.tolist() == [1, 1]
    assert found.at_risk.tolist() == [9, 7]
    assert found.at_risk.dtype == np.int64
    # The lower bound falls below one half with the first item, the curve itself with the second.
    assert (found.median.value, found.median.low, found.median.high) == (2, 1, 2)


def test_a_median_s_bound_may_not_be_reached():
    """One of six lists ended at 2, the others are known to have gone on."""
    found = statistics.survival([2] * 6, [True] + [False] * 5, range(6), 6)
    assert math.isinf(found.median.value)
    assert math.isinf(found.median.high)


def test_of_few_topics_a_curve_has_no_interval():
    found = statistics.survival([1, 3], [True, True], [0, 1], 2)
    assert found.share.tolist() == [1, 0.5, 0.5]
    assert np.isnan([*found.low, *found.high, found.median.low]).all()
    assert found.median.value == 1


def test_the_median_is_reached_whatever_rounding_says():
    """23/24 · 22/23 · … · 12/13 is one half, and in floating point a little more."""
    found = statistics.survival(range(1, 25), [True] * 24, [0] * 24, 1)
    assert found.share[12] > 0.5
    assert found.median.value == 12


def test_of_no_lists_nothing_is_known():
    nothing = statistics.mean([], [], 5)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    nothing = statistics.spearman([], [], [], 5)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    found = statistics.survival([], [], [], 5)
    assert (found.share.tolist(), found.at_risk.tolist()) == ([1], [0])
    assert math.isinf(found.median.value)


def test_what_is_not_defined_is_no_warning():
    with np.errstate(all="raise"):
        zero = np.zeros((6, 1))
        assert np.isnan(statistics.ratio(zero, zero)[0]).all()
        assert np.isinf(statistics.ratio(zero + 1, zero)[0]).all()
        assert statistics.survival([], [], [], 5).share.tolist() == [1]
        # Without the one topic that has pairs nothing is left.
        assert math.isnan(statistics.spearman([0, 1], [0, 1], [0, 0], 6).low)


def test_two_pairs_in_order_are_in_order():
    assert statistics.spearman([0, 1], [5, 9], [0, 1], 2).value == pytest.approx(1)
    assert statistics.spearman([0, 1], [9, 5], [0, 1], 2).value == pytest.approx(-1)


def test_spearman_with_ties_by_hand():
    # Ranks 1½, 1½, 3 and 1, 2½, 2½: Σ = 3/4, and 3/2 on both sides.
    assert statistics.spearman([4, 4, 7], [1, 2, 2], [0, 1, 2], 3).value == pytest.approx(0.5)


def test_a_difference_is_of_what_both_have():
    """Six groups; one side has nothing in the last: five are left, and their interval is as wide."""
    above, below = np.array([3.0, 9, 1, 7, 4, 2]), np.array([1.0, 2, 1, 2, 1, 0])
    ones = np.ones(6)
    one, other = left_out.ratio(above * (below > 0), below), left_out.ratio(above, ones)
    found = one - other
    assert found.there.tolist() == [True] * 5 + [False]
    assert found.value == pytest.approx(24 / 7 - 26 / 6)
    ends = statistics.interval(found.value, one.without - other.without, 5)
    assert found.interval() == ends
    assert np.isfinite(ends).all()
    assert other.interval() == statistics.ratio(above, ones)[1:]


def test_the_difference_of_logarithms_is_that_of_a_ratio():
    above, below = np.array([3.0, 9, 1, 7, 4]), np.array([10.0, 20, 10, 20, 10])
    one, other = left_out.ratio(above, below).log(), left_out.ratio(below / 2, below).log()
    assert np.exp((one - other).value) == pytest.approx(24 / 70 / 0.5)
    # A group without which nothing is counted leaves no interval.
    alone = left_out.ratio(np.array([1.0, 0, 0, 0, 0]), np.ones(5)).log()
    assert np.isnan(alone.interval()).all()
