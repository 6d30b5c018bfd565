"""What a preview shows of a chart at once is what its build publishes."""

import json

import altair as alt
import pytest
import vl_convert

from site_builder import sketch
from site_builder.chart import themed, vega_lite
from site_builder.figures import pointing, theme

ROWS = [{"x": x, "y": x * 0.5, "kind": "ab"[x % 2]} for x in range(12)]
OTHER = [{"x": x, "y": 1 - x, "kind": "b"} for x in range(7)]


def points(rows=ROWS):
    return alt.Chart(theme.data(rows)).mark_point().encode(x="x:Q", y="y:Q", color="kind:N")


def unnamed(vega):
    """Vega with its data sets numbered, as their names are digests of the rows."""
    text = json.dumps(vega, sort_keys=True)
    for number, data in enumerate(data for data in vega["data"] if "values" in data):
        text = text.replace(data["name"], f"rows-{number}")
    return json.loads(text)


SAME = points()
CHARTS = {
    "one": points(),
    "two sets": points() + points(OTHER).mark_line(),
    "the same set twice": points() + points().mark_line(),
    "pointed at": pointing.layered([SAME, SAME.mark_line()], "topic", "layer", width=90),
    "nothing shared": pointing.layered([points(), points(OTHER)], title="Two"),
    "facets": points().facet("kind:N"),
    "selection": points().add_params(alt.selection_point(fields=["kind"])),
    "inside": alt.Chart(alt.InlineData(values=ROWS)).mark_bar().encode(x="x:O", y="mean(y):Q"),
    "none": points([]),
}


@pytest.mark.parametrize("name", CHARTS)
def test_without_its_rows_a_chart_is_compiled_as_with_them(name):
    spec = vega_lite(CHARTS[name])
    assert unnamed(sketch._with_rows(spec)) == unnamed(vl_convert.vegalite_to_vega(spec))


def test_a_page_can_point_at_layers_as_at_those_that_altair_puts_together():
    parameters = pointing.parameters("topic", "layer")
    theirs = alt.LayerChart(layer=[SAME.add_params(*parameters), SAME.mark_line()], width=90)
    assert CHARTS["pointed at"].to_dict() == theirs.to_dict()


@pytest.mark.parametrize("name", CHARTS)
def test_layers_are_written_as_altair_writes_them(name):
    assert vega_lite(CHARTS[name]) == themed(CHARTS[name].to_dict())


def test_other_rows_compile_nothing():
    sketch._skeleton.cache_clear()
    for rows in (ROWS, OTHER, ROWS[:3]):
        compiled = sketch._with_rows(vega_lite(points(rows)))
        assert [data["values"] for data in compiled["data"] if "values" in data] == [rows]
    assert sketch._skeleton.cache_info().misses == 1
