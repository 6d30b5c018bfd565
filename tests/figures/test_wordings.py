"""The drawing of wordings: which rows it has, what they are called, what is left out."""

import pytest

from site_builder.charts.drawing import DrawingError
from site_builder.figures import wordings
from tests.figures import wording_tables

TABLE = wording_tables.table()


def test_a_row_is_a_wording_and_says_what_stood_before_where_that_differs() -> None:
    (panel,) = wordings.draw(TABLE).body
    spec = panel.to_dict()
    points = next(rows for rows in spec["datasets"].values() if any("asked" in row for row in rows))

    assert list(dict.fromkeys(row["asked"] for row in points)) == [
        "A list of 3 / 9 … (3,9)",
        "A list of 3 / 9 … (4,8)",
        "… (short / long list)",
    ]
    assert {row["item"] for row in points} == {"item 3", "item 5", "item 9"}
    assert len(points) == 9
    first = {row["item"]: row["estimate"] for row in points[:3]}
    assert first == {"item 3": 3.5, "item 5": 2.5, "item 9": 0.5}


def test_it_has_no_variant() -> None:
    with pytest.raises(DrawingError, match="variant"):
        wordings.draw(TABLE, variant="mean")
