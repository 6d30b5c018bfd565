"""From edits to the page: nothing old under a fresh mark, nothing done twice, nothing executed."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import Built, build
from tests.site_builder.conftest import put

NUMBERS = ResultId("toy", "numbers", "small")


def built(project: Project, **options: str) -> Built:
    return build(project, say=lambda _line: None, **options)  # type: ignore[arg-type]


def page(project: Project) -> str:
    return (project.site / "index.html").read_text("utf-8")


def block(project: Project, slug: str) -> str:
    found = re.search(rf'<figure[^>]*id="{slug}".*?</figure>', page(project), re.DOTALL)
    assert found, slug
    return found[0]


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_a_page_shows_what_was_measured(project: Project) -> None:
    assert built(project).drawn == 2
    text = page(project)
    assert re.search(r'<span class="post-value"[^>]*>1\.2<', text)  # 1.25 to one digit
    figure = block(project, "numbers-small")
    assert re.search(r'<img class="only-light" src="[^"]+\.light\.svg"', figure)
    for shown in (
        "Figure 1",
        "Some numbers.",
        "3 numbers",
        "made up",
        "build-site run numbers small",
    ):
        assert shown in figure
    assert "Figure 2" in block(project, "totals")


def test_every_link_of_a_block_leads_to_a_file(project: Project) -> None:
    built(project)
    urls = re.findall(r'(?:href|src|data-vega)="(\.?/?(?:figures|assets)/[^"]+)"', page(project))
    assert any(url.endswith(".csv") for url in urls)
    assert any(url.endswith(".vl.json") for url in urls)
    for url in urls:
        assert (project.site / url).is_file(), url
    assert not list(project.site.rglob("*.j2"))


def test_the_same_again_does_nothing(project: Project) -> None:
    built(project)
    before = (project.site / "index.html").stat().st_mtime_ns
    assert built(project).unchanged
    assert (project.site / "index.html").stat().st_mtime_ns == before


def test_an_edit_is_seen_whatever_its_size_and_time(
    project: Project, settled: Callable[[], None]
) -> None:
    section = project.content / "sections" / "01-numbers.md"
    text, past = section.read_text("utf-8"), time.time() - 100
    os.utime(section, (past, past))
    built(project)
    settled()
    section.write_text(text.replace("The first", "The third"), "utf-8")
    os.utime(section, (past, past))

    assert not built(project).unchanged
    assert "The third is" in page(project)
    assert built(project).unchanged


def test_a_removed_page_is_built_again(project: Project) -> None:
    built(project)
    (project.site / "index.html").unlink()
    assert not built(project).unchanged
    assert "Figure 1" in page(project)


def test_an_edited_sentence_draws_nothing_anew(project: Project) -> None:
    built(project)
    edit(project.content / "sections" / "01-numbers.md", "The first is", "The very first is")
    assert built(project).drawn == 0
    assert "The very first is" in page(project)


def test_an_edited_drawing_is_drawn_anew(project: Project) -> None:
    built(project)
    edit(project.figures / "numbers.py", "Some numbers.", "Other numbers.")
    sys.modules.pop("site_builder.figures.numbers", None)
    assert built(project).drawn == 1
    assert "Other numbers." in block(project, "numbers-small")
    assert "Some numbers." in block(project, "totals")


def test_an_edited_helper_of_drawings_draws_all_anew(project: Project) -> None:
    built(project)
    edit(project.root / "site_builder" / "charts" / "theme.py", '"left": 5', '"left": 6')
    assert built(project).drawn == 2


def test_an_edited_template_draws_anew_what_it_is_used_for(project: Project) -> None:
    built(project)
    drawing = project.figures / "numbers.py"
    outer, inner = (project.templates / f"{name}.html.j2" for name in ("outer", "inner"))
    outer.write_text('It {% include "inner.html.j2" %}.', "utf-8")
    inner.write_text("counts", "utf-8")
    drawing.write_text(drawing.read_text("utf-8") + '\n\nUSED = "outer.html.j2"\n', "utf-8")
    built(project)

    edit(inner, "counts", "counts twice")
    assert built(project).drawn == 1
    edit(project.templates / "figure.html.j2", "<figcaption>", "<figcaption >")
    assert built(project).drawn == 0


def test_new_data_is_drawn_anew(project: Project) -> None:
    built(project)
    old = block(project, "numbers-small")
    table = pa.table({"x": [1, 2], "estimate": [9.0, 8.0], "low": [8.5, 7.5], "high": [9.5, 8.5],
                      "n": [4, 5]})  # fmt: skip
    put(Store(project), NUMBERS, table)
    assert built(project).drawn == 1
    assert block(project, "numbers-small") != old
    assert ">9.0<" in page(project)


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        ("analyses/numbers.py", "double(3)", "double(4)", "analyses/numbers.py changed"),
        ("analyses/lab/arithmetic.py", "x * 2", "x * 3", "analyses/lab/arithmetic.py changed"),
        ("analyses/studies/toy.toml", "0.9", "0.8", "sampling.top_p was 0.9 and is 0.8"),
    ],
)
def test_what_is_stale_is_marked(
    project: Project, file: str, before: str, after: str, reason: str
) -> None:
    built(project)
    edit(project.root / file, before, after)
    notes = built(project, run="never").notes
    assert any(reason in note and "is stale" in note for note in notes)
    assert reason in block(project, "numbers-small")
    assert 'data-stale="yes"' in page(project)
    edit(project.root / file, after, before)
    assert built(project, run="never").notes == []
    assert reason not in page(project)


def test_a_section_that_no_page_lists_is_told(project: Project) -> None:
    draft = project.content / "sections" / "07-draft.md"
    draft.parent.mkdir(exist_ok=True)
    draft.write_text("## Draft\n", "utf-8")
    said = "content/sections/07-draft.md: no page lists this section; add << section: 07-draft >>"
    assert said in built(project).notes
    draft.unlink()
    assert built(project).notes == []


def test_the_cure_names_another_study(project: Project) -> None:
    store = Store(project)
    assert store.command(NUMBERS) == "build-site run numbers small"
    other = ResultId("other", "numbers", "small")
    assert store.command(other) == "build-site run numbers small --study other"


def test_a_remark_makes_nothing_stale(project: Project) -> None:
    built(project)
    edit(project.analyses / "numbers.py", "return double(3)", "return double(3)  # a remark")
    assert built(project).notes == []


HOSTILE = [
    '<script>alert("x")</script>',
    "</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "<< figure: numbers small >>",
    "\x02wzxhzdk:0\x03 \x02base\x03",
    "[link](javascript:alert(1)) **bold** &amp; `code`",
]


def test_text_of_results_is_text(project: Project) -> None:
    table = pa.table(
        {
            "x": list(range(len(HOSTILE))),
            "estimate": [1.0] * len(HOSTILE),
            "item": HOSTILE,
            "low": [0.5] * len(HOSTILE),
            "high": [1.5] * len(HOSTILE),
            "n": [1] * len(HOSTILE),
        }
    )
    put(Store(project), NUMBERS, table)
    section = project.content / "sections" / "01-numbers.md"
    lines = [
        f"Item << value: numbers small x={i} show=item >> is text." for i in range(len(HOSTILE))
    ]
    section.write_text(section.read_text("utf-8") + "\n\n" + "\n\n".join(lines), "utf-8")
    built(project)
    text = page(project)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert" in text
    assert "{{ 7 * 7 }}" in text
    assert "&lt;&lt; figure: numbers small &gt;&gt;" in text
    assert text.count("<figure ") == 2
    assert "javascript:alert(1)" not in re.findall(r'href="([^"]*)"', text)


def test_a_failed_build_leaves_the_last_site(project: Project) -> None:
    built(project)
    before = page(project)
    edit(project.content / "index.md", "01-numbers", "01-nombers")
    with pytest.raises(BuildError):
        built(project)
    assert page(project) == before


def test_plain_mkdocs_builds_the_same_figures(project: Project) -> None:
    """`mkdocs build` without our command: the plugin resolves by itself."""
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q"],
        cwd=project.root,
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert page(project).count("<figure ") == 2


def test_zensical_builds_the_same_figures(project: Project) -> None:
    """The theme's successor knows no plugins: the extension alone must do."""
    built(project)
    ours = re.findall(r'<figure [^>]*\bid="([^"]+)"', page(project))
    assert len(ours) == 2
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean"],
        cwd=project.root,
        check=True,
        capture_output=True,
        timeout=120,
    )
    text = page(project)
    assert re.findall(r'<figure [^>]*\bid="([^"]+)"', text) == ours
    for slug in ours:
        assert "<svg" in block(project, slug)
    assert re.search(r'<span class="post-value"[^>]*>1\.2<', text)


def test_two_pages_and_a_figure_twice(project: Project) -> None:
    (project.content / "more.md").write_text("# More\n\n<< figure: numbers small >>\n", "utf-8")
    built(project)
    more = (project.site / "more" / "index.html").read_text("utf-8")
    assert 'id="numbers-small-2"' in more
    assert "Figure 3" in more
    (url,) = re.findall(r'href="([^"]+\.csv)"', more)
    assert (project.site / "more" / url).resolve().is_file()


def test_a_figure_on_a_page_with_front_matter(project: Project) -> None:
    text = (
        "---\ntitle: More\nhide: [navigation]\n---\n\n# More\n  \n<< figure: numbers small >>\n\n"
    )
    (project.content / "more.md").write_text(text, "utf-8")
    built(project)
    more = (project.site / "more" / "index.html").read_text("utf-8")
    assert 'id="numbers-small-2"' in more


def test_messages_under_mkdocs_have_the_true_line(project: Project) -> None:
    edit(
        project.content / "sections" / "01-numbers.md",
        "<< figure: totals >>",
        "<< figure: totas >>",
    )
    told = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode != 0
    assert 'content/sections/01-numbers.md:7: unknown figure "totas"' in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("kind", "caption"), [("figure", "Figure 3"), ("table", "Table 1"), ("tokens", "Figure 3")]
)
def test_a_block_is_numbered_by_its_kind(project: Project, kind: str, caption: str) -> None:
    section = project.content / "sections" / "01-numbers.md"
    edit(section, "<< figure: totals >>", f"<< figure: totals >>\n\n<< {kind}: totals size=4 >>")
    built(project)
    figure = block(project, "totals-2")
    assert f"{caption} Some numbers." in re.sub("<[^>]+>", "", figure)
    for shown in (".csv", "3 numbers", "made up", "build-site run totals"):
        assert shown in figure
