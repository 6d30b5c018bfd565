"""Charts as the page loads them: every form of a column, by hand, and what is refused."""

import json

import pytest

from site_builder.charts.vega.compact_spec import compact

NAME = "data-0123456789abcdef0123456789abcdef"


def chart(rows, **more):
    return {"$schema": "vega", "data": [{"name": NAME, "values": rows}], **more}


def columns(**named):
    rows = [dict(zip(named, cells, strict=True)) for cells in zip(*named.values(), strict=True)]
    folded = compact([chart(rows)])
    assert folded["parts"] == []
    (data,) = folded["charts"][0]["data"]
    assert data["values"]["rows"] == len(rows)
    return data["values"]["columns"]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([3, 1, 2], [3, 1, 2]),
        (["a", "a", "a"], {"all": "a"}),
        ([None] * 4, {"all": None}),
        ([True, False], [True, False]),
        ([*range(1, 31), 1, 2, 3], {"steps": [1, 30, -29, 1, 1, 2]}),
        (["never", "always", "never", "always", "always"] * 2, {"of": ["never", "always"], "at": [0, 1, 0, 1, 1] * 2}),
        (["end"] * 9 + ["going on"] * 9, {"of": ["end", "going on"], "at": {"steps": [0, 9, 1, 1, 0, 8]}}),
        # Thousandths at least; a ten-thousandth of the largest where that is finer.
        ([1.30049, None, *(n / 997 for n in range(500, 520))], {"over": 1000, "is": [1300, None, *(round(n / 0.997) for n in range(500, 520))]}),
        ([0.008141, 0.0029614, 0.0000004, *(n / 1e6 for n in range(5001, 5012))], {"over": 1000000, "is": [8141, 2961, 0, *range(5001, 5012)]}),
        ([[0.5555, 0.4444, 0.3333, 0.2222, 0.7777, 0.3579], [0.1111, None, 0.6667, 0.1234, 0.4321, 0.2468]], {"over": 10000, "is": [[5555, 4444, 3333, 2222, 7777, 3579], [1111, None, 6667, 1234, 4321, 2468]]}),
        ([0.12344, "none"], [0.1234, "none"]),
    ],
)  # fmt: skip
def test_a_column_is_told_in_its_shortest_form(cells, told):
    assert columns(x=cells) == {"x": told}


def test_a_missing_cell_is_null():
    folded = compact([chart([{"x": 1}, {"y": 2}])])

    assert folded["charts"][0]["data"][0]["values"]["columns"] == {"x": [1, None], "y": [None, 2]}


def test_no_number_is_rounded_where_small_ones_are_far_apart():
    rows = [{"x": 1e-7}, {"x": 3.5}, {"x": 2.5e-5}]
    folded = compact([chart(rows, scales=[{"name": "x", "type": "log"}])])

    assert folded["charts"][0]["data"][0]["values"]["columns"] == {"x": [1e-7, 3.5, 2.5e-5]}


def test_what_stands_twice_is_told_once_and_its_parts_before_it():
    rows = [{"role": f"role {n % 3}", "value": n / 7} for n in range(40)]
    axis = {"scale": "x", "orient": "bottom", "labels": {"size": 11, "colour": "a long colour"}}
    folded = compact([chart(rows, axes=[axis]), chart(rows, axes=[axis]), chart([], axes=[axis])])
    text = json.dumps(folded)

    assert text.count("role 2") == text.count("a long colour") == 1
    for number, part in enumerate(folded["parts"]):
        inside = json.dumps(part).split('"$": ')[1:]
        assert all(int(rest.split("}")[0]) < number for rest in inside)


def test_data_sets_get_short_names_wherever_they_are_named():
    more = {
        "marks": [{"from": {"data": NAME}}],
        "data": [{"name": NAME, "values": []}, {"name": "d", "source": NAME}],
    }
    (folded,) = compact([more | {"title": "data-5"}])["charts"]

    assert folded["data"] == [
        {"name": "rows-0", "values": {"rows": 0, "columns": {}}},
        {"name": "d", "source": "rows-0"},
    ]
    assert folded["marks"][0]["from"]["data"] == "rows-0"
    assert folded["title"] == "data-5"


def test_text_of_rows_is_left_alone():
    assert columns(x=[f"see {NAME}", "b"])["x"][0] == f"see {NAME}"


@pytest.mark.parametrize(
    "wrong", [chart([{"x": {"$": 0}}]), chart([{"$": 1}]), chart([], encode={"$": 3})]
)
def test_what_the_page_would_misread_is_refused(wrong):
    with pytest.raises(ValueError, match="chart"):
        compact([wrong])
