"""The prompts as the model reads them; and, for the page's script, all it takes to ask it again."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import prompts

Row = dict[str, Any]


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw what stands around the topic in each prompt."""
    theme.choose(variant, [""], "variant")
    theme.need(table, "part", "name", "before", "after", "ids", "value", "key")
    parts: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        parts.setdefault(row["part"], []).append(row)
    wordings = {row["name"]: row for row in parts.get("prompt", ())}
    shown = [name for name in prompts.TEMPLATES if name in wordings]
    topics = list(dict.fromkeys(row["topic"] for row in parts.get("list", ())))
    lists = {
        f"list-{number}.json": _coded(_lists(parts["list"], topic))
        for number, topic in enumerate(topics)
    }
    return Drawing(
        theme.markup(
            "asking.html.j2",
            files=theme.FILES,
            wordings=[wordings[name] for name in shown],
            lines=lambda text: [*filter(None, text.split("\n"))],
        ),
        "The prompts, as the model reads them: with the marks of its chat template, and with the "
        "hyphen that its answer is opened with.",
        "For each length word, the text before the topic, the topic's place and the text after it.",
        {"asking.json": _coded(_asking(parts, topics)), **lists},
    )


def _asking(parts: dict[str, list[Row]], topics: list[str]) -> Row:
    """Everything but the lists; these are in a file for each topic."""
    means: dict[str, dict[str, list[list[float]]]] = {}
    for row in sorted(parts.get("mean", ()), key=lambda row: row["k"]):
        interval = [theme.significant(row[name]) for name in ("low", "high")]
        means.setdefault(row["template"], {}).setdefault(row["prompt"], []).append(interval)
    return {
        "prompts": {
            row["name"]: {name: row[name] for name in ("before", "after")}
            for row in parts.get("prompt", ())
        },
        "tokens": {row["name"]: row["ids"] for row in parts.get("tokens", ())},
        "settings": {row["name"]: row["value"] for row in parts.get("setting", ())},
        "means": means,
        "topics": topics,
    }


def _lists(rows: list[Row], topic: str) -> dict[str, dict[int, Row]]:
    """The lists of a topic as they were drawn: `{"short": {"0": {…}}}`."""
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        if row["topic"] == topic:
            drawn = {"key": row["key"], "ids": row["ids"]}
            found.setdefault(row["template"], {})[row["sample"]] = drawn
    return found


def _coded(value: Row | dict[str, dict[int, Row]]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
