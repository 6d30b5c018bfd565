"""The arithmetic of a claim, by hand: what it reckons, and all that it refuses."""

import ast

import pytest

from site_builder.post.expression import is_test, names, reckon

NUMBERS = {"low": 2.0, "high": 3.0, "n": 5, "other.low": -4.0}


def value(text: str) -> object:
    return reckon(ast.parse(text, mode="eval").body, NUMBERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("low", 2.0),
        ("other.low", -4.0),
        ("7", 7),
        ("0.5", 0.5),
        ("-low", -2.0),
        ("low + high", 5.0),
        ("low - high", -1.0),
        ("low * high", 6.0),
        ("high / low", 1.5),
        ("abs(other.low)", 4.0),
        ("abs(low - high) * 2", 2.0),
        ("low < high", True),
        ("low < 2", False),
        ("low <= 2", True),
        ("low <= 1", False),
        ("high > low", True),
        ("low > 2", False),
        ("low >= 2", True),
        ("low >= 3", False),
        ("1 < low < high", True),
        ("1 < high < low", False),
        ("3 < low < high", False),
        ("low < high < n < 5", False),
        ("1 < low <= 2 > 1 >= 1", True),
        ("low > 1 and high > 1", True),
        ("low > 1 and high > 9", False),
        ("low > 9 or high > 1", True),
        ("low > 9 or high > 9", False),
        ("low > 9 or high > 9 or n > 4", True),
    ],
)
def test_a_value_by_hand(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("True", "True"),
        ("'a'", "'a'"),
        ("None", "None"),
        ("1j", "1j"),
        ("low.real", "low.real"),
        ("other.low.real", "other.low.real"),
        ("+low", "+low"),
        ("not low > 1", "not low > 1"),
        ("low ** 2", "low ** 2"),
        ("low % 2", "low % 2"),
        ("low == 2", "low == 2"),
        ("low < high != 2", "low < high != 2"),
        ("low in high", "low in high"),
        ("max(low)", "max(low)"),
        ("abs()", "abs()"),
        ("abs(low, high)", "abs(low, high)"),
        ("abs(low, x=1)", "abs(low, x=1)"),
        ("[low]", "[low]"),
        ("low if low else high", "low if low else high"),
        ("1 + (low ** 2)", "low ** 2"),
    ],
)
def test_what_is_refused_is_named(text, refused):
    with pytest.raises(ValueError, match=r"\A") as raised:
        value(text)
    assert str(raised.value) == refused


def test_the_columns_that_it_names():
    text = "abs(low) < other.high and other.low < 3 * width"
    assert names(ast.parse(text, mode="eval").body) == {"low", "other.high", "other.low", "width"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("low > 0", True),
        ("0 < low < high", True),
        ("low > 0 and high < 1", True),
        ("low > 0 or (high < 1 and n > 3)", True),
        ("low / (high - low) > 2", True),  # of 1 and 1 it would divide by zero
        ("low", False),
        ("low - high", False),
        ("low > 0 or high", False),
        ("low > 0 and high", False),
        ("low > 0 or (high < 1 and n)", False),
        ("1 < 2", False),
        ("low >", False),
        ("low == 0", False),
    ],
)
def test_what_is_a_test(text, expected):
    assert is_test(text) is expected


@pytest.mark.parametrize(
    "text",
    ["", "low > 0\0", "-" * 100_000 + "low > 0"],
    ids=["empty", "a null byte", "too deep"],
)
def test_what_python_cannot_read_is_no_test(text):
    assert not is_test(text)


@pytest.mark.parametrize(
    "text",
    [
        "low <= 0 and n > 9 ** 9",
        "low > 0 or low ** 2 > 1",
        "low > 0 or abs > 1",
        "low > 0 or other > 1",
        "low / 0 > 1 and max(low) > 1",
        "1 / 0 > low ** 2",
    ],
)
def test_what_a_test_reckons_only_sometimes_is_read_too(text):
    """Whatever the numbers are, so that no result ends in what it cannot reckon."""
    assert not is_test(text)


def test_a_part_may_guard_another_one():
    assert is_test("n > 0 and high / n > 2")
    assert value("n > 9 and high / (n - 5) > 2") is False
