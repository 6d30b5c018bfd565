import numpy as np
import pytest
import scipy.stats

from analyses import interval_coverage
from analyses.interval_coverage import SHAPES, drawn


@pytest.mark.parametrize(("shape", "skewness"), zip(SHAPES, (0, 1, 2), strict=True))
def test_the_shapes_are_what_they_are_called(shape, skewness):
    values = drawn(np.random.default_rng(0), shape, (1000, 1000)).ravel()
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert scipy.stats.skew(values) == pytest.approx(skewness, abs=0.05)


def test_coverage_is_that_of_the_t_interval(tiny):
    """With one value a group it is Student's interval, whose coverage scipy's shows as well."""
    rows = {(row["groups"], row["shape"]): row for row in interval_coverage.run(tiny).to_pylist()}
    assert len(rows) == 12
    rng = np.random.default_rng(1)
    for (groups, shape), row in rows.items():
        assert row["low"] < row["estimate"] < row["high"]
        found = scipy.stats.ttest_1samp(drawn(rng, shape, (groups, 20_000)), 0, axis=0)
        held = (found.pvalue > 0.05).mean()
        assert row["estimate"] == pytest.approx(held, abs=0.012)
    # Where 95 % is printed at least 92 % is covered, unless topics are strongly skewed.
    for groups in (5, 8, 12, 23):
        assert rows[groups, "normal"]["estimate"] > 0.94
        assert rows[groups, "moderately skewed"]["estimate"] > 0.92
