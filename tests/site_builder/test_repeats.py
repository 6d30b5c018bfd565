"""Claims that say what another one says."""

import pyarrow as pa
import pytest

from site_builder.post.claims import Claim
from site_builder.post.verdicts.repeats import repeats
from site_builder.post.verdicts.verdict import verdict

TABLE = pa.Table.from_pylist(
    [
        {"rule": rule, "k": k, "author": author, "estimate": 1.0, "low": 0.5, "high": 1.5, "b": 2.0}
        for rule in ("near", "far")
        for k in (1, 2)
        for author in "abcdefgh"
    ]
)
ONE = {"rule": ["near"], "k": ["1"], "author": ["a"]}


def found(*bodies: dict[str, object]) -> dict[str, str]:
    """What repeats what, of claims that are called by their place."""
    keys = {"row": ONE, "holds": "low > 0"}
    claims = {
        str(n): Claim(str(n), f"x.toml:{n}", "It is.", "numbers", "", **keys | body)
        for n, body in enumerate(bodies)
    }
    return repeats(claims, {name: verdict(one, TABLE) for name, one in claims.items()})


FAR = {"rule": "far"}


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ([{}, {}], {"1": "0"}),
        ([{}, {"holds": "0 < low"}, {"format": ".2f", "unit": "m"}], {"1": "0", "2": "0"}),
        ([{}, {"row": ONE | {"k": ["1", "2"]}}], {"0": "1"}),
        ([{}, {"row": {"rule": ["near"], "k": ["1"]}, "every": ["author"]}], {"0": "1"}),
        ([{}, {"row": ONE | {"k": ["2"]}}], {}),
        ([{}, {"holds": "low > 0.1"}], {}),
        ([{}, {"holds": "b > 0"}], {}),
        ([{"show": "b", "holds": "estimate > 0"}, {"holds": "b > 0"}], {"1": "0"}),
        ([{}, {"other": {"rule": ["far"]}}], {"1": "0"}),  # it asks nothing of the other row
        (
            [
                {"other": {"rule": ["far"]}, "holds": "low > other.high"},
                {"other": {"k": ["2"]}, "holds": "low > other.high"},
            ],
            {},
        ),
        ([{"holds": "", "within": 2.0}, {"holds": "", "within": 2.0}], {"1": "0"}),
        ([{"holds": "", "within": 2.0}, {"holds": "", "within": 3.0}], {}),
    ],
)
def test_a_claim_says_no_more_than_another(
    bodies: list[dict[str, object]], expected: dict[str, str]
) -> None:
    assert found(*bodies) == expected


def test_a_mean_is_another_claim_than_its_rows_and_the_same_over_the_same_units() -> None:
    pairs = {"row": {"rule": ["near"], "k": ["1"]}, "other": {"rule": ["far"]}}
    pairs |= {"paired": ["author"], "show": "b", "holds": "low > -1"}
    rows = pairs | {"paired": [], "every": ["author"]}
    other = pairs | {"other": {"k": ["2"]}}
    assert found(rows | {"show": "estimate"}, pairs, other, pairs) == {"3": "1"}


def test_a_row_compared_with_itself_holds_by_construction() -> None:
    itself = {"row": ONE, "other": {"rule": ["near"]}, "holds": "estimate >= other.estimate"}
    every = itself | {"row": {"k": ["1"], "author": ["a"]}, "every": ["rule"]}
    claims = [Claim("x", "x.toml:1", "It is.", "numbers", "", **body) for body in (itself, every)]
    assert [verdict(claim, TABLE).is_certain for claim in claims] == [True, False]
