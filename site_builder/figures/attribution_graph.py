"""The features that decide as a graph: roles of tokens from left to right, depth upwards.

Edges are effects of really taking the earlier feature out. Where nothing was taken out, as of the
autoencoders' errors, an edge is dashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import highlight, theme
from site_builder.charts.drawing import Chart, Drawing, DrawingError
from site_builder.charts.tables import number
from site_builder.figures import roles, saes

Row = dict[str, Any]

EDGE, LOGITS, ERROR = 0.3, 0.3, 0.1
"""From which share, effect on the decision, and share of an error an edge is drawn."""

WIDEST = 7.0
"""Pixels of the widest edge to a feature, and of the widest one to the decision."""

NARROWEST, WIDER = 2.1, 1.3
"""Slots that a column has at least, and how much wider those of the deciding token are."""

ERRORS, DECISION, DIRECTION = "errors", "decision", "direction"
STEP = 58
"""Pixels from layer to layer."""

COLUMNS = (
    *("from", "method", "unit", "site", "layer", "role", "k_end", "feature", "to_site", "to_layer"),
    *("to_role", "to_k_end", "to_feature", "estimate", "low", "high", "share", "fires", "n"),
)
KINDS = {"feature": "circle", "error": "diamond", "direction": "square", "decision": "triangle-up"}


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw the strongest edges and the nodes that they join.

    Args:
        table: One row an edge.
        variant: There is one, "".
    """
    theme.choose(variant, [""], "variant")
    records = [_named(row) for row in theme.rows(table, *COLUMNS, digits=3)]
    links = [
        row
        for row in records
        if (row["method"], row["unit"]) == ("removed", "activation")
        and abs(row["share"] or 0) >= EDGE
    ]
    if not links:
        raise DrawingError(f"no edge has a share of {EDGE} or more", "measure it again")
    known = {row[side] for row in links for side in ("from", "to")}
    errors = [
        row
        for row in records
        if row["method"] == "gradient" and row["to"] in known and abs(row["share"]) >= ERROR
    ]
    decision = [
        row
        for row in records
        if (row["method"], row["unit"]) == ("removed", "logits")
        and row["from"] in known
        and abs(row["estimate"]) >= LOGITS
    ]
    exchanged = [row for row in records if row["method"] == "exchanged"]
    direction = _direction(exchanged, decision)
    edges = [*errors, *links, *decision, *direction]
    nodes = _nodes(edges)
    return Drawing(
        (_graph(nodes, edges),),
        f"{_said(exchanged, direction)}A solid edge is what really taking a feature out takes from "
        "a later one: its width is the share of the later one’s mean activation, "
        f"from {EDGE:.0%} on; to the decision it is logits of end against line break, from "
        f"{LOGITS:g} on. Orange edges raise what they lead to, blue ones lower it. Dashed edges "
        "of errors are by gradient alone. The four strongest causes by gradient in each earlier "
        "layer were taken out, so an edge that is missing may exist; shares of several causes need "
        "not add up.",
        "A graph with layers from bottom to top and the roles of tokens from left to right: "
        "features as circles with their index, errors of autoencoders as diamonds, the decision at "
        "the top; edges as wide as the effect that was measured.",
        only={"template": "short"},
    )


def _named(row: Row) -> Row:
    """An edge with the names of its ends."""
    start = _cell(row, "") if row["from"] == "feature" else f"{row['from']} {row['layer']}"
    return {**row, "kind": row["from"], "from": start, "to": _cell(row, "to_")}


def _cell(row: Row, side: str) -> str:
    if row[f"{side}feature"] is None:
        return DECISION
    name = saes.feature(*(row[f"{side}{key}"] for key in ("site", "layer", "feature")))
    return f"{saes.role(row[f'{side}role'], row[f'{side}k_end'])} {name}"


def _direction(exchanged: Iterable[Row], decision: Sequence[Row]) -> list[Row]:
    """The direction beside the feature that does most to the decision."""
    if not decision:
        return []
    layer = max(decision, key=lambda row: abs(row["estimate"]))["layer"]
    return [row for row in exchanged if row["kind"] == DIRECTION and row["layer"] == layer]


def _said(exchanged: Iterable[Row], direction: Sequence[Row]) -> str:
    """What the direction takes away beside the feature of its layer, if both were measured."""
    for one in direction:
        for row in exchanged:
            if row["kind"] == "feature" and row["layer"] == one["layer"]:
                name = saes.feature(row["site"], row["layer"], row["feature"])
                return (
                    f"Exchanged with the other prompt’s, {name} takes away {row['estimate']:.0%} "
                    "of what the word changes, and the direction of its layer "
                    f"{one['estimate']:.0%}. "
                )
    return ""


def _nodes(edges: Sequence[Row]) -> list[Row]:
    """What the edges join, each at its place: a slot of its role's column, and its layer's row."""
    found: dict[str, Row] = {}
    for row in edges:
        found.setdefault(row["from"], _node(row["from"], row["kind"], row, ""))
        kind = "feature" if row["to_feature"] is not None else DECISION
        found.setdefault(row["to"], _node(row["to"], kind, row, "to_"))
    nodes = list(found.values())
    layers = sorted({node["layer"] for node in nodes if node["layer"] is not None})
    columns = _columns(nodes)
    for node in nodes:
        same = [
            one["name"]
            for one in nodes
            if (one["column"], one["layer"]) == (node["column"], node["layer"])
        ]
        start, width = columns[node["column"]]
        slot = sorted(same).index(node["name"])
        node["x"] = start + (slot + 0.5) * width / len(same)
        # Neighbours have their names on different sides.
        node["above"] = slot % 2 == 1 or node["kind"] in (DECISION, DIRECTION)
        node["y"] = len(layers) if node["layer"] is None else layers.index(node["layer"])
    return nodes


def _node(name: str, kind: str, row: Row, side: str) -> Row:
    layer = row[f"{side}layer"] if kind != DECISION else None
    role = saes.role(row[f"{side}role"], row[f"{side}k_end"]) if kind == "feature" else ""
    column = {"error": ERRORS, DIRECTION: ERRORS}.get(kind, role or roles.ROLES[-1])
    node = {"name": name, "kind": kind, "layer": layer, "column": column, "text": kind}
    if kind == "feature":
        index = row[f"{side}feature"]
        called = saes.feature(row[f"{side}site"], row[f"{side}layer"], index)
        return {**node, "text": f"{index}", "feature": called, "role": role}
    return {**node, "text": {"error": "error", DECISION: "end or break"}.get(kind, kind)}


def _columns(nodes: Iterable[Row]) -> dict[str, tuple[float, float]]:
    """Where each column starts and how wide it is: as many slots as its fullest layer has."""
    counts: dict[str, dict[int | None, int]] = {}
    for node in nodes:
        layers = counts.setdefault(node["column"], {})
        layers[node["layer"]] = layers.get(node["layer"], 0) + 1
    order = [saes.START, *roles.ROLES, ERRORS]
    columns, at = {}, 0.0
    for name in order:
        if name in counts:
            most = max(*counts[name].values(), NARROWEST if name != ERRORS else 1)
            width = most * (WIDER if name in (roles.ROLES[-1], ERRORS) else 1)
            columns[name] = (at, width)
            at += width
    return columns


def _graph(nodes: Sequence[Row], edges: Sequence[Row]) -> Chart:
    place = {node["name"]: node for node in nodes}
    widest = {
        unit: max((abs(_size(row)) for row in edges if row["unit"] == unit), default=1.0)
        for unit in ("activation", "logits", "share")
    }
    drawn = [
        {
            **{key: row[key] for key in ("from", "to", "method", "low", "high", "fires", "n")},
            **{"x": place[row["from"]]["x"], "y": place[row["from"]]["y"]},
            **{"x2": place[row["to"]]["x"], "y2": place[row["to"]]["y"]},
            "width": round(WIDEST * abs(_size(row)) / widest[row["unit"]], 2),
            "sign": "raises" if row["estimate"] > 0 else "lowers",
            "dashed": row["method"] == "gradient",
            "effect": _told(row),
            "one": place[row["from"]].get("feature", ""),
            "other": place[row["to"]].get("feature", ""),
        }
        for row in sorted(edges, key=lambda row: -abs(_size(row)))
    ]
    columns = _columns(nodes)
    top = max(node["y"] for node in nodes)
    right = max(start + width for start, width in columns.values())
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, right], nice=False, zero=False), axis=None)
    names = {node["y"]: f"{node['layer']}" for node in nodes if node["layer"] is not None}
    y = alt.Y(
        "y:Q",
        title="after layer",
        scale=alt.Scale(domain=[-0.75, top + 0.4], nice=False, zero=False),
        axis=alt.Axis(
            values=sorted(names),
            tickCount=len(names),
            labelExpr=f"{[names[at] for at in sorted(names)]}[datum.value]",
            grid=True,
        ),
    )
    heads = [
        {"x": start + width / 2, "y": -0.75, "said": name}
        for name, (start, width) in columns.items()
        if name != ERRORS  # its nodes say themselves what they are
    ]
    touched = "at_feature === '' || datum.one === at_feature || datum.other === at_feature"
    base = alt.Chart(theme.data(drawn)).encode(
        x=x,
        y=y,
        x2=alt.X2("x2"),
        y2=alt.Y2("y2"),
        strokeWidth=alt.StrokeWidth("width:Q", scale=None, legend=None),
        color=alt.Color(
            "sign:N",
            title=None,
            scale=alt.Scale(
                domain=["raises", "lowers"], range=[theme.colour("2"), theme.colour("1")]
            ),
            legend=alt.Legend(symbolType="stroke"),
        ),
        strokeDash=alt.condition("datum.dashed", alt.value([3, 3]), alt.value([1, 0])),
        opacity=alt.condition(touched, alt.value(0.6), alt.value(0.1)),
        tooltip=[
            alt.Tooltip("from:N", title="from"),
            alt.Tooltip("to:N", title="to"),
            alt.Tooltip("effect:N", title="effect"),
            alt.Tooltip("method:N", title="found by"),
            alt.Tooltip("fires:Q", title="lists it acts in"),
            alt.Tooltip("n:Q", title="lists, or topics"),
        ],
    )
    points = alt.Chart(theme.data(nodes)).encode(x=x, y=y)
    return highlight.layered(
        [
            base.mark_rule(),
            highlight.ring(points, "feature"),
            points.mark_point(size=46, color=theme.colour("fg")).encode(
                shape=alt.Shape(
                    "kind:N",
                    legend=None,
                    scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
                ),
                tooltip=[
                    alt.Tooltip("name:N", title="node"),
                    alt.Tooltip("layer:Q", title="after layer"),
                ],
            ),
            *(
                points.transform_filter(f"datum.above === {above}")
                .mark_text(dy=dy, fontSize=10.5)
                .encode(text=alt.Text("text:N"))
                for above, dy in (("true", -11), ("false", 12))
            ),
            alt.Chart(theme.data(heads))
            .mark_text(baseline="bottom", fontSize=11, color=theme.colour("muted"))
            .encode(x=x, y=y, text=alt.Text("said:N")),
        ],
        "feature",
        title="What drives what, and the decision",
        width=theme.PANEL,
        height=STEP * (top + 1),
    )


def _size(row: Row) -> float:
    size = row["share"] if row["unit"] == "activation" else row["estimate"]
    return float(size)


def _told(row: Row) -> str:
    if row["unit"] == "logits":
        return f"{number(row['estimate'], '+.2f')} logits"
    if row["unit"] == "share":
        return f"{number(row['estimate'], '.0%')} of what the word changes"
    return f"{number(row['share'], '+.0%')} of its activation"
