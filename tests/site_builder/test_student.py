"""Student's t: against scipy, printed tables, and the lab's own quantile."""

import pytest
from scipy import stats

from analyses.lab.core import group_means
from site_builder.post.verdicts.student import quantile, tails


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 11, 22, 100, 5000])
@pytest.mark.parametrize("x", [0.0, 1e-6, 0.1, 1.0, 1.96, 2.5, 8.0, 60.0])
def test_the_tails_are_those_of_scipy(x: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(x, freedom)
    assert tails(x, freedom) == pytest.approx(expected, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize(
    ("coverage", "freedom", "expected"),
    [(0.95, 1, 12.706), (0.95, 4, 2.776), (0.9, 4, 2.132), (0.95, 22, 2.074), (0.99, 7, 3.499)],
)
def test_a_quantile_is_that_of_a_printed_table(
    coverage: float, freedom: int, expected: float
) -> None:
    assert quantile(coverage, freedom) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("freedom", [1, 4, 7, 22])
def test_a_page_and_a_measurement_have_the_same_quantile(freedom: int) -> None:
    assert quantile(0.95, freedom) == pytest.approx(group_means.quantile(freedom), abs=1e-7)


def test_nothing_is_beyond_what_is_infinite() -> None:
    assert tails(float("inf"), 3) == 0
