"""The study switch: another study's figure takes the place of the post's own, and comes alive."""

import pyarrow as pa
import pytest

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.browser import conftest
from tests.conftest import copy_of_built
from tests.site_builder.conftest import put

DRAWING = '''
"""A bar a row of the table."""

import altair as alt

from site_builder.charts.drawing import Drawing
from site_builder.charts import theme


def draw(table, *, variant="", part: int = 1):
    rows = [{"role": f"<img src=x> {place}", "v": place + 1} for place in range(min(table.num_rows, 4))]
    chart = alt.Chart(theme.data(rows), width=theme.PANEL, height=100).mark_bar()
    chart = chart.encode(x="v:Q", y="role:N", tooltip=["role:N", "v:Q"])
    return Drawing((chart,), f"{len(rows)} bars.", "Bars.")
'''
FAR = "\n\n".join(["A line of text."] * 200)
CONTENT = f"""# A page

<< figure: dataset >>

{FAR}

<< figure: dataset part=2 >>

<< figure: sae_health >>
"""
TITLE = "Another <i> study"


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    root = copy_of_built(built_post, tmp_path_factory.mktemp("post"))
    for name in ("dataset", "sae_health"):
        (root / f"site_builder/figures/{name}.py").write_text(DRAWING, "utf-8")
    conftest.show(root, CONTENT)
    project = Project(root)
    (study,) = [path for name, path in project.studies().items() if name == project.study]
    lines = study.read_text("utf-8").splitlines(keepends=True)
    study.with_name("other.toml").write_text(f'title = "{TITLE}"\n' + "".join(lines[1:]), "utf-8")
    for analysis in ("list_samples", "dataset"):
        put(Store(project), ResultId("other", analysis), pa.table({"template": ["short", "long"]}))
    return conftest.build(root)


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


def figure(seen, number):
    root = seen.page.locator(".post-figure").nth(number - 1)
    root.scroll_into_view_if_needed()
    root.locator("[data-drawn]").wait_for()
    return root


def bars(root):
    return root.locator(".post-view .mark-rect.role-mark path").count()


def test_the_other_study_takes_the_figures_place_and_comes_alive(visit):
    seen = visit()
    first = figure(seen, 1)
    assert bars(first) == 4
    first.locator(".post-study select").select_option("other")
    first.locator(".post-caption").get_by_text("2 bars.").wait_for()
    first.locator("[data-drawn]").wait_for()

    assert bars(first) == 2
    assert TITLE in first.locator(".post-other").inner_text()
    assert "--study other" in first.locator(".post-command").text_content()
    first.locator(".post-study select").select_option(index=0)
    first.locator(".post-caption").get_by_text("4 bars.").wait_for()
    assert first.locator(".post-other").count() == 0
    assert seen.complaints == []


def test_one_choice_switches_all_figures_that_have_the_study_when_they_come_near(visit):
    seen = visit("?study=other")
    first = figure(seen, 1)
    first.locator(".post-caption").get_by_text("2 bars.").wait_for()
    asked = [url for url in seen.requests if url.endswith(".htm")]
    last = figure(seen, 2)
    last.locator(".post-caption").get_by_text("2 bars.").wait_for()

    assert len(asked) == 1
    assert figure(seen, 3).locator(".post-study").count() == 0
    assert seen.page.locator(".post-choice select[name=study]").input_value() == "other"
    assert seen.complaints == []


def test_links_of_the_other_figure_lead_somewhere(visit, address):
    seen = visit("?study=other")
    first = figure(seen, 1)
    first.locator(".post-caption").get_by_text("2 bars.").wait_for()
    links = first.locator("a[download]").evaluate_all("links => links.map(link => link.href)")

    assert links
    assert all(seen.page.request.get(link).ok for link in links)


def test_a_study_that_no_figure_has_changes_none_and_is_told(visit):
    seen = visit("?study=nobody")

    assert bars(figure(seen, 1)) == 4
    told = seen.page.locator(".post-choice select[name=study] option:checked").inner_text()
    assert told == "nobody (not on this page)"
    assert seen.complaints == []


def test_without_scripts_the_posts_own_study_stands_there(visit):
    page = visit(java_script_enabled=False).page

    assert page.locator("form:visible").count() == page.locator(".md-search form:visible").count()
    assert page.locator(".post-caption").first.inner_text().endswith("4 bars.")


def test_text_in_a_tooltip_is_text(visit):
    seen = visit()
    bar = figure(seen, 1).locator(".post-view .mark-rect.role-mark path").first
    bar.hover(force=True)
    tip = seen.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()

    assert "<img src=x> 0" in tip.inner_text()
    assert tip.locator("img").count() == 0
    assert seen.complaints == []
