"""Drawings about autoencoders: verdicts, attributions, and ablations beside their baselines."""

import importlib
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from site_builder.charts import render
from site_builder.charts import tables as cells
from site_builder.charts.drawing import PICKED, DrawingError
from site_builder.figures import (
    ablation,
    attribution,
    conditions,
    effects,
    feature_tests,
    sae_health,
    saes,
)
from tests.figures import sae_tables
from tests.figures.sae_tables import ATTRIBUTION

CASES = [
    ("attribution", "logit-difference", sae_tables.attribution(layers=3)),
    ("attribution", "log-prob", sae_tables.attribution(layers=2)),
    ("attribution", "cross-layer", sae_tables.attribution("cross-layer", layers=3)),
    ("ablation", "by-topic", sae_tables.ablation("by-topic", layers=2)),
    ("ablation", "survival", sae_tables.ablation("survival", layers=2)),
    ("feature_tests", "", sae_tables.feature_tests(layers=2, count=8)),
]
every_chart = pytest.mark.parametrize(
    ("name", "variant", "table"), CASES, ids=[f"{name} {variant}" for name, variant, _ in CASES]
)


def draw(name, table, variant):
    return importlib.import_module(f"site_builder.figures.{name}").draw(table, variant=variant)


def only(table: pa.Table, keep) -> pa.Table:
    return pa.Table.from_pylist([row for row in table.to_pylist() if keep(row)], table.schema)


def rows_of(panel) -> list[dict]:
    spec = panel.to_dict()
    return spec["data"].get("values") or spec["datasets"][spec["data"]["name"]]


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@every_chart
def test_it_stands_in_the_page_with_its_choices(name, variant, table):
    drawing = draw(name, table, variant)
    rendered = render.render(drawing, name, "0" * 16)

    assert rendered.html.count("<select") == len(drawing.choices.names)
    assert drawing.choices.chosen in drawing.choices.options


@every_chart
def test_what_has_no_interval_is_drawn_without(name, variant, table):
    for side in ("low", "high", "change_low", "change_high"):
        if side in table.column_names:
            nothing = pa.nulls(len(table), pa.float64())
            table = table.set_column(table.column_names.index(side), side, nothing)

    assert render.render(draw(name, table, variant), "x", "0" * 16).interactive


# Tables


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        (-0.004, "+.2f", "0.00"),
        (0.004, ".2f", "0.00"),
        (-1.25, ".1f", "−1.2"),
        (3.0, "+.1f", "+3.0"),
        (-0.001, ".0%", "0%"),
        (0.1, ".0%", "10%"),
        (None, ".2f", "–"),
    ],
)
def test_a_number_has_a_true_sign_or_none(value, form, said):
    assert cells.number(value, form) == said


@pytest.mark.parametrize(
    ("low", "high", "bold"), [(0.1, 2.0, True), (-0.1, 2.0, False), (-3.0, -1.0, True)]
)
def test_only_what_leaves_zero_out_is_bold(low, high, bold):
    row = {"beyond": 1.0, "beyond_low": low, "beyond_high": high}

    assert cells.estimate(row, "+.1f", of="beyond", marked=True).bold is bold
    assert cells.estimate(row, "+.1f", of="beyond").bold is False


def test_a_table_shows_text_and_its_intervals_to_a_finger():
    odd = '"><script>alert(1)</script>{{ 7 * 7 }}'
    row = (cells.Cell(odd, odd), [cells.estimate({"estimate": 0.1, "low": -0.2, "high": 0.3})])
    html = cells.table((odd, "x"), [cells.Group([row], odd)], odd)

    assert "<script" not in html
    assert "49" not in html
    assert "0.10 [−0.20, 0.30]" in text(html)


@pytest.mark.parametrize(
    ("loss", "gap", "said"),
    [
        (0.30, 0.02, "meets 0."),
        (0.38, 0.02, "outside our bounds: ΔCE 0."),
        (0.10, 0.05, "outside our bounds: variance explained 0."),
        (0.10, -0.04, "meets 0."),  # explaining more is no fault
        (0.304, 0.05, "outside our bounds: ΔCE, variance explained 0."),
    ],
)
def test_an_autoencoder_is_judged_by_both_bounds(loss, gap, said):
    html = sae_health.draw(sae_tables.sae_health((loss,), gap)).body

    assert text(html).partition("2,304 features ")[2].startswith(said)


def test_what_was_not_measured_is_not_judged():
    table = only(sae_tables.sae_health((0.1,)), lambda row: row["group"] != "training")

    assert "not measured" in sae_health.draw(table).body


def test_health_tells_lists_from_training_text():
    table = sae_tables.sae_health((0.1,), gap=0.02)
    said = text(sae_health.draw(table).body)

    assert "0.930 [0.910, 0.950] 0.950 [0.930, 0.970] 64 [64, 64]" in said
    assert "0.00 [−0.02, +0.02] 0.40 [0.38, 0.42]" in said  # what rounds to zero has no sign


def folds(html: str) -> list[str]:
    return [text(part) for part in re.split(r"<table|<summary", html)[1:]]


NOTE = (
    "Bold, in the columns of a ratio to a baseline: the interval leaves 1 out, uncorrected for the "
    "number of rows. A change alone is not marked, as random features change lists as well."
)


def test_every_table_of_ablations_begins_with_its_baselines():
    html = ablation.draw(sae_tables.ablation("by-layer", layers=2)).body
    tables = [text(part) for part in html.split("<tbody>")]
    firsts = [part for part in tables[1:] if part.startswith("Baselines")]

    assert len(firsts) == html.count("<table") == 5
    assert html.count(NOTE) == 5
    for part in firsts:
        assert part.startswith("Baselines as it is 40 lists 10.0%")
        # 5 items more: e^(−5/4) times as many ends per decision, give or take e^(1/4).
        assert "0.29 [0.22, 0.37]" in part.partition("“long” in the prompt 40 lists")[2]
    assert html.count("<summary>") == 4
    assert sum("other random numbers" in part for part in firsts) == 4  # not of a cut list


def test_top_and_random_stand_under_each_other_and_only_what_is_beyond_is_bold():
    html = ablation.draw(sae_tables.ablation("by-layer", layers=3)).body
    names = re.findall(r'<th scope="row"[^>]*>(layer[^<]*|all[^<]*)', html.partition("</table>")[0])
    bold = re.findall(r"<b>([^<]*)</b>", html.partition("</table>")[0])

    assert names == [
        *(
            f"layer {layer}, {method}"
            for layer in (6, 12, 18)
            for method in ("top", "top, own mean", "random", "steering")
        ),
        *(f"all layers, {method}" for method in ("top", "random")),
    ]
    # Beyond random is 0.9 × 0.8 × place and 0.9 × 3.3, a quarter of it as a logarithm, give or take
    # 1/4: e^−0.36 and e^−0.74; beyond own mean is less.
    assert bold == ["0.70", "0.48"]


def test_only_tables_with_the_control_say_what_is_beyond_it():
    html = ablation.draw(sae_tables.ablation("by-layer", layers=4)).body
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    columns = [re.findall(r'<th scope="col">([^<]*)', one) for one in tables]
    first = re.findall(r'<th scope="row"[^>]*>(layer 22, top)<.*?</tr>', tables[0], re.DOTALL)
    row = text(tables[0].partition("layer 22, top<")[2].partition("</tr>")[0])

    assert ["times own mean" in one for one in columns] == [True, *[False] * 4]
    assert all("items within 120 tokens" in one for one in columns)
    assert len(first) == 1
    # 0.8 × 3 items more, 0.9 of it beyond random and half of it beyond the own mean.
    assert "0.55 [0.43, 0.70] 0.58 [0.45, 0.75] 0.74 [0.58, 0.95]" in row
    assert "+2.4 [+1.4, +3.4]" in row
    assert "0.74" in re.findall(r"<b>([^<]*)</b>", tables[0])


def test_an_edit_stands_against_each_other_with_what_could_have_been_seen():
    html = ablation.draw(sae_tables.ablation("compared", layers=2), variant="compared").body
    rows = re.findall(r"<tr>.*?</tr>", html, re.DOTALL)
    first = next(text(row) for row in rows if "the added vector" in row)

    assert [text(row) for row in rows if "Top features of layer" in row] == [
        "Top features of layer 6", "Top features of layer 12",
    ]  # fmt: skip
    assert "0.30 [0.20, 0.40] detects 1.50" in first
    assert first.endswith("detects 1.5")
    with pytest.raises(DrawingError, match="huge"):
        ablation.draw(sae_tables.ablation("compared"), variant="compared", topics="huge")


def test_the_budget_is_that_of_the_lists_drawn():
    source = Path("analyses/instruments/ablation/ablated_lists.py").read_text("utf-8")

    assert re.findall(r"^TOKENS = (\d+)", source, re.MULTILINE) == [str(conditions.TOKENS)]


def test_the_table_is_of_the_topics_that_are_asked_for():
    table = sae_tables.ablation("by-layer", layers=1)

    assert "115 lists" in ablation.draw(table, topics="all").body
    assert "115 lists" not in ablation.draw(table).body
    with pytest.raises(DrawingError, match="huge"):
        ablation.draw(table, topics="huge")


# Choices


def test_the_layer_with_the_strongest_feature_stands_first():
    assert attribution.draw(CASES[0][2]).choices.chosen == ("18", "short", "the other prompt")
    assert feature_tests.draw(CASES[5][2]).choices.chosen == ("6",)
    alone = attribution.draw(sae_tables.attribution(layers=1)).choices

    assert alone.chosen == ("6", "short", "the other prompt")


def test_features_are_drawn_by_rank_on_both_kinds_of_topics():
    choices = attribution.draw(CASES[0][2]).choices
    rows = choices.options["18", "long", "the other prompt"]
    shown = [row for row in rows if row["what"] == "feature"]

    assert len(choices.options) == 3 * 2 * 2
    assert len(shown) == 2 * attribution.SHOWN
    assert {row["topics"] for row in shown} == {"held-out topics", "other topics"}
    assert sorted({row["cell"] for row in shown})[0].startswith("001 ")
    assert all(re.fullmatch(r"18/\d+", row["feature"]) for row in shown)
    # The sums of all layers stand beside, those by role of features alone.
    assert [row["place"] for row in rows if row["what"] == "sum"] == [
        place for place in ("6", "12", "18") for _ in sae_tables.PARTS
    ]
    assert {row["quantity"] for row in rows if row["what"] == "role"} == {"features"}


def test_colours_end_where_the_picked_effects_do():
    for rows in attribution.draw(CASES[0][2]).choices.options.values():
        sizes = sorted(abs(row["estimate"]) for row in rows if row["what"] == "role")
        assert rows[0]["end"] in effects.ENDS
        assert sizes[-2] <= rows[0]["end"]


def test_the_agreement_is_said_over_the_points():
    panels = attribution.draw(CASES[0][2]).body
    said = [panel.to_dict()["title"] for panel in panels]
    subtitles = [title["subtitle"] for title in said if isinstance(title, dict)]

    assert subtitles.count(
        [
            *("measured, logits", "a point: a cell of any layer, mean over held-out lists"),
            *("over held-out lists × cells that act:", "r 0.80 · r of random cells alone 0.30 · slope 0.80"),
        ]
    ) == 2  # fmt: skip


def test_one_layer_by_integrated_gradients_does_not_stand_for_all():
    table = CASES[0][2]
    rows = [
        row
        for row in table.to_pylist()
        if (row["part"], row["method"], row["layer"]) == ("agreement", "integrated", 6)
    ]
    more = pa.Table.from_pylist([{**row, "layer": None, "site": None} for row in rows], ATTRIBUTION)
    with_all, without = attribution.draw(pa.concat_tables([table, more])), attribution.draw(table)

    assert len(rows) == 6
    assert [panel.to_dict() for panel in with_all.body] == [
        panel.to_dict() for panel in without.body
    ]


@pytest.mark.parametrize(
    ("variant", "whole"), [("logit-difference", "logits"), ("log-prob", "ln p")]
)
def test_what_is_compared_with_zero_is_not_said_to_be_a_share(variant, whole):
    caption = attribution.draw(CASES[0][2], variant=variant).caption

    assert f"and not to {'the difference of ' if whole == 'logits' else '−'}{whole}" in caption
    assert "read only against the other prompt, and only to first order" in caption


def test_features_of_heads_are_told_from_those_of_the_stream():
    assert saes.feature("resid_post", 26, 1201) == "26/1201"
    assert saes.feature("z", 14, 77) == "z-14/77"
    found = [{"site": "z", "layer": 2}, {"site": "resid_post", "layer": 7}]
    assert saes.places(found) == ["7", "z-2"]


def test_a_cell_is_the_signed_part_of_features_in_what_a_layer_gives():
    table = CASES[2][2]
    panel = attribution.draw(table, variant="cross-layer").body[0]
    given = {
        row["quantity"]: row["estimate"]
        for row in table.to_pylist()
        if (row["part"], row["layer"], row["to_layer"], row["to_feature"]) == ("sum", 12, 18, 101)
    }
    size = sum(abs(given[name]) for name in ("features", "error", "bias"))
    (cell,) = (
        row
        for row in rows_of(panel)
        if (row["place"], row["to"]) == ("12", "deciding token 18/101")
    )

    assert cell["part"] == pytest.approx(given["features"] / size, abs=2e-3)


def test_causes_are_those_of_the_largest_effect_whatever_their_layer():
    choices = attribution.draw(CASES[2][2], variant="cross-layer").choices
    rows = choices.options[("deciding token 18/100",)]
    causes = [row for row in rows if row["what"] == "feature" and row["topics"] == "other topics"]
    sizes = [abs(row["estimate"]) for row in sorted(causes, key=lambda row: row["cell"])]

    assert choices.names == ("later feature",)
    assert sizes == sorted(sizes, reverse=True)
    assert {row["layer"] for row in causes} == {6, 12}


def test_the_earliest_features_have_no_causes_and_the_last_ones_stand_first():
    choices = attribution.draw(CASES[2][2], variant="cross-layer").choices

    assert [key[0].rpartition(" ")[2] for key in choices.options] == [
        "18/100", "18/101", "12/100", "12/101",
    ]  # fmt: skip


def test_a_condition_is_picked_by_start_edit_and_layer():
    choices = ablation.draw(CASES[4][2], variant="survival").choices
    mean = "mean, at deciding tokens"

    assert choices.chosen == ("the prompt", mean, "6")
    keys = list(choices.options)
    assert ("the prompt", mean, "all layers") in keys
    assert ("a list minus its last item", mean, "12") in keys
    assert ("a list minus its last item", "zero, in the prompt", "12") not in keys
    assert {key[1] for key in keys} == set(conditions.EDITS.values()) - {"mean, in the prompt"}
    together = {row["by"] for row in choices.options["the prompt", mean, "all layers"]}
    assert together == set(conditions.LOOKS) - {"steering", conditions.OWN}
    alone = {row["by"] for row in choices.options["the prompt", mean, "6"]}
    assert alone == set(conditions.LOOKS)
    zero = {row["by"] for row in choices.options["the prompt", "zero, at deciding tokens", "6"]}
    assert conditions.OWN not in zero


def test_what_is_kept_stands_beside_what_random_features_keep():
    choices = ablation.draw(CASES[4][2], variant="survival").choices
    rows = choices.options["the prompt", "mean, all but the top", "6"]
    half = {row["by"]: row["estimate"] for row in rows if row["items"] == 11}

    # Lists of 9 items, 0.4 longer with the top features kept, 4 longer with random ones.
    assert half["as it is"] < half["top features"] < half["random features"]


def test_a_curve_ends_where_too_few_lists_are_left():
    choices = ablation.draw(CASES[4][2], variant="survival").choices

    for rows in choices.options.values():
        assert min(row["at_risk"] for row in rows) >= ablation.FEWEST_AT_RISK


def test_topics_that_were_held_out_stand_first_and_change_is_drawn():
    drawing = ablation.draw(CASES[3][2], variant="by-topic")
    (panel,) = drawing.body
    order = next(
        layer["encoding"]["y"]["sort"]
        for layer in panel.to_dict()["layer"]
        if "y" in layer["encoding"]
    )
    rows = drawing.choices.options["the prompt", "mean, at deciding tokens", "12"]
    held_out = [topic for topic in order if topic.endswith("†")]

    assert order[: len(held_out)] == held_out
    assert len(order) == 23
    assert {row["by"]: row["estimate"] for row in rows} == {
        "“long” in the prompt": 5.0, "top features": 0.8, "random features": 0.1,
        "top features, own mean": 0.3,
    }  # fmt: skip
    # Two lists a topic are too few for an interval.
    assert "a mean over 2 to 6 lists, too few for an interval" in drawing.caption
    assert not any({"low", "high"} & row.keys() for row in rows)
    assert '"low"' not in json.dumps(panel.to_dict()["layer"])


@pytest.mark.parametrize("odd", ["</script><script>alert(1)</script>", "{{ 7 * 7 }}", "\x00"])
def test_topics_are_text(odd):
    table = sae_tables.ablation("by-topic", layers=1, topics=1)
    rows = [{**row, "topic": odd} for row in table.to_pylist()]
    drawing = ablation.draw(pa.Table.from_pylist(rows, table.schema), variant="by-topic")
    rendered = render.render(drawing, "x", "0" * 16)

    assert "<script" not in rendered.html
    assert all(json.loads(content) for name, content in rendered.files.items() if "json" in name)


def test_survivors_are_counted_and_marked():
    drawing = feature_tests.draw(CASES[5][2])
    rows = drawing.choices.options[("6",)]

    assert "4 of 16 top features survive, 0 of 16 random ones do" in drawing.caption
    assert [row["kind"] for row in rows[:3]] == [
        feature_tests.SURVIVES, feature_tests.SURVIVES, feature_tests.FAILS,
    ]  # fmt: skip
    assert {row["kind"] for row in rows[8:]} == {feature_tests.RANDOM}


def test_taking_an_effect_away_is_expected_to_change_the_contrast_the_other_way():
    (top, *_) = rows_of(feature_tests.draw(CASES[5][2]).body[1])

    assert (top["guess"], top["measured"]) == (-1.0, -0.9)


@pytest.mark.parametrize(
    ("name", "variant", "keep", "part"),
    [
        ("attribution", "logit-difference", lambda row: row["part"] != "feature", "feature"),
        ("attribution", "cross-layer", lambda row: row["part"] != "sum", "sum"),
        ("ablation", "survival", lambda row: row["method"] == "base", "top"),
    ],
)
def test_a_missing_part_is_named(name, variant, keep, part):
    table = next(table for one, other, table in CASES if (one, other) == (name, variant))

    with pytest.raises(DrawingError, match=part):
        draw(name, only(table, keep), variant)


def test_without_checks_the_rest_is_drawn():
    table = only(CASES[0][2], lambda row: row["part"] in ("feature", "sum"))
    drawing = attribution.draw(table)

    assert len(drawing.body) == 3
    assert all(PICKED in json.dumps(panel.to_dict()) for panel in drawing.body)


@pytest.mark.parametrize(
    ("analysis", "table"),
    [
        ("sae_health", sae_tables.sae_health()),
        ("attribution", CASES[0][2]),
        ("ablation", CASES[3][2]),
        ("feature_tests", CASES[5][2]),
    ],
)
def test_hand_made_tables_have_the_columns_of_their_measurement(analysis, table):
    measured = importlib.import_module(f"analyses.{analysis}").SCHEMA

    assert set(table.column_names) == set(measured)
