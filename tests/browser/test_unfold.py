"""The page's script restores what the build folded: charts with their rows, as they were."""

import json

import pytest

from site_builder.charts.vega.compact_spec import compact

ROWS = [
    {
        "place": n,
        "topic": ["Fruits", "Tools", "Trees"][n % 3],
        "study": "one",
        "missing": None,
        "held": n % 2 == 0,
        "estimate": n / 7 if n % 5 else None,
        "small": n * 1e-6,
        "curve": [n / 3, None, n / 11],
        "odd": f"</script> {n}",
    }
    for n in range(60)
]
CHARTS = [
    {
        "title": title,
        "axes": [{"orient": "bottom", "labelFont": "serif", "title": "place"}] * 2,
        "data": [{"name": "rows", "values": ROWS}, {"name": "derived", "source": "rows"}],
    }
    for title in ("first", "second")
]


@pytest.fixture
def unfold(visit, folder):
    (bundle,) = folder.glob("assets/charts.*.js")
    page = visit("claims/").page

    def unfolded(folded):
        script = "async ([url, folded]) => (await import(url)).unfold(folded)"
        # As the page gets it: as a file, in which no object is another one.
        return page.evaluate(script, [f"../assets/{bundle.name}", json.loads(json.dumps(folded))])

    return unfolded


def test_what_was_folded_is_restored(unfold):
    restored = unfold(compact(CHARTS))

    assert [{**chart, "data": None} for chart in restored] == [
        {**chart, "data": None} for chart in CHARTS
    ]
    for chart in restored:
        rows, derived = chart["data"]
        assert derived["source"] == rows["name"]
        assert len(rows["values"]) == len(ROWS)
        for found, row in zip(rows["values"], ROWS, strict=True):
            assert found.keys() == row.keys()
            for name in ("place", "topic", "study", "missing", "held", "odd"):
                assert found[name] == row[name]
            assert found["estimate"] == close(row["estimate"], 1e-3)
            assert found["small"] == close(row["small"], 1e-8)
            assert found["curve"] == [close(value, 2e-3) for value in row["curve"]]


def close(value, most):
    return None if value is None else pytest.approx(value, abs=most)


def test_the_charts_of_the_page_are_whole_when_they_are_unfolded(unfold, folder):
    files = sorted(folder.glob("figures/*.chart.json"))

    assert len(files) > 30
    for path in files:
        folded = json.loads(path.read_bytes())
        for chart in unfold(folded):
            assert chart["marks"]
            assert '"$":' not in json.dumps(chart)
            assert all(isinstance(data.get("values", []), list) for data in chart["data"])
