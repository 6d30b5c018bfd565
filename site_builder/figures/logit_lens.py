"""Where in the layers the decision to end surfaces: the logit lens wherever a list could end.

Layer 0, the embedding, is not drawn: it tells only which token stands there, in values so large
that nothing else could be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc

from site_builder.charts import heatmap, highlight, marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing
from site_builder.charts.tables import number
from site_builder.figures import prompts

Row = dict[str, Any]

PROXIES = {
    "end-hyphen": "of ending against going on (proxy A)",
    "blank-break": "of a blank against a line break (proxy B)",
}
FROM_END = (-1, -2, -3, -5, -8)
FROM_START = (1, 2, 4, 8, 12)
SHADES = tuple(theme.colour(f"s{number}") for number in (6, 5, 4, 3, 2, 1))
"""From the first item to the last."""

HEIGHT, SMALL = 200, 54

_INTERVAL = (alt.Tooltip("layer:Q", title="layer"), *marks.numbers("logits"))
_LISTS = alt.Tooltip("n:Q", title="lists")


def draw(
    table: pa.Table, *, variant: str = "end-hyphen", template: str = "short", topic: str = ""
) -> Drawing:
    """Draw one proxy by layer, or how much the lens differs by temperature.

    Args:
        table: The lens at every place where a list could have ended.
        variant: `end-hyphen`, `blank-break` or `by-temperature`.
        template: Length word of the lists of the means, and of the list that stands in the page.
        topic: That list's topic; the first one if empty.
    """
    theme.choose(variant, [*PROXIES, "by-temperature"], "variant")
    theme.need(table, "part", "layer", "quantity", "estimate", "low", "high", "n")
    table = table.filter(pc.greater(table["layer"], 0))
    if variant == "by-temperature":
        theme.refuse(variant, template=(template, "short"), topic=(topic, ""))
        return _by_temperature(table)
    theme.choose(template, theme.unique(table, "template"), "template")
    own = theme.where(table, part="mean", template=template, condition="clean")
    means = [row for row in _rows(own, "align", "k") if row["n"] >= marks.FEWEST]
    gaps = _rows(theme.where(table, part="separation"), "template", "condition")
    choices = _choices(theme.where(table, part="list", condition="clean"), template, topic)
    return Drawing(
        (
            _means(means, "end", FROM_END, f"“{template}” lists, counted from the last item"),
            _means(means, "start", FROM_START, f"“{template}” lists, counted from the first item"),
            _separation(
                gaps, "last-earlier", "Last item minus the earlier ones", "under its own prompt"
            ),
            _separation(
                gaps, "clean-corrupted", "Own length word minus the other", "at the last item"
            ),
            *_one_list(choices, max(theme.unique(table, "layer"))),
        ),
        f"The logit lens {PROXIES[variant]}, wherever a list could have ended: the final norm and "
        "the two tokens’ unembeddings are applied to the residual stream after each block, so that "
        "the last layer is the model’s own difference of logits. Before that the height of a curve "
        "means little; look at how far items lie apart.",
        "Six panels over the layers: mean curves with intervals for some items, counted from the "
        "last and from the first; the last item minus the earlier ones; the list’s own length "
        "word minus the other one; and all items of one list, as they are and minus their mean.",
        choices=choices,
    )


def _rows(table: pa.Table, *columns: str) -> list[Row]:
    return theme.rows(table, "layer", "quantity", "estimate", "low", "high", "n", *columns)


def _means(records: Sequence[Row], align: str, items: Sequence[int], title: str) -> Chart:
    words = {-1: "last", 1: "first"}
    names = {k: words.get(k, number(k, "d")) for k in items}
    shown = [
        {**row, "item": names[row["k"]]}
        for row in records
        if row["align"] == align and row["k"] in items
    ]
    # Late items are dark in both panels, as in that of one list.
    shades = SHADES[::-1] if align == "end" else SHADES[-len(items) :]
    present = tuple(name for name in names.values() if name in {row["item"] for row in shown})
    classes = marks.Classes("item", "item", present, shades)
    return _by_layer(shown, title, "mean difference of logits", classes, marks.extent(records, 0.0))


def _separation(records: Sequence[Row], quantity: str, title: str, where: str) -> Chart:
    condition = "clean" if quantity == "last-earlier" else "corrupted"
    shown = [row for row in records if (row["quantity"], row["condition"]) == (quantity, condition)]
    classes = prompts.templates([row["template"] for row in shown])
    return _by_layer(
        shown, title, f"mean difference, logits, {where}", classes, marks.extent(shown, 0.0)
    )


def _by_layer(
    records: Sequence[Row], title: str, y_title: str, classes: marks.Classes, domain: marks.Domain
) -> Chart:
    panel = marks.curves(
        records,
        title=title,
        x="layer",
        x_title="blocks passed",
        y_title=y_title,
        classes=classes,
        domain=domain,
        height=HEIGHT,
        tooltip=[alt.Tooltip(f"{classes.field}:N", title=classes.title), *_INTERVAL, _LISTS],
    )
    return heatmap.linked(panel)


def _choices(lists: pa.Table, template: str, topic: str) -> Choices:
    """Gather lists, a row an item with all its layers."""
    options: dict[tuple[str, ...], list[Row]] = {}
    for row in theme.rows(lists, "template", "topic", "layer", "k", "k_end", "estimate", digits=3):
        items = options.setdefault((row["template"], row["topic"]), [])
        if row["layer"] == 1:
            items.append({"k": row["k"], "k_end": row["k_end"], "estimate": []})
        items[-1]["estimate"].append(row["estimate"])
    for items in options.values():
        for item in items:
            item["shade"] = round(5 * (item["k"] - 1) / max(len(items) - 1, 1))
    return prompts.lists_to_pick(options, template, topic)


def _one_list(choices: Choices, last: int) -> tuple[Chart, ...]:
    base = (
        heatmap.picked(choices, "estimate", layer=range(1, last + 1))
        .transform_joinaggregate(middle="mean(estimate)", groupby=["layer"])
        .transform_calculate(apart="datum.estimate - datum.middle")
        .encode(x=_layers(last))
    )
    return (
        _items(base, "estimate", "One list, item by item"),
        _items(base, "apart", "The same list, minus the mean of its items"),
    )


def _items(base: alt.Chart, field: str, title: str) -> Chart:
    axes = base.encode(
        y=alt.Y(f"{field}:Q", axis=alt.Axis(title=None), scale=alt.Scale(zero=True)),
        color=alt.Color(
            "shade:O",
            title="items, the first to the last",
            scale=alt.Scale(domain=list(range(6)), range=list(SHADES)),
            legend=alt.Legend(labelExpr="''", columnPadding=0, symbolType="stroke"),
        ),
    )
    lines = axes.mark_line(strokeWidth=1.2).encode(detail=alt.Detail("k:N"))
    ending = axes.mark_line(strokeWidth=3.5).transform_filter("datum.k_end === -1")
    targets = axes.mark_point(size=80, opacity=0).encode(
        tooltip=[
            alt.Tooltip("k:Q", title="item"),
            alt.Tooltip("k_end:Q", title="from the end"),
            alt.Tooltip("layer:Q", title="layer"),
            alt.Tooltip("estimate:Q", title="logits", format=".1f"),
            alt.Tooltip("apart:Q", title="minus the mean", format=".1f"),
        ]
    )
    panel: alt.LayerChart = alt.LayerChart(
        layer=[heatmap.at_layer(base), lines, ending, targets],
        title=alt.TitleParams(title, subtitle="difference of logits; the last item is thick"),
        width=theme.PANEL,
        height=HEIGHT,
    ).add_params(*highlight.parameters("layer"))
    return panel


def _layers(last: int) -> alt.X:
    scale = alt.Scale(domain=[1, last], nice=False)
    return alt.X("layer:Q", title="layer", scale=scale, axis=alt.Axis(tickMinStep=1))


def _by_temperature(table: pa.Table) -> Drawing:
    gaps = _rows(theme.where(table, part="separation"), "proxy", "template", "temperature")
    apart = _rows(theme.where(table, part="difference"), "proxy", "temperature")
    for row in (*gaps, *apart):
        row["at"] = f"{row['temperature']:g}"
    usual = next(iter({row["at"] for row in gaps} - {row["at"] for row in apart}))
    x = _layers(max(theme.unique(table, "layer")))
    panels: list[Chart] = []
    counts = []
    for proxy, name in (("proxy_a", "proxy A"), ("proxy_b", "proxy B")):
        mine = [row for row in gaps if row["proxy"] == proxy]
        classes = prompts.temperatures([row["temperature"] for row in mine])
        title = f"Last item minus the earlier ones, {name}"
        panels.append(
            _by_layer(mine, title, "mean difference, logits", classes, marks.extent(mine, 0.0))
        )
        mine = [row for row in apart if row["proxy"] == proxy]
        panels.append(_differences(mine, f"The same, minus temperature {usual}", usual, x))
        clear = sum((row["low"] or 0) > 0 or (row["high"] or 0) < 0 for row in mine)
        counts.append(f"{clear} of {len(mine)} for {name}")
    return Drawing(
        tuple(panels),
        "Should the lens be split by temperature? How far the last item of a "
        f"“{gaps[0]['template']}” list stands from its earlier ones, layer by layer, by the "
        f"temperature at which the list was sampled, and how far that is from temperature {usual}. "
        f"Dots mark where the interval of the difference leaves zero out: {', '.join(counts)}; by "
        "chance about one in twenty would, neighbouring layers together.",
        "For each proxy a panel of mean curves with intervals, one a temperature, and a row of "
        "small panels with the difference from the usual temperature and its interval about zero.",
        only={"template": gaps[0]["template"]},
    )


def _differences(records: Sequence[Row], title: str, usual: str, x: alt.X) -> Chart:
    low, high = marks.extent(records, 0.0)
    scale = alt.Scale(domain=[low, high])
    axis = alt.Axis(title=None, tickCount=2, minExtent=20, maxExtent=20)
    base = alt.Chart().encode(x=x)
    middle = base.encode(y=alt.Y("estimate:Q", axis=axis, scale=scale))
    zero = alt.Chart(theme.data([{}])).mark_rule().encode(y=alt.YDatum(0))
    band = base.mark_area(fillOpacity=0.2).encode(
        y=alt.Y("low:Q", axis=axis, scale=scale), y2=alt.Y2("high:Q")
    )
    line = middle.mark_line(strokeWidth=1.5)
    dots = middle.mark_point().transform_filter("datum.low > 0 || datum.high < 0")
    targets = middle.mark_point(size=100, opacity=0).encode(
        tooltip=[alt.Tooltip("at:N", title="temperature"), *_INTERVAL]
    )
    # A little shorter than its panel, whose size it would change as it comes and goes.
    at_layer = heatmap.at_layer(base).encode(y=alt.YValue(1), y2=alt.Y2Value(SMALL - 1))
    # All of a panel is meant or none: one of its rows stands for it.
    meant = (
        alt.Chart()
        .transform_filter(f"datum.layer === 1 && {highlight.match('temperature')}")
        .mark_rect(color=theme.colour("fg"), opacity=0.12)
        .encode(
            **{"x": alt.XValue(0), "x2": alt.X2Value(theme.PANEL - 98)},
            **{"y": alt.YValue(1), "y2": alt.Y2Value(SMALL - 1)},
        )
    )
    names = alt.Header(labelAngle=0, labelAlign="left", labelExpr=f"datum.value + ' − {usual}'")
    return (
        alt.LayerChart(
            layer=[meant, zero, at_layer, band, line, dots, targets],
            width=theme.PANEL - 98,
            height=SMALL,
        )
        .facet(data=theme.data(records), row=alt.Row("at:N", title=None, header=names))
        # The theme fits a panel to its width, which Vega cannot do with several in one.
        .properties(
            title=alt.TitleParams(title, subtitle="mean difference, logits", frame="bounds"),
            spacing=14,
            autosize=alt.AutoSizeParams(type="pad"),
        )
        .add_params(*highlight.parameters("layer", "temperature"))
    )
