"""All sampled lists, to browse: some of each topic in the page, all of them for its search."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import prompts

SHOWN = 1
"""Lists of each topic and template that stand in the page itself."""

Row = dict[str, Any]


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw an explorer; without JavaScript, one fold a topic with a list of each template."""
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "template", "temperature", "topic", "held_out", "sample", "items", "n_items",
        "ended", "well_formed", "reason", "repeats",
    )  # fmt: skip
    topics = theme.unique(table, "topic")
    # The temperature at which templates are compared is the one that most lists have.
    temperatures = [row["temperature"] for row in records]
    usual = max(sorted(set(temperatures)), key=temperatures.count, default=None)
    folds = [
        {
            "name": topic,
            "held_out": any(row["held_out"] for row in records if row["topic"] == topic),
            "lists": _some([row for row in records if row["topic"] == topic], usual),
        }
        for topic in topics
    ]
    present = {row["template"] for row in records}
    return Drawing(
        theme.markup(
            "lists.html.j2",
            folds=folds,
            topics=topics,
            templates=[name for name in prompts.TEMPLATES if name in present],
            temperatures=[f"{value:g}" for value in sorted(set(temperatures))],
            total=len(records),
            file=theme.FILES + "lists.json",
        ),
        "What the model wrote. Each line is one list; what ended it is said behind it.",
        "Lists by topic, each in a fold of its own, with length word, temperature, number of "
        "items and how the list ended.",
        {"lists.json": _columns(records)},
    )


def _some(rows: list[Row], temperature: float | None) -> list[Row]:
    chosen: list[Row] = []
    for template in prompts.TEMPLATES:
        same = [
            row for row in rows if (row["template"], row["temperature"]) == (template, temperature)
        ]
        chosen += same[:SHOWN]
    return chosen


def _columns(records: list[Row]) -> bytes:
    """Return the lists as columns: half the size of rows, for the browser to fetch on demand."""
    names = (
        "template", "temperature", "topic", "held_out", "sample", "items", "ended", "reason",
        "repeats",
    )  # fmt: skip
    columns = {name: [row[name] for row in records] for name in names}
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
