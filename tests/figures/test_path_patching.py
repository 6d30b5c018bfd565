"""The path on the page: edges as wide as their share, its complement, and other heads' edges."""

import pyarrow as pa
import pytest

from site_builder.charts import render
from site_builder.charts.drawing import DrawingError
from site_builder.figures import feature_baselines, path_patching
from tests.figures import path_tables

TABLE = path_tables.path_patching()


def rows_of(panel) -> list[dict]:
    """All rows of all data sets of a panel."""
    spec = panel.to_dict()
    return [row for rows in spec.get("datasets", {}).values() for row in rows] or [
        row
        for layer in [spec, *spec.get("layer", [])]
        for row in layer.get("data", {}).get("values", [])
    ]


@pytest.mark.parametrize("topics", ["all", "held-out"])
def test_it_stands_in_the_page_without_a_script(topics):
    rendered = render.render(path_patching.draw(TABLE, topics=topics), "path_patching", "0" * 16)

    pictures = [svg for name, svg in rendered.files.items() if name.endswith(".svg")]
    assert rendered.html.count("<img") == len(pictures)
    graph = pictures[0].decode()
    for number in ("16.0%", "13.7", "19.4", "decision"):
        assert f">{number}<" in graph


def test_an_edge_stands_between_its_heads_with_its_share():
    rows = rows_of(path_patching.draw(TABLE).body[0])
    edges = {row["edge"]: row for row in rows if "edge" in row}

    assert list(edges) == [
        *("2.3 → 13.7", "11.7 → 13.7", "13.7 → 19.4", "13.7 → 20.4"),
        *("19.4 → decision", "20.4 → decision"),
    ]
    assert [row["number"] for row in edges.values()][:2] == ["16.0%", "13.0%"]
    for row in edges.values():
        assert row["x"] < row["mid_x"] < row["x2"]
        assert row["mid_y"] > (row["y"] + row["y2"]) / 2
    nodes = {row["head"]: row["share"] for row in rows if "head" in row}
    assert nodes == {
        "2.3": "30%", "11.7": "25%", "13.7": "30%", "19.4": "30%", "20.4": "25%", "decision": "",
    }  # fmt: skip


def test_what_is_lost_is_what_noising_does_not_leave():
    rows = rows_of(path_patching.draw(TABLE).body[2])
    found = {(row["what"], row["way"]): row for row in rows}

    assert found["all of them", "brought back"]["estimate"] == pytest.approx(0.86)
    assert found["all of them", "lost without it"]["estimate"] == pytest.approx(0.86)
    for row in rows:
        assert row["low"] < row["estimate"] < row["high"]
    names = {"all of them", "paths among them", "the path"}
    names |= {"from the middle head", "from the late heads"}
    assert {row["what"] for row in rows} == names


def test_the_caption_says_what_edges_beside_the_path_carry():
    assert (
        "All other edges among these heads carry 0.8% or less." in path_patching.draw(TABLE).caption
    )


def test_a_reader_picks_where_edges_lead():
    choices = path_patching.draw(TABLE).choices

    assert list(choices.options) == [("from 13.7",), ("to 13.7",), ("to the decision",)]
    first = choices.options["from 13.7",]
    assert len(first) == path_patching.SHOWN
    sizes = [abs(row["estimate"]) for row in first]
    assert sizes == sorted(sizes, reverse=True)
    assert {row["where"] for row in first} == {"on the path", "beside it"}


def test_a_path_without_early_or_late_heads_is_drawn():
    for stages in (
        {"early": (), "middle": ("0.1",), "late": ("1.2", "1.3")},
        {"early": ("0.1",), "middle": ("1.2",), "late": ()},
    ):
        drawing = path_patching.draw(path_tables.path_patching(stages))
        assert len(drawing.body) == 5
        assert render.render(drawing, "x", "0" * 16).interactive


def test_what_is_not_there_is_refused():
    with pytest.raises(DrawingError, match="no column 'relays'"):
        path_patching.draw(TABLE.drop_columns(["relays"]))
    with pytest.raises(DrawingError, match="nonsense"):
        path_patching.draw(TABLE, topics="nonsense")
    rows = [row for row in TABLE.to_pylist() if row["part"] != "set"]
    without = pa.Table.from_pylist(rows, schema=TABLE.schema)
    with pytest.raises(DrawingError, match="part set"):
        path_patching.draw(without)


def test_the_strongest_feature_stands_first_and_others_by_name():
    table = path_tables.feature_baselines()
    drawings = [feature_baselines.draw(table, feature=name) for name in ("", "28/1147", "26/1894")]
    first, same, other = ([rows_of(panel) for panel in one.body] for one in drawings)

    assert first == same
    assert first != other
    left = {(row["change"], row["topics"]): row["estimate"] for row in first[0]}
    assert left["along the difference of means", "held-out"] == pytest.approx(0.9)
    assert {row["change"] for row in first[1]} == set(feature_baselines.FEATURE.values())
    with pytest.raises(DrawingError, match="26/9"):
        feature_baselines.draw(table, feature="26/9")
