"""One list under each intervention: where it goes another way, how it ends, what stands under it."""

import json
import re

import pytest

from site_builder.charts.drawing import DrawingError
from site_builder.figures import interventions
from tests.figures.end_tables import LISTS, interventions_table
from tests.figures.test_escaping import ODD, read


def columns(drawing) -> dict[str, str]:
    """The HTML of each column, by intervention."""
    parts = re.split(r'<li data-intervention="([^"]+)">', str(drawing.body))[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


FIRST = {"topic": "City Names", "sample": 0}


def lines(column: str) -> list[tuple[str, bool]]:
    """The lines of a column's list, and which of them are marked as not unchanged's."""
    found = re.findall(r"<li([^>]*)>(.*?)</li>", column)
    return [(text, "data-new" in marks) for marks, text in found]


def test_each_column_shows_its_list_marked_from_where_it_goes_another_way():
    shown = columns(interventions.draw(interventions_table(), **FIRST))

    assert list(shown) == list(LISTS)
    assert lines(shown["unchanged"]) == [("Paris", False), ("item 1", False)]
    assert lines(shown["steering"]) == [("Paris", False), ("item 1", False), ("item 2", True)]
    assert lines(shown["random"]) == [("Paris 0", True)]
    assert "ended after 2 items" in shown["unchanged"]
    assert "ended after 1 item<" in shown["random"]
    assert "cut after 19 items" in shown["top"]


def test_a_long_list_is_folded_and_none_of_it_is_lost():
    top = columns(interventions.draw(interventions_table(), **FIRST))["top"]
    opened, _, folded = top.partition("<details")

    assert len(lines(opened)) == interventions.OPEN
    assert '<ol start="14">' in folded
    assert len(lines(opened)) + len(lines(folded)) == 20
    assert lines(folded)[-1] == ("item 19", True)
    steering = columns(interventions.draw(interventions_table(), **FIRST))["steering"]
    assert "<details hidden>" in steering


@pytest.mark.parametrize(
    ("lengths", "count"),
    [([5] * 13, 13), ([5] * 14, 14), ([5] * 15, 13), ([34] * 9, 6), ([400, 5, 5], 1), ([], 0)],
)
def test_what_stands_open_fits_a_screen_and_no_fold_is_made_for_one_line(lengths, count):
    assert interventions.opened([{"text": "x" * length} for length in lengths]) == count


def test_the_hazard_stands_under_the_list_as_words_and_as_a_point():
    """The shares fall from column to column, and so do the points on their common scale."""
    shown = columns(interventions.draw(interventions_table()))
    heights = [float(re.search(r'cy="([\d.]+)"', column)[1]) for column in shown.values()]
    levels = {re.search(r'class="level"[^>]*d="M34 ([\d.]+)L', one)[1] for one in shown.values()}

    assert "6.0% [3.0%, 12.0%]" in " ".join(read(shown["unchanged"]).text.split())
    assert "× 0.50 [0.20, 0.90]" in " ".join(read(shown["steering"]).text.split())
    assert heights == sorted(heights)
    assert levels == {f"{heights[0]:g}"}


def test_the_caption_says_which_interventions_work():
    assert interventions.draw(interventions_table()).caption.startswith(
        "5 of 6 interventions make a list end less often: long prompt, biased logit, steering "
        "vector, changed features, own mean."
    )


def test_every_list_is_in_the_file_of_its_topic():
    files = interventions.draw(interventions_table(topics=2, samples=2)).files
    second = json.loads(files["topic-1.json"])

    assert list(second) == ["0", "1"]
    assert second["1"]["long prompt"] == {
        "lines": [["Paris", "item"], *([f"item {k}", "item"] for k in range(1, 6))],
        "open": 6, "end": "ended after 6 items", "ended": True,
    }  # fmt: skip


def test_the_list_shown_first_has_the_median_length_of_those_that_ended():
    """Unchanged lists have 2, 3, 3 and 4 items."""
    assert "topic City Names · sample 1" in interventions.draw(interventions_table()).body


def test_a_list_can_be_asked_for_and_one_that_is_not_there_is_refused():
    drawing = interventions.draw(interventions_table(), topic="Countries", sample=1)
    assert "topic Countries · sample 1" in drawing.body

    for options in ({"topic": "Nowhere"}, {"sample": 9}, {"layer": 5}, {"topics": "none"}):
        with pytest.raises(DrawingError, match="use one of"):
            interventions.draw(interventions_table(), **options)


@pytest.mark.parametrize("odd", ODD)
def test_what_the_model_wrote_is_text(odd):
    tags = read(str(interventions.draw(interventions_table(odd=odd)).body))

    assert odd in tags.text
    assert not {"script", "img"} & set(tags.found)
