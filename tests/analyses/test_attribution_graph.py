"""Which effects become edges of the graph, and what a share of an activation is."""

import pytest

from analyses import attribution, attribution_graph, feature_baselines
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import table_of

SHORT = {"template": "short", "against": "zero", "site": "resid_post"}
HERE = {"layer": 22, "role": "deciding", "k_end": -1, "feature": 7}
LATER = {"site": "resid_post", "layer": 26, "role": "deciding", "k_end": -1, "feature": 9}
TO = {f"to_{name}": value for name, value in LATER.items()}
TARGET = {**SHORT, **LATER, "part": "feature", "topics": "held-out", "activation": 40.0}
CHECK = {**SHORT, **HERE, "part": "check", "topics": "held-out", "fires": 6, "n": 8}
LINK = {**CHECK, **TO, "group": "top", "measured": 10.0, "estimate": 99.0}
ERROR = {**SHORT, **TO, "part": "sum", "layer": 22, "topics": "all", "quantity": "error",
         "estimate": -4.0, "low": -6.0, "high": -2.0, "n": 23}  # fmt: skip
SHARE = {"part": "share", "site": "resid_post", "layer": 26, "feature": 9, "topics": "held-out",
         "estimate": 0.75, "low": 0.5, "high": 1.0, "n": 8}  # fmt: skip


def measured(tiny, links, decision=(), baselines=()):
    table = attribution_graph.run(
        tiny,
        table_of(decision, attribution.SCHEMA),
        table_of(links, attribution.SCHEMA),
        table_of(baselines, feature_baselines.SCHEMA),
    )
    return table.to_pylist()


def test_an_edge_is_what_taking_a_feature_out_does_and_no_promise(tiny):
    left_out = [
        {**LINK, "group": "random"},
        {**LINK, "against": "corrupted"},
        {**LINK, "template": "long"},
        {**ERROR, "quantity": "features"},
        {**ERROR, "role": "turn"},
        {**TARGET, "topics": "other", "activation": 1.0},
    ]
    link, error = measured(tiny, [*left_out, TARGET, LINK, ERROR])

    assert (link["from"], link["method"], link["unit"]) == ("feature", "removed", "activation")
    assert (link["estimate"], link["share"], link["fires"]) == (10.0, 0.25, 6)
    assert (error["from"], error["method"], error["feature"]) == ("error", "gradient", None)
    assert (error["share"], error["low"], error["high"]) == (-0.1, -6.0, -2.0)


def test_an_effect_on_the_decision_is_in_logits_and_no_share(tiny):
    check = {**CHECK, "group": "top", "measured": -2.5}
    *_, edge = measured(tiny, [TARGET, LINK], [check])

    assert (edge["unit"], edge["estimate"], edge["share"]) == ("logits", -2.5, None)
    assert edge["to_feature"] is None


def test_the_direction_stands_beside_the_feature_of_its_layer(tiny):
    rows = [
        {**SHARE, "change": "exchanged"},
        {**SHARE, "change": "mean direction", "estimate": 0.875},
        {**SHARE, "change": "removed"},
        {**SHARE, "change": "exchanged", "topics": "all"},
    ]
    _, feature, direction = measured(tiny, [TARGET, LINK], baselines=rows)

    assert (feature["from"], feature["feature"], feature["estimate"]) == ("feature", 9, 0.75)
    assert (direction["from"], direction["feature"]) == ("direction", None)
    assert (direction["method"], direction["estimate"]) == ("exchanged", 0.875)


def test_without_a_later_feature_there_is_no_graph(tiny):
    for links in ([LINK], [TARGET]):
        with pytest.raises(LabError, match="no later feature"):
            measured(tiny, links)
