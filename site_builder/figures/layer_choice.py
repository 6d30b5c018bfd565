"""Which layers' autoencoders to take: faithfulness by memory, and what rules of thumb miss.

The reader picks which features are set. Faithfulness is that on held-out topics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing, DrawingError

Row = dict[str, Any]

COLUMNS = ("part", "budget", "topics", "name", "layers", "size", "memory", "attribution_memory")
BOUNDS = ("estimate", "low", "high")
REGRET = ("regret", "regret_low", "regret_high")
BUDGETS = {
    "all": "all",
    "top": "the strongest",
    "top-deciding": "the strongest, at the deciding token only",
}
RULES = {
    "best on other topics": ("7", "circle"),
    "lens slope": ("1", "square"),
    "discounted patching": ("2", "triangle-up"),
    "attribution mass": ("3", "diamond"),
    "spliced loss": ("4", "triangle-down"),
    "even spacing": ("5", "cross"),
    "random": ("6", "triangle-right"),
}
SIZES = {1: ("1 layer", "s1"), 2: ("2 layers", "s3"), 3: ("3 layers", "s5")}
"""Sets of more layers differ little: their regret is in the data."""

ANY = "mean over all sets"
LABELLED = 2  # layers of a set whose name stands beside it; longer names would run together
MEGABYTE = 1e6


def draw(table: pa.Table, *, variant: str = "", budget: str = "all") -> Drawing:
    """Draw every set and rule under one budget, to be changed by a menu.

    Args:
        table: Faithfulness and memory of sets of layers, and what the rules of thumb take.
        variant: There is one, "".
        budget: Which features are set in the figure that stands in the page: `all`, `top` or
            `top-deciding`.
    """
    theme.choose(variant, [""], "variant")
    records = [
        row
        for row in theme.rows(table, *COLUMNS, *BOUNDS, *REGRET, "n")
        if row["topics"] == "held-out"
    ]
    options = {name: _shown(records, name) for name in BUDGETS if name in _budgets(records)}
    chosen = theme.choose(budget, options, "budget")
    choices = Choices(
        ("features",),
        {(BUDGETS[name],): rows for name, rows in options.items()},
        (BUDGETS[chosen],),
    )
    every = [row for rows in options.values() for row in rows]
    weights = {(row["size"], row["mb"]) for row in every if row["part"] == "set"}
    equal = len(weights) == len({size for size, _ in weights})
    alike = " and, all being equally wide, is the number of layers" if equal else ""
    return Drawing(
        (_memory(choices, every), _regret(choices, every)),
        "How much of what the clean prompt does to the decision comes back when the features of a "
        "set of layers are set to their clean values under the corrupted prompt, by the memory of "
        f"the set’s autoencoders, which is counted from their shapes{alike}. The line joins sets "
        "that no lighter one beats. Regret is what a rule of thumb misses against the best set of "
        "as many layers in hindsight: that is picked on the same held-out topics, so it is "
        "never below 0; its interval may reach there, as the best set stays the same while topics "
        "are drawn again.",
        "A scatter plot of sets of layers, memory from left to right and faithfulness upwards, "
        "with the Pareto front as a line and the choices of seven rules as shapes; and a row a "
        "rule with its regret at one, two and three layers, with intervals.",
        choices=choices,
        only={"template": "short"},
    )


def _budgets(records: Sequence[Row]) -> set[str]:
    return {row["budget"] for row in records}


def _shown(records: Sequence[Row], budget: str) -> list[Row]:
    """What both panels show under one budget: sets, the front, rules, and regrets of the rules."""
    found: list[Row] = []
    for part in ("set", "front", "heuristic"):
        rows = [row for row in records if (row["part"], row["budget"]) == (part, budget)]
        if not rows:
            what = f"the result has no row with part {part}, budget {budget}, topics held-out"
            raise DrawingError(what, "measure it again")
        found += [
            {
                **{name: row[name] for name in ("part", "name", "size", *BOUNDS, "n")},
                "layers": row["layers"] or ANY,
                "mb": theme.significant(row["memory"] / MEGABYTE),
                "one": theme.significant(row["attribution_memory"] / MEGABYTE),
            }
            for row in rows
        ]
    found += [
        {
            **{"part": "regret", "name": row["name"], "n": row["n"]},
            "layers": row["layers"] or ANY,
            **{name: row[of] for name, of in zip(BOUNDS, REGRET, strict=True)},
            "of": SIZES[row["size"]][0],
        }
        for row in records
        if (row["part"], row["budget"]) == ("heuristic", budget)
        and row["size"] in SIZES
        and row["regret"] is not None
    ]
    return found


def _memory(choices: Choices, every: Sequence[Row]) -> Chart:
    """Every set as a dot, the front as a line with intervals, what the rules take as shapes."""
    sets = [row for row in every if row["part"] != "regret"]
    low, high = marks.extent([row for row in sets if row["part"] == "front"], 0.0)
    least = min(low, *(row["estimate"] for row in sets))
    base = alt.Chart(marks.picked(choices)).encode(
        x=alt.X("mb:Q", title="memory of all its autoencoders, MB", scale=alt.Scale(zero=True)),
        y=alt.Y("estimate:Q", title=None, scale=alt.Scale(domain=[least, high])),
        tooltip=[
            alt.Tooltip("layers:N"),
            *marks.numbers("faithfulness"),
            alt.Tooltip("mb:Q", title="all at once, MB", format=".1f"),
            alt.Tooltip("one:Q", title="one at a time, MB", format=".1f"),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )
    front = base.transform_filter("datum.part === 'front'")
    rules = base.transform_filter("datum.part === 'heuristic'").mark_point(
        filled=False, size=70, strokeWidth=1.6
    )
    names = front.transform_filter(f"datum.size <= {LABELLED}")
    layers = [
        front.mark_rule().encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        base.transform_filter("datum.part === 'set'").mark_point(
            size=14, color=theme.colour("muted"), opacity=0.7
        ),
        front.mark_line(interpolate="step-after", color=theme.colour("fg"), strokeWidth=1.2),
        rules.encode(
            tooltip=[alt.Tooltip("name:N", title="rule"), *base.encoding.tooltip],
            **_rules(every).of_points(),
        ),
        names.mark_text(align="right", dx=-6, dy=-7).encode(text=alt.Text("layers:N")),
    ]
    return alt.LayerChart(
        layer=layers,
        title=alt.TitleParams("Faithfulness by memory", subtitle="share, on held-out topics"),
        width=theme.PANEL,
        height=260,
    )


def _regret(choices: Choices, every: Sequence[Row]) -> Chart:
    """What each rule misses, by how many layers it may take."""
    shown = [row for row in every if row["part"] == "regret"]
    present = {row["of"] for row in shown}
    looks = [(name, theme.colour(colour)) for name, colour in SIZES.values() if name in present]
    if not looks:
        raise DrawingError("the result has no regret of one to three layers", "measure it again")
    names, colours = zip(*looks, strict=True)
    return marks.intervals(
        alt.Chart(marks.picked(choices)).transform_filter("datum.part === 'regret'"),
        title=alt.TitleParams("Regret", subtitle="against the best set in hindsight"),
        x_title="faithfulness missed",
        row="name",
        order=_rules(every).names,
        classes=marks.Classes("of", "", names, colours),
        domain=marks.extent(shown, 0.0),
        step=32,
        tooltip=[
            alt.Tooltip("name:N", title="rule"),
            alt.Tooltip("of:N", title="may take"),
            alt.Tooltip("layers:N", title="takes"),
            *marks.numbers("regret"),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )


def _rules(every: Sequence[Row]) -> marks.Classes:
    present = {row["name"] for row in every}
    names = tuple(name for name in RULES if name in present)
    looks = [RULES[name] for name in names]
    colours, shapes = tuple(theme.colour(one) for one, _ in looks), tuple(one for _, one in looks)
    return marks.Classes("name", "", names, colours, shapes=shapes, columns=2)
