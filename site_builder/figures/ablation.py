"""What ablating features does to lists: how many items they get, beside every baseline.

An effect counts only beyond that of random features under the same edit. Lists that were cut are
censored: lengths are survival curves, or items within the budget of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Drawing
from site_builder.figures import ablation_compared, ablation_table, conditions

Row = dict[str, Any]

FEWEST_AT_RISK = 5
"""A curve ends where fewer lists than this are left to look at."""

BOUNDS = ("estimate", "low", "high")
_WHAT = (
    "Features are chosen on topics that are not held out, and set to zero or to their mean under "
    "the other prompt, in the prompt or only where the list could end; random features match them; "
    "own mean is under the list’s own prompt, which leaves the length word as it is."
)
_TOLD = [alt.Tooltip("by:N", title="lists"), alt.Tooltip("cells:Q", title="features edited")]


def draw(table: pa.Table, *, variant: str = "by-layer", topics: str = "held-out") -> Drawing:
    """Draw the conditions as a table by layer, by topic, or as survival curves.

    Args:
        table: The conditions, summed up.
        variant: `by-layer`, `compared`, `by-topic` or `survival`.
        topics: The topics of the tables: `held-out`, `other` or `all`.
    """
    theme.choose(variant, ["by-layer", "compared", "by-topic", "survival"], "variant")
    theme.choose(topics, ["held-out", "other", "all"], "topics")
    if variant == "by-layer":
        return ablation_table.by_layer(table, topics)
    if variant == "compared":
        return ablation_compared.compared(table, topics)
    return _by_topic(table) if variant == "by-topic" else _survival(table)


def _by_topic(table: pa.Table) -> Drawing:
    records = theme.rows(table, *conditions.COLUMNS, "topic", "held_out", "quantity", "change", "n")
    shown = (
        *(conditions.BASELINES["long prompt"], conditions.TOP),
        *(conditions.OWN, conditions.RANDOM),
    )
    counted = [row for row in records if row["quantity"] == "items"]
    choices = conditions.choices(counted, shown, _of_topic)
    lists = [row["n"] for rows in choices.options.values() for row in rows]
    # A dagger as elsewhere; held-out topics stand first, where effects are to be believed.
    order = [
        _topic(row) for row in sorted(records, key=lambda row: (not row["held_out"], row["topic"]))
    ]
    panel = marks.intervals(
        alt.Chart(marks.picked(choices)),
        title=alt.TitleParams(
            "Change in items, by topic", subtitle="† topic held out from all choices"
        ),
        x_title="items, more or fewer",
        row="marked",
        order=list(dict.fromkeys(order)),
        bounded=False,  # a topic has too few lists for an interval
        at=("topic",),
        classes=replace(conditions.classes(*shown), columns=1),
        domain=(None, None),
        step=38,
        tooltip=[
            *(alt.Tooltip("marked:N", title="topic"), *_TOLD),
            alt.Tooltip("estimate:Q", title="change", format=".2f"),
            _LISTS,
        ],
    )
    panel.layer.insert(0, marks.zero())
    return Drawing(
        (panel,),
        f"How many more items within {conditions.TOKENS} tokens a list has than without the edit, "
        f"topic by topic. Each point is a mean over {_span(lists)} lists, too few for an interval. "
        f"{_WHAT}",
        "Points, a row a topic, held-out ones first: the change in items with the top features "
        "edited, with random ones, and with the other length word.",
        choices=choices,
    )


_LISTS = alt.Tooltip("n:Q", title="lists counted")


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _topic(row: Row) -> str:
    return f"{row['topic']} †" if row["held_out"] else str(row["topic"])


def _of_topic(row: Row) -> Row:
    return {
        **{"topic": row["topic"], "marked": _topic(row), "estimate": row["change"]},
        **{"cells": row["features"], "n": row["n"]},
    }


def _survival(table: pa.Table) -> Drawing:
    columns = (*conditions.COLUMNS, "quantity", "items", *BOUNDS, "n", "at_risk", "capped")
    records = theme.rows(table, *columns, digits=3)
    seen = [
        row
        for row in records
        if row["quantity"] == "survival" and (row["at_risk"] or 0) >= FEWEST_AT_RISK
    ]
    choices = conditions.choices(seen, conditions.LOOKS, _of_curve)
    return Drawing(
        (_curves(alt.Chart(marks.picked(choices))),),
        "The share of lists with at least so many items (Kaplan–Meier). Lists that met the budget "
        f"of {conditions.TOKENS} tokens are censored, which is not independent of topic: the curve "
        f"takes them for like the others of their length, and that they need not be. {_WHAT}",
        "Survival curves with bands of list length: unchanged, with the top features edited, with "
        "random ones, with a vector added, and with the other length word.",
        choices=choices,
    )


def _of_curve(row: Row) -> Row:
    kept = ("items", *BOUNDS, "at_risk", "capped", "n")
    return {**{name: row[name] for name in kept}, "cells": row["features"]}


def _curves(base: alt.Chart) -> Chart:
    return marks.curves(
        base,
        title="Length of lists",
        x="items",
        x_title="items, k",
        y_title="share of lists with at least k items",
        domain=(0, 1),
        percent=True,
        steps=True,
        height=230,
        classes=conditions.classes(*conditions.LOOKS),
        tooltip=[
            *_TOLD,
            alt.Tooltip("items:Q", title="items, k"),
            *marks.numbers("share", ".1%"),
            alt.Tooltip("at_risk:Q", title="lists still in view"),
            alt.Tooltip("capped:Q", title="lists cut"),
            _LISTS,
        ],
    )
