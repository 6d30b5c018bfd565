"""The graph of features: measured edges alone, nodes in their role's column and layer's row."""

import pyarrow as pa
import pytest

from analyses import attribution_graph as measurement
from site_builder.charts.drawing import DrawingError
from site_builder.figures import attribution_graph

DECIDES = {"role": "deciding", "k_end": -1}


def edge(layer, feature, to_layer, to_feature, share, **more):
    here = {"site": "resid_post", "layer": layer, "feature": feature, **DECIDES}
    there = {"site": "resid_post", "layer": to_layer, "feature": to_feature, **DECIDES}
    return {
        "from": "feature", "method": "removed", "unit": "activation", **here,
        **{f"to_{name}": value for name, value in there.items()},
        "estimate": 10 * share, "share": share, "fires": 8, "n": 8, **more,
    }  # fmt: skip


def to_end(layer, feature, logits):
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


def table(rows):
    return pa.Table.from_pylist(rows, schema=pa.schema(measurement.SCHEMA))


def drawn(rows=ROWS):
    drawing = attribution_graph.draw(table(rows))
    datasets = drawing.body[0].to_dict()["datasets"].values()
    edges = next(rows for rows in datasets if "sign" in rows[0])
    nodes = next(rows for rows in datasets if "kind" in rows[0])
    return drawing, edges, {node["name"]: node for node in nodes}


def test_edges_are_the_measured_ones_that_are_large_and_the_rest_is_dashed():
    _, edges, _ = drawn()
    told = {(one["from"], one["to"]): (one["effect"], one["dashed"]) for one in edges}

    assert told == {
        ("deciding token 22/912", "deciding token 26/1894"): ("+70% of its activation", False),
        ("turn 22/912", "deciding token 26/880"): ("−40% of its activation", False),
        ("deciding token 26/1894", "deciding token 28/1147"): ("+50% of its activation", False),
        ("error 22", "deciding token 28/1147"): ("−20% of its activation", True),
        ("deciding token 28/1147", "decision"): ("+10.70 logits", False),
        ("direction 28", "decision"): ("92% of what the word changes", False),
    }
    widths = {one["effect"]: one["width"] for one in edges}
    assert widths["+70% of its activation"] == 7.0
    assert widths["+50% of its activation"] == 5.0


def test_a_feature_is_a_node_for_each_role_at_which_it_acts_and_bears_its_name():
    _, edges, nodes = drawn()
    assert {nodes[name]["feature"] for name in nodes if name.endswith("22/912")} == {"22/912"}
    turn, deciding = nodes["turn 22/912"], nodes["deciding token 22/912"]

    assert turn["y"] == deciding["y"] == 0
    assert turn["x"] < deciding["x"] < nodes["error 22"]["x"]
    assert nodes["deciding token 28/1147"]["y"] == 2
    assert nodes["decision"]["y"] == 3
    for one in edges:
        assert (one["x"], one["y"]) == (nodes[one["from"]]["x"], nodes[one["from"]]["y"])
        assert (one["x2"], one["y2"]) == (nodes[one["to"]]["x"], nodes[one["to"]]["y"])


def test_the_caption_sets_the_direction_beside_the_feature():
    drawing, *_ = drawn()
    assert drawing.caption.startswith(
        "Exchanged with the other prompt’s, 28/1147 takes away 88% of what the word changes, and "
        "the direction of its layer 92%."
    )


def test_without_a_large_edge_there_is_nothing_to_draw():
    with pytest.raises(DrawingError, match=r"no edge has a share of 0\.3"):
        attribution_graph.draw(table([edge(22, 912, 26, 1894, 0.2)]))
