"""A mean over units in groups: by hand, against scipy and a brute-force jackknife, and in a claim."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from site_builder.core.errors import BuildError
from site_builder.post.claims import Claim
from site_builder.post.verdicts.units import Mean, mean
from site_builder.post.verdicts.verdict import verdict
from site_builder.render.claim_words import numbers


def lines(values: list[tuple[str, int, float | None, float | None]]) -> pa.Table:
    """Author, text, and what was read at its first place and at its second one."""
    return pa.Table.from_pylist(
        [
            {"author": author, "text": text, "place": place, "length": 3 * text, "estimate": value}
            for author, text, *pair in values
            for place, value in enumerate(pair, start=1)
        ]
    )


SEVEN = lines(
    [
        ("a", 1, 5.0, 1.0),
        ("a", 2, 4.0, 3.0),
        ("b", 1, 3.0, 0.0),
        ("c", 1, 7.0, 2.0),
        ("d", 1, 2.0, 1.0),
        ("e", 1, 6.0, 2.0),
        ("e", 2, 1.0, 1.0),
        ("f", 1, 9.0, None),
    ]
)
"""Differences of 4 and 1, 3, 5, 1, 4 and 0: a mean of 18 / 7; the last text has no second number."""


def claim(**keys: object) -> Claim:
    first, second = {"place": ["1"]}, {"place": ["2"]}
    body = {"row": first, "other": second, "paired": ["author", "text"], "holds": "low > 0"}
    return Claim("it", "claims.toml:1", "It is so.", "lines", "", **body | keys)


def test_leaving_out_one_group_at_a_time_by_hand() -> None:
    """Without a: 13 / 5; b: 15 / 6; c: 13 / 6; d: 17 / 6; e: 14 / 5."""
    found = verdict(claim(), SEVEN)
    without = np.array([13 / 5, 15 / 6, 13 / 6, 17 / 6, 14 / 5])
    half = 2.7764451 * np.sqrt(4 / 5 * ((without - 18 / 7) ** 2).sum())

    assert (found.estimate, found.n, found.groups) == (18 / 7, 7, 5)
    assert (found.low, found.high) == pytest.approx((18 / 7 - half, 18 / 7 + half))
    assert found.holds is True
    assert found.bare == []


def test_either_side_has_its_mean_over_the_same_units() -> None:
    found = verdict(claim(format=".2f"), SEVEN)
    first, second = ([("a", 5.0), ("a", 4), ("b", 3), ("c", 7), ("d", 2), ("e", 6), ("e", 1)],
                     [("a", 1.0), ("a", 3), ("b", 0), ("c", 2), ("d", 1), ("e", 2), ("e", 1)])  # fmt: skip
    for name, side in (("of_row", first), ("of_other", second)):
        own = mean(side)
        told = [found.shown[f"{name}{end}"] for end in ("", "_low", "_high")]
        assert told == [f"{one:.2f}".replace("-", "−") for one in (own.estimate, own.low, own.high)]
    assert numbers(claim(format=".1f"), verdict(claim(format=".1f"), SEVEN)) == (
        "2.6 (1.2 to 3.9), 4.0 against 1.4, n = 7 in 5 groups by author"
    )
    assert verdict(claim(holds="of_row > 3 and of_other_low > -9 and low > 0"), SEVEN).holds


def test_a_value_that_no_mean_can_be_made_of_is_told() -> None:
    table = lines([(name, 1, 1e300, -1e300) for name in "abcdef"])
    with pytest.raises(BuildError, match="is too large for a mean; mend the result"):
        verdict(claim(), table)


@pytest.mark.parametrize("seed", range(5))
def test_units_that_are_a_group_each_have_the_interval_of_a_t_test(seed: int) -> None:
    values = np.random.default_rng(seed).normal(1, 2, 9)
    found = mean((str(n), value) for n, value in enumerate(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_unequal_size_against_least_squares_without_each(seed: int) -> None:
    """The regression on a constant, estimated again without each group (CV3)."""
    chance = np.random.default_rng(seed)
    groups = np.repeat(np.arange(8), chance.integers(1, 9, 8))
    values = chance.normal(0, 1, len(groups)) + chance.normal(0, 1, 8)[groups]

    def least_squares(kept: np.ndarray) -> float:
        ones = np.ones((kept.sum(), 1))
        return float(np.linalg.lstsq(ones, values[kept], rcond=None)[0][0])

    whole = least_squares(np.ones(len(groups), bool))
    without = np.array([least_squares(groups != g) for g in range(8)])
    half = stats.t.ppf(0.975, 7) * np.sqrt(7 / 8 * ((without - whole) ** 2).sum())
    found = mean(zip(groups.tolist(), values.tolist(), strict=True))
    assert (found.low, found.high) == pytest.approx((whole - half, whole + half))


def test_fewer_than_five_groups_have_no_interval_and_no_verdict() -> None:
    assert mean([("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)]) == Mean(2.5, None, None, 4, 4)
    found = verdict(claim(row={"place": ["1"], "author": ["a", "b"]}), SEVEN)
    assert (found.holds, found.low, found.groups) == (None, None, 2)


def test_what_covers_the_truth() -> None:
    """Eight groups of one to ten: 95 % intervals hold zero in at least 92 % of 2,000 samples."""
    chance = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        groups = np.repeat(np.arange(8), [1, 2, 2, 3, 4, 6, 8, 10])
        values = chance.normal(0, 1, 8)[groups] + chance.normal(0, 1, 36)
        found = mean(zip(groups.tolist(), values.tolist(), strict=True))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
    assert held / 2000 >= 0.92


def test_one_column_may_be_unit_and_group() -> None:
    table = lines([(name, 1, value, 0.0) for name, value in zip("abcdef", range(6), strict=True)])
    found = verdict(claim(paired=["author"]), table)
    assert (found.estimate, found.n, found.groups) == (2.5, 6, 6)


def test_a_mean_over_one_rows_units() -> None:
    found = verdict(claim(other={}, paired=[], over=["author", "text"], holds="low > 2"), SEVEN)
    assert (found.estimate, found.n, found.groups) == (37 / 8, 8, 6)


def test_what_is_true_or_false_has_a_share() -> None:
    table = pa.table({"author": list("abcdef"), "ended": [True, True, True, False, True, None]})
    keys = {"row": {}, "other": {}, "paired": [], "over": ["author"], "show": "ended"}
    found = verdict(claim(**keys, holds="high > 0.5"), table)
    assert (found.estimate, found.n) == (0.8, 5)


def test_every_place_has_pairs_of_its_own() -> None:
    """Places 1 and 2 against place 3, which is all zeros."""
    rows = [*SEVEN.to_pylist()]
    rows += [row | {"place": 3, "estimate": 0.0} for row in rows if row["place"] == 1]
    keys = {"row": {"place": ["1", "2"]}, "other": {"place": ["3"]}, "holds": "low > 0"}
    found = verdict(claim(**keys), pa.Table.from_pylist(rows))
    assert (found.rows, found.failing, found.estimate) == (2, 0, 10 / 7)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"paired": ["author"]}, "2 rows match; choose by text, length, estimate"),
        ({"paired": ["writer", "text"]}, 'no column "writer"; there is: author, estimate'),
        ({"row": {"place": ["4"]}}, '0 rows match; place is never "4": there is: 1, 2'),
        (
            {"row": {"place": ["1"], "author": ["f"]}, "other": {"place": ["2"]}},
            "no unit stands in both rows; see author, text in its result",
        ),
        (
            {"holds": "other.low > 0"},
            'no column "other.low" to test; did you mean "of_other_low"?',
        ),
        (
            {"every": ["n"], "row": {}, "other": {}, "paired": [], "over": ["text"]},
            '"n" may be anything, and is a column of the mean over units',
        ),
    ],
)
def test_what_is_not_clear_about_units_is_told(keys: dict[str, object], said: str) -> None:
    with pytest.raises(BuildError) as raised:
        verdict(claim(**keys), SEVEN)
    assert str(raised.value).startswith(f'claims.toml:1: claim "it" on lines: {said}')
