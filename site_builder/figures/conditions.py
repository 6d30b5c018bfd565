"""Conditions of ablation in words, and what a reader picks among them.

A condition is a start, a method, an edit, a place and an autoencoder, or all of them. Top features
stand beside as many random ones under the same edit; where only the top ones are kept, beside a
run that kept random ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Choices, DrawingError
from site_builder.figures import prompts, saes

Row = dict[str, Any]

COLUMNS = ("start", "method", "edit", "place", "site", "layer", "features")
STARTS = {"prompt": "the prompt", "list minus last item": "a list minus its last item"}
EDITS = {
    ("top", "mean", "deciding"): "mean, at deciding tokens",
    ("keep", "mean", "deciding"): "mean, all but the top",
    ("top", "zero", "deciding"): "zero, at deciding tokens",
    ("top", "mean", "prompt"): "mean, in the prompt",
    ("top", "zero", "prompt"): "zero, in the prompt",
}
"""What features are set to and where, by method, edit and place."""

TOKENS = 120
"""New tokens that a list is given: items are those within, which is not a list's length."""

ALL = "all layers"
BASELINES = {
    "base": "as it is",
    "other seeds": "other random numbers",
    "long prompt": "“long” in the prompt",
    "logit bias": "bias on the end’s logit",
}
TOP, RANDOM, STEERING = "top features", "random features", "steering"
OWN = "top features, own mean"
ABLATED = {
    **{"top": TOP, "own mean": OWN, "keep": TOP},
    **{"random": RANDOM, "keep random": RANDOM, "steering": STEERING},
}

LOOKS = {
    BASELINES["base"]: (prompts.SHORT, [1, 0], "square"),
    BASELINES["long prompt"]: (prompts.LONG, [5, 3], "triangle-up"),
    TOP: (theme.colour("3"), [10, 4], "circle"),
    OWN: (theme.colour("6"), [4, 2], "cross"),
    RANDOM: (theme.colour("7"), [2, 2], "diamond"),
    STEERING: (theme.colour("4"), [8, 3, 2, 3], "triangle-down"),
}


def method(row: Row) -> str:
    """Return the method of a condition; the control of the mean counts as one."""
    return "own mean" if row["edit"] == "own mean" else str(row["method"])


def edit(row: Row) -> str:
    """Return what is set to what, and where; "" where nothing is. Controls are of what they check.

    The control of the mean sets the same cells to their mean under the list's own prompt.
    """
    checked = {"random": "top", "keep random": "keep", "own mean": "top"}
    found = "mean" if row["edit"] == "own mean" else row["edit"]
    return EDITS.get((checked.get(method(row), method(row)), found, row["place"]), "")


def place(row: Row) -> str:
    """Return the autoencoder of a condition, or that it is all of them."""
    return ALL if row["layer"] is None else saes.name(row["site"], row["layer"])


def places(records: Iterable[Row]) -> list[str]:
    """Return the autoencoders that occur, by layer, and all of them together last."""
    edited = [row for row in records if edit(row)]
    single = saes.places(row for row in edited if row["layer"] is not None)
    return single + [ALL] * any(row["layer"] is None for row in edited)


def classes(*names: str) -> marks.Classes:
    """Return the classes of the conditions of a panel, in the field `by`."""
    colours, dashes, shapes = zip(*(LOOKS[name] for name in names), strict=True)
    return marks.Classes("by", "", names, colours, dashes, shapes, columns=2)


def choices(records: Iterable[Row], shown: Iterable[str], line: Callable[[Row], Row]) -> Choices:
    """Return what a reader picks: where a list starts, what is done, and at which layer.

    Args:
        records: rows of a condition each.
        shown: the classes that are drawn.
        line: makes of a record what is drawn of it.

    Raises:
        DrawingError: if no features are edited.
    """
    shown, records = set(shown), list(records)
    baselines: dict[str, list[Row]] = {}
    steered: dict[tuple[str, str], list[Row]] = {}
    edited: dict[tuple[str, ...], list[Row]] = {}
    order = places(records)
    for row in records:
        name = ABLATED.get(method(row)) or BASELINES[row["method"]]
        if name not in shown:
            continue
        start, drawn = STARTS[row["start"]], {"by": name, **line(row)}
        if row["method"] in BASELINES:
            baselines.setdefault(start, []).append(drawn)
        elif row["method"] == "steering":
            steered.setdefault((start, place(row)), []).append(drawn)
        else:
            edited.setdefault((start, edit(row), place(row)), []).append(drawn)
    if not edited:
        raise DrawingError("the result has no row with method top", "measure it again")
    sides = [list(STARTS.values()), list(EDITS.values()), order]

    def rank(key: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(side.index(part) for side, part in zip(sides, key, strict=True))

    options = {
        key: [*baselines.get(key[0], ()), *edited[key], *steered.get((key[0], key[2]), ())]
        for key in sorted(edited, key=rank)
    }
    usual = saes.usual([name for name in order if name != ALL] or order)
    chosen = min(options, key=lambda key: (*rank(key)[:2], key[2] != usual))
    return Choices(("from", "set to", "layer"), options, chosen)
