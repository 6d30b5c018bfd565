"""Which single features really move the decision, tested one by one.

At the deciding token of a list (`instruments.paired_lists`, template short) one feature at a time
is set to its mean under the other prompt, the error kept, and the network is run on from there:
`change` is the primary proxy then minus as it is, in logits. For each autoencoder the `COUNT`
features of the largest mean effect against the other prompt (`group` top, by `rank`), and for each
a matched one of the same mean activation × norm (random), chosen and given their means on topics
that are not held out, tested on the lists of those that are.

One row a feature: site, layer, group, rank, feature; effect (what it was chosen by: the mean
attributed effect on topics that are not held out); value (what it is set to); estimate, low, high
(mean change over held-out topics, with 95 % interval); moved (lists in which it changed
anything) of n; p (two-sided one-sample t-test over held-out topics; null where nothing is ever
changed, or too few topics to tell), q (Benjamini and Hochberg 1995, over the features of all layers
with a p, within a group: random ones are tested apart, to see what the test makes of features that
nobody chose), survives (q at most `RATE`; null where p is). A feature that is silent in the lists
is given its mean all the same, and the test may find that small change: read it with its size.

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import scipy.stats

from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.features.decisions import Decision
    from analyses.instruments.features.profiles import Profile

COUNT = 40
RATE = 0.05
SCHEMA = {
    **{"site": pa.string(), "layer": pa.int32(), "group": pa.string(), "rank": pa.int32()},
    **{"feature": pa.int32()},
    **dict.fromkeys(("effect", "value", "estimate", "low", "high"), pa.float64()),
    **{"moved": pa.int32(), "n": pa.int32(), "p": pa.float64(), "q": pa.float64()},
    "survives": pa.bool_(),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Replace every chosen feature in every held-out list, and test the changes."""
    _ = lab.model
    from analyses.instruments.features.decisions import decisions
    from analyses.instruments.features.profiles import TEMPLATE, profiles
    from analyses.instruments.lists import read_lists

    lists = read_lists(list_samples, lab.study.prompt)
    found, _shift = profiles(lab, lists)
    places = [profile.place for profile in found]
    runs = decisions(lab, lists, TEMPLATE, places, log_prob=False)
    held_out = [one for one in runs if one.paired.held_out]
    rows = [row for profile in found for row in _rows(lab, profile, held_out)]
    tested = [row for row in rows if row["p"] is not None]
    for group in ("top", "random"):
        family = [row for row in tested if row["group"] == group]
        for row, q in zip(family, adjusted([row["p"] for row in family]), strict=True):
            row |= {"q": q, "survives": q <= RATE}
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(rows)} features, {len(tested)} tested, {len(held_out)} held-out topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("effect", "estimate"), "logits"),
        note=f"Two-sided t-test over topics, Benjamini–Hochberg at {RATE:.0%} within a group; "
        "features and their means come from topics that are not held out.",
    )


def adjusted(chances: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q values."""
    return [float(q) for q in scipy.stats.false_discovery_control(chances)] if chances else []


def _rows(lab: Lab, profile: Profile, held_out: Sequence[Decision]) -> list[Row]:
    from analyses.instruments.features.profiles import LAST
    from analyses.lab.saes.interventions import DECIDING

    chosen = profile.strongest(DECIDING, "corrupted", COUNT)
    matched = profile.matched(chosen, "mean", lab.study.seed)
    cells = [("top", i, feature) for i, (_, feature) in enumerate(chosen, 1)]
    cells += [("random", i, feature) for i, (_, feature) in enumerate(matched, 1)]
    if not cells or not held_out:
        return []
    features = [feature for _, _, feature in cells]
    effects, values = (profile.of(LAST, name)[features] for name in ("corrupted", "other"))
    changes = _changes(lab, profile, features, values, held_out)
    mean, low, high = statistics.ratio(changes, np.ones_like(changes))
    site, layer = profile.place
    return [
        {
            **{"site": site, "layer": layer, "group": group, "rank": rank, "feature": feature},
            **{"effect": effects[i], "value": values[i]},
            **{"estimate": mean[i], "low": low[i], "high": high[i]},
            **{"moved": int((changes[:, i] != 0).sum()), "n": len(changes)},
            "p": _chance(changes[:, i]),
        }
        for i, (group, rank, feature) in enumerate(cells)
    ]


def _changes(
    lab: Lab,
    profile: Profile,
    features: Sequence[int],
    values: Floats,
    held_out: Sequence[Decision],
) -> Floats:
    """The proxy with each feature replaced minus as it is, [lists, features]."""
    import torch

    from analyses.lab.saes.ablation import Removal, Removals
    from analyses.lab.saes.saes import open_saes

    engine, site, layer = lab.model.blocks, *profile.place
    found = np.zeros((len(held_out), len(features)))
    for sae in open_saes(lab, site=site, layers=[layer]):
        for row, one in enumerate(held_out):
            assert one.trace is not None
            last = len(one.paired.clean) - 1
            now = sae.encode(one.trace.streams[profile.place][last].to(sae.directions.device))
            excess = now[list(features)].cpu() - torch.tensor(values, dtype=torch.float32)
            amounts = excess[:, None] * sae.directions[list(features)].cpu()
            # Where nothing is taken away the run is left alone, so that rounding is no change.
            removals = [Removal((last,) * bool(part.any()), part[None]) for part in amounts]
            run = Removals(engine, one.paired.clean)
            found[row] = -run.losses(profile.place, removals, one.metric).numpy()
    return found


def _chance(changes: Floats) -> float | None:
    """p of a mean of 0, two-sided; None where there is no telling."""
    if len(changes) < 2 or not changes.std() > 0:
        return None
    return float(scipy.stats.ttest_1samp(changes, 0.0).pvalue)
