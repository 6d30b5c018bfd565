"""The benchmark of the page measures what it says, on a small page of the post's own figures."""

from pathlib import Path

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
    # The text is the first view's, the charts are those of later visits: none bounds the other.
    assert seen["first_text_s"] > 0
    assert 0 < seen["charts_in_view_s"] <= seen["slowest_in_view_s"]
    assert seen["charts_in_view_s"] < seen["all_charts_s"]


def test_the_reference_has_the_same_text_and_a_place_for_every_figure(folder, tmp_path):
    without_figures(REPO, tmp_path / "plain", benchmark.PLACE)
    plain = tmp_path / "plain"
    texts = {page.relative_to(plain): page.read_text("utf-8") for page in plain.rglob("*.md")}
    charts = list(benchmark._charts(folder))
    shown = (folder / "index.html").read_text("utf-8")
    pages = {page.relative_to(REPO) for page in (REPO / "content").rglob("*.md")}
    sections = {page for page in pages if page.parent.name == "sections"}
    whole = "".join(texts.values())

    assert texts.keys() == pages - sections
    assert texts[Path("content/index.md")].count(benchmark.PLACE) == len(charts)
    assert sum(map(bool, charts)) == shown.count(" data-vega=") > 0
    assert "<<" not in whole
    for section in sections:
        assert (REPO / section).read_text("utf-8").split("\n")[0] in whole
