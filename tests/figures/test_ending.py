"""The opening figure's plain HTML: one list, in order, with both chances as text."""

import json
import re

import pytest

from site_builder.charts.drawing import DrawingError
from site_builder.figures import ending
from tests.figures import tables
from tests.figures.test_escaping import read


def cells(drawing, part="ending-list"):
    """The texts of the rows of one part of the table."""
    body = re.search(rf'<tbody[^>]* class="{part}".*?</tbody>', drawing.body, re.DOTALL)[0]
    rows = re.findall(r"<tr.*?>(.*?)</tr>", body, re.DOTALL)
    return [[read(cell).text for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_items_stand_in_order_with_both_chances():
    drawing = ending.draw(tables.ending(), topic="Animals", sample=0)

    assert cells(drawing) == [
        ["Paris", "", "0.2\u00a0%", "0.1\u00a0%"],
        ["item 2", "", "0.5\u00a0%", "0.2\u00a0%"],
        ["item 3", "", "1.0\u00a0%", "0.3\u00a0%"],
        ["item 4", "", "1.9\u00a0%", "0.6\u00a0%"],
    ]
    assert re.findall(r'<rect class="is-short"[^>]* width="([^"]+)"', drawing.body)[0] == "0.24%"


@pytest.mark.parametrize(("sample", "told"), [(0, "The model ended"), (2, "met its limit")])
def test_the_end_is_told_and_so_is_a_cut(sample, told):
    drawing = ending.draw(tables.ending(), topic="Countries", sample=sample)
    spans = re.findall(r"<span data-when=\"[^\"]*\">(.*?)</span>\n", drawing.body)
    shown = [read(span).text for span in spans]

    assert told in shown[0]
    assert len(shown) == (2 if sample == 0 else 1)
    if sample == 0:
        assert "asked for a long list, it would have gone on" in shown[1].lower()
        assert "99\u00a0%" in shown[1]


def test_the_first_list_has_median_length_and_a_typical_gap():
    """Ended lists have 2, 3, 3, 4, 4, 5 items; of the two with 3, topic 1's gap is the larger."""
    drawing = ending.draw(tables.ending())

    assert "<b data-topic>Countries</b>" in drawing.body
    assert len(cells(drawing)) == 3


def test_means_stand_below_with_their_intervals():
    rows = cells(ending.draw(tables.ending(), template="long"), 'ending-means" data-means="long')

    assert [row[0] for row in rows] == [
        "mean at the last item of the 7 long lists that ended", "mean at the items before it",
    ]  # fmt: skip
    assert rows[0][2:] == [
        "40\u00a0%35\u2009–\u200945\u00a0%",
        "10\u00a0%5.0\u2009–\u200915\u00a0%",
    ]


def test_every_list_is_in_the_file_of_its_topic():
    table = tables.ending()
    files = ending.draw(table).files
    lists = [json.loads(files[f"topic-{number}.json"]) for number in range(3)]
    items = sum(
        len(one["items"])
        for topic in lists
        for samples in topic.values()
        for one in samples.values()
    )

    assert items == table["part"].to_pylist().count("item")
    assert lists[1]["long"]["2"]["ended"] is False
    assert lists[1]["long"]["0"]["short"] == [0.0012, 0.0024, 0.0048]


@pytest.mark.parametrize(
    ("chance", "shown"),
    [
        (None, "–"), (0.0, "<0.1 %"), (0.00049, "<0.1 %"), (0.0005, "0.1 %"), (0.0625, "6.3 %"),
        (0.0994, "9.9 %"), (0.0996, "10 %"), (0.125, "13 %"), (0.34, "34 %"), (0.998, "99 %"),
    ],
)  # fmt: skip
def test_a_chance_is_never_nothing_and_never_certain(chance, shown):
    assert ending.percent(chance) == shown.replace(" ", "\u00a0")


def test_what_is_not_known_is_said():
    table = tables.ending(topics=1, samples=2)
    rows = [{**row, "p_long": None} if row["k"] == 2 else row for row in table.to_pylist()]
    drawing = ending.draw(type(table).from_pylist(rows, schema=table.schema), sample=0)

    assert cells(drawing)[1] == ["item 2", "", "0.1\u00a0%", "–"]
    assert "probability of <b data-gone-on>–</b>" in drawing.body


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"topic": "Nowhere"}, "City Names"),
        ({"template": "none"}, "short, long"),
        ({"topic": "Animals", "sample": 9}, "0, 1, 2"),
    ],
)
def test_a_list_that_is_not_there_is_refused_with_what_there_is(options, cure):
    with pytest.raises(DrawingError) as refusal:
        ending.draw(tables.ending(), **options)

    assert cure in refusal.value.cure
