"""What a preview shows of a chart at once is what its build publishes."""

import json
import re

import altair as alt
import pytest
import vl_convert

from site_builder.charts import highlight, sketch, theme
from site_builder.charts.chart import themed, vega_lite

ROWS = [{"x": x, "y": x * 0.5, "kind": "ab"[x % 2]} for x in range(12)]
OTHER = [{"x": x, "y": 1 - x, "kind": "b"} for x in range(7)]


def points(rows=ROWS):
    return alt.Chart(theme.data(rows)).mark_point().encode(x="x:Q", y="y:Q", color="kind:N")


def titled(first, second, third):
    """A chart with titles wherever it can have some."""
    title = alt.TitleParams(third, subtitle=[second, "below"])
    return (
        points()
        .properties(title=title)
        .encode(
            x=alt.X("x:Q", title=first),
            y=alt.Y("y:Q", axis=alt.Axis(title=[first, second])),
            color=alt.Color("kind:N", legend=alt.Legend(title=second)),
            tooltip=[alt.Tooltip("x:Q", title=first), alt.Tooltip("y:Q", title=second)],
        )
    )


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
    "pointed at": highlight.layered([SAME, SAME.mark_line()], "topic", "layer", width=90),
    "nothing shared": highlight.layered([points(), points(OTHER)], title="Two"),
    "facets": points().facet("kind:N"),
    "selection": points().add_params(alt.selection_point(fields=["kind"])),
    "inside": alt.Chart(alt.InlineData(values=ROWS)).mark_bar().encode(x="x:O", y="mean(y):Q"),
    "none": points([]),
    "titles": titled('Says "\\\\ <b>{0}', "é\tand", ["Two", "lines", ""]),
    "the same title": titled("x", "x", "x") + titled("x", "x", ""),
    "other titles": titled("a", "b", "c") + titled("b", "a", "a").mark_line(),
    "empty titles": titled("", "", ""),
    "titles like marks": titled("⟦0⟧", "⟦1⟧", "⟦"),
    "titled facets": titled("a", "b", "c").facet(alt.Row("kind:N", title='of "a" kind')),
}


def told(vega):
    """Vega with its titles as they are told, and not as signals."""
    signals = vega.get("signals", [])
    words = {one["name"]: one["value"] for one in signals if one["name"].startswith(sketch.WORDS)}
    assert len(words) == len({*words.values()})

    def inside(value):
        if isinstance(value, list):
            return [inside(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"signal"} and value["signal"] in words:
            return words[value["signal"]]
        return {key: inside(one) for key, one in value.items()}

    rest = [one for one in signals if one["name"] not in words]
    return inside({key: value for key, value in vega.items() if key != "signals"}) | (
        {"signals": rest} if rest else {}
    )


def drawn(vega):
    """A picture, whose clips and gradients are numbered over all that this process draws."""
    return re.sub(
        r"(clip|gradient_)\d+", r"\1", vl_convert.vega_to_svg(json.loads(json.dumps(vega)))
    )


@pytest.mark.parametrize("name", CHARTS)
def test_without_its_rows_and_titles_a_chart_is_compiled_as_with_them(name):
    spec = vega_lite(CHARTS[name])
    compiled, expected = sketch._with_rows(spec), vl_convert.vegalite_to_vega(spec)
    assert unnamed(told(compiled)) == unnamed(expected)
    assert drawn(compiled) == drawn(expected)


def test_a_page_can_point_at_layers_as_at_those_that_altair_puts_together():
    parameters = highlight.parameters("topic", "layer")
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


def test_other_titles_compile_nothing_and_are_all_that_is_new():
    sketch._skeleton.cache_clear()
    shapes = []
    for number in range(3):
        chart = (
            points().properties(title=f"The {number}th").encode(y=alt.Y("y:Q", title=f"y{number}"))
        )
        compiled = sketch._with_rows(vega_lite(chart))
        assert told(compiled)["title"]["text"] == f"The {number}th"
        assert f"y{number}" in [axis.get("title") for axis in told(compiled)["axes"]]
        shapes.append(compiled | {"signals": [one["name"] for one in compiled["signals"]]})
    assert shapes[0] == shapes[1] == shapes[2]
    assert sketch._skeleton.cache_info().misses == 1
