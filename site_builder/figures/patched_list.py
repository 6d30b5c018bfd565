"""One list, patched one token at a time: the panel, and the lists among which a reader picks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

from site_builder.charts import heatmap, theme
from site_builder.charts.drawing import Chart, Choices, DrawingError
from site_builder.figures import roles

Row = dict[str, Any]


def choices(records: Iterable[Row]) -> Choices:
    """Return the lists that were patched token by token: a row a token, shares of all its cells.

    Args:
        records: rows of `patching`, roles as words and `estimate` as the share restored or lost.

    Raises:
        DrawingError: if no list was.
    """
    records = list(records)
    spans: dict[tuple[str, ...], float] = {
        (row["template"], row["topic"]): row["clean"] - row["corrupted"]
        for row in records
        if row["part"] == "pair" and row["wording"] == "length"
    }
    lists: dict[tuple[str, ...], dict[int, Row]] = {}
    for row in records:
        if row["part"] == "token":
            key = row["template"], row["topic"], row["direction"]
            tokens = lists.setdefault(key, {})
            if row["position"] not in tokens:
                tokens[row["position"]] = _line(row, spans[key[:2]])
            tokens[row["position"]]["share"].append(row["estimate"])
    if not lists:
        raise DrawingError("the result has no row with part token", "measure it again")
    for tokens in lists.values():
        tokens[max(tokens)]["role"] = roles.ROLES[-1]
    names: tuple[str, ...] = ("length word", "topic", "direction")
    if len({direction for *_, direction in lists}) == 1:
        names = names[:2]
    options = {key[: len(names)]: list(tokens.values()) for key, tokens in lists.items()}

    def shows(key: tuple[str, ...]) -> tuple[bool, bool, float]:
        """Short lists first, denoising first, then where the prompts differ most."""
        return "short" in key, "noising" not in key, abs(spans[key[:2]])

    return Choices(names, options, max(options, key=shows))


def _line(row: Row, span: float) -> Row:
    """A token before its cells; `span` is what makes logits of its shares."""
    return {
        "token": heatmap.token(row["position"], row["token"]),
        "role": row["role"],
        "span": theme.significant(span if row["direction"] == "denoising" else -span, 3),
        "share": [],
    }


def panel(cells: alt.Chart, x: alt.X, end: float, **names: str) -> Chart:
    """Return the panel of the list that is picked.

    Args:
        cells: from `heat.picked`.
        end: where the scale of colours ends.
        names: fields that say where a cell is, and what a tooltip calls them.
    """
    return heatmap.heatmap(
        cells.transform_calculate(raw="datum.share * datum.span", text="slice(datum.token, 4)"),
        title="One list, token by token",
        x=x,
        y=heatmap.tokens_axis(),
        color=heatmap.colour("share", "share", end),
        end=end,
        tooltip=[
            alt.Tooltip("text:N", title="token"),
            alt.Tooltip("role:N"),
            *(alt.Tooltip(f"{field}:N", title=title) for field, title in names.items()),
            alt.Tooltip("share:Q", format=".2f"),
            alt.Tooltip("raw:Q", title="change, logits", format=".2f"),
        ],
    )
