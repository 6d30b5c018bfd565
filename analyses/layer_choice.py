"""Which layers' autoencoders to take: how much of the decision a set carries, and what it weighs.

Every set of the study's layers with an autoencoder of the stream is put to the test: in short lists
under the corrupted prompt its features are set to what they are under the clean one, errors kept,
each layer seeing what the earlier ones changed (`instruments.features.layer_sets`). Faithfulness is
Σ (m(C) − m(∅)) / Σ (m(M) − m(∅)) over topics, one list each [Marks et al. 2024, arXiv:2403.19647]:
0 where the set does nothing, 1 where it does all that the clean prompt does; m is the study's
primary proxy at the deciding token. Above six layers only sets of one and two are searched.

`budget` says which features: `all`, at every position from the length word on; `top`, the 100
cells (a role and a feature) of each layer with the largest mean effect against the corrupted prompt
on topics that are not held out; `top-deciding`, of these only what acts at the deciding token.

`memory`, in bytes, is that of a set's autoencoders held at once, as such a run needs them, and of
the features of the longest list; `attribution_memory` of the set's largest one alone, as
`attribution` takes one at a time. Both are counted from shapes; what a process really needs the
benchmark `attribution_memory` measures.

Rows by `part`; `layers` "18+26" names a set, `layer_list` lists it:
- `set`: a set's faithfulness, by `topics`: `other` (not held out), `held-out` or `all`;
- `heuristic`: what a rule of thumb, `name`, takes when it may take `size` layers, and what becomes
  of it on held-out topics. `lens slope`, `discounted patching`, `spliced loss`
  (`instruments.features.layer_orders`) and `attribution mass` (Σ|effect| over all features) rank
  layers; `even spacing` needs no measurement; `best on other topics` has tried all sets; `random`
  is the mean over all sets. `regret`: faithfulness of the best of all sets of that size on held-out
  topics − this one's; null where not all were searched;
- `front`: sets than which, on held-out topics, no other is as light and as faithful.
`estimate`, `low`, `high` and those of `regret` have 95 % intervals over n topics.

Raises LabError when the study has no autoencoders of the stream, or no lists on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.features.decisions import Decision
    from analyses.instruments.features.layer_sets import Layers
    from analyses.lab.saes.saes import Sae

TOP = 100  # cells a layer
BUDGETS = ("all", "top", "top-deciding")
BEST, RANDOM = "best on other topics", "random"
SCHEMA = {
    **dict.fromkeys(("part", "budget", "topics", "name", "layers"), pa.string()),
    **{"layer_list": pa.list_(pa.int32()), "size": pa.int32()},
    **{"memory": pa.int64(), "attribution_memory": pa.int64()},
    **dict.fromkeys(("estimate", "low", "high"), pa.float64()),
    **dict.fromkeys(("regret", "regret_low", "regret_high"), pa.float64()),
    "n": pa.int32(),
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """Sets under one budget: m(C) − m(∅), [topics, sets], and m(M) − m(∅), [topics], in logits."""

    sets: Sequence[Layers]
    shifts: Floats
    spans: Floats
    held_out: Sequence[bool]

    def rows(self, topics: str) -> list[int]:
        """Which topics are `other`, `held-out`, or of `all`."""
        wanted = {"all": (True, False), "held-out": (True,), "other": (False,)}[topics]
        return [row for row, held_out in enumerate(self.held_out) if held_out in wanted]

    def share(self, shifts: Floats, topics: str) -> tuple[Floats, Floats, Floats]:
        """Σ of shifts [topics, …] per Σ of spans, with interval."""
        rows = self.rows(topics)
        return statistics.ratio(shifts[rows], self.spans[rows, None])


def run(
    lab: Lab,
    list_samples: pa.Table,
    logit_lens__end_hyphen: pa.Table,
    patching__resid: pa.Table,
    sae_health: pa.Table,
) -> pa.Table:
    """Run all sets, and the rules of thumb beside them."""
    network = lab.model.network
    from analyses.instruments.features import layer_orders as orders
    from analyses.instruments.features.decisions import decisions
    from analyses.instruments.features.layer_sets import SITE, held_bytes, subsets, together
    from analyses.instruments.lists import read_lists

    with together(lab) as saes:
        lists = read_lists(list_samples, lab.study.prompt)
        layers = tuple(sae.layer for sae in saes)
        found = decisions(lab, lists, "short", [(SITE, layer) for layer in layers], log_prob=False)
        if len({one.paired.held_out for one in found}) < 2:
            what = "no short list that ended by itself on held-out topics, or none on the others"
            raise LabError(f"analyses/studies/{lab.name}.toml: topics", what, "sample more lists")
        effects = [orders.attributed(sae, found) for sae in saes]
        depth = network.config.num_hidden_layers
        rules = {
            "lens slope": orders.lens_slope(logit_lens__end_hyphen, layers),
            "discounted patching": orders.discounted_patching(patching__resid, layers, depth),
            "attribution mass": dict(zip(layers, (mass for _, mass in effects), strict=True)),
            "spliced loss": orders.spliced_loss(sae_health, layers),
        }
        taken = {name: orders.sizes(scores) for name, scores in rules.items()}
        taken["even spacing"] = orders.evenly(layers)
        cells = {sae.layer: one.strongest(TOP) for sae, (one, _) in zip(saes, effects, strict=True)}
        named = [one for sets in taken.values() for one in sets.values()]
        measured = _measure(lab, saes, found, cells, [*subsets(layers), *named])
        longest = max(len(one.paired.clean) for one in found)
        weights = {sae.layer: held_bytes(sae, longest) for sae in saes}
    searched = {len(one) for one in subsets(layers)}
    rows = []
    for budget, values in measured.items():
        of_budget = [
            *_set_rows(values, weights),
            *_rule_rows(values, taken, searched, weights),
        ]
        rows += [{"budget": budget, **row} for row in of_budget]
    return _labelled(lab, rows, found)


def _measure(
    lab: Lab,
    saes: Sequence[Sae],
    found: Sequence[Decision],
    cells: Mapping[int, Sequence[int]],
    wanted: Sequence[Layers],
) -> dict[str, Measured]:
    """Every set, list by list, under each budget; or read back."""
    from analyses.instruments import sweeps
    from analyses.instruments.features import layer_sets
    from analyses.lab.runtime.cached_arrays import kept

    sets = list(dict.fromkeys(wanted))
    engine, contrast = lab.model.blocks, sweeps.contrast_of(lab)

    def measure(one: Decision) -> Floats:
        """m(∅), m(M), and m(C) of all sets under each budget, one after the other."""
        run = layer_sets.Between(engine, one.paired, contrast)
        chosen = {
            sae.layer: layer_sets.chosen_features(one.paired, cells[sae.layer], sae.width)
            for sae in saes
        }
        by_budget = [
            run.metrics(saes, sets),
            run.metrics(saes, sets, chosen),
            run.metrics(saes, sets, chosen, len(one.paired.clean) - 1),
        ]
        return np.concatenate([run.ends().numpy(), *(part.numpy() for part in by_budget)])

    values = []
    for one in lab.shared(found, label="sets of layers"):
        named = [[sae.digests, cells[sae.layer]] for sae in saes]
        about = ["layer sets", one.paired.clean, one.paired.corrupted, contrast, sets, named]
        values.append(kept(lab, about, partial(measure, one)))
    numbers = np.array(values)
    corrupted, clean = numbers[:, 0], numbers[:, 1]
    by_budget = numbers[:, 2:].reshape(len(found), len(BUDGETS), len(sets))
    held_out = [one.paired.held_out for one in found]
    return {
        budget: Measured(sets, part - corrupted[:, None], clean - corrupted, held_out)
        for budget, part in zip(BUDGETS, by_budget.transpose(1, 0, 2), strict=True)
    }


def _set_rows(values: Measured, weights: Mapping[int, int]) -> Iterator[Row]:
    """All sets, and those of the front."""
    for topics in ("other", "held-out", "all"):
        bounds = values.share(values.shifts, topics)
        rows = [
            {**_of(one, weights), **_bounds(bounds, i), "n": len(values.rows(topics))}
            for i, one in enumerate(values.sets)
        ]
        yield from ({"part": "set", "topics": topics, **row} for row in rows)
        if topics == "held-out":
            yield from ({"part": "front", "topics": topics, **row} for row in front(rows))


def front(rows: Sequence[Row]) -> list[Row]:
    """Sets than which no other is as light and as faithful, the lightest first."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (row["memory"], -row["estimate"])):
        if not best or row["estimate"] > best[-1]["estimate"]:
            best.append(row)
    return best


def _rule_rows(
    values: Measured,
    taken: Mapping[str, Mapping[int, Layers]],
    searched: set[int],
    weights: Mapping[int, int],
) -> Iterator[Row]:
    """What each rule takes, and what it misses against the best set of the size."""
    other, held_out = (values.share(values.shifts, topics)[0] for topics in ("other", "held-out"))
    places = {one: place for place, one in enumerate(values.sets)}
    for size in sorted({size for sets in taken.values() for size in sets}):
        among = [place for place, one in enumerate(values.sets) if len(one) == size]
        of_rule = {name: [places[sets[size]]] for name, sets in taken.items()}
        if size in searched:
            of_rule[BEST] = [among[int(np.argmax(other[among]))]]
            of_rule[RANDOM] = among
        best = among[int(np.argmax(held_out[among]))]
        for name, mine in of_rule.items():
            shift = values.shifts[:, mine].mean(1)
            missed = values.shifts[:, best] - shift
            bounds = values.share(np.stack((shift, missed), 1), "held-out")
            regret = _bounds(bounds, 1) if size in searched else {}
            yield {
                **{"part": "heuristic", "topics": "held-out", "name": name},
                **_together([_of(values.sets[place], weights) for place in mine]),
                **_bounds(bounds, 0),
                **dict(zip(("regret", "regret_low", "regret_high"), regret.values(), strict=False)),
                "n": len(values.rows("held-out")),
            }


def _of(one: Layers, weights: Mapping[int, int]) -> Row:
    of_layers = [weights[layer] for layer in one]
    return {
        **{"layers": "+".join(map(str, one)), "layer_list": list(one), "size": len(one)},
        **{"memory": sum(of_layers), "attribution_memory": max(of_layers)},
    }


def _together(sets: Sequence[Row]) -> Row:
    """One set as it is; of several, of one size, the mean memory and no names."""
    if len(sets) == 1:
        return sets[0]
    means = {
        name: round(sum(one[name] for one in sets) / len(sets))
        for name in ("memory", "attribution_memory")
    }
    return {"size": sets[0]["size"], **means}


def _bounds(bounds: tuple[Floats, Floats, Floats], place: int) -> Row:
    values = (float(part[place]) for part in bounds)
    return dict(zip(("estimate", "low", "high"), values, strict=True))


def _labelled(lab: Lab, rows: Sequence[Row], found: Sequence[Decision]) -> pa.Table:
    held_out = sum(one.paired.held_out for one in found)
    primary = lab.study.decision.primary
    proxy = getattr(lab.study.decision, primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(found)} lists, one a topic; {held_out} topics are held out",
        interval=statistics.said("topics"),
        units={
            **dict.fromkeys(("estimate", "regret"), "share of the difference between the prompts"),
            **dict.fromkeys(("memory", "attribution_memory"), "bytes"),
        },
        note=f"Metric: {proxy.plus!r} − {proxy.minus!r} at the deciding token. Of each layer's "
        f"features the budget top has the {TOP} cells of the largest effect on topics that are not "
        "held out. Memory is counted from shapes.",
    )
