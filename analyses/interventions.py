"""Ways to move the decision to end a list: the lists they lead to, and how often one ends.

Reads `ablation_samples` and `ablation by-layer`; nothing is drawn anew. All lists are asked to be
short and start from the prompt alone, with the same random numbers (but for `long prompt`, which
asks for a long list). The interventions act on the tokens after which the list could end:

    unchanged, long prompt, logit bias   of no autoencoder: layer is null
    steering     the mean change of the stream from short to long, added after a block
    top          the cells of largest effect, set to their mean under the other prompt
    own mean     the same cells, set to their mean under the list's own prompt
    random       as many cells of the same roles and about the same size, edited as `top`

One row a list, part `list`: topic, held_out, sample; `lines`, what was written, line by line, each
with its `kind`: `item`, `cut` (an item that the budget of tokens cut) or `other` (a line that is
no item); items (complete ones), ended. One row an intervention and its topics, part `hazard`:
topics (`held-out`, `other` or `all`); estimate, the share of decisions that end a list, of which a
list has one after each item; change, its ratio to `unchanged`; each with its interval over topics,
as `ablation by-layer` has them. n counts lists.

Raises LabError when the inputs have no list of an intervention whose hazard they have.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pyarrow as pa

from analyses.instruments.roles import ListRoles, list_roles
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Prompt
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

INTERVENTIONS = {
    ("base", None): "unchanged",
    ("long prompt", None): "long prompt",
    ("logit bias", None): "logit bias",
    ("steering", None): "steering",
    ("top", "mean"): "top",
    ("top", "own mean"): "own mean",
    ("random", "mean"): "random",
}
"""Names by method and edit."""

BOUNDS = ("estimate", "low", "high", "change", "change_low", "change_high")
SCHEMA = {
    **{"part": pa.string(), "intervention": pa.string(), "site": pa.string(), "layer": pa.int32()},
    **{"topic": pa.string(), "held_out": pa.bool_(), "sample": pa.int32()},
    "lines": pa.list_(pa.struct({"text": pa.string(), "kind": pa.string()})),
    **{"items": pa.int32(), "ended": pa.bool_(), "topics": pa.string()},
    **dict.fromkeys(BOUNDS, pa.float64()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab, ablation_samples: pa.Table, ablation__by_layer: pa.Table) -> pa.Table:
    """Gather the lists of each intervention, and its hazard."""
    lists = list(_lists(ablation_samples, lab.study.prompt))
    hazards = list(_hazards(ablation__by_layer))
    written = {(row["intervention"], row["layer"]) for row in lists}
    without = {(row["intervention"], row["layer"]) for row in hazards} - written
    if without or not hazards:
        names = ", ".join(sorted(f"{name} {layer or ''}".strip() for name, layer in without))
        what = f"there is no list under {names}" if names else "there is no hazard"
        raise LabError("ablation_samples", what, "run `build-site run ablation`")
    topics = {row["topic"] for row in lists}
    layers = sorted({row["layer"] for row in lists if row["layer"] is not None})
    return labelled(
        table_of([*lists, *hazards], SCHEMA),
        n=f"{len(lists):,} lists, {len(topics)} topics; after block "
        f"{' or '.join(map(str, layers))}",
        interval=statistics.said("topics"),
        units={"estimate": "share of decisions", "change": "ratio to unchanged"},
        note="Cells are chosen on topics that are not held out.",
    )


def _named(row: Row) -> str | None:
    """The intervention of a condition of `ablation_samples`, if it is one of those shown here."""
    name = INTERVENTIONS.get((row["method"], row["edit"]))
    all_together = row["method"] in ("top", "random") and row["layer"] is None
    if row["start"] != "prompt" or row["place"] not in (None, "deciding") or all_together:
        return None
    return name


def _lists(ablation_samples: pa.Table, prompt: Prompt) -> Iterator[Row]:
    for row in ablation_samples.to_pylist():
        name = _named(row)
        if name is None:
            continue
        pieces = [prompt.prefill, *row["tokens"]]
        roles = list_roles(pieces, hyphen=prompt.hyphen, end=pieces[-1:] if row["ended"] else [])
        yield {
            **{"part": "list", "intervention": name, "site": row["site"], "layer": row["layer"]},
            **{key: row[key] for key in ("topic", "held_out", "sample", "ended")},
            "lines": lines(pieces, roles),
            "items": sum(item.complete for item in roles.items),
        }


def lines(pieces: list[str], roles: ListRoles) -> list[Row]:
    """What was written, line by line, without hyphens, the end and empty lines."""
    number = 0
    placed = []
    for piece, token in zip(pieces, roles.tokens, strict=True):
        placed.append((number, piece, token.role))
        number += "\n" in piece
    found: list[Row] = []
    for _, tokens in groupby(placed, key=lambda one: one[0]):
        inside = [(piece, role) for _, piece, role in tokens if role not in ("hyphen", "end")]
        text = "".join(piece for piece, _ in inside).strip()
        if text:
            is_item = any(role == "item" for _, role in inside)
            found.append({"text": text, "kind": "item" if is_item else "other"})
    cut = roles.items and not roles.items[-1].complete
    if cut and found[-1]["kind"] == "item":
        found[-1]["kind"] = "cut"
    return found


def _hazards(by_layer: pa.Table) -> Iterator[Row]:
    for row in by_layer.to_pylist():
        name = _named(row)
        if name is not None and row["quantity"] == "hazard":
            kept = ("site", "layer", "topics", *BOUNDS, "n")
            yield {"part": "hazard", "intervention": name, **{key: row[key] for key in kept}}
