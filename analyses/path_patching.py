"""Path patching: how the strongest heads hand the length word's effect on to the decision.

`patching` shows which heads matter; this asks whether they tell each other. Lists, prompts and
metric are those of `patching`. The path is chosen by rule (`instruments.paths`): `early` heads, one
`middle` head, `late` heads, the decision. Patches are exact and reach one receiver alone
(`lab.patching.path_patching`) [arXiv:2304.05969, 2211.00593]. Shares are normalised as in
`patching`: denoising starts at 0, noising, where a path is held at the corrupted run and all else
is clean, at 1.

Rows by `part`; `sender` and `receiver` are heads, "13.7", or several, "2.3 + 11.7", or `decision`:
- `set`: these heads patched, all behind them follows.
- `edge`: what the receiver makes of what reaches it from the sender without another head between;
  all behind the receiver follows. `inputs` is where it reads it: q, k, v, or qkv for all three;
  `place` is which of the sender's tokens are patched: prompt, list, deciding, null for all.
  Among the heads of the path; from every head to the middle one, from that to every head, from
  every head to the decision.
- `relay`: by way of at most `relays` heads, whichever these are.
- `gain`: a `relay` minus the one with a head less, paired over lists.
- `path`: along the edges of the path alone, from its sender on; `edges` is `stages`, or `web` for
  all edges among its heads.
- `sum`: of single shares: all heads' `set`s (no receiver), all edges into or out of one head, all
  into the decision.
- `difference`: the share of `sender`, patched, minus that of the whole path, paired over lists.
`mlps` says whether those on the way `follow` or are `held`. `stage`, `layer` and `head` are those
of a single sender. `topics` is `all` or `held-out`; by input, place and relays, and of heads beside
the path, only the latter. `estimate` is normalised, with a 95 % interval over topics, `groups` of
them; `raw` is the change of the metric, in logits.

Raises LabError when no short list of three items ended by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.effects import mean_effects
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.paths.path import Path
    from analyses.instruments.paths.steps import Step
    from analyses.lab.patching.path_patching import Head

DECISION, ALL = "decision", "all heads"
DIRECTIONS = ("denoising", "noising")
SCHEMA = {
    **dict.fromkeys(("part", "direction", "topics", "sender", "other", "receiver"), pa.string()),
    **dict.fromkeys(("inputs", "mlps", "place", "edges", "stage"), pa.string()),
    **dict.fromkeys(("layer", "head", "relays"), pa.int32()),
    **dict.fromkeys(("estimate", "low", "high", "raw"), pa.float32()),
    **{"n": pa.int32(), "groups": pa.int32()},
}
Row = dict[str, Any]
Key = tuple[tuple[str, Any], ...]  # the columns that say what a row is


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Choose the path, patch it in every paired list, and sum up over topics."""
    engine = lab.model.blocks
    from analyses.instruments.lists import read_lists
    from analyses.instruments.paired_lists import paired_lists
    from analyses.instruments.paths import path as chosen
    from analyses.instruments.paths import steps

    lists = read_lists(list_samples, lab.study.prompt)
    pairs = paired_lists(lab, lists, *chosen.KIND)
    if all(one.held_out for one in pairs):
        what = f"no ended {chosen.KIND[0]} list of three items on a topic that is not held out"
        raise LabError(f"analyses/studies/{lab.name}.toml: sampling", what, "sample more lists")
    path, singles = chosen.choose(lab, engine, pairs)
    rows: list[Row] = []
    for direction in DIRECTIONS:
        moved, spans = [], []
        for one in lab.shared(pairs, label=f"paths, {direction}"):
            wanted = steps.steps(path)
            if direction == "denoising" and one.held_out:
                wanted += steps.details(path) + steps.fans(path, engine)
            wanted = list(dict.fromkeys(wanted))
            swept = steps.measure(lab, engine, one, direction, wanted)
            moved.append(dict(zip(wanted, map(float, swept.shifts), strict=True)))
            spans.append(swept.span)
        plain = [{_key(path, step): shift for step, shift in one.items()} for one in moved]
        held_out = [one.held_out for one in pairs]
        rows += _mean_rows(plain, spans, held_out, direction, direction)
        if direction == "denoising":
            whole = [{_sum(ALL): float(swept.shifts.sum())} for _, swept in singles]
            derived = [
                one | _sums(path, here) | _differences(path, here)
                for one, here in zip(whole, moved, strict=True)
            ]
            rows += _mean_rows(derived, spans, held_out, direction, "denoising")
    return _labelled(lab, path, rows, len(pairs))


def name_of(heads: Sequence[Head]) -> str:
    """Heads as they are written: "2.3 + 11.7"."""
    return " + ".join(f"{layer}.{head}" for layer, head in heads)


def _key(path: Path, step: Step) -> Key:
    """The columns of a step."""
    to = name_of([step.receiver]) if step.receiver else DECISION
    found: Row = {"part": step.part, "sender": name_of(step.senders)}
    if len(step.senders) == 1:
        (head,) = step.senders
        found |= {"layer": head[0], "head": head[1], "stage": path.stage(head)}
    if step.part != "set":
        found |= {"receiver": to if step.part == "edge" else DECISION}
        found |= {"mlps": step.mlps, "inputs": step.inputs, "relays": step.relays}
    if step.part == "path":
        found["edges"] = "stages" if step.edges == path.edges else "web"
    return tuple({**found, "place": step.place}.items())


def _sum(sender: str, receiver: str | None = None) -> Key:
    return (("part", "sum"), ("sender", sender), ("receiver", receiver))


def _sums(path: Path, moved: Mapping[Step, float]) -> dict[Key, float]:
    """Of single edges in one list, where all were measured."""
    from analyses.instruments.paths.steps import Step

    edges = {
        step: shift
        for step, shift in moved.items()
        if step == Step("edge", step.senders, step.receiver)
    }
    middle = path.middle
    fans = {
        _sum(ALL, DECISION): [edges[one] for one in edges if one.receiver is None],
        _sum(ALL, name_of([middle])): [edges[one] for one in edges if one.receiver == middle],
        _sum(name_of([middle]), ALL): [
            edges[one] for one in edges if one.senders == (middle,) and one.receiver
        ],
    }
    whole = len(fans[_sum(ALL, DECISION)]) > len(path.heads)
    return {name: sum(ones) for name, ones in fans.items() if whole}


def _differences(path: Path, moved: Mapping[Step, float]) -> dict[Key, float]:
    """Of two shares in one list: what one head more passes on, and what the path leaves out."""
    from analyses.instruments.paths.steps import Step

    found: dict[Key, float] = {}
    for step, shift in moved.items():
        if step.part == "relay" and step.relays:
            less = moved[Step("relay", step.senders, relays=step.relays - 1)]
            about = {"part": "gain", "sender": name_of(step.senders), "relays": step.relays}
            found[tuple(about.items())] = shift - less
    starts = path.stages[0]
    chain = moved[Step("path", starts, edges=path.edges)]
    for heads in (starts, path.heads):
        about = {"part": "difference", "sender": name_of(heads), "other": "path"}
        found[tuple(about.items())] = moved[Step("set", heads)] - chain
    return found


def _mean_rows(
    found: Sequence[Mapping[Key, float]],
    spans: Sequence[float],
    held_out: Sequence[bool],
    direction: str,
    start: str,
) -> Iterator[Row]:
    """Means over those that are held out, and over all topics of what was measured on all."""
    everywhere = set(found[0]).intersection(*found)
    for topics in ("all", "held-out"):
        here = [i for i, held in enumerate(held_out) if held or topics == "all"]
        means = mean_effects([found[i] for i in here], [spans[i] for i in here], direction=start)
        for key, effect in means:
            if key in everywhere or topics == "held-out":
                about = {**dict(key), "direction": direction, "topics": topics}
                yield {**about, **vars(effect), "groups": effect.n}


def _labelled(lab: Lab, path: Path, rows: Sequence[Row], lists: int) -> pa.Table:
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{lists} pairs, {lists} topics",
        interval=statistics.said("topics"),
        units={"raw": "logits"},
        note=f"Metric: {proxy.plus!r} − {proxy.minus!r} at the deciding token. "
        f"The path, chosen on topics that are not held out: "
        f"{' → '.join(map(name_of, path.stages))}. By input, place and relays, and of heads beside "
        "the path: held-out topics alone.",
    )
