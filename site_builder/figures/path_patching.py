"""What the strongest heads tell each other: the path as a graph, what it carries, what it leaves.

Shares are of the difference between the two prompts. A path is shown twice: laid into the corrupted
run (what it brings back), and held at the corrupted run with all else clean (what is lost).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import pyarrow as pa

from site_builder.charts import marks, theme
from site_builder.charts.drawing import Chart, Choices, Drawing
from site_builder.figures import path_graph
from site_builder.figures.path_graph import DECISION

Row = dict[str, Any]

COLUMNS = (
    *("part", "direction", "topics", "sender", "receiver", "inputs", "mlps", "place", "edges"),
    *("stage", "layer", "head", "relays", "estimate", "low", "high", "n"),
)
READS = {"q": "queries", "k": "keys", "v": "values", "qkv": "all three"}
WAYS = {"denoising": "brought back", "noising": "lost without it"}
LOOKS = (theme.colour("1"), theme.colour("2"), theme.colour("3"), theme.colour("7"))
SHOWN = 12
"""Heads of a fan that are drawn."""


def draw(table: pa.Table, *, variant: str = "", topics: str = "held-out") -> Drawing:
    """Draw the path, its edges, what it carries and what it leaves to others.

    Args:
        table: Shares by head, edge and path.
        variant: There is one, "".
        topics: `all` or `held-out`, where the heads were not chosen and everything is measured.
    """
    theme.choose(variant, [""], "variant")
    every = theme.rows(table, *COLUMNS)
    theme.choose(topics, (row["topics"] for row in every), "topics")
    records = [row for row in every if row["topics"] == topics]
    plain = [row for row in records if row["mlps"] in ("follow", None) and row["place"] is None]
    back = [row for row in plain if row["direction"] == "denoising"]
    stages = path_graph.stages(back)
    heads = [head for ones in stages.values() for head in ones]
    pairs = _pairs(stages)
    whole = [row for row in back if row["part"] == "edge" and row["inputs"] == "qkv"]
    edges = [row for row in whole if (row["sender"], row["receiver"]) in pairs]
    alone = [row for row in back if row["part"] == "set" and row["sender"] in heads]
    fans = _fans([row for row in every if row["topics"] == "held-out"], stages["middle"][0], heads)
    panels = [
        path_graph.graph(alone, edges, stages),
        *_inputs(back, pairs),
        _carried(plain, stages),
        *_relays(back),
        *([_fan(fans)] if fans else []),
    ]
    others = [
        abs(row["estimate"])
        for row in whole
        if row["sender"] in heads
        and row["receiver"] in heads
        and (row["sender"], row["receiver"]) not in pairs
    ]
    left = f" All other edges among these heads carry {max(others):.1%} or less." if others else ""
    return Drawing(
        tuple(panels),
        "What the strongest heads tell each other, as a share of what the length word changes, on "
        f"{topics} topics. On an edge, the receiver alone hears what the sender writes under the "
        "clean prompt, with the heads between held at the corrupted run, the MLPs between "
        f"following, and everything behind the receiver, too.{left} Along a path everything is "
        "held but what runs along its edges; lost without it is what is missing when "
        "its edges are held at the corrupted run and all else is clean. Heads between: any heads "
        "may pass on what the senders write, but no more than so many in a row.",
        "A graph of heads in stages from left to right, with edges as wide as their share and the "
        "share as a number on each; points with intervals for each edge by what its receiver reads "
        "with; for what sets of heads and paths bring back and what is lost without them; curves "
        "of what is brought back by how many heads may stand between; and the strongest edges "
        "into or out of one place.",
        choices=fans,
        only={"template": "short"},
    )


def _pairs(stages: dict[str, list[str]]) -> list[tuple[str, str]]:
    """The path's edges, from stage to stage and to the decision."""
    columns = [*stages.values(), [DECISION]]
    return [(one, other) for here, there in pairwise(columns) for one in here for other in there]


def _inputs(records: Iterable[Row], pairs: Sequence[tuple[str, str]]) -> Iterable[Chart]:
    """Each edge between heads, by where its receiver reads it."""
    shown = [
        {
            **{name: row[name] for name in ("estimate", "low", "high", "n")},
            "edge": f"{row['sender']} → {row['receiver']}",
            "reads": READS[row["inputs"]],
        }
        for row in records
        if row["part"] == "edge"
        and (row["sender"], row["receiver"]) in pairs
        and row["receiver"] != DECISION
    ]
    if shown:
        names = tuple(READS.values())
        yield marks.intervals(
            shown,
            title=alt.TitleParams(
                "Edges between heads", subtitle="by what the receiver reads with"
            ),
            x_title="share of the difference",
            row="edge",
            order=[f"{one} → {other}" for one, other in pairs if other != DECISION],
            classes=marks.Classes("reads", "", names, LOOKS, columns=4),
            domain=marks.extent(shown, 0.0),
            percent=True,
            step=44,
            tooltip=[
                alt.Tooltip("edge:N"),
                alt.Tooltip("reads:N", title="through"),
                *marks.numbers("share"),
                alt.Tooltip("n:Q", title="lists"),
            ],
        )


def _carried(records: Iterable[Row], stages: dict[str, list[str]]) -> Chart:
    """What heads and paths bring back, and what is lost without them."""
    groups = [" + ".join(heads) for heads in stages.values()]
    names: dict[tuple[str, str, str | None], str] = {
        ("set", " + ".join(head for ones in stages.values() for head in ones), None): "all of them",
        ("path", groups[0], "web"): "paths among them",
        ("path", groups[0], "stages"): "the path",
        **{
            (
                "path",
                group,
                "stages",
            ): f"from the {stage} {'head' if stage == 'middle' else 'heads'}"
            for stage, group in zip(list(stages)[1:], groups[1:], strict=True)
        },
    }
    shown = []
    for row in records:
        name = names.get((row["part"], row["sender"], row["edges"]))
        if name and row["inputs"] in ("qkv", None):
            ends = [row[side] for side in ("estimate", "low", "high")]
            if row["direction"] == "noising":  # what is left of the clean answer
                ends = [None if end is None else theme.significant(1 - end) for end in ends]
                ends[1:] = ends[:0:-1]
            sides = dict(zip(("estimate", "low", "high"), ends, strict=True))
            shown.append({"what": name, "way": WAYS[row["direction"]], **sides, "n": row["n"]})
    return marks.intervals(
        shown,
        title=alt.TitleParams("How much it carries", subtitle="heads, and paths between them"),
        x_title="share of the difference",
        row="what",
        order=[name for name in names.values() if name in {row["what"] for row in shown}],
        classes=marks.Classes("way", "", tuple(WAYS.values()), LOOKS[:2]),
        domain=marks.extent(shown, 0.0, 1.0),
        percent=True,
        step=32,
        tooltip=[
            alt.Tooltip("what:N", title="what"),
            alt.Tooltip("way:N", title="share"),
            *marks.numbers(),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )


def _relays(records: Iterable[Row]) -> Iterable[Chart]:
    """What is brought back by how many heads may stand between."""
    shown = [
        {name: row[name] for name in ("sender", "relays", "estimate", "low", "high", "n")}
        for row in records
        if row["part"] == "relay"
    ]
    names = tuple(dict.fromkeys(row["sender"] for row in shown))
    if shown:
        yield marks.curves(
            shown,
            title="By how many heads it passes",
            x="relays",
            x_title="heads between sender and decision, at most",
            y_title="share of the difference brought back",
            classes=marks.Classes("sender", "from", names, LOOKS),
            domain=(None, None),
            percent=True,
            tooltip=[
                alt.Tooltip("sender:N", title="from"),
                alt.Tooltip("relays:Q", title="heads between, at most"),
                *marks.numbers("share"),
                alt.Tooltip("n:Q", title="lists"),
            ],
        )


def _fans(records: Sequence[Row], middle: str, heads: Sequence[str]) -> Choices | None:
    """The strongest edges out of the middle head, into it, and into the decision."""
    edges = [
        row
        for row in records
        if (row["part"], row["inputs"], row["mlps"]) == ("edge", "qkv", "follow")
        and (row["direction"], row["place"]) == ("denoising", None)
    ]
    found = {
        f"from {middle}": [row for row in edges if row["sender"] == middle],
        f"to {middle}": [row for row in edges if row["receiver"] == middle],
        f"to the {DECISION}": [row for row in edges if row["receiver"] == DECISION],
    }
    options: dict[tuple[str, ...], list[Row]] = {}
    for name, rows in found.items():
        strongest = sorted(rows, key=lambda row: -abs(row["estimate"]))[:SHOWN]
        options[(name,)] = [
            {
                **{side: row[side] for side in ("estimate", "low", "high", "n")},
                "other": f"{rank:04d}{_other(row, name, middle)}",
                "where": "on the path" if _other(row, name, middle) in heads else "beside it",
            }
            for rank, row in enumerate(strongest)
        ]
    options = {name: rows for name, rows in options.items() if rows}
    return Choices(("edges",), options, next(iter(options))) if options else None


def _other(row: Row, name: str, middle: str) -> str:
    """The end of an edge that differs in a fan."""
    return str(row["receiver"] if name == f"from {middle}" else row["sender"])


def _fan(choices: Choices) -> Chart:
    """The strongest edges of what a reader picks."""
    every = [row for rows in choices.options.values() for row in rows]
    return marks.intervals(
        alt.Chart(marks.picked(choices)),
        title=alt.TitleParams("Edges of all heads", subtitle="the strongest, on held-out topics"),
        x_title="share of the difference",
        row="other",
        order=None,
        classes=marks.Classes("where", "", ("on the path", "beside it"), (LOOKS[0], LOOKS[3])),
        domain=marks.extent(every, 0.0),
        percent=True,
        apart=False,
        step=20,
        tooltip=[
            alt.Tooltip("other:N", title="rank and head"),
            *marks.numbers("share"),
            alt.Tooltip("n:Q", title="lists"),
        ],
    )
