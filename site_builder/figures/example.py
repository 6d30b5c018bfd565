"""One list, token by token: role, probability, entropy and both proxies of ending at each token."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import prompts

Row = dict[str, Any]

FIELDS = ("token", "role", "k", "probability", "entropy", "proxy_a", "proxy_b")


def draw(
    table: pa.Table, *, variant: str = "", topic: str = "", template: str = "short", sample: int = 0
) -> Drawing:
    """Draw the strip of one list; the page can then pick any other.

    Args:
        table: Tokens of all lists, one row each.
        variant: There is one, "".
        topic: Topic of the list that stands in the page; the first one if empty.
        template: Its length word.
        sample: Its number among the lists of this topic and template.
    """
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "template", "topic", "sample", "condition", "position", *FIELDS, digits=5
    )
    topics = theme.unique(table, "topic")
    templates = [name for name in prompts.TEMPLATES if name in theme.unique(table, "template")]
    topic = theme.choose(topic or (topics[0] if topics else ""), topics, "topic")
    theme.choose(template, templates, "template")
    lists: dict[str, dict[str, list[Row]]] = {name: {} for name in topics}
    for row in records:
        key = f"{row['template']}/{row['sample']}/{row['condition']}"
        lists[row["topic"]].setdefault(key, []).append(row)
    for strips in lists.values():
        for strip in strips.values():
            strip.sort(key=lambda row: row["position"])
    samples = sorted({row["sample"] for row in records})
    first = lists[topic].get(f"{template}/{sample}/clean")
    if first is None:
        theme.choose(str(sample), map(str, samples), "sample")
        first = next(iter(lists[topic].values()))
    files = {name: f"topic-{number}.json" for number, name in enumerate(topics)}
    return Drawing(
        theme.markup(
            "example.html.j2",
            tokens=first,
            lines=_lines(first),
            topics=topics,
            files={name: theme.FILES + file for name, file in files.items()},
            templates=templates,
            samples=samples,
            conditions=[
                name for name in ("clean", "corrupted") if name in theme.unique(table, "condition")
            ],
            chosen={"topic": topic, "template": template, "sample": sample},
            present={row["role"] for row in records},
            visible=theme.visible,
            kind=kind,
        ),
        "One list as the model reads and writes it, token by token. Probability is that of the "
        "token given all before it; entropy (nats) and the two proxies of ending (differences of "
        "logits) are about what comes after it.",
        "The tokens of one list in order, each marked with its role. Choose a token to read its "
        "probability, the entropy after it and both proxies of ending.",
        {file: _columns(lists[name]) for name, file in files.items()},
    )


def kind(role: str) -> str:
    """Return a role as a CSS class: letters only, whatever the result says."""
    return "role-" + re.sub(r"[^a-z]", "", role.lower())


def _lines(tokens: list[Row]) -> list[list[Row]]:
    """Break the strip where the model breaks the line, so that an item is a line."""
    lines: list[list[Row]] = [[]]
    for row in tokens:
        lines[-1].append(row)
        if row["token"].endswith("\n"):
            lines.append([])
    return [line for line in lines if line]


def _columns(strips: dict[str, list[Row]]) -> bytes:
    columns = {
        key: {name: [row[name] for row in strip] for name in FIELDS}
        for key, strip in sorted(strips.items())
    }
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
