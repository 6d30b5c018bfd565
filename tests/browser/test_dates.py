"""Dates are those of UTC, in the picture and in the chart, wherever the page is built and read."""

import datetime as dt
import json
import os
import re
import subprocess
import sys

import altair as alt
import pyarrow as pa
from playwright.sync_api import Browser

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.charts.render import render

from .conftest import REPO

DAYS = pa.table(
    {
        "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 3)],
        "at": pa.array([dt.datetime(2024, 1, n, 0, 30) for n in (1, 2, 3)], pa.timestamp("ms")),
        "estimate": [1.0, 2.0, 4.0],
    }
)
HARNESS = """<!doctype html><meta charset="utf-8"><div id="chart"></div>
<script type="module">
import { draw, unfold } from "./charts.js";
const [one] = unfold(await (await fetch("./chart.json")).json());
await draw(one, document.getElementById("chart"));
document.body.dataset.drawn = "yes";
</script>"""


def drawn():
    rows = theme.rows(DAYS, "day", "at", "estimate")
    chart = (
        alt.Chart(theme.data(rows), width=theme.PANEL, height=120)
        .mark_point()
        .encode(
            x=alt.X(
                "yearmonthdate(day):T", axis=alt.Axis(format="%d %b", values=[*map(day, (1, 2, 3))])
            ),
            y="estimate:Q",
            color=alt.Color("hours(at):O"),
        )
    )
    return render(Drawing((chart,), "Days.", "Days."), "days", "0123456789abcdef")


def day(number):
    return alt.DateTime(year=2024, month=1, date=number, utc=True)


def labels(text):
    return re.findall(r">(\d\d Jan)<", text)


def test_the_picture_is_the_same_in_every_zone():
    code = "from tests.browser.test_dates import drawn; print(drawn().files)"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPO,
            env=os.environ | {"TZ": zone},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for zone in ("America/New_York", "Asia/Tokyo")
    ]
    assert said[0] == said[1]
    assert labels(said[0])[:3] == ["01 Jan", "02 Jan", "03 Jan"]


def test_a_reader_in_new_york_sees_the_days_of_the_picture(browser: Browser):
    files = drawn().files
    compiled = next(content for name, content in files.items() if name.endswith(".chart.json"))
    context = browser.new_context(timezone_id="America/New_York", locale="en-US")
    page = context.new_page()

    def answer(route):
        name = route.request.url.rpartition("/")[2]
        if name == "chart.json":
            route.fulfill(body=compiled.decode(), content_type="application/json")
        elif name == "charts.js":
            route.fulfill(path=REPO / "assets" / "charts.js", content_type="text/javascript")
        else:
            route.fulfill(body=HARNESS, content_type="text/html")

    page.route("http://post.test/**", answer)
    page.goto("http://post.test/page.html")
    page.wait_for_selector("body[data-drawn]")
    shown = page.locator("#chart svg").inner_html()
    picture = next(
        content.decode() for name, content in files.items() if name.endswith("light.svg")
    )
    assert labels(shown) == labels(picture) == ["01 Jan", "02 Jan", "03 Jan"]
    assert page.evaluate("new Date('2024-01-01').getDate()") == 31  # where the reader is
    context.close()


def test_times_reach_the_page_as_text_with_their_zone():
    files = drawn().files
    (specification,) = (
        json.loads(text) for name, text in files.items() if name.endswith(".vl.json")
    )
    (rows,) = specification["datasets"].values()
    assert rows[0] == {"day": "2024-01-01", "at": "2024-01-01T00:30:00Z", "estimate": 1.0}
