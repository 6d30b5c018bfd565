"""What the last item changes: by hand, and as the claims work it out from the published lists."""

import pytest

from analyses import entropy, entropy_conditions
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import table_of
from site_builder.core.project import Project
from site_builder.post.claims import load
from site_builder.post.verdicts.verdict import verdict
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.conftest import REPO

STUDY = "smollm2-135m-instruct"


def listed(topic, sample, *values, ended=True):
    items = len(values)
    return [
        {
            "part": "list", "topic": topic, "held_out": False, "sample": sample, "k": k,
            "k_end": k - items - 1 if ended else None, "entropy": value, "varentropy": 0.0,
        }
        for k, value in enumerate(values, 1)
    ]  # fmt: skip


MEAN = {"part": "mean", "align": "start", "k": 1, "low": 0.0, "high": 2.0, "n": 3}
ROWS = [
    *listed("Fruits", 0, 1.0, 3.0, 2.0),
    *listed("Animals", 0, 2.0, 2.5),
    *listed("Animals", 1, 9.0),
    *listed("Animals", 2, 5.0, 7.0, ended=False),
    {**MEAN, "quantity": "entropy", "estimate": 1.5},
    {**MEAN, "quantity": "varentropy", "estimate": 9.5},
]


def test_the_last_item_is_set_beside_the_one_before_on_the_same_lists(tiny):
    """Of four lists two have both: 2 − 3 and 2.5 − 2. One cut list has no last item."""
    table = table_of(ROWS, entropy.SCHEMA)
    rows = entropy_conditions.run(tiny, table, table, table, table).to_pylist()

    assert [row["condition"] for row in rows if row["part"] == "change"] == [
        "short-clean", "short-corrupted", "long-clean", "long-corrupted",
    ]  # fmt: skip
    change = next(row for row in rows if row["part"] == "change")
    assert change["estimate"] == pytest.approx(-0.25)
    assert change["n"] == 2
    means = [row for row in rows if row["part"] == "mean"]
    assert [(row["estimate"], row["k"]) for row in means] == [(1.5, 1)] * 4


def test_without_two_items_there_is_nothing_to_set_beside(tiny):
    table = table_of(listed("Fruits", 0, 1.0), entropy.SCHEMA)
    with pytest.raises(LabError, match="two items or more"):
        entropy_conditions.run(tiny, table, table, table, table)


@pytest.mark.parametrize(
    ("claim", "condition"),
    [
        ("entropy-lower-at-the-last-item", "short-clean"),
        ("no-late-rise-short-under-long", "short-corrupted"),
        ("no-late-rise-long", "long-corrupted"),
    ],
)
def test_the_published_changes_are_those_of_the_claims(claim, condition):
    store = Store(Project(REPO))
    found, _ = load(Project(REPO))
    told = verdict(found[claim], store.load(ResultId(STUDY, *found[claim].result.split())).table)
    rows = store.load(ResultId(STUDY, "entropy_conditions")).table.to_pylist()
    (change,) = (row for row in rows if (row["part"], row["condition"]) == ("change", condition))
    told_numbers = [told.estimate, told.low, told.high]

    assert [change[name] for name in ("estimate", "low", "high")] == pytest.approx(told_numbers)
