"""The proxies of ending by token, by layer, and in lists by somebody else."""

import pytest

from site_builder.charts import render
from site_builder.charts.drawing import PICKED, Drawing, DrawingError
from site_builder.figures import logit_difference, logit_lens, other_lists
from tests.figures import tables


def datasets(panel) -> dict[str, list[dict]]:
    """All rows of a panel by the name of their data set."""
    spec = panel.to_dict()
    own = spec.get("data", {})
    return spec.get("datasets", {}) | ({own["name"]: own["values"]} if "values" in own else {})


def drawn(drawing: Drawing) -> list[dict]:
    return [row for panel in drawing.body for rows in datasets(panel).values() for row in rows]


@pytest.mark.parametrize("variant", ["end-hyphen", "blank-break", "by-temperature"])
def test_the_embedding_is_not_drawn(variant):
    drawing = logit_lens.draw(tables.logit_lens(variant, layers=3), variant=variant)

    assert {row["layer"] for row in drawn(drawing) if "layer" in row} == {1, 2, 3}


def test_means_over_few_lists_are_not_drawn_by_layer():
    items = logit_lens.draw(tables.logit_lens("end-hyphen", items=5)).body[0]

    assert {row["k"] for rows in datasets(items).values() for row in rows if row} == {-1, -2, -3}


def test_a_list_has_a_row_an_item_with_all_layers_after_blocks():
    choices = logit_lens.draw(tables.logit_lens("end-hyphen", layers=3, items=4)).choices

    assert choices.names == ("length word", "topic")
    assert [len(rows) for rows in choices.options.values()] == [4, 5, 5, 6]
    for rows in choices.options.values():
        assert [row["k"] for row in rows] == [len(rows) + 1 + row["k_end"] for row in rows]
        assert {len(row["estimate"]) for row in rows} == {3}
        assert (rows[0]["shade"], rows[-1]["shade"]) == (0, 5)


def test_the_caption_counts_the_intervals_that_leave_zero_out():
    drawing = logit_lens.draw(tables.logit_lens("by-temperature"), variant="by-temperature")

    # The difference is (1 − temperature) × layer, give or take 1.
    assert "4 of 8 for proxy A, 4 of 8 for proxy B" in drawing.caption
    assert "from temperature 0.8" in drawing.caption


def test_a_token_has_one_row_with_both_conditions_and_the_prompt_has_none():
    table = tables.logit_difference_example(items=2, odd="\n ")
    choices = logit_difference.draw(table, variant="example", topic="Countries").choices
    rows = choices.options["short", "Countries"]

    assert choices.chosen == ("short", "Countries")
    assert [row["token"] for row in rows][:4] == ["0003-", "0004⏎ ", "0005ia", "0006⏎"]
    assert [row["role"] for row in rows if row["deciding"]] == ["item −2", "deciding token"]
    assert all(row["proxy_a_corrupted"] == row["proxy_a_clean"] - 1 for row in rows)


@pytest.mark.parametrize(
    "drawing",
    [
        logit_difference.draw(tables.logit_difference_example(), variant="example"),
        logit_lens.draw(tables.logit_lens("end-hyphen")),
    ],
    ids=["tokens", "layers"],
)
def test_panels_of_one_list_show_the_chosen_one(drawing):
    chosen = drawing.choices.options[drawing.choices.chosen]
    shown = [datasets(panel)[PICKED] for panel in drawing.body if PICKED in datasets(panel)]

    assert len(shown) == 2
    assert all(rows == chosen for rows in shown)


@pytest.mark.parametrize("align", ["start", "end"])
def test_the_model_is_shown_no_farther_than_the_other_author(align):
    drawing = other_lists.draw(tables.other_lists(items=3, own=6), align=align)

    assert {abs(row["k"]) for row in drawn(drawing) if row.get("k")} == {1, 2, 3}


@pytest.mark.parametrize(
    ("draw", "table", "options"),
    [
        (logit_lens.draw, tables.logit_lens("end-hyphen"), {"template": "huge"}),
        (logit_lens.draw, tables.logit_lens("end-hyphen"), {"topic": "Nowhere"}),
        (
            logit_difference.draw,
            tables.logit_difference_example(),
            {"variant": "example", "template": "huge"},
        ),
        (other_lists.draw, tables.other_lists(), {"align": "middle"}),
    ],
)
def test_a_bad_option_is_refused_with_what_there_is(draw, table, options):
    with pytest.raises(DrawingError) as refusal:
        draw(table, **options)

    assert "use one of" in refusal.value.cure


def test_tokens_are_text():
    odd = '</script><img src=x onerror="alert(1)">{{ 7 * 7 }}'
    table = tables.logit_difference_example(odd=odd)
    rendered = render.render(logit_difference.draw(table, variant="example"), "slug", "0" * 16)

    assert "<img src=x" not in rendered.html
    assert "<img" not in rendered.inline
    assert "&lt;/script&gt;" in rendered.inline
