"""Edges between features, errors and the decision, made by hand."""

import pyarrow as pa

from analyses import attribution_graph as measurement

DECIDES = {"role": "deciding", "k_end": -1}


def edge(layer, feature, to_layer, to_feature, share, **more) -> dict:
    """What taking a feature out takes from a later one; without one, from the decision."""
    here = {"site": "resid_post", "layer": layer, "feature": feature, **DECIDES}
    there = {"site": "resid_post", "layer": to_layer, "feature": to_feature, **DECIDES}
    return {
        "from": "feature", "method": "removed", "unit": "activation", **here,
        **{f"to_{name}": value for name, value in there.items()},
        "estimate": 10 * share, "share": share, "fires": 8, "n": 8, **more,
    }  # fmt: skip


def to_end(layer, feature, logits) -> dict:
    """What taking a feature out takes from the decision."""
    return {
        **edge(layer, feature, None, None, 0.1), "to_site": None, "to_role": None,
        "to_k_end": None, "unit": "logits", "estimate": logits, "share": None,
    }  # fmt: skip


EXCHANGED = {"method": "exchanged", "unit": "share", "site": "resid_post", "layer": 28, **DECIDES}
ROWS = [
    edge(22, 912, 26, 1894, 0.7),
    edge(22, 912, 26, 880, -0.4, role="turn", k_end=None),
    edge(26, 1894, 28, 1147, 0.5),
    edge(26, 77, 28, 1147, 0.29),
    edge(22, None, 28, 1147, -0.2, **{"from": "error"}, method="gradient", role=None, k_end=None),
    edge(22, None, 28, 1147, 0.05, **{"from": "error"}, method="gradient", role=None, k_end=None),
    to_end(28, 1147, 10.7),
    to_end(26, 880, -0.2),
    to_end(28, 5, 9.0),
    {**EXCHANGED, "from": "feature", "feature": 1147, "estimate": 0.88},
    {**EXCHANGED, "from": "direction", "estimate": 0.92},
    {**EXCHANGED, "from": "direction", "layer": 26, "estimate": 0.5},
]


def table(rows: list[dict] = ROWS) -> pa.Table:
    """The edges of a small graph: large and small ones, measured and by gradient, to the decision."""
    return pa.Table.from_pylist(rows, schema=pa.schema(measurement.SCHEMA))
