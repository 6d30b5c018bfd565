"""One feature of the decision beside its baselines, and three ways to change it.

At the deciding token of a short list, one a topic, under its own prompt, the stream x is changed at
an autoencoder's place and the network run on from there. A change takes away a share of what the
length word does to the primary proxy: Σ (m − m_changed) / Σ (m − m_other), exact, m_other under the
other prompt, with a 95 % interval over topics. Of each autoencoder the feature is the one at the
deciding token with the largest mean effect against the other prompt on topics that are not held out
(`attribution`). What is known from other lists comes from other topics that are not held out
(`instruments.exchanges`).

`change` is what is done to the feature, the rest and the error kept: `exchanged` (its value in the
same list under the other prompt), `removed` (zero), set to its `other mean` or `own mean` (over
lists under the other prompt, or under their own). Or what is done without it: x is given its value
under the other prompt `along feature` (the feature's direction), along the `mean direction` (the
difference of the prompts' means [Marks and Tegmark 2023, arXiv:2310.06824]), or whole (`stream`);
`random` moves x by as much as `exchanged` does along a random direction, turned so that it points
as x moves between the prompts: the mean of `DRAWS`, of which 95 % are between `band_low` and
`band_high`.

Rows by `part`:
- `share`: a change; `topics` is all or held-out. `before` and `after` are the feature's mean
  activations, `raw` what is taken away, in logits.
- `list`: the same of one list; `span` is what the length word changes there, in logits.
- `difference`: the share of `change` minus that of `other`, paired over lists.
- `activation`: of the feature, under the `own` prompt, the `other` one, and their `change` within a
  list; `spread` is the standard deviation over lists.
- `cosine`: of the feature's direction with the mean direction of all topics that are not held out.
`groups` are the topics that an interval rests on; `strongest` marks the feature of the largest
effect of all autoencoders.

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.effects import mean_effects
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.exchanges import Exchanged
    from analyses.instruments.features.decisions import Decision
    from analyses.lab.saes.saes import Sae

TEMPLATE = "short"
COMPARED = (
    ("exchanged", "mean direction"),
    ("exchanged", "along feature"),
    ("exchanged", "random"),
    ("mean direction", "random"),
    ("exchanged", "removed"),
    ("exchanged", "other mean"),
)
SCHEMA = {
    **{"part": pa.string(), "site": pa.string(), "layer": pa.int32(), "feature": pa.int32()},
    **{"name": pa.string(), "strongest": pa.bool_()},
    **dict.fromkeys(("change", "other", "topics", "topic", "quantity"), pa.string()),
    "held_out": pa.bool_(),
    **dict.fromkeys(("estimate", "low", "high", "raw", "span"), pa.float64()),
    **dict.fromkeys(("before", "after", "spread", "band_low", "band_high"), pa.float64()),
    **{"n": pa.int32(), "groups": pa.int32()},
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Chosen:
    """One autoencoder's feature, its effect by gradient, and what was done to it in each list."""

    about: Row
    effect: float
    done: list[Exchanged]
    cosine: statistics.Estimate


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Choose a feature of every autoencoder, and change it in every paired list."""
    _ = lab.model
    from analyses.instruments.features.decisions import decisions
    from analyses.instruments.lists import read_lists
    from analyses.lab.saes.saes import open_saes

    # Each is opened once before the passes: what is wrong with them is said at the start.
    places = [(sae.site, sae.layer) for sae in open_saes(lab)]
    lists = read_lists(list_samples, lab.study.prompt)
    found = decisions(lab, lists, TEMPLATE, places, log_prob=False)
    if all(one.paired.held_out for one in found):
        what = f"no ended {TEMPLATE} list of three items on a topic that is not held out"
        raise LabError(f"analyses/studies/{lab.name}.toml: sampling", what, "sample more lists")
    opened = lab.progress(open_saes(lab), total=len(places), label="features and baselines")
    chosen = [one for sae in opened if (one := _chosen(lab, sae, found))]
    largest = max(chosen, key=lambda one: one.effect, default=None)
    rows = [
        {**one.about, "strongest": one is largest, **row}
        for one in chosen
        for row in _rows(one, found)
    ]
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(found)} lists, one a topic",
        interval=statistics.said("topics"),
        units={**dict.fromkeys(("raw", "span"), "logits"), "before": "activation"},
        note=f"Metric: {proxy.plus!r} − {proxy.minus!r} at the deciding token. Features, means and "
        "the mean direction come from topics that are not held out, without the list's own.",
    )


def _chosen(lab: Lab, sae: Sae, found: Sequence[Decision]) -> Chosen | None:
    """The feature of an autoencoder, changed; None where none acts at the deciding token."""
    from analyses.instruments import exchanges
    from analyses.instruments.features.cards import name_of
    from analyses.instruments.features.cells import ROLES
    from analyses.instruments.features.decisions import cells_of
    from analyses.instruments.features.directions import cosines

    cells = cells_of(sae, found, "corrupted")
    first = ROLES.index(("deciding", -1)) * sae.width
    every = range(first, first + sae.width)
    rows = [i for i, one in enumerate(found) if not one.paired.held_out]
    effects = np.abs(cells.values(every)[rows, 0].mean(0))
    feature = int(effects.argmax())
    if not effects[feature] > 0:
        return None
    own, other = exchanges.ends(sae, found)
    moved, direction = own - other, sae.directions[feature]
    known = [rows, *([i for i in rows if i != left] for left in rows)]
    means = [exchanges.mean_direction(moved, one) for one in known if one]
    values = [float(cosines(mean[None], direction)[0]) for mean in means]
    low, high = statistics.interval(
        np.array(values[0]), np.array(values[1:]), len(rows), (-1.0, 1.0)
    )
    about = {"site": sae.site, "layer": sae.layer, "feature": feature}
    return Chosen(
        {**about, "name": name_of(sae.site, sae.layer, feature)},
        float(effects[feature]),
        exchanges.exchange(lab, sae, feature, found),
        statistics.Estimate(values[0], float(low), float(high)),
    )


def _rows(chosen: Chosen, found: Sequence[Decision]) -> Iterator[Row]:
    """All rows of one feature."""
    held_out = [one.paired.held_out for one in found]
    for topics in ("all", "held-out"):
        pairs = zip(chosen.done, held_out, strict=True)
        here = [one for one, held in pairs if held or topics == "all"]
        yield from ({**row, "topics": topics, "groups": row["n"]} for row in _summed(here))
    for one, done in zip(found, chosen.done, strict=True):
        for change, loss in done.losses.items():
            yield {
                **{"part": "list", "topic": one.paired.topic, "held_out": one.paired.held_out},
                **{"change": change, "estimate": loss / done.span, "raw": loss},
                **{"span": done.span, "before": done.own, "after": done.after.get(change), "n": 1},
            }
    cosine, known = chosen.cosine, len(held_out) - sum(held_out)
    bounds = {"estimate": cosine.value, "low": cosine.low, "high": cosine.high}
    yield {"part": "cosine", "change": "mean direction", **bounds, "n": known, "groups": known}


def _summed(here: Sequence[Exchanged]) -> Iterator[Row]:
    """Means over some lists."""
    if not here:
        return
    spans = [one.span for one in here]
    for change, effect in mean_effects([one.losses for one in here], spans, direction="denoising"):
        row = {"part": "share", "change": change, **vars(effect)}
        after = [one.after[change] for one in here if change in one.after]
        if after:
            row |= {"before": np.mean([one.own for one in here]), "after": np.mean(after)}
        if change == "random":
            draws = np.sum([one.draws for one in here], 0) / np.sum(spans)
            row["band_low"], row["band_high"] = map(float, statistics.middle(draws))
        yield row
    differences = [
        {(one, other): row.losses[one] - row.losses[other] for one, other in COMPARED}
        for row in here
    ]
    for (change, other), effect in mean_effects(differences, spans, direction="denoising"):
        yield {"part": "difference", "change": change, "other": other, **vars(effect)}
    values = {
        "own": [one.own for one in here],
        "other": [one.other for one in here],
        "change": [one.own - one.other for one in here],
    }
    for quantity, ones in values.items():
        mean = statistics.mean(ones, range(len(ones)), len(ones))
        bounds = {"estimate": mean.value, "low": mean.low, "high": mean.high}
        spread = float(np.std(ones, ddof=1)) if len(ones) > 1 else None
        yield {
            "part": "activation",
            "quantity": quantity,
            **bounds,
            "spread": spread,
            "n": len(ones),
        }
