"""The trace: where tokens stand, what is inked and told of them, and where arcs go."""

import json
import re
from itertools import combinations, pairwise

import pyarrow.parquet as pq
import pytest

from site_builder.charts.drawing import DrawingError
from site_builder.figures import trace, trace_curves, trace_rows, trace_stage, trace_words
from tests.conftest import REPO
from tests.figures import trace_tables
from tests.figures.test_escaping import read

COMMITTED = REPO / "data/smollm2-135m-instruct/trace.parquet"
POINT = r"-?[\d.]+ -?[\d.]+"


@pytest.fixture(scope="module")
def drawing():
    return trace.draw(trace_tables.trace())


@pytest.fixture(scope="module")
def committed():
    return trace.draw(pq.read_table(COMMITTED))


def lists(drawing) -> dict[str, dict]:
    """The lists that the page's script can fetch, by topic."""
    files = re.findall(r'<option value="([^"]+)" data-file="\x02files\x03([^"]+)"', drawing.body)
    return {topic: json.loads(drawing.files[file]) for topic, file in files}


def means(drawing) -> dict:
    return json.loads(drawing.files["means.json"])


def sentences(drawing) -> list[str]:
    found = re.findall(r'<p class="trace-tells">(.*?)</p>', drawing.body, re.DOTALL)
    return [read(one).text for one in found]


def panels(drawing) -> list[str]:
    return re.findall(r'<svg class="trace-panel".*?</svg>', drawing.body, re.DOTALL)


def test_each_step_says_who_moved_it_and_where_it_stands(drawing):
    assert [one.replace("\u00a0", " ") for one in sentences(drawing)] == [
        "The requests differ in one word, so at first all of the difference stands there. "
        "Head 0.1 reads the length word and writes at the rest of the prompt: alone it restores 40 % "
        "(38 to 42). After 1 block the rest of the prompt holds 40 % (38 to 42), the length word "
        "60 % (58 to 62).",
        "Head 1.0 reads the rest of the prompt and writes at the earlier items: alone it restores 30 % "
        "(28 to 32). After 2 blocks the earlier items hold 30 % (28 to 32), the length word 10 % "
        "(8 to 12).",
        "Head 2.2 writes more at the deciding token, and the MLP of block 2 writes there: alone "
        "they restore 20 % (18 to 22) and 70 % (68 to 72). After all 3 blocks the deciding token "
        "holds all of it, as the answer is read there.",
    ]


def test_held_out_topics_have_sentences_of_their_own():
    drawing = trace.draw(trace_tables.trace(), topics="held-out")

    assert "alone it restores 35\u00a0% (33 to 37)" in sentences(drawing)[0]
    with pytest.raises(DrawingError, match='topics "none"'):
        trace.draw(trace_tables.trace(), topics="none")


def test_a_panel_has_ink_numbers_outlines_and_names_of_its_step(drawing):
    first, second, last = panels(drawing)

    # Alone, tokens of the first list hold half of what their role does: 30 % and 20 %.
    assert re.findall(r'<text x="[^"]*" y="[^"]*">([^<]+)</text>', first) == [
        "30", "20", "20", "head 0.1 · 40 %",
    ]  # fmt: skip
    assert re.findall(r'fill-opacity="([\d.]+)"', first) == ["0.44", "0.36", "0.36"]
    assert second.count('class="is-below"') == 2  # both folded marks are below zero
    assert "−10" in second
    assert re.findall(r"<g class=\"trace-rings\">(.*?)</g>", last)[0].count("<use") == 2
    assert not re.findall(r"<g class=\"trace-rings\">(.*?)</g>", second)[0]


def test_arcs_go_from_what_a_head_reads_to_what_it_writes(drawing):
    picture = lists(drawing)["Fruits"]
    tokens = {text: (x, y, width) for text, x, y, width, _ in picture["tokens"]}
    arcs = picture["steps"]["own"][1]["arcs"]

    # To the earlier item's three tokens and the last hyphen; marks of the turn are too faint.
    assert len(arcs) == 4
    x, y, width = tokens["list"]
    for way, _ in arcs:
        start = [float(number) for number in re.findall(POINT, way)[0].split()]
        assert start == pytest.approx([x + width / 2, y + trace_stage.BOX], abs=0.1)
    assert max(width for _, width in arcs) == pytest.approx(18 * 0.1)


def test_a_list_that_was_not_patched_by_token_has_the_means_of_its_roles(drawing):
    picture = lists(drawing)["Animals"]
    roles = means(drawing)["roles"]

    assert picture["own"] == []
    assert list(picture["steps"]) == ["role"]
    assert [roles[role] if role >= 0 else None for *_, role in picture["tokens"]][1:5] == [
        None, "the length word", "the rest of the prompt", "the rest of the prompt",
    ]  # fmt: skip
    told = trace.draw(trace_tables.trace(), topic="Animals")
    assert "their mean, role by role" in told.caption
    assert "Fruits, token by token" in trace.draw(trace_tables.trace()).caption


def test_means_are_whole_percent_with_their_ends_and_a_sentence(drawing):
    found = means(drawing)

    assert found["means"][1][:2] == [[60, 58, 62], [40, 38, 42]]
    assert found["said"][2].replace("\u00a0", " ") == (
        "After 2 blocks: the earlier items 30 % (28 to 32), the rest of the prompt 20 % (18 to 22), "
        "the length word 10 % (8 to 12)."
    )


def test_too_few_topics_give_no_interval():
    table = trace_tables.trace()
    rows = [{**row, "low": None, "high": None} for row in table.to_pylist()]
    drawing = trace.draw(type(table).from_pylist(rows, schema=table.schema))

    assert means(drawing)["means"][1][0] == [60, None, None]
    assert sentences(drawing)[1].endswith(
        "the earlier items hold 30\u00a0%, the length word 10\u00a0%."
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("earlier", None), "the earlier items"),
        (("break", -2), "the line break of the last item but one"),
        (("item", -1), "the name of the last item"),
        (("hyphen", -7), "the hyphen of the item 7 from the end"),
    ],
)
def test_a_role_has_words(place, words):
    assert trace_words.place(*place) == words


def test_no_token_of_any_list_lies_on_another_or_outside(committed):
    for topic, picture in lists(committed).items():
        boxes = [(x, y, width) for _, x, y, width, _ in picture["tokens"]]
        assert all(x >= 0 and x + width <= trace_stage.WIDTH for x, _, width in boxes), topic
        assert all(y + trace_stage.BOX <= picture["height"] for _, y, _ in boxes), topic
        for (x, y, width), (other, below, _) in combinations(boxes, 2):
            assert y != below or other >= x + width, topic


def test_tokens_stand_in_reading_order(committed):
    for picture in lists(committed).values():
        places = [(y, x) for _, x, y, _, _ in picture["tokens"]]
        assert all(one < after for one, after in pairwise(places))


def test_names_that_are_long_wrap_and_are_never_wider_than_the_stage():
    picture = lists(trace.draw(trace_tables.trace(odd="W" * 90)))["Fruits"]

    assert all(x + width <= trace_stage.WIDTH for _, x, _, width, _ in picture["tokens"])


def test_the_page_gets_little_of_it(committed):
    assert len(committed.body.encode()) <= 40_000
    assert max(map(len, committed.files.values())) <= 12_000


def test_a_result_without_steps_is_refused():
    table = trace_tables.trace()
    rows = [row for row in table.to_pylist() if row["part"] != "mover"]

    with pytest.raises(DrawingError, match="no row with part mover"):
        trace.draw(type(table).from_pylist(rows, schema=table.schema))


def test_a_list_that_is_not_there_is_refused_with_what_there_is(drawing):
    with pytest.raises(DrawingError) as refusal:
        trace.draw(trace_tables.trace(), topic="Nowhere")

    assert refusal.value.cure == "use one of: Fruits, Animals"


@pytest.mark.parametrize("study", ["smollm2-135m-instruct", "gemma-3-270m"])
def test_no_label_of_a_curve_stands_in_another_one(study):
    every = pq.read_table(REPO / "data" / study / "trace.parquet").to_pylist()
    shown = trace_rows.Trace([row for row in every if row["topics"] in ("all", None)])
    places = trace_curves.curves(shown)["places"]

    assert len(places) > 2
    for one, other in combinations(places, 2):
        letters = (len(one["name"]) + len(other["name"])) / 2
        beside = abs(one["x"] - other["x"]) >= letters * trace_curves.LETTER
        assert beside or abs(one["y"] - other["y"]) >= trace_curves.LINE
