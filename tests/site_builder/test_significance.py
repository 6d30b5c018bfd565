"""The p value of a claim's test: against scipy's t tests, and which tests have one."""

import ast

import numpy as np
import pytest
from scipy import stats

from site_builder.post.verdicts.interval import Interval
from site_builder.post.verdicts.significance import OTHER_SHAPE, UNKNOWN, NoPError, p

VALUES = np.random.default_rng(3).normal(1, 1.5, 9)
PAIRED = np.random.default_rng(4).normal(-0.6, 1.2, 9)


def interval(values: np.ndarray, groups: int | None = None) -> Interval:
    whole = stats.ttest_1samp(values, 0).confidence_interval()
    return Interval(float(values.mean()), whole.low, whole.high, groups or len(values))


def edge(name: str) -> tuple[Interval, bool] | None:
    own, other, bare = interval(VALUES), interval(PAIRED), Interval(1.0, 0.5, 1.5)
    return {
        "low": (own, True),
        "high": (own, False),
        "other.low": (other, True),
        "other.high": (other, False),
        "skewed": (Interval(1.0, 0.9, 3.0, 9), True),
        "untold": (bare, True),
    }.get(name)


def of(text: str) -> float:
    return p(ast.parse(text, mode="eval").body, edge)


def t_test(values: np.ndarray, number: float) -> float:
    return float(stats.ttest_1samp(values, number).pvalue)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("low > 0", t_test(VALUES, 0)),
        ("0 < low", t_test(VALUES, 0)),
        ("low >= 0.2", t_test(VALUES, 0.2)),
        ("high < 4", t_test(VALUES, 4)),
        ("low > 4", 1.0),
        ("high < 0", 1.0),
        ("2 * low > 0.2", t_test(VALUES, 0.1)),
        ("low / 2 > 0.05", t_test(VALUES, 0.1)),
        ("-high > -4", t_test(VALUES, 4)),
        ("other.high < -0.1", t_test(PAIRED, -0.1)),
        ("low > 0 and other.high < 0", max(t_test(VALUES, 0), t_test(PAIRED, 0))),
        ("0 < low > 0.1", t_test(VALUES, 0.1)),
    ],
)
def test_that_an_interval_excludes_a_number_is_a_t_test(text: str, expected: float) -> None:
    assert of(text) == pytest.approx(expected)


def test_the_p_value_falls_below_5_percent_where_the_interval_leaves_the_number() -> None:
    edge_of_it = interval(VALUES).low
    assert of(f"low > {edge_of_it}") == pytest.approx(0.05)
    assert of(f"low > {edge_of_it - 1e-6}") < 0.05 < of(f"low > {edge_of_it + 1e-6}")


@pytest.mark.parametrize("text", ["low > other.high", "other.high < low", "-other.high > -low"])
def test_intervals_that_are_apart_give_the_level_at_which_they_would_touch(text: str) -> None:
    found = of(text)
    t = stats.t.ppf(1 - found / 2, 8)
    one, two = (stats.sem(values) for values in (VALUES, PAIRED))
    assert VALUES.mean() - t * one == pytest.approx(PAIRED.mean() + t * two)


def test_groups_that_are_not_told_are_taken_to_be_five_which_is_strict() -> None:
    """Wherever the p value is below 5 %; on the other side nothing is claimed."""
    assert of("untold > 0") == pytest.approx(stats.t.sf(2 * stats.t.ppf(0.975, 4), 4) * 2)
    for groups in (5, 8, 23, 1000):
        for distance in (1.0, 1.5, 3.0, 9.0):
            told, untold = (
                Interval(distance, distance - 1, distance + 1, groups),
                Interval(distance, distance - 1, distance + 1),
            )
            exact, taken = (
                p(ast.parse("low > 0", mode="eval").body, lambda _, one=one: (one, True))
                for one in (told, untold)
            )
            assert exact <= taken + 1e-12
            assert taken <= 0.05 + 1e-12


def test_apart_is_never_found_more_often_than_the_level() -> None:
    """Of the same mean, and of rows that depend on each other either way."""
    chance = np.random.default_rng(0)
    for shared in (-0.9, 0.0, 0.9):
        found = 0
        for _ in range(500):
            both = chance.multivariate_normal([0, 0], [[1, shared], [shared, 1]], 8)
            own, other = interval(both[:, 0]), interval(both[:, 1])
            tree = ast.parse("low > other.high", mode="eval").body
            ends = {"low": (own, True), "other.high": (other, False)}
            found += p(tree, ends.get) < 0.05
        assert found / 500 <= 0.05


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("low < 0 and high > 0", OTHER_SHAPE),
        ("low < other.high", OTHER_SHAPE),
        ("low > 0 or high < 0", OTHER_SHAPE),
        ("estimate > 0", OTHER_SHAPE),
        ("low > other.estimate", OTHER_SHAPE),
        ("low * low > 0.5", OTHER_SHAPE),
        ("1 / low > 0.5", OTHER_SHAPE),
        ("low - other.high > 0", OTHER_SHAPE),
        ("0 * low > -1", OTHER_SHAPE),
        ("skewed > 0", UNKNOWN),
    ],
)
def test_tests_of_another_shape_have_none_and_say_why(text: str, why: str) -> None:
    with pytest.raises(NoPError, match=why):
        of(text)
