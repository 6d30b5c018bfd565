"""Panels of attributed effects: the strongest features, sums by layer, and what checks say.

A reader picks rows of three kinds, told apart by `what`: `feature` (a cell on some topics), `sum`
(a layer's features, error or bias) and `role` (a layer's features at a role).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from site_builder.charts import heatmap, marks, theme
from site_builder.charts.drawing import Chart, Choices
from site_builder.charts.tables import number
from site_builder.figures import agreement, saes

Row = dict[str, Any]

BOUNDS = ("estimate", "low", "high")
ALL = "all layers"
CELL = ("feature", "role", "layer")
TOPICS = {"held-out": "held-out topics", "other": "other topics"}
ENDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SUMS = ("features", "error", "bias", "whole")
ACTING = "over held-out lists × cells that act"
"""What correlations and slopes are over; points of cells are means over lists."""

_TOPICS = marks.Classes(
    "topics",
    "",
    tuple(TOPICS.values()),
    (theme.colour("2"), theme.colour("7")),
    shapes=("circle", "square"),
)
_SUMS = marks.Classes(
    "quantity",
    "",
    SUMS,
    (theme.colour("2"), theme.colour("1"), theme.colour("7"), theme.colour("fg")),
    shapes=("circle", "square", "triangle-up", "diamond"),
    columns=4,
)


def feature(row: Row, rank: int) -> Row:
    """Return the row of a cell, to be drawn at `rank`."""
    role, name = saes.role(row["role"], row["k_end"]), saes.feature(*_key(row))
    return {
        **{side: row[side] for side in (*BOUNDS, "share", "fires", "n", "layer")},
        **{"what": "feature", "topics": TOPICS[row["topics"]], "role": role},
        **{"cell": f"{rank:03d} {role} {name}", "feature": name},
    }


def _key(row: Row) -> tuple[str, int, int]:
    return row["site"], row["layer"], row["feature"]


def sum_of(row: Row, place: str) -> Row:
    """Return the row of a layer's sum, at all tokens or at a role."""
    whole = row["role"] is None
    return {
        **{side: row[side] for side in (*BOUNDS, "n", "layer")},
        **{"what": "sum" if whole else "role", "place": place, "quantity": row["quantity"]},
        **({} if whole else {"role": saes.role(row["role"], row["k_end"])}),
    }


def places(rows: Iterable[Row]) -> list[str]:
    """Return the places of sums, in their order."""
    return list(dict.fromkeys(row["place"] for row in rows))


def picked(choices: Choices, what: str) -> alt.Chart:
    """Return the picked rows of one kind as the data of a panel."""
    base: alt.Chart = alt.Chart(marks.picked(choices)).transform_filter(f"datum.what === '{what}'")
    return base


def strongest(choices: Choices, unit: str, title: str = "The strongest features") -> Chart:
    """Return the picked features, a row a cell, with what held-out topics say of them."""
    panel = marks.intervals(
        picked(choices, "feature"),
        title=alt.TitleParams(title, subtitle="role of the token, layer/feature"),
        x_title=f"effect, {unit}",
        row="cell",
        order=None,
        classes=_TOPICS,
        domain=(None, None),
        step=24,
        at=CELL,
        tooltip=[
            alt.Tooltip("feature:N"),
            alt.Tooltip("role:N"),
            alt.Tooltip("topics:N"),
            *marks.numbers(unit, ".3f"),
            alt.Tooltip("share:Q", title="part of Σ|effect|", format=".1%"),
            alt.Tooltip("fires:Q", title="acts in topics"),
            alt.Tooltip("n:Q", title="of"),
        ],
    )
    panel.layer.insert(0, marks.zero())
    return panel


def sums(choices: Choices, unit: str, title: str = "Sums by layer") -> Chart:
    """Return what features, error and bias carry, a row a layer."""
    rows = [row for rows in choices.options.values() for row in rows if row["what"] == "sum"]
    panel = marks.intervals(
        picked(choices, "sum"),
        title=alt.TitleParams(title, subtitle="the error is what features do not explain"),
        x_title=f"effect, {unit}",
        row="place",
        order=places(rows),
        classes=_SUMS,
        domain=(None, None),
        step=44,
        at=("layer",),
        tooltip=[
            alt.Tooltip("place:N", title="layer"),
            alt.Tooltip("quantity:N", title="sum over"),
            *marks.numbers(unit, ".3f"),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )
    panel.layer.insert(0, marks.zero())
    return panel


def check_of(row: Row) -> Row:
    """Return the row of a cell that was really taken out."""
    return {
        **{name: row[name] for name in ("group", "measured", "fires", "layer")},
        **{"guess": row["estimate"], "role": saes.role(row["role"], row["k_end"])},
        "feature": saes.feature(*_key(row)),
    }


def checks(
    records: Sequence[Row],
    *,
    title: str,
    unit: str,
    classes: marks.Classes,
    said: Sequence[str] = (),
) -> Chart:
    """Return the panel of cells that were really taken out: `measured` by `guess`.

    Args:
        said: lines to stand under the title, as those of `agreement_of`.
    """
    return agreement.points(
        alt.Chart(theme.data(records)),
        title=title,
        unit=unit,
        said=("a point: a cell of any layer, mean over held-out lists", *said),
        classes=classes,
        tooltip=[
            alt.Tooltip("feature:N"),
            alt.Tooltip("role:N"),
            alt.Tooltip(f"{classes.field}:N", title="cells"),
            alt.Tooltip("guess:Q", title="estimated", format=".3f"),
            alt.Tooltip("measured:Q", format=".3f"),
            alt.Tooltip("fires:Q", title="acts in lists"),
        ],
        at=CELL,
    )


def agreement_of(rows: Iterable[Row]) -> list[str]:
    """Return correlations and slope, by gradient, as lines for a subtitle; none if not measured.

    A high correlation of all cells may only tell top from random ones, so theirs stands beside.
    """
    words = {
        ("all", "pearson"): "r",
        ("random", "pearson"): "r of random cells alone",
        ("all", "slope"): "slope",
    }
    found = {
        (row["group"], row["quantity"]): row["estimate"]
        for row in rows
        if row["method"] == "gradient"
    }
    told = [f"{words[key]} {number(found[key])}" for key in words if key in found]
    return [f"{ACTING}:", " · ".join(told)] if told else []


def with_end(rows: Sequence[Row]) -> list[Row]:
    """Return rows to pick, the first with `end`: where the colours of their roles end."""
    end = heatmap.end_of_scale((row["estimate"] for row in rows if row["what"] == "role"), ENDS)
    return [{**rows[0], "end": end}, *rows[1:]]
