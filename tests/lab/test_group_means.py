import math

import pytest
from scipy import stats

from analyses.lab.core.errors import LabError
from analyses.lab.core.group_means import mean_over, quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 9, 30, 200])
def test_the_quantile_is_students(freedom):
    assert quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-8)


def test_each_group_counts_once_and_the_interval_is_that_of_a_t_test():
    found = mean_over({"a": [1.0, 3.0], "b": [5.0], "c": [3.0, 3.0, 6.0]})
    means = [2.0, 5.0, 4.0]
    expected = stats.t.interval(0.95, 2, sum(means) / 3, stats.sem(means))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-8)
    assert math.isclose(found.estimate, 11 / 3)
    assert (found.n, found.groups) == (6, 3)


@pytest.mark.parametrize("values", [{}, {"a": [1.0]}, {"a": [1.0], "b": []}])
def test_one_group_has_no_interval(values):
    with pytest.raises(LabError, match="at least two groups"):
        mean_over(values)
