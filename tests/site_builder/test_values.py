"""Numbers in the prose: the right row, the right format, and an interval only where it belongs."""

from datetime import date

import pyarrow as pa
import pytest

from site_builder.core.errors import BuildError
from site_builder.post.directive import Directive
from site_builder.post.values import Value, read

TABLE = pa.table(
    {
        "template": ["short", "long", "long"],
        "temperature": [0.8, 0.8, 1.3],
        "held_out": [True, False, False],
        "lists": [230, 230, 115],
        "estimate": [-0.6134, 0.25, None],
        "low": [-0.76, 0.2, None],
        "high": [-0.45, 0.3, None],
        "n": [159, 63, 0],
        "share": [-0.5, 0.9, 0.1],
        "change": [1.5, 2.0, 0.0],
        "change_low": [1.0, 1.5, None],
        "change_high": [2.0, 2.5, None],
    }
)


def value(**options: str) -> Value:
    return read(TABLE, Directive("value", "t", "", options, "f:1"))


@pytest.mark.parametrize(
    ("options", "text", "title"),
    [
        ({"template": "short"}, "−0.613", "95 % interval −0.76 to −0.45, n = 159"),
        ({"template": "short", "format": ".1f"}, "−0.6", "95 % interval −0.8 to −0.5, n = 159"),
        ({"held_out": "true", "show": "lists"}, "230", ""),
        ({"template": "long", "temperature": "0.8", "format": ".0%"}, "25%", "95 % interval 20% to 30%, n = 63"),
        ({"template": "short", "show": "interval"}, "−0.76 to −0.45", "95 % interval −0.76 to −0.45, n = 159"),
        ({"template": "long", "temperature": "1.3"}, "not measured", "n = 0"),
        ({"template": "short", "show": "template"}, "short", ""),
        ({"template": "short", "show": "share", "format": ".0f"}, "0", ""),
        ({"low": "null", "show": "lists"}, "115", ""),
        ({"template": "short", "show": "share"}, "−0.5", ""),  # not what the interval is about
        ({"template": "short", "show": "change"}, "1.5", "95 % interval 1 to 2, n = 159"),
        ({"template": "short", "show": "change-interval"}, "1 to 2", "95 % interval 1 to 2, n = 159"),
    ],
)  # fmt: skip
def test_a_value(options: dict[str, str], text: str, title: str) -> None:
    assert value(**options) == Value(text, title)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "shrot"}, 'template is never "shrot": did you mean "short"?'),
        ({"template": "long"}, "2 rows match; choose by temperature, lists, estimate"),
        ({"templat": "long"}, 'has no column "templat"; did you mean "template"?'),
        ({"template": "short", "temperature": "1.3"}, "0 rows match; no row has all of these"),
        ({"template": "short", "show": "share-interval"}, 'has no column "share_low"'),
        ({"template": "short", "format": "%%"}, 'format "%%" does not fit'),
    ],
)
def test_what_is_not_one_value(options: dict[str, str], message: str) -> None:
    with pytest.raises(BuildError) as caught:
        value(**options)
    (problem,) = caught.value.problems
    assert message in str(problem)


ODD = pa.table(
    {
        "seed": [9007199254740992, 9007199254740993],
        "large": pa.array([18446744073709551615, 3], pa.uint64()),
        "held_out": [True, False],
        "day": [date(2024, 1, 1), date(2024, 1, 2)],
        "items": [["a"], ["b"]],
        "raw": [b"\xff", b"b"],
        "estimate": [12345.678, 0.5],
        "share": [999.4, 1e300],
    }
)


def odd(**options: str) -> Value:
    return read(ODD, Directive("value", "t", "", options, "f:1"))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"seed": "9007199254740993"}, "0.5"),
        ({"seed": "9007199254740992"}, "12346"),
        ({"seed": "9007199254740993", "show": "seed"}, "9007199254740993"),
        ({"large": "18446744073709551615"}, "12346"),
        ({"large": "3.0"}, "0.5"),
        ({"day": "2024-01-02"}, "0.5"),
        ({"held_out": "true", "show": "share"}, "999"),
        ({"held_out": "false", "show": "share"}, "1e+300"),
    ],
)
def test_a_row_is_chosen_exactly_and_numbers_are_printed_in_full(options, text) -> None:
    assert odd(**options).text == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"seed": "9007199254740994"},
            '0 rows match; seed is never "9007199254740994": did you mean',
        ),
        ({"seed": "1e999999999"}, "0 rows match"),
        ({"seed": "nan"}, "0 rows match"),
        ({"seed": "0.5"}, "0 rows match"),
        ({"seed": "x"}, "0 rows match"),
        ({"held_out": "True"}, 'held_out is never "True": did you mean "true"?'),
        ({"items": "a"}, 'rows cannot be chosen by "items", a column of list<'),
        (
            {"raw": "b"},
            'rows cannot be chosen by "raw", a column of binary; choose by one of seed, ',
        ),
    ],
)
def test_a_row_that_cannot_be_chosen_is_told_with_what_can(options, said) -> None:
    with pytest.raises(BuildError) as raised:
        odd(**options)
    assert said in str(raised.value)
