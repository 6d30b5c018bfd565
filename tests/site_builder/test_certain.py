"""Tests that no data can fail, and the same test written in other words."""

import ast

import pytest

from site_builder.post.verdicts.certain import always, named, of_itself, written

BOUNDS = [("low", "high"), ("other.low", "other.high"), ("change_low", "change_high")]


def read(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    "text",
    [
        "estimate >= estimate",
        "size <= size",
        "low <= high",
        "high >= low",
        "change_low - 1 < change_high",
        "2 * low <= 2 * high",
        "abs(estimate) >= 0",
        "abs(low - high) > -1",
        "n + 1 > 0",
        "n >= 0 and estimate <= estimate",
        "estimate > 3 or other.n >= 0",
        "1 < 2",
        "low - high <= 0 <= n",
        "-high <= -low",
    ],
)
def test_what_no_data_can_fail(text: str) -> None:
    assert always(read(text), BOUNDS)


@pytest.mark.parametrize(
    "text",
    [
        "estimate > estimate",
        "low < high",
        "high <= low",
        "low <= other.high",
        "low <= change_high",
        "estimate <= high",
        "2 * low <= high",
        "estimate >= 0",
        "n > 0",
        "n >= 1",
        "abs(estimate) > 0",
        "n >= 0 and estimate > 0",
        "low * high >= low * high",
        "high / 2 >= low / 2",
        "estimate >= other.estimate",
    ],
)
def test_what_some_data_could_fail_or_is_not_seen(text: str) -> None:
    assert not always(read(text), BOUNDS)


def test_a_row_that_is_its_own_other_one() -> None:
    assert always(of_itself(read("estimate >= other.estimate")), BOUNDS)
    assert not always(of_itself(read("low > other.high")), BOUNDS)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("low > 0", "0 < low"),
        ("low >= 0 and n > 3", "3 < n and low >= 0"),
        ("low > other.high or low > 1", "1 < low or other.high < low"),
        ("regret <= 0", "estimate <= 0"),
        ("0 < low < high", "0 < regret_low < high"),
    ],
)
def test_one_test_in_two_ways(one: str, two: str) -> None:
    columns = {"estimate": "regret", "low": "regret_low", "high": "regret_high"}
    same = [written(named(read(text), columns)) for text in (one, two)]
    assert same[0] == same[1]


def test_the_columns_of_the_other_row_are_named_too() -> None:
    tree = named(read("low > other.high and other.n > 2"), {"low": "a_low", "high": "a_high"})
    assert ast.unparse(tree) == "a_low > other.a_high and other.n > 2"


@pytest.mark.parametrize(("one", "two"), [("low > 0", "low >= 0"), ("low > 0", "low < 0")])
def test_another_test_is_another(one: str, two: str) -> None:
    assert written(read(one)) != written(read(two))
