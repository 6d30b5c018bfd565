"""One word's trace: where the length word's effect stands, depth by depth, and what moved it there.

Nothing is run: this lays side by side what `patching` and `path_patching` measured on short lists,
clean values put into the corrupted run, and orders it into steps. Shares are those of their tables,
row by row, of the difference that the word makes to the metric: 0 restores nothing, 1 all of it.

A *mover* is a head of the path that `path_patching` chose, or one of two MLPs: the one that
restores most at the length word, and the one that does at the deciding token. It acts at the role
where its output restores most; a head of the path that is too weak for `patching` to have measured
it by role moves nothing. Movers in a row that act at one role, and lie no farther apart than
`TOGETHER` of the network's blocks, are one *step*; its `depth` counts the blocks up to that of its
last mover, which is one of them.

Rows by `part`; `topics` is `all` or `held-out`, on which no head was chosen:
- `mover`: its step and depth, layer, head (null: an MLP), `stage` on the path, and the role where
  it acts. The share is that of a head's output at all tokens, of an MLP's at that role.
- `stream`: what the residual stream holds at a role after `depth` blocks.
- `writes`: what a mover's output restores at a role alone.
- `reads`: what the values that a head reads restore at a role alone; heads of one group share them.
  Absent where `patching v` measured that group by no role.
- `path`, `together`: along the path's edges from the first stage that has a mover, with all else
  held; all its heads with all else following.
- `list`: a list's tokens in order, from the start of the request to the deciding token; those
  before the length word have no role, as both runs are equal there.
- `stream at`, `writes at`, `reads at`: the same of one token of one list, without interval, for the
  lists that `patching` took token by token.
`layer` counts blocks from 0, `k_end` items from the end; `raw` is the change of the metric, in
logits. Intervals are 95 % over topics, one list each.

Raises LabError naming the result that lacks what this needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

TOGETHER = 0.1
TEMPLATE = "short"
DECIDING = ("deciding", -1)
ENDS = (("length", None), DECIDING)  # places at which the strongest MLP is a mover
SHARE = ("topics", "role", "k_end", "estimate", "low", "high", "raw", "n")
AT = ("topic", "sample", "position", "estimate", "raw", "n")
SCHEMA = {
    **dict.fromkeys(("part", "topics", "stage"), pa.string()),
    **dict.fromkeys(("step", "depth", "layer", "head"), pa.int32()),
    **{"role": pa.string(), "k_end": pa.int32()},
    **{"topic": pa.string(), "held_out": pa.bool_(), "sample": pa.int32()},
    **{"position": pa.int32(), "token": pa.string()},
    **dict.fromkeys(("estimate", "low", "high", "raw"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


class Patched:
    """The rows of a result that tell of short lists, clean values in the corrupted run."""

    def __init__(self, name: str, table: pa.Table) -> None:
        self.name = name
        self._rows = [
            row
            for row in table.to_pylist()
            if row.get("template", TEMPLATE) == TEMPLATE
            and row.get("wording", "length") == "length"
            and row["direction"] in ("denoising", None)
        ]

    def rows(self, part: str, **same: object) -> list[Row]:
        """Those of a part whose columns have the given values.

        Raises LabError when there is none.
        """
        found = self.some(part, **same)
        if not found:
            told = ", ".join(f"{name} {value}" for name, value in {"part": part, **same}.items())
            what = f"no row of a {TEMPLATE} list, denoising, with {told}"
            raise LabError(self.name, what, f"build-site run {self.name}")
        return found

    def some(self, part: str, **same: object) -> list[Row]:
        """Those of a part whose columns have the given values, if any."""
        wanted = {"part": part, **same}
        return [row for row in self._rows if all(row[name] == wanted[name] for name in wanted)]

    def heads(self) -> int:
        """How many heads a layer has."""
        return 1 + max(int(row["head"]) for row in self.rows("head"))


def run(
    lab: Lab,
    token_scores: pa.Table,
    path_patching: pa.Table,
    patching__resid: pa.Table,
    patching__z: pa.Table,
    patching__v: pa.Table,
    patching__mlp_out: pa.Table,
) -> pa.Table:
    """Find the movers and their steps, and lay out what each depth and each of them restores."""
    stream = Patched("patching resid", patching__resid)
    outputs, values = Patched("patching z", patching__z), Patched("patching v", patching__v)
    mlps = Patched("patching mlp-out", patching__mlp_out)
    path = Patched("path_patching", path_patching)
    held, pairs = stream.rows("role"), stream.rows("pair")
    movers = [*_heads(path, outputs), *(row for at in ENDS for row in _mlp(mlps, *at))]
    rows = [*_steps(movers, blocks=max(row["layer"] for row in held)), *_whole(path, movers)]
    rows += [_share("stream", row, depth=row["layer"]) for row in held]
    rows += _lists(lab, token_scores, pairs, held)
    rows += [_at("stream at", row, depth=row["layer"]) for row in stream.rows("token")]
    shared = outputs.heads() // values.heads()
    for layer, head in dict.fromkeys((row["layer"], row["head"]) for row in movers):
        own = {"layer": layer, "head": head}
        tables = [("writes", mlps if head is None else outputs, head)]
        if head is not None:
            tables.append(("reads", values, head // shared))
        for part, result, number in tables:
            same = {"layer": layer, "head": number}
            rows += [_share(part, row, **own) for row in result.some("role", **same)]
            rows += [_at(f"{part} at", row, **own) for row in result.some("token", **same)]
    return _labelled(lab, rows, len(pairs))


def _heads(path: Patched, outputs: Patched) -> Iterator[Row]:
    """The heads of the path that were measured by role, each where its output restores most.

    Raises LabError when the strongest, the middle one, was not.
    """
    for row in path.rows("set"):
        if row["stage"] is not None:
            find = outputs.rows if row["stage"] == "middle" else outputs.some
            roles = find("role", layer=row["layer"], head=row["head"], topics="all")
            if roles:
                yield {**row, **_place(max(roles, key=_estimate))}


def _mlp(mlps: Patched, role: str, k_end: int | None) -> list[Row]:
    """The MLP that restores most at a place."""
    rows = mlps.rows("role", role=role, k_end=k_end)
    first = max((row for row in rows if row["topics"] == "all"), key=_estimate)
    return [row for row in rows if row["layer"] == first["layer"]]


def _steps(movers: Sequence[Row], blocks: int) -> Iterator[Row]:
    """The movers in the order of the network, with the step that each belongs to.

    Args:
        blocks: of the network.
    """
    # In a block the MLP acts after the heads.
    order = sorted(movers, key=lambda row: (row["layer"], row["head"] is None, row["head"] or 0))
    steps: list[list[Row]] = []
    for row in order:
        before = steps[-1][-1] if steps else None
        near = before and row["layer"] - before["layer"] <= TOGETHER * blocks
        if before and near and _place(row) == _place(before):
            steps[-1].append(row)
        else:
            steps.append([row])
    for step, rows in enumerate(steps, 1):
        depth = rows[-1]["layer"] + 1
        for row in rows:
            own = {name: row.get(name) for name in ("stage", "layer", "head")}
            yield _share("mover", row, step=step, depth=depth, **own)


def _whole(path: Patched, movers: Sequence[Row]) -> Iterator[Row]:
    """What comes back along the path from the first heads that move, and what all heads restore."""
    moving = {row["stage"] for row in movers if row.get("stage")}
    stages: dict[str, dict[str, None]] = {}
    for row in path.rows("set"):
        if row["stage"] is not None:
            stages.setdefault(row["stage"], {})[row["sender"]] = None
    starts = next(heads for stage, heads in stages.items() if stage in moving)
    every = [head for one in stages.values() for head in one]
    same = {"edges": "stages", "inputs": "qkv", "mlps": "follow"}
    for row in path.rows("path", sender=" + ".join(starts), **same):
        yield _share("path", row)
    for row in path.rows("set", sender=" + ".join(every)):
        yield _share("together", row)


def _lists(
    lab: Lab, token_scores: pa.Table, pairs: Sequence[Row], held: Sequence[Row]
) -> Iterator[Row]:
    """The tokens of each list from the request on; roles are those that were patched.

    Raises LabError when the scores lack a list.
    """
    patched = {(row["role"], row["k_end"]) for row in held}
    study = lab.study
    usual = pc.field("temperature") == study.sampling.temperature
    clean = (pc.field("template") == TEMPLATE) & (pc.field("condition") == "clean")
    texts: dict[tuple[str, int], list[Row]] = {}
    for row in token_scores.filter(usual & clean).to_pylist():
        texts.setdefault((row["topic"], row["sample"]), []).append(row)
    for pair in pairs:
        name = f"list {pair['sample']} of {pair['topic']}"
        text = texts.get((pair["topic"], pair["sample"]))
        if text is None:
            raise LabError("token_scores", f"no {name}", "build-site run token_scores")
        word = next(i for i, row in enumerate(text) if row["role"] == "length")
        turns = [i for i, row in enumerate(text[:word]) if _opens(row, study.prompt.end)]
        last = _deciding(text, pair["items"], getattr(study.decision, study.decision.primary).at)
        for row in text[max(turns, default=-1) + 1 : last + 1]:
            place: tuple[str | None, int | None] = (row["role"], row["k_end"])
            if row["position"] < text[word]["position"]:
                place = (None, None)
            elif row["position"] == text[last]["position"]:
                place = DECIDING
            elif row["k_end"] is not None and place not in patched:
                place = ("earlier", None)
            own = {column: row[column] for column in ("topic", "held_out", "sample")}
            own |= {"position": row["position"], "token": row["token"]}
            yield {"part": "list", **own, "role": place[0], "k_end": place[1]}


def _deciding(text: Sequence[Row], items: int, at: str) -> int:
    """Where in a text the decision after its last item is taken."""
    last = [i for i, row in enumerate(text) if row["k"] == items and row["role"] == "item"][-1]
    if at == "break":
        return next(i for i in range(last, len(text)) if text[i]["role"] == "break")
    return last


def _opens(row: Row, end: str) -> bool:
    """Whether a request may follow: a mark of turns, or the end of a list shown before."""
    return row["role"] in ("turn", "bos") or row["token"] == end


def _estimate(row: Row) -> float:
    estimate: float = row["estimate"]
    return estimate


def _place(row: Row) -> Row:
    return {"role": row["role"], "k_end": row["k_end"]}


def _share(part: str, row: Row, **own: Any) -> Row:
    return {"part": part, **{name: row.get(name) for name in SHARE}, **own}


def _at(part: str, row: Row, **own: Any) -> Row:
    return {"part": part, **{name: row[name] for name in AT}, **own}


def _labelled(lab: Lab, rows: Iterable[Row], lists: int) -> pa.Table:
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{lists} lists, one a topic",
        interval=statistics.said("topics"),
        units={"raw": "logits"},
        note=f"Metric: {proxy.plus!r} − {proxy.minus!r} at the deciding token. Heads were chosen "
        "on topics that are not held out; the data have the shares on held-out topics, too.",
    )
