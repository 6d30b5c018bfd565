"""Lists under interventions: which conditions are taken, and how a list is read line by line."""

import pytest

from analyses import ablation, ablation_samples, interventions
from analyses.instruments.roles import list_roles
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import table_of

END = "<end>"


def drawn(method, edit=None, place=None, layer=None, text=" Fig|\n|-| Ox|<end>", start="prompt"):
    tokens = text.split("|")
    return {
        "start": start, "method": method, "edit": edit, "place": place,
        "site": layer and "resid_post", "layer": layer, "features": 0, "size": 0.0,
        "topic": "Fruits", "held_out": True, "sample": 0, "given_items": 0, "tokens": tokens,
        "new_tokens": len(tokens), "ended": tokens[-1] == END,
    }  # fmt: skip


CONDITIONS = [
    drawn("base"),
    drawn("long prompt"),
    drawn("logit bias", place="deciding"),
    drawn("steering", place="deciding", layer=1),
    drawn("top", "mean", "deciding", 1, text=" Fig|\n|-| Ox|\n|-| Li"),
    drawn("top", "own mean", "deciding", 1),
    drawn("random", "mean", "deciding", 1),
]
ELSEWHERE = [
    drawn("other seeds"),
    drawn("base", start="list minus last item"),
    drawn("top", "mean", "deciding"),  # all layers together
    drawn("top", "mean", "prompt", 1),
    drawn("top", "zero", "deciding", 1),
    drawn("keep", "mean", "deciding", 1),
]


def hazard(condition, estimate):
    names = ("start", "method", "edit", "place", "site", "layer")
    return {
        **{name: condition[name] for name in names}, "topics": "held-out", "quantity": "hazard",
        "estimate": estimate, "low": estimate / 2, "high": estimate * 2, "change": estimate / 0.1,
        "change_low": 0.5, "change_high": 2.0, "n": 1,
    }  # fmt: skip


def measured(tiny, conditions):
    hazards = [hazard(one, 0.1) for one in conditions]
    items = [{**one, "quantity": "items"} for one in hazards]
    return interventions.run(
        tiny,
        table_of(conditions, ablation_samples.SCHEMA),
        table_of([*hazards, *items], ablation.SCHEMA),
    ).to_pylist()


def test_seven_interventions_are_taken_and_nothing_else(tiny):
    rows = measured(tiny, [*CONDITIONS, *ELSEWHERE])

    for part in ("list", "hazard"):
        found = [(row["intervention"], row["layer"]) for row in rows if row["part"] == part]
        assert found == [
            ("unchanged", None), ("long prompt", None), ("logit bias", None), ("steering", 1),
            ("top", 1), ("own mean", 1), ("random", 1),
        ]  # fmt: skip


def test_a_list_is_told_line_by_line_and_a_hazard_as_it_was(tiny):
    rows = measured(tiny, CONDITIONS)
    top = next(row for row in rows if row["intervention"] == "top" and row["part"] == "list")

    assert [tuple(one.values()) for one in top["lines"]] == [
        ("Fig", "item"), ("Ox", "item"), ("Li", "cut"),
    ]  # fmt: skip
    assert (top["items"], top["ended"]) == (2, False)
    last = next(row for row in rows if row["part"] == "hazard")
    assert [last[name] for name in interventions.BOUNDS] == [0.1, 0.05, 0.2, 1.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("-| Fig|<end>", [("Fig", "item")]),
        ("-| Fig|\n|\n|No more|.|<end>", [("Fig", "item"), ("No more.", "other")]),
        ("-| Fig|\n|and so", [("Fig", "item"), ("and so", "other")]),
        ("-| Fig|\n|-", [("Fig", "item")]),
        ("-|<end>", []),
    ],
)
def test_what_is_no_item_is_said_to_be_none(text, lines):
    pieces = text.split("|")
    roles = list_roles(pieces, hyphen="-", end=[END] if pieces[-1] == END else [])

    found = interventions.lines(pieces, roles)
    assert [(one["text"], one["kind"]) for one in found] == lines


def test_a_hazard_without_lists_is_refused(tiny):
    with pytest.raises(LabError, match="no list under steering 1"):
        interventions.run(
            tiny,
            table_of([CONDITIONS[0]], ablation_samples.SCHEMA),
            table_of([hazard(one, 0.1) for one in (CONDITIONS[0], CONDITIONS[3])], ablation.SCHEMA),
        )
