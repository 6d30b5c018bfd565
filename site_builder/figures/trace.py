"""One word's trace: the tokens of a list, what of the word stands on each, and what moved it.

The ink of a token is the share of the difference that its activation restores after some blocks: in
one list, where that was patched token by token, else that of its role, in the mean over lists.
Sentences are about the means. All of it is drawn here, step by step; the page's script shows one
step, or depth, or list at a time, from places and paths that are laid out here, too.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import trace_curves, trace_picture, trace_stage, trace_words
from site_builder.figures.trace_rows import Trace

COLUMNS = (
    *("part", "topics", "step", "depth", "layer", "head", "role", "k_end"),
    *("topic", "position", "token", "estimate", "low", "high", "n"),
)
CAPTION = (
    "One word’s way to the decision to end a list. Orange is what a token holds after some blocks: "
    "the share of what the word changes that comes back when this activation alone is put into the "
    "run of the other prompt. Blue is below zero; small numbers are percent. "
)
ARCS = (
    "An arc leaves the token whose values count most of those that a head reads, and arrives where "
    "its output does; an outline is an MLP, or a head whose values were not measured. Each is "
    "patched alone: a head’s number is what its output restores at all tokens, an MLP’s at the one "
    "that is outlined. {closed}rom head to head alone {along} comes back, with all of these heads "
    "patched and all else following {together}. "
)
MOST = 0.5
"""A path that carries more than this of the difference carries most of it."""


def draw(table: pa.Table, *, variant: str = "", topic: str = "", topics: str = "all") -> Drawing:
    """Draw one list at every step; the page can then go through all depths, and pick other lists.

    Args:
        table: Shares by depth, role and token, and the movers with their steps.
        variant: There is one, "".
        topic: Topic of the list that stands in the page. If empty, the first that was patched token
            by token, or else the first.
        topics: Those that means are over: `all`, or `held-out`, on which no head was chosen.
    """
    theme.choose(variant, [""], "variant")
    every = theme.rows(table, *COLUMNS, digits=theme.EXACT)
    theme.choose(topics, (row["topics"] for row in every if row["topics"]), "topics")
    trace = Trace([row for row in every if row["topics"] in (topics, None)])
    topic = theme.choose(topic or next(iter([*trace.known, *trace.lists])), trace.lists, "topic")
    pictures = {name: trace_picture.picture(trace, name) for name in trace.lists}
    files = {name: f"list-{number}.json" for number, name in enumerate(trace.lists)}
    count = max(row["n"] for row in trace.stream[0].values())
    shown, own = pictures[topic], topic in trace.known
    sentences, along = trace_words.steps(trace), trace.part("path")[0]["estimate"]
    return Drawing(
        theme.markup(
            "trace.html.j2",
            id="trace-" + sha256(json.dumps(shown).encode()).hexdigest()[:8],
            shown=shown,
            panels=[
                {**panel, "depth": movers[0]["depth"], "said": said}
                for panel, movers, said in zip(
                    trace_picture.panels(trace, shown), trace.steps, sentences, strict=True
                )
            ],
            blocks=trace.blocks,
            curves=trace_curves.curves(trace),
            topic=topic,
            known=trace.known,
            files={name: theme.FILES + file for name, file in files.items()},
            means=theme.FILES + "means.json",
            count=count,
            stage=trace_stage,
        ),
        CAPTION
        + ARCS.format(
            closed="F" if along > MOST else "Together they are no closed path: f",
            along=trace_words.percent(along) + "\u00a0%",
            together=trace_words.percent(trace.part("together")[0]["estimate"]) + "\u00a0%",
        )
        + f"Numbers in sentences are means over {count} lists, at the earlier items over those "
        "that have some, with their intervals; at first the ink is "
        + (f"one of these lists, {topic}, token by token." if own else "their mean, role by role."),
        "The tokens of a request and of the list that answers it, once for each step through the "
        "depth of the network, with the share of the length word’s effect that stands on each, "
        "arcs for the heads that moved it, and a sentence with the measured shares; then the same "
        "shares as curves by depth.",
        {
            **{files[name]: _written(picture) for name, picture in pictures.items()},
            "means.json": _written(trace_picture.means(trace)),
        },
    )


def _written(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
