"""Tables of ablations: by layer, under their baselines; and one edit against another.

The outcome is the hazard of ending, per decision, as a ratio: items within a budget of tokens count
more where items are shorter, and the edits make them shorter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from site_builder.charts import tables, theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import conditions

Row = dict[str, Any]
Condition = tuple[Any, ...]
Found = dict[tuple[str, str], Row]
"""Rows of one condition by topics and quantity."""

QUANTITIES = {
    "ended": ("ended by itself", ".0%"),
    "repeated_share": ("repeated items", ".0%"),
}
OWN_MEAN = "times own mean"
COLUMNS = (
    *("condition", "ends per decision", "times unchanged", "times random", OWN_MEAN),
    *("distinct items", "change", f"items within {conditions.TOKENS} tokens"),
)
SIDES = ("estimate", "change", "beyond", "word")
HAZARD = "hazard"
PUT = {"mean": "set to their mean under the other prompt", "zero": "set to zero"}
WHERE = {"deciding": "where the list could end", "prompt": "in the prompt"}
WORDS = {
    "top": "top",
    "own mean": "top, own mean",
    "random": "random",
    "keep": "top kept",
    "keep random": "random kept",
    "steering": "steering",
}


def by_layer(table: pa.Table, topics: str) -> Drawing:
    """Draw a table for each start, edit and place; the first one open, the others in folds."""
    bounds = [side + end for side in SIDES for end in ("", "_low", "_high")]
    bounds = [name.removeprefix("estimate_") for name in bounds]
    records = theme.rows(
        table, *conditions.COLUMNS, "topics", "quantity", *bounds, "n", digits=theme.EXACT
    )
    theme.choose(topics, dict.fromkeys(row["topics"] for row in records), "topics")
    found: dict[Condition, Found] = {}
    for row in records:
        key = tuple(row[name] for name in conditions.COLUMNS[:-1])
        found.setdefault(key, {})[row["topics"], row["quantity"]] = row
    lines = [of for of in found.values() if (topics, "items") in of]
    folds = [
        {"title": title, "table": _table(title, rows, topics)}
        for title, rows in _folds(lines, topics)
    ]
    names = {"held-out": "held-out topics", "other": "topics that are not held out"}
    return Drawing(
        theme.markup("ablation.html.j2", folds=folds),
        f"Lists on {names.get(topics, 'all topics')}, drawn again with features edited, beside "
        "what else changes when they end. A list decides after each item whether to end; the share "
        "of decisions that end it is the outcome, and what an edit does to it is a ratio: 0.5 is "
        "half as likely to end. Times random, or own mean, is that ratio divided by the one of "
        "matched random cells, or of the same cells set to their mean under the list’s own prompt, "
        "which leaves the length word. Distinct items are those that repeat no earlier one. Items "
        f"are those within {conditions.TOKENS} tokens, of every list: they are more where items "
        "are shorter.",
        "Tables with one row for each condition: the share of decisions that end a list, how many "
        "times as high it is as unchanged and as under the baselines, distinct items, items, "
        "ended lists and repeats, each with its interval.",
    )


def _folds(lines: Sequence[Found], topics: str) -> Iterable[tuple[str, Sequence[Found]]]:
    """Tables by start and by what is set to what, each with its baselines on top."""
    for start in conditions.STARTS:
        of = [line for line in lines if _first(line, topics)["start"] == start]
        for method, edit, place in conditions.EDITS:
            name = conditions.EDITS[method, edit, place]
            edited = [line for line in of if conditions.edit(_first(line, topics)) == name]
            if not edited:
                continue
            which = "All features but the top ones" if method == "keep" else "Top features"
            title = f"{which} {PUT[edit]}, {WHERE[place]}"
            if start != "prompt":
                title = f"From {conditions.STARTS[start]}: {title[:1].lower()}{title[1:]}"
            beside = [line for line in of if not conditions.edit(_first(line, topics))]
            yield title, [*beside, *edited]


def _first(line: Found, topics: str) -> Row:
    return line[topics, "items"]


def _table(title: str, lines: Sequence[Found], topics: str) -> Markup:
    methods = [*conditions.BASELINES, *WORDS]
    lines = sorted(lines, key=lambda line: methods.index(conditions.method(_first(line, topics))))
    order = conditions.places(_first(line, topics) for line in lines)
    controlled = any((line.get((topics, HAZARD)) or {}).get("word") is not None for line in lines)
    rows: dict[str, list[tuple[tables.Cell, list[tables.Cell]]]] = {"Baselines": []}
    for place in (None, *order):
        for line in lines:
            row = _first(line, topics)
            baseline = row["method"] in conditions.BASELINES
            if (None if baseline else conditions.place(row)) == place:
                group = "Baselines" if baseline else title
                rows.setdefault(group, []).append((_name(row), _cells(line, topics, controlled)))
    groups = [tables.Group(found, group) for group, found in rows.items() if found]
    shown = (*COLUMNS, *(name for name, _ in QUANTITIES.values()))
    if not controlled:
        shown = tuple(name for name in shown if name != OWN_MEAN)
    return tables.table(shown, groups, title)


def _name(row: Row) -> tables.Cell:
    """What a row is called, and how many cells it edits."""
    if row["method"] in conditions.BASELINES:
        return tables.Cell(conditions.BASELINES[row["method"]], f"{row['n']} lists")
    place = conditions.place(row)
    where = place if place == conditions.ALL else f"layer {place}"
    edited = f"{row['features']:,} cells" if row["features"] else ""
    return tables.Cell(f"{where}, {WORDS[conditions.method(row)]}", edited)


def _cells(line: Found, topics: str, controlled: bool) -> list[tables.Cell]:
    hazard = line.get((topics, HAZARD))
    distinct, items = line.get((topics, "distinct")), line[topics, "items"]
    return [
        tables.estimate(hazard, ".1%"),
        tables.estimate(hazard, of="change"),
        tables.estimate(hazard, of="beyond", marked=True, null=1),
        *([tables.estimate(hazard, of="word", marked=True, null=1)] if controlled else []),
        tables.estimate(distinct, ".1f"),
        tables.estimate(distinct, "+.1f", of="change"),
        tables.estimate(items, ".1f"),
        *(
            tables.estimate(line.get((topics, quantity)), form)
            for quantity, (_, form) in QUANTITIES.items()
        ),
    ]
