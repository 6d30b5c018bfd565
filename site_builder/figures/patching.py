"""Activation patching: where the length word's effect on the decision to end a list is carried.

Both directions are drawn as shares of one difference, that of the metric between the clean and the
corrupted run: what clean values restore in the corrupted run (denoising), and what corrupted values
take from the clean run (noising). In both 0 is no effect and 1 is all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import heatmap, marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing, DrawingError
from site_builder.figures import patched_list, prompts, roles

Row = dict[str, Any]

STREAM = {
    "resid": "the residual stream",
    "attn-out": "the output of attention",
    "mlp-out": "the output of the MLP",
}
HEADS = {
    "q": "the queries of one head",
    "k": "the keys of one KV head, which several query heads share,",
    "v": "the values of one KV head, which several query heads share,",
    "z": "the output of one head",
    "pattern": "the attention pattern of one head",
}
SHORT, LONG, EMPHATIC = ("short", "length"), ("long", "length"), ("short", "emphatic")
SHARES = {"denoising": "share restored", "noising": "share lost"}
HANDED_OVER = ("length word", "prompt", "deciding token")
MOST_CURVES = 6
COLOURS = {"length word": "2", "prompt": "1", "earlier items": "3", "deciding token": "fg"}
"""Of the roles that the figure of the trace follows, as it has them."""

MOST_CELLS = 12

COLUMNS = (
    *("part", "template", "wording", "direction", "topics", "topic", "layer", "head", "position"),
    *("token", "role", "k_end", "estimate", "low", "high", "raw", "clean", "corrupted", "n"),
)
COMPARED = {
    "denoising": ("denoising", "all", theme.colour("2"), "circle"),
    "denoising, held out": ("denoising", "held-out", theme.colour("1"), "square"),
    "noising": ("noising", "all", theme.colour("3"), "triangle-up"),
}
LISTS = {
    "short lists": (SHORT, "all", prompts.SHORT, [1, 0]),
    "short, held out": (SHORT, "held-out", theme.colour("7"), [2, 2]),
    "long lists": (LONG, "all", prompts.LONG, [5, 3]),
    "short, emphatic": (EMPHATIC, "all", theme.colour("4"), [8, 3, 2, 3]),
}


def draw(table: pa.Table, *, variant: str) -> Drawing:
    """Draw one site: by layer and role, or by head, and one list token by token."""
    theme.choose(variant, [*STREAM, *HEADS], "variant")
    # Rounded only once it is a share: of 1.027 that are left −0.027 are lost.
    records = [_as_share(row) for row in theme.rows(table, *COLUMNS, digits=7)]
    choices = patched_list.choices(records)
    draw_site = _heads if variant in HEADS else _stream
    return draw_site(records, choices, variant)


def _as_share(row: Row) -> Row:
    """Turn noising around, from what is left to what is lost, and put the role in words."""
    if row["direction"] == "noising":
        ends = (row[name] for name in ("estimate", "high", "low"))
        lost = (None if end is None else 1 - end for end in ends)
        row = {**row, **dict(zip(("estimate", "low", "high"), lost, strict=True))}
    rounded = {name: theme.significant(value, 3) for name, value in row.items()}
    return {**rounded, "role": row["role"] and roles.role(row["role"], row["k_end"])}


def _stream(records: Sequence[Row], choices: Choices, variant: str) -> Drawing:
    """Draw a site that has one value a token and layer."""
    means = {direction: _means(records, "role", direction=direction) for direction in SHARES}
    denoising = means["denoising"]
    end = heatmap.end_of_scale(row["estimate"] for row in denoising)
    count = max(row["layer"] for row in denoising) + 1
    layer = "blocks passed" if variant == "resid" else "layer"
    x = heatmap.layers_axis(count, layer)
    if variant == "resid":
        present = roles.roles(denoising)
        compared = [_elsewhere(records, role) for role in HANDED_OVER if role in present]
    else:
        compared = [_largest(records, "role")]
    panels = (
        *(_roles(rows, direction, x, end, layer) for direction, rows in means.items() if rows),
        _curves(denoising, layer),
        *compared,
        patched_list.panel(
            heatmap.picked(choices, "share", layer=range(count)), x, end, layer=layer
        ),
    )
    return Drawing(
        panels,
        f"Patching {STREAM[variant]} at all tokens of a role in one layer, and token by token in "
        "one list. Denoising puts clean values into the corrupted run: the share of the difference "
        "between both runs that it restores. Noising does the reverse: the share that is lost. A "
        "minus marks cells well below zero.",
        "Heatmaps with layers from left to right and the roles of tokens in reading order from top "
        "to bottom, for both directions; curves by layer with intervals for the roles with the "
        "largest effects; and a heatmap with a row for each token of one list.",
        choices=choices,
    )


def _roles(rows: list[Row], direction: str, x: alt.X, end: float, layer: str) -> Chart:
    share = SHARES[direction]
    return heatmap.heatmap(
        heatmap.means(rows),
        title=f"{direction.capitalize()}, mean over topics",
        x=x,
        y=heatmap.roles_axis(roles.roles(rows)),
        color=heatmap.colour("estimate", share, end),
        end=end,
        tooltip=_tooltip(share, role="role", layer=layer),
    )


def _heads(records: Sequence[Row], choices: Choices, variant: str) -> Drawing:
    """Draw a site that has one value a head: all heads, then the strongest by role and token."""
    by_role = {"short": _means(records, "role"), "long": _means(records, "role", LONG)}
    strong = sorted({(row["layer"], row["head"]) for row in by_role["short"]})
    end = heatmap.end_of_scale(row["estimate"] for row in by_role["short"])
    layers, heads = zip(*strong, strict=True)
    tokens, x = heatmap.heads_axis(heatmap.picked(choices, "share", layer=layers, head=heads))
    first = heatmap.head(*strong[0])
    name = "KV head" if variant in ("k", "v") else "head"
    panels = (
        *_all_heads(records, name),
        _largest(records, "head", {heatmap.head(*place) for place in strong}),
        *(_strong(rows, template, end, name) for template, rows in by_role.items() if rows),
        patched_list.panel(tokens, x, end, layer="layer", head=name),
    )
    return Drawing(
        panels,
        f"Patching {HEADS[variant]} at all tokens from the length word on, and for the strongest "
        f"ones by role and token by token: {first} is {name} {heads[0]} of layer {layers[0]}. "
        "Denoising: the share of the difference between clean and corrupted run that is restored. "
        "Noising: the share that is lost. A minus marks cells well below zero.",
        "Heatmaps with layers from left to right and heads from top to bottom; points with "
        "intervals for the strongest heads; heatmaps of these heads by role, in reading order from "
        "top to bottom, and by token of one list.",
        choices=choices,
    )


def _all_heads(records: Sequence[Row], name: str) -> list[Chart]:
    means = {direction: _means(records, "head", direction=direction) for direction in SHARES}
    end = heatmap.end_of_scale(row["estimate"] for row in means["denoising"])
    count = max(row["layer"] for row in means["denoising"]) + 1
    return [
        heatmap.heatmap(
            heatmap.means(rows),
            title=f"{direction.capitalize()}, all tokens at once",
            x=heatmap.layers_axis(count),
            y=alt.Y("head:O", title=name),
            color=heatmap.colour("estimate", SHARES[direction], end),
            end=end,
            tooltip=_tooltip(SHARES[direction], layer="layer", head=name),
        )
        for direction, rows in means.items()
        if rows
    ]


def _strong(rows: list[Row], template: str, end: float, name: str) -> Chart:
    base, x = heatmap.heads_axis(heatmap.means(rows))
    share = SHARES["denoising"]
    return heatmap.heatmap(
        base,
        title=f"Denoising, by role, {template} lists",
        x=x,
        y=heatmap.roles_axis(roles.roles(rows)),
        color=heatmap.colour("estimate", share, end),
        end=end,
        tooltip=_tooltip(share, role="role", layer="layer", head=name),
    )


def _means(
    records: Iterable[Row],
    part: str,
    kind: tuple[str, str] = SHORT,
    direction: str = "denoising",
    topics: str = "all",
) -> list[Row]:
    """Return means of one kind of pair, without what they have in common.

    Raises:
        DrawingError: if there are none of the kind that every site has.
    """
    kept = ("layer", "head", "role", "estimate", "low", "high", "raw", "n")
    found = [
        {name: row[name] for name in kept if row[name] is not None or name in ("low", "high")}
        for row in records
        if (row["part"], row["template"], row["wording"]) == (part, *kind)
        and (row["direction"], row["topics"]) == (direction, topics)
    ]
    if not found and (kind, direction, topics) == (SHORT, "denoising", "all"):
        raise DrawingError(f"the result has no row with part {part}", "measure it again")
    return found


def _tooltip(share: str, **names: str) -> list[alt.Tooltip]:
    """Return what a mean tells: the given fields, with their titles, and its numbers."""
    return [
        *(alt.Tooltip(f"{field}:N", title=title) for field, title in names.items()),
        alt.Tooltip("estimate:Q", title=share, format=".2f"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("raw:Q", title="change, logits", format=".2f"),
        alt.Tooltip("n:Q", title="topics"),
    ]


def _curves(records: list[Row], x_title: str) -> Chart:
    """The roles whose effect is largest in some layer, each by layer with its interval."""
    size = {
        name: max(abs(row["estimate"]) for row in records if row["role"] == name)
        for name in roles.roles(records)
    }
    largest = sorted(size, key=lambda name: -size[name])[:MOST_CURVES]
    names = tuple(name for name in size if name in largest)
    others = iter("456712")
    colours = tuple(theme.colour(COLOURS.get(name) or next(others)) for name in names)
    return _by_layer(
        [row for row in records if row["role"] in names],
        "The roles that carry most, denoising",
        x_title,
        marks.Classes("role", "", names, colours),
    )


def _elsewhere(records: Iterable[Row], role: str) -> Chart:
    """One role by layer: in other lists, under another wording, on topics not chosen on."""
    shown = [
        {**row, "lists": name}
        for name, (kind, topics, *_) in LISTS.items()
        for row in _means(records, "role", kind, topics=topics)
        if row["role"] == role
    ]
    names = tuple(name for name in LISTS if name in {row["lists"] for row in shown})
    colours, dashes = zip(*(LISTS[name][2:] for name in names), strict=True)
    title = f"{role.capitalize()}, by kind of list, denoising"
    classes = marks.Classes("lists", "", names, colours, dashes, columns=2)
    return _by_layer(shown, title, "blocks passed", classes)


def _by_layer(records: list[Row], title: str, x_title: str, classes: marks.Classes) -> Chart:
    curves = marks.curves(
        records,
        title=title,
        x="layer",
        x_title=x_title,
        y_title=SHARES["denoising"],
        domain=marks.extent(records, 0.0),
        classes=classes,
        tooltip=[
            alt.Tooltip(f"{classes.field}:N"),
            alt.Tooltip("layer:Q"),
            *marks.numbers(SHARES["denoising"]),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )
    return heatmap.linked(curves, of_roles=classes.field == "role")


def _largest(records: Sequence[Row], part: str, heads: Collection[str] = ()) -> Chart:
    """The largest effects with their intervals, beside what held-out topics and noising say."""

    def label(row: Row) -> str:
        return (
            heatmap.head(row["layer"], row["head"]) if heads else f"{row['layer']}, {row['role']}"
        )

    effects = sorted(_means(records, part), key=lambda row: -abs(row["estimate"]))
    order = [label(row) for row in effects if not heads or label(row) in heads][:MOST_CELLS]
    shown = [
        {**row, "cell": label(row), "by": by}
        for by, (direction, topics, *_) in COMPARED.items()
        for row in _means(records, part, direction=direction, topics=topics)
        if label(row) in order
    ]
    names = tuple(by for by in COMPARED if by in {row["by"] for row in shown})
    colours, shapes = zip(*(COMPARED[by][2:] for by in names), strict=True)
    return marks.intervals(
        shown,
        title="The largest effects",
        at=("layer",) if heads else ("role", "layer"),
        x_title="share restored or lost",
        row="cell",
        order=order,
        classes=marks.Classes("by", "", names, colours, shapes=shapes, columns=2),
        domain=marks.extent(shown, 0.0),
        step=26,
        tooltip=[
            alt.Tooltip("cell:N", title="head" if heads else "layer, role"),
            alt.Tooltip("by:N", title="patch"),
            *marks.numbers("share"),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )
