"""Patching by gradient beside the patches that it estimates, and how far to believe it.

Effects are shares of the difference of the metric between the clean and the corrupted run that a
patch restores. Checks are picked by site, so that estimate and measurement stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc

from site_builder.charts import heatmap, marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing, DrawingError
from site_builder.figures import agreement, prompts, roles

Row = dict[str, Any]

SITES = {
    "heads": {
        "q": "queries",
        "k": "keys",
        "v": "values",
        "z": "head output",
        "pattern": "pattern",
    },
    "residual": {"resid": "stream", "attn_out": "attention output", "mlp_out": "MLP output"},
}
SHORT_NAMES = {
    **{"q": "query", "k": "key", "v": "value", "z": "head"},
    **{"attn_out": "attention", "mlp_out": "MLP"},
}
FIRST = {"heads": "z", "residual": "resid"}
WHOLE = "all tokens"
MOST_CELLS = 10

COLUMNS = (
    *("part", "template", "wording", "direction", "topic", "site", "layer", "head", "role"),
    *("k_end", "quantity", "method", "estimate", "low", "high", "plain", "measured", "integrated"),
    "n",
)
PLACE = ("site", "layer", "head", "role", "k_end")
METHODS = {"plain": agreement.PLAIN, "corrected": agreement.CORRECTED}
LISTS = {
    ("short", "length"): ("short", prompts.SHORT, "circle"),
    ("long", "length"): ("long", prompts.LONG, "square"),
    ("short", "emphatic"): ("short, emph.", theme.colour("4"), "triangle-up"),
    ("long", "emphatic"): ("long, emph.", theme.colour("5"), "diamond"),
}


_WHAT = (
    "Attribution patching (estimated, from one gradient) beside real patching (measured): the "
    "share of the difference between the clean and the corrupted run that is restored. Points on "
    "the dashed line are estimated without error; emph. is the emphatic wording."
)
CAPTIONS = {
    "heads": f"{_WHAT} For queries and keys the corrected estimate computes the pattern exactly "
    "and is linear only from there on; the plain one is linear throughout. Integrated gradients "
    "follow the line between both values, for all heads and tokens of a layer at once, in two "
    "lists, in logits.",
    "residual": _WHAT,
}


def draw(table: pa.Table, *, variant: str) -> Drawing:
    """Draw the estimates for heads or for the residual stream, and their checks."""
    theme.choose(variant, SITES, "variant")
    records = [
        {**row, "role": roles.role(row["role"], row["k_end"]) if row["role"] else WHOLE}
        for row in theme.rows(_shown(table), *COLUMNS, digits=3)
    ]
    checks, heads = _part(records, "check"), variant == "heads"
    agreements = [
        {**row, "where": SITES[variant][row["site"]], "by": METHODS[row["method"]]}
        for row in _part(records, "agreement")
    ]
    choices = _choices(checks, variant)
    panels = [
        *(_grids(checks, choices) if heads else ()),
        *_by_role(checks, choices, heads),
        _patches(choices, heads),
        agreement.by_site(agreements, "pearson", "Correlation, all layers"),
        agreement.by_site(agreements, "slope", "Slope, measured per estimated"),
        agreement.by_layer(agreements),
        _largest(_part(records, "mean")),
        *(
            [_integrated(_part(records, "integrated"), site) for site in ("q", "k")]
            if heads
            else ()
        ),
    ]
    return Drawing(
        tuple(panels),
        CAPTIONS[variant],
        "Pairs of heatmaps of one site, estimated and measured, with layers or heads from left to "
        "right; a scatter plot of measured against estimated effects; correlation and slope with "
        "intervals by site and by layer; and the largest estimates with intervals.",
        choices=choices,
    )


def _shown(table: pa.Table) -> pa.Table:
    """All but the many means that are not among the largest: reading them would take seconds."""
    theme.need(table, *COLUMNS)
    mean = pc.equal(table["part"], "mean")
    means = table.filter(
        pc.and_(
            pc.and_(mean, pc.equal(table["direction"], "denoising")),
            pc.not_equal(table["site"], "resid"),
        )
    )
    places = [pc.fill_null(means[name].cast(pa.string()), "") for name in PLACE]
    cells = pc.binary_join_element_wise(*places, "/")
    usual = pc.and_(pc.equal(means["template"], "short"), pc.equal(means["wording"], "length"))
    sizes = pc.abs(pc.if_else(usual, means["estimate"], 0.0))
    largest = pc.select_k_unstable(sizes, min(MOST_CELLS, len(sizes)), [("", "descending")])
    kept = means.filter(pc.is_in(cells, pc.take(cells, largest).combine_chunks()))
    return pa.concat_tables([table.filter(pc.invert(mean)), kept])


def _part(records: Iterable[Row], part: str) -> list[Row]:
    found = [row for row in records if row["part"] == part]
    if not found:
        raise DrawingError(f"the result has no row with part {part}", "measure it again")
    return found


def _choices(checks: Iterable[Row], variant: str) -> Choices:
    """Checks by site, a row a role with the values of all its cells."""
    fields = ("layer", "head", "estimate", "plain", "measured")
    sites: dict[str, dict[str, Row]] = {}
    for row in checks:
        lines = sites.setdefault(SITES[variant][row["site"]], {})
        line = lines.setdefault(row["role"], {"role": row["role"], **{name: [] for name in fields}})
        for name in fields:
            line[name].append(row[name])
    return Choices(
        ("site",),
        {
            (site,): [{**line, **_ends(lines)} for line in lines.values()]
            for site, lines in sites.items()
        },
        (SITES[variant][FIRST[variant]],),
    )


def _ends(lines: dict[str, Row]) -> Row:
    """Where a site's colours end: the stream carries everything, a head's queries very little."""
    return {
        name: heatmap.end_of_scale(
            share
            for role, line in lines.items()
            for share in line["measured"]
            if (role == WHOLE) == (name == "whole_end")
        )
        for name in ("end", "whole_end")
    }


def _cells(choices: Choices, *, whole: bool | None = None) -> alt.Chart:
    """The picked checks, cell by cell: of all tokens at once, of roles, or all."""
    cells = heatmap.picked(choices, "layer", "head", "estimate", "plain", "measured")
    if whole is None:
        return cells
    return cells.transform_filter(f"datum.role {'===' if whole else '!=='} '{WHOLE}'")


def _pair(base: alt.Chart, title: str, x: alt.X, y: alt.Y, end: str, heads: bool) -> list[Chart]:
    """Two panels with the same cells: as estimated, and as measured."""
    sides = {"estimate": "Estimated by gradient", "measured": "Measured by patching"}
    return [
        heatmap.heatmap(
            base.add_params(heatmap.end_of_picked(end)),
            title=f"{side}, {title}",
            x=x,
            y=y,
            color=heatmap.colour(field, "share restored", end),
            end=end,
            tooltip=_tooltip(heads),
        )
        for field, side in sides.items()
    ]


def _tooltip(heads: bool) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("role:N"),
        alt.Tooltip("layer:Q"),
        *([alt.Tooltip("head:Q")] if heads else []),
        alt.Tooltip("measured:Q", format=".3f"),
        alt.Tooltip("estimate:Q", title="estimated", format=".3f"),
        *([alt.Tooltip("plain:Q", format=".3f")] if heads else []),
    ]


def _grids(checks: Sequence[Row], choices: Choices) -> list[Chart]:
    """All heads of a site."""
    x = heatmap.layers_axis(max(row["layer"] for row in checks) + 1)
    return _pair(_cells(choices, whole=True), WHOLE, x, alt.Y("head:O"), "whole_end", True)


def _by_role(checks: Sequence[Row], choices: Choices, heads: bool) -> list[Chart]:
    """Layers, or the strongest heads, by role."""
    base = _cells(choices, whole=False)
    x = heatmap.layers_axis(max(row["layer"] for row in checks) + 1)
    if heads:
        base, x = heatmap.heads_axis(base)
    return _pair(base, "by role", x, heatmap.roles_axis(roles.roles(checks)), "end", heads)


def _patches(choices: Choices, heads: bool) -> Chart:
    """Each patch of the picked site."""
    points = (
        _cells(choices)
        .transform_fold(["plain", "estimate"], as_=["field", "guess"])
        # Where nothing is to be corrected the two are one point.
        .transform_filter("datum.field === 'plain' || datum.plain !== datum.estimate")
        .transform_calculate(
            by=f"datum.field === 'plain' ? '{agreement.PLAIN}' : '{agreement.CORRECTED}'"
        )
    )
    return agreement.points(
        points,
        title="Every patch, measured by estimated",
        at=("role", "layer"),
        unit="share",
        classes=agreement.methods(METHODS.values() if heads else [agreement.PLAIN]),
        tooltip=[
            *(*_tooltip(heads)[: 3 + heads], alt.Tooltip("guess:Q", format=".3f")),
            agreement.METHOD,
        ],
    )


def _largest(means: Iterable[Row]) -> Chart:
    """The largest estimates for short lists, beside the other lists and the other wording."""
    cells: dict[str, list[Row]] = {}
    for row in means:
        place = row["layer"] if row["head"] is None else heatmap.head(row["layer"], row["head"])
        label = f"{SHORT_NAMES.get(row['site'], row['site'])} {place}, {row['role']}"
        cells.setdefault(label, []).append({**row, "cell": label})
    usual = ("short", "length")
    size = {
        label: abs(row["estimate"])
        for label, rows in cells.items()
        for row in rows
        if (row["template"], row["wording"]) == usual
    }
    order = sorted(size, key=lambda label: -size[label])
    shown = [
        {**row, "lists": LISTS[row["template"], row["wording"]][0]}
        for label in order
        for row in cells[label]
    ]
    names, colours, shapes = zip(*LISTS.values(), strict=True)
    return marks.intervals(
        shown,
        title="The largest estimates",
        at=("role", "layer"),
        x_title="estimated share restored",
        row="cell",
        order=order,
        classes=marks.Classes("lists", "", names, colours, shapes=shapes, columns=2),
        domain=marks.extent(shown, 0.0),
        step=30,
        tooltip=[
            alt.Tooltip("cell:N"),
            alt.Tooltip("lists:N"),
            *marks.numbers(form=".3f"),
            alt.Tooltip("n:Q", title="topics"),
        ],
    )


def _integrated(records: Iterable[Row], site: str) -> Chart:
    """All heads and tokens of a layer at once, which integrated gradients should get right."""
    fields = {
        agreement.PLAIN: "plain",
        agreement.CORRECTED: "estimate",
        agreement.INTEGRATED: "integrated",
    }
    shown = [
        {name: row[name] for name in ("topic", "layer", "measured")}
        | {"guess": row[field], "by": method}
        for row in records
        if row["site"] == site and row["head"] is None
        for method, field in fields.items()
    ]
    return agreement.points(
        alt.Chart(theme.data(shown)),
        title=f"All {SITES['heads'][site]} of a layer, two lists",
        at=("topic", "layer"),
        unit="logits",
        classes=agreement.methods(fields),
        tooltip=[
            *(alt.Tooltip("topic:N"), alt.Tooltip("layer:Q")),
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("measured", "guess")),
            agreement.METHOD,
        ],
    )
