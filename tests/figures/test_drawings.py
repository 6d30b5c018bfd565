"""What every drawing keeps to: refusals that help, no numbers without their interval."""

import importlib

import pytest

from site_builder.charts.drawing import Drawing, DrawingError
from tests.figures import (
    edge_tables,
    end_tables,
    layer_choice_tables,
    path_tables,
    sae_tables,
    tables,
    trace_tables,
    wording_tables,
)

CASES = [
    *[
        ("list_statistics", variant, tables.list_statistics(variant, topics=3, most=6))
        for variant in ("items", "tokens-per-item", "blanks", "repeats")
    ],
    ("entropy", "none-clean", tables.entropy("none-clean", topics=2, samples=3)),
    ("entropy", "compare-break", tables.entropy("compare-break", topics=2)),
    ("entropy", "swap", tables.entropy("swap", topics=2, longest=4)),
    ("logit_difference", "mean", tables.logit_difference()),
    ("logit_difference", "example", tables.logit_difference_example()),
    *[
        ("logit_lens", variant, tables.logit_lens(variant))
        for variant in ("end-hyphen", "blank-break", "by-temperature")
    ],
    ("other_lists", "", tables.other_lists()),
    ("patching", "resid", tables.patching("resid", layers=2, roles=3)),
    ("patching", "mlp-out", tables.patching("mlp-out", layers=2, roles=3)),
    ("patching", "k", tables.patching("k", layers=2, roles=3)),
    ("attribution_patching", "heads", tables.attribution_patching("heads", layers=2, roles=3)),
    (
        "attribution_patching",
        "residual",
        tables.attribution_patching("residual", layers=2, roles=3),
    ),
    *[
        ("attribution", variant, sae_tables.attribution(variant, layers=2))
        for variant in ("logit-difference", "log-prob", "cross-layer")
    ],
    *[
        ("ablation", variant, sae_tables.ablation(variant, layers=2))
        for variant in ("by-layer", "compared", "by-topic", "survival")
    ],
    ("interventions", "", end_tables.interventions_table()),
    ("attribution_graph", "", edge_tables.table()),
    ("entropy_conditions", "", end_tables.entropy_conditions_table()),
    ("sae_health", "", sae_tables.sae_health()),
    ("layer_choice", "", layer_choice_tables.layer_choice()),
    ("feature_tests", "", sae_tables.feature_tests(layers=2)),
    ("path_patching", "", path_tables.path_patching()),
    ("feature_baselines", "", path_tables.feature_baselines()),
    ("dataset", "", tables.dataset()),
    ("wordings", "", wording_tables.table()),
    ("lists", "", tables.lists(topics=2)),
    ("prompt_pairs", "", tables.prompt_pairs()),
    ("ending", "", tables.ending(topics=2)),
    ("asking", "", tables.asking()),
    ("trace", "", trace_tables.trace()),
    ("example", "", tables.example(topics=2)),
]
every_drawing = pytest.mark.parametrize(
    ("name", "variant", "table"), CASES, ids=[f"{name} {variant}" for name, variant, _ in CASES]
)


def draw(name, table, **options) -> Drawing:
    return importlib.import_module(f"site_builder.figures.{name}").draw(table, **options)


@every_drawing
def test_a_drawing_says_what_it_shows(name, variant, table):
    drawing = draw(name, table, variant=variant)

    assert drawing.caption.endswith(".")
    assert len(drawing.description) > 40


@every_drawing
def test_a_missing_column_is_named(name, variant, table):
    used = {"list_statistics": "estimate", "entropy": "k", "dataset": "capped", "lists": "items",
            "ending": "place", "prompt_pairs": "swapped", "example": "role", "logit_difference": "k",
            "logit_lens": "layer", "other_lists": "author",
            "patching": "k_end", "attribution_patching": "measured", "attribution": "k_end",
            "ablation": "method", "sae_health": "places", "feature_tests": "survives",
            "layer_choice": "regret", "path_patching": "relays", "asking": "before",
            "feature_baselines": "after", "interventions": "lines",
            "entropy_conditions": "condition", "trace": "depth",
            "attribution_graph": "method", "wordings": "shown"}[name]  # fmt: skip

    with pytest.raises(DrawingError, match=f"no column '{used}'"):
        draw(name, table.drop_columns([used]), variant=variant)


@every_drawing
def test_an_unknown_variant_is_refused(name, variant, table):
    with pytest.raises(DrawingError, match="nonsense"):
        draw(name, table, variant="nonsense")


@pytest.mark.parametrize(
    ("name", "table", "options"),
    [
        ("list_statistics", CASES[0][2], {"variant": "items", "template": "huge"}),
        ("example", CASES[-1][2], {"topic": "Nowhere"}),
        ("example", CASES[-1][2], {"template": "huge"}),
        ("example", CASES[-1][2], {"sample": 99}),
    ],
)
def test_a_bad_option_is_refused_with_what_there_is(name, table, options):
    with pytest.raises(DrawingError) as refusal:
        draw(name, table, **options)

    assert "use one of" in refusal.value.cure


@pytest.mark.parametrize(
    ("name", "variant"), [("logit_difference", "mean"), ("logit_lens", "by-temperature")]
)
def test_an_option_that_a_variant_has_no_use_for_is_refused(name, variant):
    (table,) = (table for of, one, table in CASES if (of, one) == (name, variant))
    with pytest.raises(DrawingError, match=f"{variant} has no use for topic=Fruits"):
        draw(name, table, variant=variant, topic="Fruits")


@pytest.mark.parametrize(("name", "variant", "table"), CASES[:6])
def test_estimates_never_stand_without_their_interval(name, variant, table):
    for panel in draw(name, table, variant=variant).body:
        fields = {
            channel.get("field")
            for layer in panel.to_dict().get("layer", [])
            for channel in layer["encoding"].values()
            if isinstance(channel, dict)
        }

        assert not fields & {"estimate"} or fields >= {"low", "high"}


def test_a_curve_ends_where_too_few_lists_are_left():
    panel = draw("list_statistics", tables.list_statistics("items", topics=1), variant="items")
    (rows,) = panel.body[0].to_dict()["datasets"].values()

    assert min(row["at_risk"] for row in rows) >= 5


def test_lists_of_unequal_length_have_no_padding():
    table = CASES[4][2]
    datasets = draw("entropy", table, variant="none-clean").body[0].to_dict()["datasets"]
    cells = next(rows for rows in datasets.values() if "entropy" in rows[0])
    lengths = {
        row["list"]: row["items"] for rows in datasets.values() for row in rows if "items" in row
    }

    assert len(set(lengths.values())) > 1
    assert len(cells) == table["part"].to_pylist().count("list")
    for place, items in lengths.items():
        assert items is False or items == sum(cell["list"] == place for cell in cells)


def rows_of(panel) -> list[dict]:
    (rows,) = panel.to_dict()["datasets"].values()
    return rows


def test_a_difference_may_be_below_zero_and_zero_is_on_the_axis():
    for panel in draw("entropy", tables.entropy("swap", longest=4), variant="swap").body:
        estimates = [row["estimate"] for row in rows_of(panel)]
        assert min(estimates) < 0 < max(estimates)
        scale = panel.to_dict()["layer"][0]["encoding"]["y"]["scale"]
        assert scale["domainMin"] < min(estimates)
        assert scale["domainMax"] > max(estimates)


def test_means_over_few_lists_are_not_drawn():
    drawing = draw("logit_difference", tables.logit_difference(last=4), variant="mean")
    for panel in drawing.body:
        assert {abs(row["k"]) for row in rows_of(panel)} in ({1, 2}, {3, 4})
        assert {row["n"] for row in rows_of(panel)} == {11, 10}
