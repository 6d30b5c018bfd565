"""P(end) after each item: from scores made by hand, and against the tiny model itself."""

import json
from math import exp

import pytest
import torch

from analyses import ending, token_scores
from analyses.instruments.pairs import pair
from analyses.lab.core.table import table_of
from analyses.lab.model.decoder import ATTENTION

END = "<end_of_turn>"  # of the tiny study, which decides at the line break: the end or a hyphen


def scored(topic, sample, condition, *tokens):
    """Rows of `token_scores`: token, role, k, probability, and proxy A after it."""
    return [
        {
            "template": "short", "temperature": 0.8, "topic": topic, "held_out": False,
            "sample": sample, "condition": condition, "position": i, "token": token,
            "token_id": 0, "role": role, "k": k, "part": "only" if role == "item" else None,
            "probability": probability, "entropy": 0.0, "varentropy": 0.0,
            "proxy_a": proxy, "proxy_b": 9.0,
        }
        for i, (token, role, k, probability, proxy) in enumerate(tokens)
    ]  # fmt: skip


def two_items(topic, sample, condition, first, last):
    """Two items and the end; `first` and `last`: what followed each break, and the proxy there."""
    followed, shares, proxies = zip(first, last, strict=True)
    return scored(
        topic, sample, condition,
        ("-", "hyphen", 1, 0.9, 99.0), ("x", "item", 1, 0.9, 99.0),
        ("\n", "break", 1, 0.9, proxies[0]),
        (followed[0], "hyphen", 2, shares[0], 99.0), ("y", "item", 2, 0.9, 99.0),
        ("\n", "break", 2, 0.9, proxies[1]),
        (followed[1], "end", 2, shares[1], 99.0),
    )  # fmt: skip


LISTS = (
    ("short", 0.8, "Fruits", " Apple|\n|-| Fig |\n|<end>"),
    ("short", 0.8, "Animals", " Cow|\n|-| Ox|\n|<end>"),
    ("short", 0.8, "Fruits", " Kiwi|\n|-| Li"),
    ("short", 0.8, "Fruits", " Plum|\n|no hyphen|\n|<end>"),
    ("short", 0.5, "Fruits", " Pear|\n|<end>"),
    ("none", 0.8, "Fruits", " Nut|\n|<end>"),
)
SCORES = [
    *two_items("Fruits", 0, "clean", ("-", 0.8, -2.0), (END, 0.4, 1.0)),
    *two_items("Fruits", 0, "corrupted", ("-", 0.9, -3.0), (END, 0.1, 0.0)),
    *two_items("Animals", 1, "clean", ("-", 0.6, -1.0), (END, 0.2, 0.0)),
    # Something else followed; and a probability too small to be multiplied by e⁹.
    *two_items("Animals", 1, "corrupted", ("*", 0.9, -3.0), (END, 0.3, 0.0)),
    *two_items("Fruits", 2, "clean", ("-", 0.00011, 9.0), ("-", 0.5, 0.0)),
    *two_items("Fruits", 2, "corrupted", ("-", 0.7, 0.0), ("-", 0.5, 0.0)),
]


@pytest.fixture
def table(tiny, written):
    return ending.run(tiny, written(*LISTS), table_of(SCORES, token_scores.SCHEMA))


def test_a_chance_follows_from_the_token_that_followed(table):
    rows = [row for row in table.to_pylist() if row["part"] == "item"]
    names = ("topic", "sample", "k", "k_end", "item", "ended", "held_out")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("Fruits", 0, 1, -2, "Apple", True, False),
        ("Fruits", 0, 2, -1, "Fig", True, False),
        ("Animals", 1, 1, -2, "Cow", True, True),
        ("Animals", 1, 2, -1, "Ox", True, True),
        ("Fruits", 2, 1, None, "Kiwi", False, False),  # its second item is cut
    ]
    chances = [(row["p_short"], row["p_long"]) for row in rows]
    expected = [(0.8 * exp(-2), 0.9 * exp(-3)), (0.4, 0.1), (0.6 * exp(-1), None), (0.2, 0.3)]
    expected += [(None, 0.7)]
    assert chances == [pytest.approx(pair, abs=1e-5) for pair in expected]


def test_what_is_left_out_is_counted(table):
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["n"].startswith("3 lists")
    assert "Malformed lists left out: 1." in labels["note"]
    assert "Values not known: 2 of 10." in labels["note"]


def test_means_are_over_items_with_both_chances(table):
    means = {
        (row["place"], row["k"], row["prompt"]): (row["estimate"], row["n"])
        for row in table.to_pylist()
        if row["part"] == "mean"
    }
    first = (0.8 * exp(-2), 0.9 * exp(-3))
    for place in (("earlier", None), ("item", 1)):
        assert means[(*place, "short")] == (pytest.approx(first[0], abs=1e-5), 1)
        assert means[(*place, "difference")] == (pytest.approx(first[0] - first[1], abs=2e-5), 1)
    for place in (("last", None), ("item", 2)):
        assert means[(*place, "short")] == (pytest.approx(0.3), 2)
        assert means[(*place, "long")] == (pytest.approx(0.2), 2)
        assert means[(*place, "difference")] == (pytest.approx(0.1), 2)
    assert len(means) == 12


def test_lists_written_for_long_were_scored_under_long_as_clean(tiny, written):
    lists = written(("long", 0.8, "Fruits", LISTS[0][3]))
    rows = [{**row, "template": "long"} for row in SCORES[:14]]
    table = ending.run(tiny, lists, table_of(rows, token_scores.SCHEMA))
    chances = [(row["p_short"], row["p_long"]) for row in table.to_pylist() if row["k_end"] == -1]
    assert chances == [pytest.approx((0.1, 0.4))]


@pytest.fixture
def alone(tiny):
    """P(end) after each token of an answer, by a plain forward pass of Hugging Face's model."""
    network, end = tiny.model.network, tiny.model.token(END)
    network.set_attn_implementation("eager")

    def chances(asked, answer):
        with torch.inference_mode():
            logits = network(torch.tensor([[*asked.ids, *answer]])).logits[0]
        return logits.double().softmax(-1)[len(asked.ids) :, end].tolist()

    yield chances
    network.set_attn_implementation(ATTENTION)


def test_chances_are_those_of_the_model(tiny, shelf, alone):
    table = ending.run(tiny, shelf["list_samples"], shelf["token_scores"])
    known = {
        (*(row[name] for name in ending.LIST), row["k"]): row
        for row in table.to_pylist()
        if row["part"] == "item"
    }
    study, checked = tiny.study, 0
    for row in shelf["list_samples"].to_pylist():
        name = tuple(row[key] for key in ending.LIST)
        if row["temperature"] != 0.8 or (*name, 1) not in known:
            continue
        prompts = pair(tiny.model, study.prompt, study.prompt.templates, *name[:2])
        for word, asked in zip((name[0], ending.OTHER[name[0]]), prompts, strict=True):
            after = alone(asked, row["token_ids"])
            breaks = [i for i, token in enumerate(row["tokens"]) if token == "\n"]
            for k, place in enumerate(breaks, 1):
                found = known.get((*name, k), {}).get(f"p_{word}")
                if found is not None:
                    assert found == pytest.approx(after[place], abs=ending.EXACT)
                    checked += 1
    assert checked > 100
