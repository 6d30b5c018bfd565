"""Sets of layers on the page: the reader picks features, nothing is shown that is not held out."""

import pyarrow as pa
import pytest

from site_builder.charts import render
from site_builder.charts.drawing import PICKED, DrawingError
from site_builder.figures import layer_choice
from tests.figures.layer_choice_tables import ORDERS
from tests.figures.layer_choice_tables import layer_choice as table_of

TABLE = table_of(layers=3)


def without(table: pa.Table, **equal: object) -> pa.Table:
    rows = [
        row for row in table.to_pylist() if any(row[name] != value for name, value in equal.items())
    ]
    return pa.Table.from_pylist(rows, schema=table.schema)


def rows(drawing, part: str, **equal: object) -> list[dict]:
    shown = drawing.choices.options[drawing.choices.chosen]
    return [
        row
        for row in shown
        if row["part"] == part and all(row[name] == value for name, value in equal.items())
    ]


@pytest.mark.parametrize("budget", layer_choice.BUDGETS)
def test_it_stands_in_the_page_with_its_menu(budget):
    drawing = layer_choice.draw(TABLE, budget=budget)
    rendered = render.render(drawing, "layer_choice", "0" * 16)

    assert drawing.choices.chosen == (layer_choice.BUDGETS[budget],)
    assert rendered.html.count("<option") == 3
    assert drawing.caption.endswith(".")
    assert len(drawing.description) > 40
    for panel in drawing.body:
        data = panel.to_dict()["data"]
        assert data["name"] == PICKED
        assert data["values"] == drawing.choices.options[drawing.choices.chosen]


def test_a_set_is_shown_once_as_it_is_on_held_out_topics():
    found = rows(layer_choice.draw(TABLE), "set")
    expected = {
        row["layers"]: row["estimate"]
        for row in TABLE.to_pylist()
        if (row["part"], row["budget"], row["topics"]) == ("set", "all", "held-out")
    }

    assert len(found) == len(expected) == 7
    for row in found:
        assert row["estimate"] == pytest.approx(expected[row["layers"]], abs=1e-4)
        assert (row["mb"], row["one"]) == (11.0 * row["size"], 11.0)


def test_every_rule_has_a_shape_and_a_colour_of_its_own():
    looks = layer_choice.RULES

    assert looks.keys() == {*ORDERS, "random"}
    assert len({shape for _, shape in looks.values()}) == len(looks)
    assert len({colour for colour, _ in looks.values()}) == len(looks)
    assert {row["name"] for row in rows(layer_choice.draw(TABLE), "heuristic")} == looks.keys()


def test_regret_is_that_of_the_rule_and_size():
    drawing = layer_choice.draw(TABLE, budget="top")
    (mine,) = rows(drawing, "regret", name="random", of="2 layers")
    (source,) = [
        row
        for row in TABLE.to_pylist()
        if (row["budget"], row["name"], row["size"]) == ("top", "random", 2)
    ]

    for name, of in (("estimate", "regret"), ("low", "regret_low"), ("high", "regret_high")):
        assert mine[name] == pytest.approx(source[of], abs=1e-4)
    assert mine["layers"] == layer_choice.ANY


def test_sets_of_more_than_three_layers_have_a_dot_and_no_regret():
    drawing = layer_choice.draw(table_of(layers=5, budgets=1))

    assert {row["size"] for row in rows(drawing, "set")} == {1, 2, 3, 4, 5}
    assert {row["of"] for row in rows(drawing, "regret")} == {"1 layer", "2 layers", "3 layers"}


def test_a_study_with_few_layers_and_one_budget_is_drawn():
    drawing = layer_choice.draw(table_of(layers=2, budgets=1))

    assert render.render(drawing, "x", "0" * 16).interactive
    assert {row["of"] for row in rows(drawing, "regret")} == {"1 layer", "2 layers"}


def test_memory_counts_layers_only_where_all_weigh_the_same():
    wide = [
        {**row, "memory": row["memory"] + 5_000_000 * (row["layers"] == "22")}
        for row in TABLE.to_pylist()
    ]
    equal, unequal = (
        layer_choice.draw(table).caption
        for table in (TABLE, pa.Table.from_pylist(wide, schema=TABLE.schema))
    )

    assert "all being equally wide, is the number of layers" in equal
    assert "equally wide" not in unequal


def test_names_are_text():
    odd = "</script><img src=x onerror=alert(1)>"
    table = TABLE.set_column(
        TABLE.column_names.index("layers"), "layers", pa.array([odd] * len(TABLE))
    )

    rendered = render.render(layer_choice.draw(table), "x", "0" * 16)

    assert "<img src=x" not in rendered.html
    assert "<img" not in rendered.inline


@pytest.mark.parametrize("part", ["set", "front", "heuristic"])
def test_a_missing_part_is_named(part):
    with pytest.raises(DrawingError, match=f"part {part}"):
        layer_choice.draw(without(TABLE, part=part))


def test_what_is_not_there_is_refused():
    with pytest.raises(DrawingError, match="no column 'memory'"):
        layer_choice.draw(TABLE.drop_columns(["memory"]))
    with pytest.raises(DrawingError, match="nonsense"):
        layer_choice.draw(TABLE, variant="nonsense")
    with pytest.raises(DrawingError) as refusal:
        layer_choice.draw(TABLE, budget="some")
    assert "use one of: all, top, top-deciding" in refusal.value.cure
