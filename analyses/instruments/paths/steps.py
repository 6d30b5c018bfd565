"""What is asked of a path of heads in one list, and the metric under each step, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from analyses.instruments import sweeps
from analyses.instruments.paired_lists import IN_PROMPT, PairedList
from analyses.instruments.paths.path import Path
from analyses.instruments.sweeps import Swept
from analyses.lab.core.statistics import Floats
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.path_patching import INPUTS, Edge, Head, Outputs, Paths
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab

PLACES = ("prompt", "list", "deciding")
RELAYS = 5  # heads in a row that may pass it on; more change little
FOLLOW, HELD = "follow", "held"


@dataclass(frozen=True)
class Step:
    """One thing that is measured.

    Attributes:
        part: `set` (the senders patched, all behind them follows), `edge` (heard by the receiver,
            or by the metric, alone), `relay` (heard by way of at most `relays` heads) or `path`
            (heard along `edges` alone).
        inputs: where receivers read it, letters of "qkv".
        mlps: whether those on the way `follow` or are `held`.
        place: the senders' tokens, one of `PLACES`; all if None.
    """

    part: str
    senders: tuple[Head, ...]
    receiver: Head | None = None
    inputs: str = INPUTS
    mlps: str = FOLLOW
    place: str | None = None
    relays: int | None = None
    edges: tuple[Edge, ...] = ()


def steps(path: Path) -> list[Step]:
    """What is asked of a path in both directions."""
    groups = [(one,) for one in path.heads] + [path.early, path.late, path.heads]
    found = [Step("set", heads) for heads in groups if heads]
    stages = path.stages
    for starts in stages:
        for mlps in (FOLLOW, HELD):
            found.append(Step("path", starts, mlps=mlps, edges=path.edges))
    found.append(Step("path", stages[0], edges=path.web))
    return list(dict.fromkeys([*found, *(Step("edge", (a,), b) for a, b in path.edges)]))


def details(path: Path) -> list[Step]:
    """By relays, input and place, and the edges among its heads that are none of the path's."""
    found = [Step("path", path.stages[0], inputs=one, edges=path.edges) for one in INPUTS]
    for starts in dict.fromkeys((path.stages[0], (path.middle,))):
        found += [Step("relay", starts, relays=count) for count in range(RELAYS + 1)]
    for sender, receiver in path.edges:
        found.append(Step("edge", (sender,), receiver, mlps=HELD))
        if receiver is not None:
            found += [Step("edge", (sender,), receiver, inputs) for inputs in INPUTS]
            found += [Step("edge", (sender,), receiver, place=place) for place in PLACES]
    found += [Step("edge", (a,), b) for a, b in path.web if (a, b) not in path.edges]
    return found


def fans(path: Path, engine: Blocks) -> list[Step]:
    """From every head to the middle one, from that to every head, from every head to the metric."""
    every = [(layer, head) for layer in range(len(engine.layers)) for head in range(engine.heads)]
    into = [Step("edge", (head,), path.middle) for head in every if head[0] < path.middle[0]]
    out = [Step("edge", (path.middle,), head) for head in every if head[0] > path.middle[0]]
    return [*into, *out, *(Step("edge", (head,)) for head in every)]


def places(one: PairedList) -> dict[str, tuple[int, ...]]:
    """Positions by place: the prompt from the length word on, the list, the deciding token."""
    found: dict[str, tuple[int, ...]] = dict.fromkeys(PLACES, ())
    for (role, _), positions in one.roles().items():
        place = role if role in PLACES else "prompt" if role in IN_PROMPT else "list"
        found[place] += positions
    return found


def measure(
    lab: Lab, engine: Blocks, paired: PairedList, direction: str, wanted: Sequence[Step]
) -> Swept:
    """The metric under each step in one list, measured or read back.

    Args:
        direction: `denoising` (clean values into the corrupted run) or `noising`.
    """
    sides = [paired.corrupted, paired.clean]
    base, source = sides if direction == "denoising" else sides[::-1]
    contrast, where = sweeps.contrast_of(lab), places(paired)

    def run() -> Floats:
        paths = Paths(engine, base=base, source=source, contrast=contrast)
        return np.array([paths.base_metric, paths.source_metric, *_metrics(paths, where, wanted)])

    about = [base, source, contrast, where, [list(asdict(step).values()) for step in wanted]]
    found = kept(lab, ["paths", about], run)
    ends = found[:2] if direction == "noising" else found[1::-1]
    return Swept(found[2:] - found[0], float(ends[0]), float(ends[1]))


def _metrics(
    paths: Paths, where: Mapping[str, tuple[int, ...]], wanted: Sequence[Step]
) -> list[float]:
    """In logits, in the order given."""
    found: dict[Step, float] = {}
    rows: dict[Step, Outputs] = {}  # what is run to the end with all others
    for step in wanted:
        follow = step.mlps == FOLLOW
        at = None if step.place is None else where[step.place]
        sent = {head: paths.output(head, at) for head in step.senders}
        if step.part == "set":
            rows[step] = sent
        elif step.part == "path":
            starts, edges = step.senders, step.edges
            found[step] = paths.along(starts, edges, inputs=step.inputs, follow=follow)
        elif step.part == "edge" and step.receiver is None:
            found[step] = paths.direct(sent, follow=follow)
        elif step.receiver and not _is_plain(step):
            heard = paths.received(step.receiver, sent, inputs=step.inputs, follow=follow)
            rows[step] = {step.receiver: heard}
    rows |= _plain_edges(paths, [step for step in wanted if _is_plain(step)])
    for starts in dict.fromkeys(step.senders for step in wanted if step.part == "relay"):
        for count, metric in enumerate(paths.relayed(starts, RELAYS)):
            found[Step("relay", starts, relays=count)] = metric
    found |= dict(zip(rows, paths.totals(list(rows.values())).tolist(), strict=True))
    return [found[step] for step in wanted]


def _plain_edges(paths: Paths, wanted: Sequence[Step]) -> dict[Step, Outputs]:
    """What receivers write; where there are several of one sender, from one pass over them."""
    found: dict[Step, Outputs] = {}
    for senders in dict.fromkeys(step.senders for step in wanted):
        sent = {head: paths.output(head) for head in senders}
        to = [step.receiver for step in wanted if step.senders == senders and step.receiver]
        heard = paths.heard(sent) if len(to) > 1 else {to[0]: paths.received(to[0], sent)}
        found |= {Step("edge", senders, one): {one: heard[one]} for one in to}
    return found


def _is_plain(step: Step) -> bool:
    """Whether it is an edge to a head that reads it everywhere."""
    return step.receiver is not None and step == Step("edge", step.senders, step.receiver)
