"""What a stale result's reasons are made of, by hand."""

from datetime import date
from typing import get_args

import pytest

from site_builder.results import differences
from site_builder.results.reasons import Change, Reason, brief, sentence, sentences


def test_a_setting_is_compared_as_json_keeps_it() -> None:
    assert differences.plain({"a": (1, 2), "b": date(2024, 1, 31)}) == {
        "a": [1, 2],
        "b": "2024-01-31",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.9, "0.9"),
        ("é", '"é"'),
        (None, "null"),
        (date(2024, 1, 31), '"2024-01-31"'),
        ("a" * 38, f'"{"a" * 38}"'),  # 40 characters with its quotes
        ("a" * 39, f'"{"a" * 38}…'),  # 41 would be too many
    ],
)
def test_a_setting_fits_into_a_line(value, expected) -> None:
    assert brief(value) == expected


def test_autoencoders_are_named_by_path() -> None:
    named = {"model": "a", "data/x/cfg.json": "b", "draft": "c"}
    assert differences.weights(named) == ({"model": "a", "draft": "c"}, {"data/x/cfg.json": "b"})


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ({"model": "a"}, {"model": "b"}, True),
        ({"model": "a"}, {"model": "a"}, False),
        ({"model": "a"}, {}, False),
        ({}, {"model": "a"}, False),
        ({"model": "a", "x/y": "b"}, {"model": "a", "x/y": "c"}, False),
        ({"model": "a"}, {"x/y": "c"}, False),
    ],
)
def test_weights_differ_only_where_both_name_a_model(mine, theirs, expected) -> None:
    assert differences.other_model(mine, theirs) is expected


def test_what_became_of_files_is_told_in_their_order() -> None:
    before = {"d": "1", "a": "1", "same": "1"}
    now = {"a": "2", "same": "1", "c": "1"}
    assert sentences(differences.files(before, now)) == [
        "a changed",
        "c is newly used",
        "d is no longer used",
    ]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, ["b changed"]),
        # A part that moved is not told, however it is called now; what else changed is.
        ({"a": "1", "b": "2"}, {"c": "1", "b": "3"}, ["b changed"]),
        ({"a": "1", "b": "2"}, {"b": "1", "c": "3"}, ["b changed", "c is newly used"]),
        ({"a": "1"}, {"a": "1", "b": "1"}, ["its code is put together otherwise"]),
        ({"a": "1"}, {}, ["a is no longer used"]),
        ({}, {"a": "1"}, ["a is newly used"]),
    ],
)
def test_parts_of_code_that_only_moved_are_not_told(before, now, expected) -> None:
    assert sentences(differences.code(before, now)) == expected


def test_a_reason_is_data_until_it_is_shown() -> None:
    known = {"a": 0.9, "gone": 1, "tuple": (1, 2)}
    reasons = differences.settings(known, {"a": 0.8, "tuple": [1, 2]})
    assert reasons == [Reason("setting", "a", 0.9, 0.8), Reason("setting", "gone", 1, None)]
    assert sentences(reasons) == ["a was 0.9 and is 0.8", "gone was 1 and is null"]


def test_every_reason_has_its_sentence() -> None:
    told = {change: sentence(Reason(change, "X", 1, 2)) for change in get_args(Change)}
    assert len({*told.values()}) == len(told)
    assert [change for change, text in told.items() if "X" not in text] == ["table", "code"]
