"""The graph of features: measured edges alone, nodes in their role's column and layer's row."""

import pytest

from site_builder.charts.drawing import DrawingError
from site_builder.figures import attribution_graph
from tests.figures.edge_tables import ROWS, edge, table


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
