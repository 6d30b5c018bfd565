"""Rows named by a share of a column, as models of other depths have them."""

import pyarrow as pa
import pytest

from site_builder.post.claims import Claim
from site_builder.post.verdicts import shares
from site_builder.post.verdicts.verdict import verdict


def at(wanted: str, column: pa.Array) -> list[str]:
    claim = Claim("it", "x.toml:1", "It is.", "numbers", "", "k > 0", row={"k": [wanted]})
    return shares.placed(claim, pa.table({"k": column})).row["k"]


@pytest.mark.parametrize(
    ("share", "layer"),
    [("0%", 0), ("7%", 2), ("40%", 12), ("63.4%", 19), ("80%", 24), ("97%", 29), ("100%", 30)],
)
def test_a_share_is_the_layer_next_to_it(share: str, layer: int) -> None:
    assert at(share, pa.array([None, *range(31)], pa.int32())) == [str(layer)]


def test_of_two_that_are_as_near_the_larger_is_taken() -> None:
    assert at("50%", pa.array([0, 1, 2, 3])) == ["2"]
    assert at("50%", pa.array([3, 2, 1, 0])) == ["2"]


def test_numbers_with_a_point_may_be_missing() -> None:
    assert at("90%", pa.array([0.5, float("nan"), None, 2.0, float("inf")])) == ["2.0"]


@pytest.mark.parametrize(
    "column", [pa.array(["80%", "100%"]), pa.array([None, None], pa.int32()), pa.array([True])]
)
def test_what_is_no_number_is_meant_as_it_is_written(column: pa.Array) -> None:
    assert at("80%", column) == ["80%"]


@pytest.mark.parametrize("text", ["101%", "-5%", "%", "80", "8 0%"])
def test_what_is_no_share_is_left_alone(text: str) -> None:
    assert at(text, pa.array([1, 100])) == [text]


def test_each_model_is_tested_at_its_own_depth() -> None:
    """One claim, two networks: blocks 24 of 30 and 14 of 18."""
    claim = Claim(
        "late", "x.toml:1", "Late.", "numbers", "", "estimate > other.estimate",
        row={"layer": ["80%"]}, other={"layer": ["7%"]},
    )  # fmt: skip

    def told(blocks: int) -> tuple[bool | None, float | None, str]:
        layers = [*range(blocks + 1)]
        found = verdict(claim, pa.table({"layer": layers, "estimate": [float(x) for x in layers]}))
        return found.holds, found.estimate, found.shown["other.layer"]

    assert told(30) == (True, 24.0, "2")
    assert told(18) == (True, 14.0, "1")
