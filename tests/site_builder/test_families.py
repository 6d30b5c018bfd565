"""Holm and Benjamini–Hochberg: by hand, against scipy, and over the claims of a file."""

import numpy as np
import pytest
from scipy import stats

from site_builder.post.claims import Claim
from site_builder.post.verdicts.families import adjust, benjamini_hochberg, families, holm
from site_builder.post.verdicts.verdict import Verdict

# The fifteen tests of Benjamini and Hochberg (1995, section 3.2): theirs rejects four, Bonferroni's
# three.
FIFTEEN = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
           0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip


def test_the_example_of_the_paper() -> None:
    assert sum(p <= 0.05 for p in benjamini_hochberg(FIFTEEN)) == 4
    assert sum(p <= 0.05 for p in holm(FIFTEEN)) == 3


def test_four_tests_by_hand() -> None:
    """0.01 × 4; 0.02 × 3; 0.03 × 2, no less than before; 0.04. And 0.04 for all of them."""
    found = [0.03, 0.01, 0.04, 0.02]
    assert holm(found) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert benjamini_hochberg(found) == pytest.approx([0.04, 0.04, 0.04, 0.04])


@pytest.mark.parametrize("seed", range(5))
def test_benjamini_hochberg_is_that_of_scipy(seed: int) -> None:
    found = np.random.default_rng(seed).beta(0.4, 2, 30)
    expected = stats.false_discovery_control(found)
    assert benjamini_hochberg(found.tolist()) == pytest.approx(expected.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_holm_rejects_step_by_step(seed: int) -> None:
    """The smallest against α / n, the next against α / (n − 1), until one is kept."""
    found = np.random.default_rng(seed).beta(0.2, 4, 20)
    rejected = set()
    for step, index in enumerate(np.argsort(found)):
        if found[index] > 0.05 / (20 - step):
            break
        rejected.add(int(index))
    assert {n for n, p in enumerate(holm(found.tolist())) if p <= 0.05} == rejected


def test_claims_of_one_file_are_a_family() -> None:
    where = {"a": "1.toml:1", "b": "1.toml:9", "c": "2.toml:1", "d": "2.toml:5"}
    claims = {name: Claim(name, line, "It is.", "x", "", "low > 0") for name, line in where.items()}
    found = {"a": 0.03, "b": 0.04, "c": 0.03, "d": None}
    adjusted = families(claims, {name: Verdict(True, p=p) for name, p in found.items()})

    assert list(adjusted) == ["a", "b", "c"]
    assert [(one.holm, one.of) for one in adjusted.values()] == [(0.06, 2), (0.06, 2), (0.03, 1)]
    assert [one.survives for one in adjusted.values()] == [
        ["Benjamini–Hochberg"],
        ["Benjamini–Hochberg"],
        ["Holm", "Benjamini–Hochberg"],
    ]
    assert adjust({}) == {}
