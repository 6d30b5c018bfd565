"""Counts and summaries of lists written by hand."""

import math

import pytest

from analyses import dataset, list_statistics, lists
from analyses.instruments.lists import shannon

FRUITS = "Fruits"


def rows(table, **wanted):
    return [
        row
        for row in table.to_pylist()
        if all(row[name] == value for name, value in wanted.items())
    ]


@pytest.fixture
def samples(written):
    return written(
        ("short", 0.8, FRUITS, " Fig|\n|-| Fig|\n|-| New| York|<end>"),
        ("short", 0.8, FRUITS, " Fig| |\n|-| Plum| |\n|<end>"),
        ("short", 0.8, "Animals", " Dog|\n|-| Cat|\n|-| Sea"),
        ("short", 0.8, "Animals", " Dog|\n|or so|\n|-| Cat|<end>"),
        ("short", 0.8, "Animals", " Dog|<end>"),
        ("short", 1.3, FRUITS, " Fig| |\n|-| Fig| |<end>"),
        ("long", 0.8, FRUITS, "-|\n|-| Fig|<end>"),
    )


def test_one_row_a_list(tiny, samples):
    one, two, cut, odd, *_ = list_statistics.run(tiny, samples).to_pylist()
    assert (one["items"], one["blanks"], one["repeats"]) == (3, 0, 1)
    assert one["tokens_per_item"] == pytest.approx(4 / 3)
    assert one["one_token_share"] == pytest.approx(2 / 3)
    assert one["shannon_list"] == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    # Over the topic's two lists: Fig three times, New York and Plum once.
    assert one["shannon_topic"] == pytest.approx(-0.6 * math.log(0.6) - 0.4 * math.log(0.2))
    assert one["well_formed"]
    assert (two["items"], two["blanks"], two["well_formed"]) == (2, 2, True)
    assert (cut["items"], cut["ended"], cut["reason"]) == (3, False, "capped")
    assert cut["tokens_per_item"] == 1  # over the two that are complete
    assert (odd["well_formed"], odd["reason"]) == (False, "malformed: a line without -")


def test_items_are_censored_where_lists_were_cut(tiny, samples):
    table = list_statistics.run(tiny, samples, variant="items")
    survival = rows(table, part="survival", template="short", temperature=0.8)
    # Lengths 3, 2, 1 and one cut at its third item; the malformed one is left out.
    assert [row["items"] for row in survival] == [1, 2, 3]
    assert [row["estimate"] for row in survival] == pytest.approx([1, 3 / 4, 1 / 2])
    assert [row["at_risk"] for row in survival] == [4, 3, 1]
    mean, median = rows(table, part="summary", template="short", temperature=0.8)
    assert (mean["quantity"], mean["estimate"]) == ("mean", pytest.approx(9 / 4))
    assert (mean["n"], mean["capped"]) == (4, 1)
    assert (median["quantity"], median["estimate"]) == ("median", 2)
    by_topic = rows(table, part="topic", template="short", temperature=0.8)
    assert [(row["topic"], row["estimate"], row["held_out"]) for row in by_topic] == [
        (FRUITS, 2.5, False), ("Animals", 2.0, True),
    ]  # fmt: skip


def test_tokens_per_item_is_over_items_not_lists(tiny, samples):
    table = list_statistics.run(tiny, samples, variant="tokens-per-item")
    tokens, one_token = rows(table, part="overall", template="short", temperature=0.8)
    assert tokens["estimate"] == pytest.approx(9 / 8)
    assert one_token["estimate"] == pytest.approx(7 / 8)
    assert tokens["n"] == 4


def test_blanks_by_position_and_temperature(tiny, samples):
    table = list_statistics.run(tiny, samples, variant="blanks")
    (overall,) = rows(table, part="overall", template="short", temperature=0.8)
    assert overall["estimate"] == pytest.approx(2 / 8)
    position = rows(table, part="position", template="short", temperature=0.8)
    # Lists that ended have 3, 2 and 1 items: from the end, one of one, one of two, one of three.
    assert [(row["k_end"], row["n"]) for row in position] == [(-3, 1), (-2, 2), (-1, 3)]
    assert [row["estimate"] for row in position] == pytest.approx([0, 1 / 2, 1 / 3])
    by_temperature = rows(table, part="temperature", template="short")
    assert [row["temperature"] for row in by_temperature] == [0.8, 1.3]
    (spearman,) = rows(table, part="spearman")
    # Shares 0, 1, 0, 0 at 0.8 and 1 at 1.3: ranks 2, 4.5, 2, 2, 4.5 against 2.5 × 4, 5.
    assert spearman["estimate"] == pytest.approx(0.6123724)
    assert spearman["temperature"] is None


def test_repeats_and_both_shannon_indices(tiny, samples):
    table = list_statistics.run(tiny, samples, variant="repeats")
    of = {
        row["quantity"]: row["estimate"]
        for row in rows(table, part="overall", template="short", temperature=0.8)
    }
    assert of["repeated_share"] == pytest.approx(1 / 8)
    assert of["lists_with_repeat"] == pytest.approx(1 / 4)
    assert of["repeats"] == pytest.approx(1 / 4)
    within = [math.log(3) - 2 / 3 * math.log(2), math.log(2), math.log(2), 0]
    assert of["shannon_list"] == pytest.approx(sum(within) / 4)
    fruits = shannon(["Fig", "Fig", "New York", "Fig", "Plum"])
    animals = shannon(["Dog", "Cat", "Dog"])
    assert of["shannon_topic"] == pytest.approx((fruits + animals) / 2)
    topics = rows(table, part="topic", template="short", temperature=0.8, quantity="shannon_topic")
    assert [row["estimate"] for row in topics] == pytest.approx([fruits, animals])
    assert [row["low"] for row in topics] == [None, None]


def test_what_is_kept_capped_and_malformed_is_counted(tiny, samples):
    usual = rows(dataset.run(tiny, samples), template="short", temperature=0.8)[0]
    assert (usual["lists"], usual["kept"], usual["capped"], usual["malformed"]) == (5, 3, 1, 1)
    assert usual["malformed_reasons"] == "a line without -: 1"
    assert usual["ended_share"] == pytest.approx(4 / 5)
    assert usual["topics"] == 2
    odd = rows(dataset.run(tiny, samples), template="long")[0]
    assert (odd["kept"], odd["capped"], odd["malformed"]) == (1, 0, 0)


def test_lists_show_what_was_written(tiny, samples):
    first, _, cut, *_ = lists.run(tiny, samples).to_pylist()
    assert first["items"] == ["Fig", "Fig", "New York"]
    assert (first["n_items"], first["repeats"], first["reason"]) == (3, 1, "")
    assert cut["items"] == ["Dog", "Cat", "Sea"]
    assert (cut["well_formed"], cut["reason"]) == (False, "capped")


def test_shannon_by_hand():
    assert shannon([]) == 0
    assert shannon(["a", "a"]) == 0
    assert shannon(["a", "b"]) == pytest.approx(math.log(2))


@pytest.mark.parametrize("variant", ["tokens-per-item", "blanks", "repeats"])
def test_the_interval_of_a_share_ends_at_nothing_and_at_all(tiny, shelf, variant):
    shares = {"one_token_share", "blanks", "repeated_share", "lists_with_repeat"}
    rows = list_statistics.run(tiny, shelf["list_samples"], variant=variant).to_pylist()
    bounded = [
        row for row in rows
        if row["quantity"] in shares and row["part"] != "spearman" and row["low"] is not None
    ]  # fmt: skip
    assert bounded
    for row in bounded:
        assert 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1
