"""The heads that another study found, patched together and along their path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from analyses.instruments.lists import WrittenList
from analyses.instruments.paired_lists import paired_lists
from analyses.instruments.paths.path import KIND, Path
from analyses.instruments.paths.steps import FOLLOW, Step, measure
from analyses.lab.core.effects import mean_effects
from analyses.lab.patching.path_patching import Head
from analyses.lab.runtime.lab import Lab

DIRECTIONS = ("denoising", "noising")
DECISION = "decision"
SCHEMA = {
    **dict.fromkeys(("part", "direction", "topics", "sender", "receiver"), pa.string()),
    **dict.fromkeys(("inputs", "mlps", "place", "edges"), pa.string()),
    **dict.fromkeys(("estimate", "low", "high", "raw"), pa.float32()),
    **{"n": pa.int32(), "groups": pa.int32()},
}
Row = dict[str, Any]


def rows(lab: Lab, lists: Sequence[WrittenList], path: Path) -> Iterator[Row]:
    """Sets, edges and paths, each as a share of what the length word does, held-out topics."""
    engine, wanted = lab.model.blocks, steps(path)
    pairs = [one for one in paired_lists(lab, lists, *KIND) if one.held_out]
    for direction in DIRECTIONS:
        moved: list[Mapping[Step, float]] = []
        spans = []
        for one in lab.shared(pairs, label=f"fixed path, {direction}"):
            swept = measure(lab, engine, one, direction, wanted)
            moved.append(dict(zip(wanted, map(float, swept.shifts), strict=True)))
            spans.append(swept.span)
        for step, effect in mean_effects(moved, spans, direction=direction):
            about = {"direction": direction, "topics": "held-out", "groups": effect.n}
            yield {**columns(step), **about, **vars(effect)}


def steps(path: Path) -> list[Step]:
    """The single heads and the stages as sets, the path's edges, and the path alone."""
    groups = [*((one,) for one in path.heads), path.early, path.late, path.heads]
    found = [Step("set", heads) for heads in groups if heads]
    found += [Step("edge", (sender,), receiver) for sender, receiver in path.edges]
    found.append(Step("path", path.stages[0], mlps=FOLLOW, edges=path.edges))
    return list(dict.fromkeys(found))


def columns(step: Step) -> Row:
    """What says which step a row is, as `path_patching` has it."""
    found: Row = {"part": step.part, "sender": name_of(step.senders)}
    if step.part != "set":
        found["receiver"] = name_of([step.receiver]) if step.receiver else DECISION
        found |= {"inputs": step.inputs, "mlps": step.mlps}
    return found | ({"edges": "stages"} if step.part == "path" else {})


def name_of(heads: Sequence[Head]) -> str:
    """Heads as they are written: "2.3 + 11.7"."""
    return " + ".join(f"{layer}.{head}" for layer, head in heads)
