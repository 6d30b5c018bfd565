"""The two proxies of ending, item by item: how far the model leans towards the end of the list.

Token by token in single lists, and by item on average over all of them.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, highlight, marks, theme
from site_builder.charts.drawing import PICKED, Chart, Choices, Drawing
from site_builder.figures import prompts, roles

Row = dict[str, Any]
Records = list[Row]

PROXIES = {"proxy_a": "Proxy A, end against going on", "proxy_b": "Proxy B, blank against break"}
CURVES = {
    "short, clean": (prompts.SHORT, [1, 0]),
    "short, corrupted": (prompts.SHORT, [2, 2]),
    "long, clean": (prompts.LONG, [8, 3]),
    "long, corrupted": (prompts.LONG, [8, 3, 2, 3]),
}

POINTS = {
    "short, clean": (prompts.SHORT, "circle"),
    "short, corrupted": (theme.colour("6"), "diamond"),
    "long, clean": (prompts.LONG, "triangle-up"),
    "long, corrupted": (theme.colour("5"), "square"),
}


def draw(
    table: pa.Table, *, variant: str = "mean", template: str = "short", topic: str = ""
) -> Drawing:
    """Draw both proxies at every token of one list, or their mean over lists by item.

    Args:
        table: The proxies, token by token (`example`) or as means (`mean`).
        variant: `example` or `mean`.
        template: Length word of the example that stands in the page.
        topic: Its topic; the first one if empty.
    """
    theme.choose(variant, ["example", "mean"], "variant")
    if variant == "mean":
        theme.refuse(variant, template=(template, "short"), topic=(topic, ""))
        return _means(table)
    return _example(table, template, topic)


def _example(table: pa.Table, template: str, topic: str) -> Drawing:
    choices = _choices(table, template, topic)
    return Drawing(
        tuple(_tokens(choices, proxy, name) for proxy, name in PROXIES.items()),
        "Both proxies of ending after each token of one list, from its first hyphen on, under its "
        "own prompt (clean) and with the other length word (corrupted). Marks are large where the "
        "list could have ended. Right of zero the end (A) or a blank (B) is the likelier.",
        "Two panels, proxies A and B, with a row for each token of one list in reading order; "
        "marks for clean and corrupted at the difference of logits after that token, large where "
        "the list could have ended.",
        choices=choices,
    )


def _choices(table: pa.Table, template: str, topic: str) -> Choices:
    """Gather lists, a row a token with both conditions."""
    columns = ("template", "topic", "condition", "position", "token", "role", "k", "k_end")
    lists: dict[tuple[str, ...], dict[int, Row]] = {}
    for row in theme.rows(table, *columns, "deciding", *PROXIES, digits=3):
        if row["k"] is None:  # the prompt
            continue
        tokens = lists.setdefault((row["template"], row["topic"]), {})
        ending = row["deciding"] and row["k_end"] == -1
        token = tokens.setdefault(
            row["position"],
            {
                "token": heatmap.token(row["position"], row["token"]),
                "role": roles.role("deciding" if ending else row["role"], row["k_end"]),
                "k": row["k"],
                "deciding": row["deciding"],
                "template": row["template"],
            },
        )
        for proxy in PROXIES:
            token[f"{proxy}_{row['condition']}"] = row[proxy]
    options = {key: [tokens[at] for at in sorted(tokens)] for key, tokens in lists.items()}
    return prompts.lists_to_pick(options, template, topic)


def _tokens(choices: Choices, proxy: str, title: str) -> Chart:
    """Return a panel with a row a token: both conditions as marks, joined by a line."""
    clean, corrupted = f"{proxy}_clean", f"{proxy}_corrupted"
    colours, shapes = zip(*POINTS.values(), strict=True)
    domain = list(POINTS)
    base = (
        alt.Chart()
        .transform_calculate(shown="slice(datum.token, 4)")
        .encode(y=heatmap.tokens_axis())
    )
    deciding = base.transform_filter("datum.deciding").mark_rule(color=theme.colour("grid"))
    x_title = "difference of logits"
    joined = base.mark_rule().encode(x=alt.X(f"{clean}:Q", title=x_title), x2=alt.X2(corrupted))
    points = (
        base.transform_fold([corrupted, clean], ["condition", "value"])  # clean on top
        .transform_calculate(
            lists=f"datum.template + (datum.condition === '{clean}' ? ', clean' : ', corrupted')"
        )
        .mark_point()
        .encode(
            x=alt.X("value:Q", title=x_title),
            color=alt.Color(
                "lists:N", scale=alt.Scale(domain=domain, range=colours), legend=_legend()
            ),
            shape=alt.Shape(
                "lists:N", scale=alt.Scale(domain=domain, range=shapes), legend=_legend()
            ),
            size=alt.SizeValue(**alt.condition("datum.deciding", alt.value(64), alt.value(16))),
            opacity=alt.OpacityValue(
                **alt.condition("datum.deciding", alt.value(1), alt.value(0.6))
            ),
            tooltip=[
                alt.Tooltip("shown:N", title="after"),
                alt.Tooltip("role:N", title="role"),
                alt.Tooltip("k:Q", title="item"),
                alt.Tooltip(f"{clean}:Q", title="clean, logits", format=".2f"),
                alt.Tooltip(f"{corrupted}:Q", title="corrupted, logits", format=".2f"),
            ],
        )
    )
    panel: alt.LayerChart = alt.LayerChart(
        data=marks.picked(choices),
        layer=[
            highlight.band(base, heatmap.tokens_axis(), "role"),
            *(deciding, marks.zero(), joined, points),
        ],
        title=alt.TitleParams(title, subtitle="after each token of one list"),
        width=theme.PANEL,
        height=alt.Step(14),
    ).add_params(*highlight.parameters("role"))
    return panel


def _legend() -> alt.Legend:
    """Return a legend of the two classes of the list that is picked, out of the four there are."""
    word = f"data('{PICKED}')[0].template"
    values = alt.ExprRef(f"[{word} + ', clean', {word} + ', corrupted']")
    return alt.Legend(title=None, values=values)


def _means(table: pa.Table) -> Drawing:
    columns = ("template", "condition", "proxy", "align", "k", "estimate", "low", "high", "n")
    records = [
        {**row, "lists": f"{row['template']}, {row['condition']}"}
        for row in theme.rows(table, *columns)
        if row["n"] >= marks.FEWEST
    ]
    return Drawing(
        tuple(
            _mean(records, proxy, align, f"{name}, from the {side} item")
            for proxy, name in PROXIES.items()
            for align, side in (("end", "last"), ("start", "first"))
        ),
        "How far the model leans towards ending (A) and towards a blank (B) where it decides: mean "
        "difference of logits over lists, by the length word the list was sampled with, under that "
        "prompt (clean) and under the other one (corrupted). Above zero the end is the likelier.",
        "Four panels of mean curves with intervals: proxies A and B, counted from the last and "
        "from the first item. Lines with dots are corrupted.",
    )


def _mean(records: Records, proxy: str, align: str, title: str) -> Chart:
    shown = [row for row in records if (row["proxy"], row["align"]) == (proxy, align)]
    names = tuple(name for name in CURVES if name in {row["lists"] for row in shown})
    colours, dashes = zip(*(CURVES[name] for name in names), strict=True)
    of_proxy = [row for row in records if row["proxy"] == proxy]
    return marks.curves(
        shown,
        title=title,
        x="k",
        x_title=f"item, counted from the {align}",
        y_title="difference of logits",
        domain=marks.extent(of_proxy, 0.0),
        classes=marks.Classes("lists", "", names, colours, dashes, columns=2, at=("template",)),
        tooltip=[
            alt.Tooltip("lists:N", title="lists"),
            alt.Tooltip("k:Q", title="item"),
            *marks.numbers("difference, logits"),
            alt.Tooltip("n:Q", title="lists counted"),
        ],
    )
