"""Lists in numbers: how long, how many tokens an item, how many blanks, how many repeats.

Panels by template, temperature, position or topic. Lists that were cut are censored, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.charts.tables import number
from site_builder.figures import prompts
from site_builder.figures.list_panels import (
    Records,
    by_temperature,
    by_template,
    by_topic,
    survival_curves,
    temperatures,
    templates,
    tooltip,
    top,
)

VARIANTS = ("items", "tokens-per-item", "blanks", "repeats")

FEWEST_AT_RISK = 5
"""A curve ends where fewer lists than this are left to look at."""


def draw(table: pa.Table, *, variant: str = "items", template: str = "short") -> Drawing:
    """Draw `variant`; `template` is the length word of the panels by temperature."""
    theme.need(
        table, "part", "template", "temperature", "topic", "held_out", "quantity", "items",
        "k_end", "estimate", "low", "high", "n", "at_risk", "capped",
    )  # fmt: skip
    ways = (_items, _tokens_per_item, _blanks, _repeats)
    variants: dict[str, Callable[[Records, str], Drawing]] = dict(zip(VARIANTS, ways, strict=True))
    theme.choose(variant, variants, "variant")
    records = theme.rows(table, *table.column_names)
    theme.choose(template, {row["template"] for row in records if row["template"]}, "template")
    usual = _usual(records)
    for row in records:
        row["compared"] = row["temperature"] in (None, usual)
        row["at"] = f"{row['temperature']:g}" if row["temperature"] is not None else ""
        row["name"] = f"{row['topic']} †" if row["held_out"] else row["topic"]
    return variants[variant](records, template)


def _items(records: Records, template: str) -> Drawing:
    survival = [
        row
        for row in records
        if row["part"] == "survival" and (row["at_risk"] or 0) >= FEWEST_AT_RISK
    ]
    panels: list[Chart] = [
        survival_curves(_compared(survival), "By length word", templates(survival)),
    ]
    if len(temperatures(survival, template)) > 1:
        panels.append(
            survival_curves(
                [row for row in survival if row["template"] == template],
                f"“{template}”, by temperature",
                prompts.temperatures(temperatures(survival, template)),
            )
        )
    summary = _part(records, "summary")
    for row in summary:
        row["cut"] = f"{row['capped'] or 0} of {row['n']}"
        share = (row["capped"] or 0) / (row["n"] or 1)
        row["group"] = f"{row['template']}, {row['at']} · {share:.0%} cut"
    groups = list(dict.fromkeys(row["group"] for row in sorted(summary, key=_group)))
    statistics = marks.Classes(
        "quantity", "", ("mean", "median"), (theme.colour("1"), theme.colour("2"))
    )
    panels.append(
        marks.intervals(
            summary,
            title=alt.TitleParams(
                "Mean and median", subtitle="length word, temperature, share cut at the limit"
            ),
            x_title="items per list",
            row="group",
            order=groups,
            classes=statistics,
            tooltip=tooltip(
                ("group", "lists"), ("quantity", "statistic"), ("cut", "cut at the limit"),
                unit="items",
            ),
            step=24,
            at=("template", "temperature"),
        )
    )  # fmt: skip
    panels.append(by_topic(_compared(_part(records, "topic")), "Mean by topic", "items per list"))
    return Drawing(
        tuple(panels),
        "How many items a list has. The curves give the share of lists with at least so many "
        "items; a list cut at the token limit counts as longer than what was seen of it. Where a "
        "curve runs flat, the lists left were cut, not ended. Means count what was written: they "
        "are lower bounds. There is no median where the curve stays above one half.",
        "Survival curves of list length by length word and by temperature, then mean and median "
        "with intervals, then the mean for each topic. A curve further right means longer lists.",
    )


def _tokens_per_item(records: Records, template: str) -> Drawing:
    everything, topics = _part(records, "overall"), _compared(_part(records, "topic"))
    overall, tokens, share = _compared(everything), "tokens_per_item", "one_token_share"
    sweep = [row for row in _of(everything, tokens) if row["template"] == template]
    return Drawing(
        (
            by_template(_of(overall, tokens), "Tokens per item", "tokens"),
            *by_temperature(sweep, template, "tokens per item"),
            by_topic(_of(topics, tokens), "Tokens per item, by topic", "tokens"),
            by_template(_of(overall, share), "Items of one token", "share of items", percent=True),
            by_topic(
                _of(topics, share), "Items of one token, by topic", "share of items", percent=True
            ),
        ),
        "How many tokens an item takes, without hyphen, blank and line break.",
        "Mean tokens per item and the share of items that are a single token, by length word, by "
        "temperature and by topic, each with its interval.",
    )


def _blanks(records: Records, template: str) -> Drawing:
    overall = _compared(_part(records, "overall"))
    position = [row for row in _compared(_part(records, "position")) if row["n"] >= FEWEST_AT_RISK]
    sweep = [row for row in _part(records, "temperature") if row["template"] == template]
    correlation = [row for row in _part(records, "spearman") if row["template"] == template]
    said = _spearman(correlation)
    share = "share of items"
    panels: list[Chart] = [
        by_template(overall, "Items followed by a blank", share, percent=True),
        marks.curves(
            position,
            title="By position from the end",
            x="k_end",
            x_title="item, counted from the end",
            y_title="share of items with a blank",
            domain=(0, top(position)),
            percent=True,
            classes=templates(position),
            tooltip=tooltip(("template", "length word"), ("k_end", "item from the end"),
                             percent=True),
        ),
    ]  # fmt: skip
    panels += by_temperature(
        sweep,
        template,
        share,
        percent=True,
        subtitle=said,
        domain=(0, top(sweep)),
    )
    panels.append(by_topic(_compared(_part(records, "topic")), "By topic", share, percent=True))
    return Drawing(
        tuple(panels),
        "How often an item is followed by a blank, a token of white space before the line break. "
        "Positions from the end are those of lists that ended by themselves.",
        "Share of items with a blank, by length word, position, temperature and topic.",
    )


def _spearman(rows: Records) -> str:
    if not rows or rows[0]["estimate"] is None:
        return "rank correlation with temperature: not defined"
    row = rows[0]
    return f"Spearman ρ = {number(row['estimate'])} [{number(row['low'])}, {number(row['high'])}]"


def _repeats(records: Records, template: str) -> Drawing:
    everything = _part(records, "overall")
    topics = _compared(_part(records, "topic"))
    panels: list[Chart] = [
        by_template(
            _of(_compared(everything), "repeated_share"),
            "Items said before in the same list",
            "share of items",
            percent=True,
        ),
        by_template(_of(_compared(everything), "repeats"), "Repeated items", "items per list"),
        by_template(
            _of(_compared(everything), "shannon_list"), "Diversity within a list", "Shannon, nats"
        ),
        by_template(
            _of(_compared(everything), "shannon_topic"),
            "Diversity over a topic’s lists",
            "Shannon, nats",
        ),
    ]
    sweep = [row for row in _of(everything, "repeated_share") if row["template"] == template]
    panels += by_temperature(sweep, template, "share of items said before", percent=True)
    panels.append(
        by_topic(
            _of(topics, "repeated_share"), "Items said before, by topic", "share of items",
            percent=True,
        )
    )  # fmt: skip
    return Drawing(
        tuple(panels),
        "How often a list repeats itself, and how diverse items are. The Shannon index is "
        "−Σ p ln p over item strings: within one list, and over all lists of a topic.",
        "Shares and counts of repeated items and two Shannon indices, by length word, by "
        "temperature and by topic, each with its interval.",
    )


def _part(records: Records, part: str) -> Records:
    return [row for row in records if row["part"] == part]


def _of(records: Records, quantity: str) -> Records:
    return [row for row in records if row["quantity"] == quantity]


def _usual(records: Records) -> float | None:
    """The temperature at which templates are compared: the one that most of them have."""
    templates: dict[float, set[str]] = {}
    for row in records:
        if row["temperature"] is not None:
            templates.setdefault(row["temperature"], set()).add(row["template"])
    return max(templates, key=lambda value: len(templates[value]), default=None)


def _compared(records: Records) -> Records:
    return [row for row in records if row["compared"]]


def _group(row: dict[str, Any]) -> tuple[int, float]:
    return prompts.TEMPLATES.index(row["template"]), row["temperature"]
