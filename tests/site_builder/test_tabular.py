"""A table as it is drawn, and as a reader downloads it, whatever its texts hold."""

import csv
import io

import pyarrow as pa
import pytest

from site_builder.results import tabular

ODD = {
    "\0": "␀",
    "\x1b": "␛",
    "\r": "␍",
    "\x7f": "␡",
    "\x85": "\ufffd",
    "\u2028": "\ufffd",
    "\u2029": "\ufffd",
    "\ufffe": "\ufffd",
    "\uffff": "\ufffd",
}


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_what_ends_the_renderer_becomes_a_picture_however_deep_it_is(odd):
    text, seen = f"a{odd}b", f"a{ODD[odd]}b"
    table = pa.table(
        {
            "text": ["plain", text],
            "large": pa.array([None, text], pa.large_string()),
            "named": pa.array(["x", text]).dictionary_encode(),
            "list": [["x"], [text, None]],
            "struct": [{"k": "x"}, {"k": text}],
            "deep": [[], [{"k": [text]}]],
            "map": pa.array([[], [("k", text)]], pa.map_(pa.string(), pa.string())),
            "x": [1, 2],
        }
    )

    assert tabular.seen(table).slice(1).to_pylist() == [
        {
            "text": seen,
            "large": seen,
            "named": seen,
            "list": [seen, None],
            "struct": {"k": seen},
            "deep": [{"k": [seen]}],
            "map": [("k", seen)],
            "x": 2,
        }
    ]


def test_other_tables_are_as_they_were():
    table = pa.table({"text": ["a\n\tb", "é 🦆 \u200f", None], "list": [["\n"], [], None]})
    assert tabular.seen(table) is table


def test_columns_keep_their_types():
    table = pa.table({"x": pa.array([["\0"]], pa.list_(pa.large_string()))})
    assert tabular.seen(table).schema == table.schema


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "＝1", "'x"]
)
def test_no_cell_is_a_formula_and_it_can_be_had_back(cell):
    table = pa.table({"text": [cell, "plain"], cell: [-1, 2], "number": [-1.5, None]})

    rows = [*csv.DictReader(io.StringIO(tabular.csv(table).decode(), newline=""))]

    assert [row["text"] for row in rows] == [f"'{cell}", "plain"]
    assert [row[f"'{cell}"] for row in rows] == ["-1", "2"]
    assert [row["number"] for row in rows] == ["-1.5", ""]


def test_a_list_of_formulas_is_a_list():
    written = tabular.csv(pa.table({"x": [["=1"]]})).decode()
    assert written == '"x"\n"[\'=1\']"\n'
