"""What a chart can mark of a choice: told by its parameters and rows, whatever holds these."""

import altair as alt

from site_builder.charts import chart, highlight, theme
from site_builder.charts.drawing import PICKED, Choices, Drawing
from site_builder.charts.render import render
from site_builder.charts.vega.marked import marked

ROWS = [
    {"town": "Bath", "year": 2020.0, "v": 1},
    {"town": "<b>", "year": 2020.5, "v": 2},
    {"town": None, "year": 2020.0, "v": 3},
]


def points(data: alt.Data, *fields: str) -> alt.LayerChart:
    base = alt.Chart(data).encode(x=alt.X("v:Q"))
    return highlight.layered([highlight.ring(base, *fields), base.mark_point()], *fields)


def test_values_are_those_of_the_rows_as_a_browser_writes_them() -> None:
    spec = chart.vega_lite(points(theme.data(ROWS), "town", "year"))

    assert marked(spec) == {"town": ["Bath", "<b>"], "year": ["2020", "2020.5"]}


def test_a_field_that_is_no_parameter_or_in_no_row_is_not_marked() -> None:
    spec = chart.vega_lite(points(theme.data(ROWS), "town", "river"))

    assert marked(spec) == {"town": ["Bath", "<b>"]}


def test_a_list_in_a_cell_is_one_value_each() -> None:
    rows = [{"town": ["Bath", "Bern"], "v": 1}, {"town": ["Bern"], "v": 2}]
    spec = chart.vega_lite(points(theme.data(rows), "town"))

    assert marked(spec) == {"town": ["Bath", "Bern"]}


def test_what_can_be_picked_counts_where_the_chart_shows_it() -> None:
    options = {("a",): ROWS[:1], ("b",): ROWS[1:2]}
    follows = points(alt.InlineData(values=ROWS[:1], name=PICKED), "town")
    stays = points(theme.data(ROWS[:1]), "town")
    choices = Choices(("kind",), options, ("a",))
    rendered = render(Drawing((stays, follows), "C.", "D.", choices=choices), "slug", "0" * 8)

    assert rendered.marks == ({"town": ["Bath"]}, {"town": ["Bath", "<b>"]})
    panels = rendered.html.split('<div class="post-panel"')[1:]
    assert [panel.startswith(" data-follows") for panel in panels] == [False, True]
