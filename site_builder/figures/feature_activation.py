"""One feature over the tokens of a list, clean and corrupted, and over the ends of all lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, highlight, theme
from site_builder.charts.drawing import PICKED, Chart, Choices, Drawing
from site_builder.figures import feature_cards, roles

Row = dict[str, Any]
Key = tuple[str, str, int]

LIST = ("template", "topic", "sample")
CLEAN, CORRUPTED = theme.colour("1"), theme.colour("2")
LAST = 30
"""Tokens before the deciding one that the panel of all lists shows."""


def draw(
    table: pa.Table,
    *,
    variant: str = "",
    feature: str = "",
    topic: str = "",
    template: str = "short",
) -> Drawing:
    """Draw one feature's activations token by token.

    Args:
        table: Cards, lists with their tokens, and activations by card, list and condition.
        variant: There is one, "".
        feature: Name of a card's feature, LAYER/INDEX; the first card's if empty.
        topic: Topic of the list that stands in the page; one where the feature is active if empty.
        template: Its length word.
    """
    theme.choose(variant, [""], "variant")
    names = theme.rows(theme.where(table, part="card"), "name")
    chosen = feature_cards.pick(names, feature)["name"] if feature else names[0]["name"]
    lists = {_key(row): row for row in _lists(table)}
    active = _activations(table, chosen)
    options: dict[tuple[str, ...], list[Row]] = {
        (key[0], key[1], str(key[2])): _tokens(row, active.get((key, "clean"), {}),
                                               active.get((key, "corrupted"), {}))
        for key, row in lists.items()
    }  # fmt: skip
    theme.choose(template, dict.fromkeys(key[0] for key in options), "template")
    if topic:
        theme.choose(topic, dict.fromkeys(key[1] for key in options), "topic")

    def shows(key: tuple[str, ...]) -> tuple[bool, bool, float]:
        return key[0] == template, key[1] == topic, sum(row["clean"] for row in options[key])

    choices = Choices(("length word", "topic", "sample"), options, max(options, key=shows))
    ends = _ends(lists, active, template)
    most = max(Counter(row["topic"] for row in ends).values(), default=0)
    return Drawing(
        (_panel(choices), *((_all(ends, template),) if ends else ())),
        f"Activation of feature {chosen} at each token from the length word on, under the list's "
        "own prompt (clean) and with its length word swapped (corrupted). The list shown first is "
        f"the one{' of its topic' if topic else ''} where the clean activations add up to most. "
        f"The heatmap has the last tokens of {template} lists, clean: at most {most} "
        f"list{'s' * (most != 1)} a topic, all of which ended. What is not marked is 0.",
        "Bars with a row a token for the clean run and open squares for the corrupted one; a "
        "heatmap with a row a list and the deciding token at its right end.",
        choices=choices,
    )


def _lists(table: pa.Table) -> list[Row]:
    return theme.rows(theme.where(table, part="list"), *LIST, "held_out", "tokens", "first")


def _key(row: Row) -> Key:
    return row["template"], row["topic"], row["sample"]


def _activations(table: pa.Table, name: str) -> dict[tuple[Key, str], dict[int, float]]:
    """Return what the feature did in each list and condition, by position; silence is absent."""
    theme.need(table, *LIST, "condition", "positions", "activations")
    mine = pa.compute.and_(
        pa.compute.equal(table["part"], "activation"), pa.compute.equal(table["name"], name)
    )
    return {
        (_key(row), row["condition"]): {
            position: theme.significant(value, 3)
            for position, value in zip(row["positions"], row["activations"], strict=True)
        }
        for row in table.filter(mine).to_pylist()
    }


def _tokens(one: Row, clean: dict[int, float], corrupted: dict[int, float]) -> list[Row]:
    """Return a row a token from the length word on; the last token is the deciding one."""
    end = len(one["tokens"]) - 1
    return [
        {
            "token": heatmap.token(position, feature_cards.clean(theme.visible(token["text"]))),
            "role": roles.ROLES[-1]
            if position == end
            else roles.role(token["role"], token["k_end"]),
            "clean": clean.get(position, 0.0),
            "corrupted": corrupted.get(position, 0.0),
        }
        for position, token in enumerate(one["tokens"])
        if position >= one["first"]
    ]


def _panel(choices: Choices) -> Chart:
    rows = choices.options[choices.chosen]
    base = (
        alt.Chart(alt.InlineData(values=tuple(rows), name=PICKED))
        .transform_calculate(text="slice(datum.token, 4)")
        .encode(
            y=heatmap.tokens_axis(),
            opacity=highlight.dimmed("role"),
            tooltip=[
                alt.Tooltip("text:N", title="token"),
                alt.Tooltip("role:N"),
                alt.Tooltip("clean:Q", format=".2f"),
                alt.Tooltip("corrupted:Q", format=".2f"),
            ],
        )
    )
    axis = alt.Axis(orient="top", grid=True, domain=False, ticks=False, tickCount=4)
    bars = base.mark_bar(height=8, color=CLEAN, fillOpacity=0.5).encode(
        x=alt.X("clean:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    )
    squares = (
        base.transform_filter("datum.corrupted > 0 || datum.clean > 0")
        .mark_point(shape="square", filled=False, size=34, strokeWidth=1.6, color=CORRUPTED)
        .encode(x=alt.X("corrupted:Q", title=None, axis=axis))
    )
    panel: alt.LayerChart = alt.LayerChart(
        layer=[bars, squares],
        title=alt.TitleParams(
            "Activation in one list", subtitle="bars clean, open squares corrupted"
        ),
        width=theme.PANEL,
        height=alt.Step(heatmap.STEP),
    ).add_params(*highlight.parameters("role"))
    return panel


def _ends(
    lists: dict[Key, Row], active: dict[tuple[Key, str], dict[int, float]], template: str
) -> list[Row]:
    """Return a row a list with what the feature did at its last tokens, the deciding one last."""
    rows: list[Row] = []
    for key, one in lists.items():
        if key[0] != template:
            continue
        clean = active.get((key, "clean"), {})
        end = len(one["tokens"]) - 1
        before = [place for place in range(-LAST, 1) if end + place >= one["first"]]
        rows.append(
            {
                "list": len(rows),
                "topic": key[1],
                "template": template,
                "marked": key[1] + " †" * one["held_out"],
                "sample": key[2],
                "before": before,
                "token": [
                    feature_cards.token(one["tokens"][end + place]["text"]) for place in before
                ],
                "activation": [clean.get(end + place, 0.0) for place in before],
            }
        )
    return rows


def _all(rows: Iterable[Row], template: str) -> Chart:
    rows = list(rows)
    # A topic's name stands at the first of its lists.
    first = {row["marked"]: row["list"] for row in reversed(rows)}
    names = {place: topic for topic, place in first.items()}
    label = " : ".join(
        f"datum.value == {place} ? {json.dumps(name)}" for place, name in names.items()
    )
    base = alt.Chart(theme.data(rows))
    y = alt.Y(
        "list:O",
        title=None,
        axis=alt.Axis(
            values=list(names),
            tickCount=len(names),
            labelExpr=f"{label} : ''",
            labelLimit=110,
            labelOverlap=False,
        ),
    )
    cells = (
        base.transform_flatten(["before", "token", "activation"])
        .mark_rect()
        .encode(
            x=alt.X(
                "before:O",
                title="token, counted from the deciding one",
                axis=alt.Axis(
                    values=list(range(-LAST, 1, 5)),
                    labelAngle=0,
                    labelExpr="replace(datum.label, '-', '−')",
                ),
            ),
            y=y,
            color=alt.Color(
                "activation:Q", title="activation", scale=alt.Scale(scheme=theme.SEQUENTIAL)
            ),
            tooltip=[
                alt.Tooltip("marked:N", title="topic"),
                alt.Tooltip("sample:O"),
                alt.Tooltip("before:O", title="from the deciding one"),
                alt.Tooltip("token:N"),
                alt.Tooltip("activation:Q", format=".2f"),
            ],
        )
    )
    step = max(3, heatmap.STEP * len(names) // len(rows))
    return alt.LayerChart(
        layer=[cells, highlight.beside(base, y, "topic")],
        title=f"The ends of {template} lists, clean",
        width=theme.PANEL,
        height=alt.Step(step),
    ).add_params(*highlight.parameters("topic"))
