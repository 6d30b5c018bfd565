"""Lists drawn again from a changed network: features ablated while it reads or decides.

At the study's temperature and top-p, template short, from the prompt alone and from a list minus
its last item (then the lists hold only what was written after it). Cells, a feature at a role, are
chosen by their mean effect on the decision on topics that are not held out; they are zeroed or set
to their mean under the other prompt, errors kept, at roles of the prompt from the length word on,
or at deciding tokens alone: where the model, unchanged, would end the list or go on (see
`lab.saes.interventions`, `instruments.features.profiles`, `instruments.ablation.plan`). All
conditions share their random numbers, those of `list_samples`, but `other seeds`. Lists are cut at
`TOKENS` new tokens: censored.

One row a list. A condition is the first six columns:
- start: `prompt`, or `list minus last item`, of which `given_items` were given.
- method: `base` (unchanged), `other seeds` (unchanged, other random numbers), `long prompt`,
  `logit bias` (the mean change of the contrast from short to long, on the logit that ends the
  list), `top` (the cells of largest effect), `random` (as many that match them in role and mean
  activation × norm), `keep` (everything but the top cells is set to its mean), `keep random`,
  `steering` (the mean change of the stream from short to long is added).
- edit: `zero`, `mean` or `own mean` (under the list's own prompt); place: `prompt` or `deciding`;
  site, layer: of one autoencoder; a method that edits, without layer, edits all of them together.
  Null: does not apply.
`features` counts the edited cells, `size` is how far they move the stream at a token, summed over
cells (`instruments.features.profiles`). More lists are drawn of held-out topics. tokens: texts of
the new tokens, the end with them; the list is the prefilled hyphen and these. new_tokens, ended: as
in `list_samples`.

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    **dict.fromkeys(("start", "method", "edit", "place", "site"), pa.string()),
    **{
        "layer": pa.int32(),
        "features": pa.int32(),
        "size": pa.float64(),
        "topic": pa.string(),
        "held_out": pa.bool_(),
    },
    **{"sample": pa.int32(), "given_items": pa.int32(), "tokens": pa.list_(pa.string())},
    **{"new_tokens": pa.int32(), "ended": pa.bool_()},
}


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Draw the lists of every condition."""
    model = lab.model
    from analyses.instruments.ablation.ablated_lists import TOKENS, draw
    from analyses.instruments.ablation.plan import FEATURES, conditions

    plan = conditions(lab, list_samples)
    ends = model.ends(lab.study.prompt)
    rows: list[dict[str, Any]] = []
    for one in lab.shared(plan, label="conditions"):
        site, layer = one.at or (None, None)
        about: dict[str, Any] = {"start": one.start, "method": one.method, "edit": one.edit}
        about |= {"place": one.role_place, "site": site, "layer": layer, "features": one.features}
        about["size"] = one.size
        for start, ids in zip(one.starts, draw(lab, one), strict=True):
            tokens = model.pieces(ids, after=start.prompt)
            rows.append(
                about
                | {name: getattr(start, name) for name in ("topic", "held_out", "sample")}
                | {
                    "given_items": start.given_items,
                    "tokens": tokens,
                }
                | {"new_tokens": len(ids), "ended": ids[-1] in ends}
            )
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(rows):,} lists, {len(plan)} conditions, {len(lab.study.topics.names)} topics",
        note=f"Cut at {TOKENS} new tokens; top-p {lab.study.sampling.top_p:g}; at "
        f"most {FEATURES} cells a layer.",
    )
