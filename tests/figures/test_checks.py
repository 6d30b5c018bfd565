"""A chart that would show nothing, or something else than it says, is refused by name."""

import altair as alt
import pytest

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing, DrawingError
from site_builder.charts.render import render

ROWS = [
    {"step": 0, "loss.train": 2.0, "acc [%]": 50.0, "p": 0.0, "none": None, "seed": 9007199254740993},
    {"step": 1, "loss.train": 1.0, "acc [%]": 60.0, "p": 0.1, "none": None, "seed": 9007199254740992},
]  # fmt: skip


def chart(rows=ROWS, **channels):
    return (
        alt.Chart(theme.data(rows), width=theme.PANEL, height=100).mark_point().encode(**channels)
    )


def drawn(*panels):
    return render(Drawing(panels, "A caption.", "A description."), "a", "0123456789abcdef")


LOG = alt.Scale(type="log")


@pytest.mark.parametrize(
    ("panel", "what", "cure"),
    [
        (
            chart(x="step:Q", y=alt.Y("loss.train", type="quantitative")),
            'chart 1 reads "loss.train" as a part of "loss", which is no column',
            'write "loss\\.train", or rename it',
        ),
        (
            chart(x="step:Q", y="step:Q", tooltip=[alt.Tooltip("acc [%]", type="quantitative")]),
            'chart 1 reads "acc [%]" as a part of "acc ", which is no column',
            'write "acc \\[%\\]", or rename it',
        ),
        (
            chart(x="step:Q", y=alt.Y("p:Q", scale=LOG)),
            'chart 1 shows "p" on a log scale, where 0 and less have no place',
            "leave these rows out, or use a symlog scale",
        ),
        (
            chart(x="step:Q", y="none:Q"),
            'chart 1 has no values of "none" to show along its y axis',
            "measure it again, or draw what it has",
        ),
        (chart([], x="step:Q"), "chart 1 has no rows to show", "measure it again, or draw what it has"),
        (
            alt.layer(chart(x="step:Q"), chart(x="step:Q", y=alt.Y("p:Q", scale=LOG))),
            'chart 1 shows "p" on a log scale, where 0 and less have no place',
            "leave these rows out, or use a symlog scale",
        ),
    ],
)  # fmt: skip
def test_what_a_chart_would_not_show_is_told(panel, what, cure):
    with pytest.raises(DrawingError) as raised:
        drawn(panel)
    assert (raised.value.what, raised.value.cure) == (what, cure)


@pytest.mark.parametrize(
    "panel",
    [
        chart(x="step:Q", y=alt.Y("loss\\.train", type="quantitative")),
        chart(x="step:Q", y=alt.Y("acc \\[%\\]", type="quantitative")),
        chart(ROWS[1:], x="step:Q", y=alt.Y("p:Q", scale=LOG)),
        chart(x="step:Q", y=alt.Y("p:Q", scale=alt.Scale(type="symlog"))),
        chart(x="step:Q", y="count()"),
        chart(x="step:Q", y="more:Q").transform_calculate(more="datum.step + 1"),
        alt.layer(chart(x="step:Q", y="none:Q"), chart(x="step:Q", y="p:Q")),
        alt.layer(chart([], x="step:Q", y="p:Q"), chart(x="step:Q", y="p:Q")),
        chart(x=alt.value(3), y="p:Q"),
    ],
)
def test_what_it_shows_is_drawn(panel):
    assert drawn(panel).interactive


def test_whole_numbers_that_a_browser_would_round_are_text():
    svg = drawn(chart(x="step:Q", y="seed:N")).inline
    assert "9007199254740993" in svg
    assert "9007199254740992" in svg
