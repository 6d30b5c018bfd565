"""A list on the stage: tokens, the ink of each depth, and the arcs, outlines and names of a step.

What the page's script draws is written as it needs it: shares in whole percent, tokens as rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from site_builder.charts.tables import number
from site_builder.figures import trace_stage, trace_words
from site_builder.figures.trace_rows import Trace
from site_builder.figures.trace_stage import BOX, WIDTH, Place, Stage, Token

Row = dict[str, Any]

TOLD = 5  # percent that a token holds at least to have its number below it
DARKEST = 0.8  # words on ink have to be read
THINNEST, WIDEST, PER_SHARE = 1.0, 7.0, 18.0  # of arcs


def ink(percent: int) -> float:
    """Return how opaque a share is; a root, so that a small one can be told from none.

    The page's script has the same rule.
    """
    return round(DARKEST * math.sqrt(min(abs(percent), 100) / 100), 2)


def picture(trace: Trace, topic: str) -> Row:
    """Return a list as the page's script draws it.

    `tokens` are text, x, y, width and the number of its role; `own` are percent by depth and token,
    if the list was patched token by token; `steps` are drawn from the list's own shares if it was,
    and from the means of its roles, `role`, in any case.
    """
    stage = trace_stage.stage(trace.lists[topic])
    places = list(trace.stream[0])
    at = trace.by_token("stream at", topic)
    numbers = {token.position: place for place, token in enumerate(stage.tokens)}
    own = [
        [_percent(at[depth, None].get(token.position, 0.0)) for token in stage.tokens]
        for depth in range(trace.blocks + 1)
        if at
    ]
    by_role = {"writes": trace.by_role("writes"), "reads": trace.by_role("reads")}
    steps = {"role": [_step(stage, movers, _at_roles(stage, by_role)) for movers in trace.steps]}
    if own:
        shares = {part: trace.by_token(f"{part} at", topic) for part in by_role}
        by_token = {
            part: {
                name: {numbers[position]: share for position, share in of.items()}
                for name, of in movers.items()
            }
            for part, movers in shares.items()
        }
        steps["own"] = [_step(stage, movers, by_token) for movers in trace.steps]
    marks = [token for token in stage.tokens if not token.text]
    return {
        "height": stage.height,
        "folded": [marks[-1].x + 12, marks[-1].y + 11] if marks else None,
        "tokens": [
            [
                one.text,
                one.x,
                one.y,
                one.width,
                places.index(one.place) if one.place in places else -1,
            ]
            for one in stage.tokens
        ],
        "first": [stage.tokens.index(one) for one in map(stage.first, places) if one is not None],
        "own": own,
        "steps": steps,
    }


def means(trace: Trace) -> Row:
    """Return what all lists share: by depth a sentence, and by depth and role percent and ends."""
    return {
        "roles": [trace_words.place(*place) for place in trace.stream[0]],
        "means": [
            [[_percent(row[side]) for side in ("estimate", "low", "high")] for row in held.values()]
            for held in trace.stream
        ],
        "said": [trace_words.depth(trace, depth) for depth in range(trace.blocks + 1)],
    }


def panels(trace: Trace, shown: Row) -> list[Row]:
    """Return what is drawn of a picture at each step: ink and numbers by token, and its arcs."""
    kind = "own" if shown["own"] else "role"
    found = []
    for movers, step in zip(trace.steps, shown["steps"][kind], strict=True):
        depth = movers[0]["depth"]
        held = [round(100 * row["estimate"]) for row in trace.stream[depth].values()]
        roles = [role for *_, role in shown["tokens"]]
        percent = shown["own"][depth] if shown["own"] else [held[r] if r >= 0 else 0 for r in roles]
        told = range(len(roles)) if shown["own"] else shown["first"]
        found.append(
            {
                **step,
                "ink": [
                    (place, ink(value), value < 0) for place, value in enumerate(percent) if value
                ],
                "numbers": [
                    (place, number(percent[place], "d"))
                    for place in told
                    if abs(percent[place]) >= TOLD
                ],
            }
        )
    return found


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


def _at_roles(
    stage: Stage, by_role: Mapping[str, Mapping[Any, Mapping[Place, float]]]
) -> dict[str, dict[Any, dict[int, float]]]:
    """Let the first token of each role stand for it."""
    firsts = {
        token.place: stage.tokens.index(token)
        for token in map(stage.first, {t.place for t in stage.tokens})
        if token
    }
    return {
        part: {
            name: {firsts[place]: share for place, share in of.items() if place in firsts}
            for name, of in movers.items()
        }
        for part, movers in by_role.items()
    }


def _step(
    stage: Stage,
    movers: Sequence[Row],
    shares: Mapping[str, Mapping[Any, Mapping[int, float]]],
) -> Row:
    """Return the arcs of a step with their widths, the tokens that are outlined, and names."""
    arcs, rings = [], []
    ends: list[Token] = []
    for row in movers:
        name = (row["layer"], row["head"])
        writes, reads = shares["writes"].get(name, {}), shares["reads"].get(name, {})
        if not writes:
            continue
        end = max(writes, key=lambda place: writes[place])
        ends.append(stage.tokens[end])
        if not reads:
            rings.append(end)
            continue
        source = stage.tokens[max(reads, key=lambda place: reads[place])]
        later = {
            place: share for place, share in writes.items() if place >= stage.tokens.index(source)
        }
        for way, share in trace_stage.arcs(stage, source, later):
            arcs.append([way, round(min(max(THINNEST, PER_SHARE * share), WIDEST), 1)])
    return {"arcs": arcs, "rings": rings, "names": _names(stage, movers, ends)}


def _names(stage: Stage, movers: Sequence[Row], ends: Sequence[Token]) -> list[list[Any]]:
    """Return the movers' names with their shares, at the right of where they act: x, y, text."""
    if not ends:
        return []
    token = max(ends, key=lambda one: one.y)
    shares = [trace_words.percent(row["estimate"]) for row in movers]
    told = [f"{trace_words.mover(row)} · {x} %" for row, x in zip(movers, shares, strict=True)]
    if token.line < stage.answer:  # the request has no room beside it
        return [[WIDTH, 8 + 11 * place, text] for place, text in enumerate(told)]
    low = token.y + BOX / 2 + 3
    return [[WIDTH, low - 12 * (len(told) - 1 - place), text] for place, text in enumerate(told)]
