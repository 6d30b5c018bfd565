"""Four conditions on one scale, counted from either side, the last item marked."""

from site_builder.figures import entropy_conditions
from tests.figures.end_tables import entropy_conditions_table


def panels():
    return [panel.to_dict() for panel in entropy_conditions.draw(entropy_conditions_table()).body]


def rows(panel):
    return next(rows for rows in panel["datasets"].values() if "at" in rows[0])


def test_all_panels_have_the_same_axes():
    layers = [layer for panel in panels() for layer in panel["layer"] if "y" in layer["encoding"]]
    scales = [layer["encoding"]["y"].get("scale") for layer in layers]

    assert len(panels()) == 4
    assert [one for one in scales if one] == [{"domain": [0, 2.5], "nice": False}] * len(
        [one for one in scales if one]
    )


def test_items_stand_from_the_first_on_the_left_and_to_the_last_on_the_right():
    places = {(row["align"], row["k"]): row["at"] for row in rows(panels()[0])}

    assert places["start", 1] == 1
    assert places["start", 8] == 8
    assert places["end", -8] == 10
    assert places["end", -1] == 17
    assert len(places) == 16


def test_a_mean_over_few_lists_is_not_drawn():
    assert {row["n"] for row in rows(panels()[3])} == {11, 10}


def test_the_change_at_the_last_item_stands_over_each_panel_and_first_in_the_caption():
    titles = [panel["title"]["subtitle"] for panel in panels()]

    assert titles == [
        "nats; at the last item −0.30 [−0.45, −0.15]",
        "nats; at the last item −0.10 [−0.25, +0.05]",
        "nats; at the last item +0.10 [−0.05, +0.25]",
        "nats; at the last item +0.30 [+0.15, +0.45]",
    ]
    caption = entropy_conditions.draw(entropy_conditions_table()).caption
    assert caption.startswith(
        "At the last item entropy is seen to rise in 1 of 4 conditions and to fall in 1."
    )
