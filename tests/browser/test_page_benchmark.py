"""The benchmark of the page measures what it says, on a small page of the post's own figures."""

import pytest

from benchmarks import page as benchmark
from benchmarks.build import without_figures
from tests.browser import conftest
from tests.conftest import REPO

FAR = "\n\n".join(["A line of text."] * 100)
CONTENT = "# A page\n\n" + f"\n\n{FAR}\n\n".join(
    f"<< figure: {name} >>"
    for name in (
        "entropy swap",
        "entropy compare",
        "list_statistics items",
        "logit_lens end-hyphen",
    )
)


@pytest.fixture(scope="module")
def small(built_post, tmp_path_factory):
    return conftest.post_of(CONTENT, built_post, tmp_path_factory)


def test_a_visit_counts_what_is_sent_and_waits_for_charts(browser, small):
    with benchmark._serve(small) as (url, sent):
        seen = benchmark._visit(browser, url, sent, "ours", line=False)

    assert seen["first_view_requests"] < seen["whole_requests"]
    assert seen["first_view_compressed"] < seen["first_view_bytes"] < seen["whole_bytes"]
    assert 0 < seen["first_text_s"] < seen["charts_in_view_s"] <= seen["slowest_in_view_s"]
    assert seen["charts_in_view_s"] < seen["all_charts_s"]


def test_the_reference_has_the_same_text_and_a_place_for_every_figure(folder, tmp_path):
    without_figures(REPO, tmp_path / "plain", benchmark.PLACE)
    text = (tmp_path / "plain/content/index.md").read_text("utf-8")
    charts = list(benchmark._charts(folder))

    assert text.count(benchmark.PLACE) == len(charts)
    assert sum(map(bool, charts)) == len(list(folder.glob("figures/*.vl.json")))
    assert "<<" not in text
    for section in (REPO / "content/sections").glob("*.md"):
        heading = section.read_text("utf-8").split("\n")[0]
        assert heading in text
