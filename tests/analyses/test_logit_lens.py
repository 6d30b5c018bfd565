"""Lens, proxies and another author's lists on the tiny study."""

import json

import pyarrow.compute as pc
import pytest

from analyses import logit_difference, logit_lens
from analyses.instruments.other_lists import OTHER_LISTS
from analyses.lab.core import statistics
from tests.analyses.conftest import measure

ALL = [
    *(("logit_lens", variant) for variant in logit_lens.VARIANTS),
    *(("logit_difference", variant) for variant in logit_difference.VARIANTS),
    ("other_lists", ""),
]


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_says_what_it_is_and_repeats(tiny, shelf, name, variant):
    table = measure(tiny, name, variant, shelf)
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["n"]
    assert labels["note"]
    if "low" in table.column_names:
        assert labels["interval"] == statistics.said("topics")
        ends = table.filter(pc.is_finite(table["low"]))
        assert pc.all(pc.less_equal(ends["low"], ends["high"])).as_py()
    assert table.equals(measure(tiny, name, variant, shelf), check_metadata=True)


def test_the_lens_ends_at_the_proxies(tiny, shelf):
    """The last layer's means are those of the model's own logit differences."""
    own = {
        (row["template"], row["condition"], row["proxy"], row["align"], row["k"]): row
        for row in measure(tiny, "logit_difference", "mean", shelf).to_pylist()
    }
    last = len(tiny.model.network.model.layers)
    compared = 0
    for variant in ("end-hyphen", "blank-break"):
        for row in measure(tiny, "logit_lens", variant, shelf).to_pylist():
            if row["part"] == "mean" and row["layer"] == last:
                names = ("template", "condition", "proxy", "align", "k")
                other = own[tuple(row[name] for name in names)]
                assert row["n"] == other["n"]
                assert row["estimate"] == pytest.approx(other["estimate"], abs=2e-4)
                compared += 1
    assert compared > 20


def test_the_lens_is_split_by_temperature_with_an_interval(tiny, shelf):
    rows = measure(tiny, "logit_lens", "by-temperature", shelf).to_pylist()
    assert {row["part"] for row in rows} == {"mean", "separation", "difference"}
    separation = {
        (row["proxy"], row["temperature"], row["layer"]): row["estimate"]
        for row in rows
        if row["part"] == "separation"
    }
    for row in rows:
        if row["part"] == "difference":
            at = separation[row["proxy"], row["temperature"], row["layer"]]
            usual = separation[row["proxy"], 0.8, row["layer"]]
            assert row["estimate"] == pytest.approx(at - usual, abs=1e-4)


def test_an_example_marks_where_the_list_could_end(tiny, shelf):
    rows = measure(tiny, "logit_difference", "example", shelf).to_pylist()
    deciding = [row for row in rows if row["deciding"]]
    assert deciding
    assert {row["role"] for row in deciding} == {"break"}
    assert {row["condition"] for row in rows} == {"clean", "corrupted"}


def test_another_authors_lists_cover_the_topics(tiny, shelf, smollm2):
    for lab in (tiny, smollm2):
        assert set(lab.study.topics.names) <= set(OTHER_LISTS)
    for items in OTHER_LISTS.values():
        assert len(items) == len(set(items)) >= 5
    rows = measure(tiny, "other_lists", "", shelf).to_pylist()
    items = {
        topic: [
            row["item"]
            for row in rows
            if (row["part"], row["topic"], row["condition"], row["quantity"])
            == ("list", topic, "clean", "proxy_a")
        ]
        for topic in tiny.study.topics.names
    }
    assert items == {topic: list(OTHER_LISTS[topic]) for topic in items}
