"""Table of edits against each other: the top features set to a mean, minus what else was done."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from site_builder.charts import tables, theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import ablation_table, conditions, saes

Row = dict[str, Any]
AGAINST = {
    "random": "random features",
    "own mean": "own mean",
    "steering": "the added vector",
    "logit bias": "the biased logit",
    "long prompt": "the long prompt",
    "top": "top features, layer {layer}",
}
ITEMS = {"distinct": "distinct items", "items": f"items within {conditions.TOKENS} tokens"}
COLUMNS = ("against", "ends per decision, times", *ITEMS.values())


def compared(table: pa.Table, topics: str) -> Drawing:
    """Draw a row for each comparison, under the layer whose top features were edited."""
    columns = (*conditions.COLUMNS, "topics", "quantity", "against", "against_layer")
    numbers = ("estimate", "low", "high", "detectable", "n")
    records = theme.rows(table, *columns, *numbers, digits=theme.EXACT)
    theme.choose(topics, dict.fromkeys(row["topics"] for row in records), "topics")
    found: dict[str, dict[tuple[Any, ...], dict[str, Row]]] = {}
    for row in records:
        edits_all = row["layer"] is None or (row["against"] == "top" and not row["against_layer"])
        if (row["start"], row["topics"]) != ("prompt", topics) or edits_all:
            continue
        key = (list(AGAINST).index(row["against"]), row["against_layer"] or 0, row["against"])
        layer = saes.name(row["site"], row["layer"])
        found.setdefault(layer, {}).setdefault(key, {})[row["quantity"]] = row
    groups = [
        tables.Group(
            [(tables.Cell(AGAINST[key[2]].format(layer=key[1])), _cells(by)) for key, by in
             sorted(lines.items())],
            f"Top features of layer {layer}",
        )
        for layer, lines in found.items()
    ]  # fmt: skip
    return Drawing(
        tables.table(COLUMNS, groups, "One edit against another"),
        "The top features set to their mean under the other prompt where the list could end, "
        "against what else was done to the same lists with the same random numbers, paired by "
        "topic. Beside each interval stands what a comparison like it finds in four of five cases: "
        "a smaller difference may well be there, unseen.",
        "A table with one row for each comparison: the ratio of the hazards of ending, and the "
        "differences in distinct items and in items, each with its interval and the smallest "
        "detectable one.",
    )


def _cells(by: dict[str, Row]) -> list[tables.Cell]:
    ratio = by.get(ablation_table.HAZARD)
    return [
        _with(tables.estimate(ratio, marked=True, null=1), _seen(ratio, ".2f")),
        *(
            _with(tables.estimate(by.get(name), "+.1f", marked=True), _seen(by.get(name), ".1f"))
            for name in ITEMS
        ),
    ]


def _with(cell: tables.Cell, seen: str) -> tables.Cell:
    return tables.Cell(cell.text, f"{cell.under} {seen}".strip(), cell.bold)


def _seen(row: Row | None, form: str) -> str:
    there = row and row["detectable"]
    return f"detects {tables.number(there, form)}" if there else ""
