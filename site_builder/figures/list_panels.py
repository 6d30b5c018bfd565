"""The panels of lists in numbers: survival curves; a row a length word, temperature or topic.

`records` are rows of the result `list_statistics`, each with `at`, its temperature in words, and
`name`, its topic, which carries a dagger where it was held out.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from site_builder.charts import marks
from site_builder.charts.drawing import Chart
from site_builder.figures import prompts

Records = list[dict[str, Any]]


def survival_curves(records: Records, title: str, classes: marks.Classes) -> Chart:
    """The share of lists with at least k items, over k: a curve a class."""
    return marks.curves(
        records,
        title=title,
        x="items",
        x_title="items, k",
        y_title="share of lists with at least k items",
        domain=(0, 1),
        percent=True,
        classes=classes,
        tooltip=[
            alt.Tooltip("template:N", title="length word"),
            alt.Tooltip("at:N", title="temperature"),
            alt.Tooltip("items:Q", title="items, k"),
            *marks.numbers("share", ".1%"),
            alt.Tooltip("at_risk:Q", title="lists still in view"),
        ],
        steps=True,
    )


def by_template(records: Records, title: str, x: str, *, percent: bool = False) -> Chart:
    """A row a length word."""
    classes = templates(records)
    return marks.intervals(
        records,
        title=title,
        x_title=x,
        row="template",
        order=classes.names,
        classes=classes,
        tooltip=tooltip(("template", "length word"), percent=percent, unit=x),
        domain=(0, top(records)),
        percent=percent,
        step=26,
        at=("template",),
    )


def by_temperature(
    records: Records,
    template: str,
    x: str,
    *,
    percent: bool = False,
    subtitle: str = "",
    domain: marks.Domain = (0, None),
) -> list[Chart]:
    """Return a panel with a row a temperature, if there are several."""
    order = [f"{value:g}" for value in temperatures(records, template)]
    title = f"“{template}”, by temperature"
    if len(order) < 2:
        return []
    return [
        marks.intervals(
            records,
            title=alt.TitleParams(title, subtitle=subtitle) if subtitle else title,
            x_title=x,
            row="at",
            order=order,
            classes=templates(records),
            tooltip=tooltip(("at", "temperature"), percent=percent),
            domain=domain,
            percent=percent,
            at=("temperature",),
        )
    ]


def by_topic(records: Records, title: str, x: str, *, percent: bool = False) -> Chart:
    """A row a topic, sorted by the first template; held-out topics carry a dagger."""
    classes = templates(records)
    first = [row for row in records if row["template"] == classes.names[0]]
    order = [row["name"] for row in sorted(first, key=lambda row: -(row["estimate"] or 0))]
    return marks.intervals(
        records,
        title=alt.TitleParams(title, subtitle="† topic held out from all choices"),
        x_title=x,
        row="name",
        order=order,
        classes=classes,
        tooltip=tooltip(("topic", "topic"), ("template", "length word"), percent=percent, unit=x),
        domain=(0, top(records)),
        percent=percent,
        step=21,
        at=("topic",),
    )


def tooltip(*fields: tuple[str, str], percent: bool = False, unit: str = "") -> list[alt.Tooltip]:
    """These fields, then the value with its interval, then how many it is of."""
    form = ".1%" if percent else ".3~f"
    named = [alt.Tooltip(f"{field}:N", title=title) for field, title in fields]
    value = "share" if percent else unit or "estimate"
    return [
        *named,
        *marks.numbers(value, form),
        alt.Tooltip("n:Q", title="n"),
    ]


def top(records: Records) -> float | None:
    """An axis of shares that are all but zero still needs a length."""
    highest = max((row["high"] or row["estimate"] or 0 for row in records), default=0)
    return 0.1 if highest < 0.1 else None


def templates(records: Records) -> marks.Classes:
    """The length words of these rows, as classes."""
    return prompts.templates([row["template"] for row in records])


def temperatures(records: Records, template: str) -> list[float]:
    """The temperatures at which lists of `template` were written."""
    return sorted({row["temperature"] for row in records if row["template"] == template})
