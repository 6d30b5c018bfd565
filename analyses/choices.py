"""What this study chose, in numbers that another one can be given: heads, features, edits.

All was chosen on topics that are not held out: the heads by `path_patching`, a feature of each
autoencoder by `feature_baselines`, the edits as `ablation_samples` makes them. A study that tests
them on other topics names the folder of this result under `[[chosen]]`, so that it depends on the
file and chooses nothing by itself (`instruments.replication.choices`).

Rows by `kind`:
- head: `stage` (early, middle, late), layer, head.
- feature: site, layer, feature, name.
- steering: site, layer, `vector`: what the long prompt adds to the stream at the token that ended a
  short list, the mean over topics; its opposite is the mean direction of `feature_baselines`.
- edit: site, layer, `method` (top, random), the `features` and the `values` that they are set to at
  deciding tokens, their mean under the long prompt; `size`, how far that moves the stream.
- bias: `value`, what the long prompt adds to the contrast at that token, in logits.

Raises LabError when no topic that is not held out has a list to choose by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.features.profiles import Profile

VARIANTS = ("fixed",)
SCHEMA = {
    **dict.fromkeys(("kind", "method", "stage", "site"), pa.string()),
    **dict.fromkeys(("layer", "head", "feature"), pa.int32()),
    "name": pa.string(),
    "features": pa.list_(pa.int32()),
    **dict.fromkeys(("values", "vector"), pa.list_(pa.float64())),
    **dict.fromkeys(("size", "value"), pa.float64()),
}
Row = dict[str, Any]


def run(
    lab: Lab,
    list_samples: pa.Table,
    path_patching: pa.Table,
    feature_baselines: pa.Table,
    *,
    variant: str,  # noqa: ARG001  it is what gives the result a folder of its own
) -> pa.Table:
    """Write down what was chosen."""
    _ = lab.model
    from analyses.instruments.features.profiles import profiles
    from analyses.instruments.lists import read_lists

    found, shift = profiles(lab, read_lists(list_samples, lab.study.prompt))
    rows = [*_heads(path_patching), *_features(feature_baselines)]
    for profile in found:
        rows += _edits(profile, lab.study.seed)
    rows.append({"kind": "bias", "value": shift})
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(lab.study.topics.names) - len(lab.study.topics.held_out)} topics to choose by",
        units={"value": "logits"},
    )


def _heads(path_patching: pa.Table) -> Iterator[Row]:
    names = ["stage", "layer", "head"]
    chosen = path_patching.filter(pc.is_valid(path_patching["stage"])).select(names)
    unique = {tuple(row[name] for name in names) for row in chosen.to_pylist()}
    for stage, layer, head in sorted(unique, key=lambda one: one[1:]):
        yield {"kind": "head", "stage": stage, "layer": layer, "head": head}


def _features(feature_baselines: pa.Table) -> Iterator[Row]:
    names = ["site", "layer", "feature", "name"]
    for row in feature_baselines.select(names).group_by(names).aggregate([]).to_pylist():
        yield {"kind": "feature", **row}


def _edits(profile: Profile, seed: int) -> Iterator[Row]:
    """The vector to add at an autoencoder's place, and the features to set there."""
    from analyses.instruments.ablation.plan import FEATURES
    from analyses.lab.saes.interventions import DECIDING

    site, layer = profile.place
    about = {"site": site, "layer": layer}
    yield {"kind": "steering", **about, "vector": profile.steering.tolist()}
    top = profile.strongest(DECIDING, "corrupted", FEATURES)
    for method, cells in (("top", top), ("random", profile.matched(top, "mean", seed))):
        features = [feature for _, feature in cells]
        yield {
            **{"kind": "edit", "method": method, **about, "features": features},
            "values": profile.of(DECIDING, "other")[features].tolist(),
            "size": float(profile.size(DECIDING, "mean")[features].sum()),
        }
