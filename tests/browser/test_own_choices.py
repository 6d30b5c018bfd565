"""A choice for all figures that a project names itself, of numbers, which this post has not."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser import conftest
from tests.browser.test_choices import DRAWING, Figure
from tests.conftest import copy_of_built

OWN = """
      choices:
        - {name: year, title: harvest, note: Harvests are few.}
"""
HARVESTS = (
    DRAWING[: DRAWING.index("def topics")]
    + """
def draw(table, *, variant="", part: int = 1):
    if part == 1:
        return bars(("harvest",), {("2020",): {"item": 11}, ("2021",): {"item": 21}})
    cells = [{"role": role, "layer": k, "year": 2020 + k} for role in ("a", "b") for k in range(3)]
    cell = alt.Chart(theme.data(cells), width=theme.PANEL, height=100).mark_rect()
    lit = alt.when(highlight.match("year")).then(alt.value(0.9)).otherwise(alt.value(0.2))
    heat = cell.encode(x="layer:O", y="role:N", opacity=lit)
    return Drawing((heat.add_params(*highlight.parameters("year")),), "Cells.", "Cells.")
"""
)


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    root = copy_of_built(built_post, tmp_path_factory.mktemp("post"))
    config = root / "mkdocs.yml"
    text = config.read_text("utf-8")
    config.write_text(re.sub(r"\n      choices:\n(?: {8}.*\n)*", OWN, text), "utf-8")
    (root / "site_builder/figures/dataset.py").write_text(HARVESTS, "utf-8")
    conftest.show(root, "# A page\n\n<< figure: dataset >>\n\n<< figure: dataset part=2 >>\n")
    return conftest.build(root)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


def test_menus_marks_bar_and_address_follow_it(visit):
    seen = visit()
    figure, cells = Figure(seen, 1), Figure(seen, 2)
    assert cells.lit() == []
    figure.pick("harvest", "2021", "harvest 2021")
    assert figure.values() == [21]
    assert cells.lit() == []
    figure.everywhere().click()
    assert cells.lit() == ["a1", "b1"]
    bar = seen.page.locator("form.post-choice")
    assert bar.get_by_label("Harvest").input_value() == "2021"
    assert bar.get_by_label("Topic").count() == 0
    told = "harvest 2021: 1 follows, 1 marks it. Harvests are few."
    assert bar.locator(".post-heard").text_content() == told
    assert parse_qs(urlsplit(seen.page.url).query) == {"year": ["2021"]}
    assert seen.complaints == []
