"""Table of the sparse autoencoders: what they keep of the stream, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from site_builder.charts import tables, theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import saes

Row = dict[str, Any]
Found = Mapping[tuple[str, str, str], Row]
"""Rows of one autoencoder by group, places and quantity."""

MOST_LOSS = 0.30
"""Nats that a pass through the autoencoder may cost on held-out lists."""

MOST_GAP = 0.03
"""By how much less variance may be explained on held-out lists than on training text."""

HELD_OUT, TRAINING = ("held-out", "written"), ("training", "written")
DECIDING = ("held-out", "deciding")
COLUMNS = {
    "variance explained, lists": (*HELD_OUT, "variance_explained", ".3f"),
    "variance explained, training": (*TRAINING, "variance_explained", ".3f"),
    "features that fire, lists": (*HELD_OUT, "features", ".0f"),
    "silent in the training sample": (*TRAINING, "dead", ".1%"),
    "silent in lists": (*HELD_OUT, "dead", ".1%"),
    "ΔCE, lists": (*HELD_OUT, "loss_change", ".3f"),
    "ΔCE, training": (*TRAINING, "loss_change", ".3f"),
    "contrast, change": (*DECIDING, "contrast_change", "+.2f"),
    "contrast, size of change": (*DECIDING, "contrast_distance", ".2f"),
}


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw a row for each autoencoder."""
    theme.choose(variant, [""], "variant")
    columns = ("site", "layer", "width", "group", "places", "quantity", "estimate", "low", "high")
    records = theme.rows(table, *columns, digits=theme.EXACT)
    rows = []
    for place in saes.places(records):
        of = [row for row in records if saes.name(row["site"], row["layer"]) == place]
        found = {(row["group"], row["places"], row["quantity"]): row for row in of}
        about = tables.Cell(f"layer {place}", f"{of[0]['width']:,} features")
        numbers = [tables.estimate(found.get(key[:3]), key[3]) for key in COLUMNS.values()]
        rows.append((about, [tables.Cell(verdict(found)), *numbers]))
    return Drawing(
        tables.table(
            ("autoencoder", "verdict", *COLUMNS), [tables.Group(rows)], "Sparse autoencoders"
        ),
        "What each autoencoder keeps of the stream, on the lists of held-out topics and on text "
        "that it was trained on. Lists are short and long ones together, capped ones included, "
        "weighted by token. ΔCE, in nats, is what the next tokens cost more when the "
        "model reads its reconstruction; the contrast, in logits, is the difference between ending "
        "and going on where a list could end. An autoencoder meets our bounds if ΔCE on held-out "
        f"lists is at most {MOST_LOSS:.2f} and the variance explained there is at most "
        f"{MOST_GAP:.2f} below that on training text; else read what is said of its features with "
        "the error term beside it.",
        "A table with one row for each autoencoder: whether it meets the bounds, variance "
        "explained, how many features fire, how many are silent, the loss through it and the "
        "change of the contrast, with intervals.",
    )


def verdict(found: Found) -> str:
    """Return whether an autoencoder meets both bounds, or which it does not."""
    loss, kept, usual = (
        found.get(key, {}).get("estimate")
        for key in (
            (*HELD_OUT, "loss_change"),
            (*HELD_OUT, "variance_explained"),
            (*TRAINING, "variance_explained"),
        )
    )
    if loss is None or kept is None or usual is None:
        return "not measured"
    poor = ["ΔCE"] * (loss > MOST_LOSS) + ["variance explained"] * (usual - kept > MOST_GAP)
    return f"outside our bounds: {', '.join(poor)}" if poor else "meets"
