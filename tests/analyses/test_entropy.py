"""The means of a table of scores made by hand."""

import pytest

from analyses import entropy, list_statistics, token_scores
from analyses.lab.core.table import table_of


def score(topic, sample, condition, role, k, k_end, value, part=None):
    return {
        "template": "short", "temperature": 0.8, "topic": topic, "held_out": False,
        "sample": sample, "condition": condition, "position": 0, "token": "x", "token_id": 0,
        "role": role, "k": k, "k_end": k_end, "part": part, "probability": 0.5,
        "entropy": value, "varentropy": 2 * value, "proxy_a": 0.0, "proxy_b": 0.0,
    }  # fmt: skip


@pytest.fixture
def scores():
    rows = [
        score("Fruits", 0, "clean", "item", 1, -2, 9.0, "first"),
        score("Fruits", 0, "clean", "item", 1, -2, 1.0, "last"),
        score("Fruits", 0, "clean", "break", 1, -2, 7.0),
        score("Fruits", 0, "clean", "item", 2, -1, 3.0, "only"),
        score("Animals", 1, "clean", "item", 1, -1, 5.0, "only"),
        # A capped list has no end to count from; its cut item has no last token.
        score("Animals", 2, "clean", "item", 1, None, 3.0, "only"),
        score("Animals", 2, "clean", "item", 2, None, 8.0, "first"),
        score("Animals", 3, "clean", "item", 1, -1, 100.0, "only"),
        score("Fruits", 0, "corrupted", "item", 1, -2, 50.0, "only"),
    ]
    return table_of(rows, token_scores.SCHEMA)


@pytest.fixture
def statistics():
    reasons = ["", "", "capped", "malformed: empty line"]
    rows = [
        {"template": "short", "temperature": 0.8, "sample": i, "reason": reason,
         "topic": "Fruits" if i == 0 else "Animals"}
        for i, reason in enumerate(reasons)
    ]  # fmt: skip
    return table_of(rows, list_statistics.LIST_SCHEMA)


def means(table, **wanted):
    return [
        (row["k"], row["estimate"], row["n"])
        for row in table.to_pylist()
        if row["part"] == "mean" and all(row[name] == value for name, value in wanted.items())
    ]


def test_means_at_the_last_token_of_an_item(tiny, scores, statistics):
    table = entropy.run(tiny, scores, statistics, variant="short-clean")
    assert means(table, align="start", quantity="entropy") == [(1, 3.0, 3), (2, 3.0, 1)]
    assert means(table, align="end", quantity="entropy") == [(-2, 1.0, 1), (-1, 4.0, 2)]
    assert means(table, align="start", quantity="varentropy") == [(1, 6.0, 3), (2, 6.0, 1)]
    cells = [row for row in table.to_pylist() if row["part"] == "list"]
    assert [(row["topic"], row["sample"], row["k"], row["entropy"]) for row in cells] == [
        ("Fruits", 0, 1, 1.0), ("Fruits", 0, 2, 3.0), ("Animals", 1, 1, 5.0),
        ("Animals", 2, 1, 3.0),
    ]  # fmt: skip


def test_breaks_are_apart(tiny, scores, statistics):
    table = entropy.run(tiny, scores, statistics, variant="short-clean-break")
    assert means(table, align="start", quantity="entropy") == [(1, 7.0, 1)]


def test_compare_names_its_conditions(tiny, scores, statistics):
    table = entropy.run(tiny, scores, statistics, variant="compare")
    assert set(table["condition"].to_pylist()) == {"short-clean", "short-corrupted"}
    corrupted = means(table, condition="short-corrupted", align="start", quantity="entropy")
    assert corrupted == [(1, 50.0, 1)]
