"""What the trace says in words: a sentence a step, and one a depth, made of measured shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from site_builder.charts import tables
from site_builder.figures.trace_rows import Trace
from site_builder.figures.trace_stage import Place

Row = dict[str, Any]

READ_THERE = "all of it, as the answer is read there."
START = "The requests differ in one word, so at first all of the difference stands there."

PLACES = {
    "length": "the length word",
    "prompt": "the rest of the prompt",
    "topic": "the topic",
    "turn": "the marks of the turns",
    "earlier": "the earlier items",
    "deciding": "the deciding token",
}
PARTS = {"hyphen": "hyphen", "item": "name", "break": "line break", "blank": "blank"}
ITEMS = {-1: "the last item", -2: "the last item but one", -3: "the last item but two"}
PLURAL = ("turn", "earlier")
MOST = 3
"""Places that are told of at a depth between the steps."""


def place(role: str | None, k_end: int | None) -> str:
    """Return a role in a sentence."""
    if role in PARTS and k_end is not None:
        of = ITEMS.get(k_end, f"the item {-k_end} from the end")
        return f"the {PARTS[role]} of {of}"
    return PLACES.get(role or "", role or "")


def percent(value: float) -> str:
    """Return a share in whole percent, with a minus sign that is one."""
    return tables.number(100 * value, ".0f")


def share(row: Row) -> Markup:
    """Return a share with its interval, where it has one."""
    told = Markup("<b>{}\u00a0%</b>").format(percent(row["estimate"]))
    if row["low"] is None or row["high"] is None:
        return told
    ends = percent(row["low"]), percent(row["high"])
    return told + Markup(" <small>({} to {})</small>").format(*ends)


def mover(row: Row) -> str:
    """Return the name of what moves: "head 13.7", or "MLP 29"."""
    if row["head"] is None:
        return f"MLP {row['layer']}"
    return f"head {row['layer']}.{row['head']}"


def steps(trace: Trace) -> list[Markup]:
    """Return the sentences of each step: who moved what, and where it stands then."""
    said = []
    for number, movers in enumerate(trace.steps):
        here: Place = (movers[0]["role"], movers[0]["k_end"])
        after = movers[0]["depth"]
        before = trace.leader(trace.steps[number - 1][0]["depth"] if number else 0)
        alone = "alone it restores" if len(movers) == 1 else "alone they restore"
        shares = Markup(" and ").join(share(row) for row in movers)
        told = Markup("{}: {} {}.").format(_deeds(trace, movers, here), alone, shares)
        if not number:
            told = Markup("{} {}").format(START, told)
        holds = "hold" if here[0] in PLURAL else "holds"
        told += Markup(" After {} {} {} ").format(_blocks(after, trace.blocks), place(*here), holds)
        if after == trace.blocks and here[0] == "deciding":
            said.append(told + READ_THERE)
            continue
        told += share(trace.stream[after][here])
        if before != here:
            told += Markup(", {} {}").format(place(*before), share(trace.stream[after][before]))
        said.append(told + ".")
    return said


def _blocks(passed: int, blocks: int) -> str:
    if passed == blocks:
        return f"all {blocks} blocks"
    return f"{passed} block{'' if passed == 1 else 's'}"


def depth(trace: Trace, passed: int) -> str:
    """Return what is said of any depth: where most stands."""
    held = trace.stream[passed]
    most = sorted(held, key=lambda at: -held[at]["estimate"])[:MOST]
    told = ", ".join(f"{place(*at)} {share(held[at]).striptags()}" for at in most)
    return f"After {_blocks(passed, trace.blocks)}: {told}."


def _deeds(trace: Trace, movers: Sequence[Row], here: Place) -> str:
    """Tell what the movers of a step do; where to is said of the first alone."""
    reads = trace.by_role("reads")
    told: list[str] = []
    for row in movers:
        at = "there" if told else f"at {place(*here)}"
        by_role = reads.get((row["layer"], row["head"]), {})
        source = max(by_role, key=lambda at: by_role[at]) if by_role else here
        if row["head"] is None:
            told.append(f"the MLP of block {row['layer']} writes {at}")
        elif source == here:
            told.append(f"{mover(row)} writes more {at}")
        else:
            told.append(f"{mover(row)} reads {place(*source)} and writes {at}")
    text = ", ".join(told[:-1]) + (", and " if told[:-1] else "") + told[-1]
    return text[:1].upper() + text[1:]
