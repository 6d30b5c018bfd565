"""Parts of pages that are made from the post itself: `<< page: NAME [PART] >>`."""

import re
import subprocess
import sys

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.site_builder.conftest import write

TITLES = '''
"""The captions of the post."""

from site_builder.charts.drawing import BASE

VARIANTS = ("", "loud")


def render(blocks, *, variant=""):
    """A list of links."""
    file = blocks.publish("titles.txt", lambda: b"titles")
    return "<h3>Titles</h3>" + "".join(
        f'<a href="{BASE}/{blocks.post.url(use.page)}#{use.slug}">{use.noun} {use.number}</a>'
        for use, _ in blocks.figures()
    ) + (f'<a href="{file}">all</a>' if file else "") + "!" * (variant == "loud")
'''


@pytest.fixture
def titled(project: Project) -> Project:
    write(project.root / "site_builder" / "render" / "pages" / "titles.py", TITLES)
    write(project.content / "titles.md", "# Titles\n\n<< page: titles loud >>\n")
    return project


def text(project: Project) -> str:
    return (project.site / "titles" / "index.html").read_text("utf-8")


def built(project: Project) -> str:
    build(project, say=lambda _line: None)
    return text(project)


def test_a_page_is_one_module_and_one_line(titled: Project) -> None:
    page = built(titled)
    assert '<a href="../#numbers-small">Figure 1</a>' in page
    assert '<a href="../titles.txt">all</a>!' in page
    assert (titled.site / "titles.txt").read_bytes() == b"titles"


def test_search_reads_a_page(titled: Project) -> None:
    built(titled)
    assert "Figure 1" in (titled.site / "search" / "search_index.json").read_text("utf-8")


def test_the_theme_s_successor_shows_the_same_page_without_files(titled: Project) -> None:
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean"],
        cwd=titled.root,
        check=True,
        capture_output=True,
        timeout=120,
    )
    page = text(titled)
    assert '<a href=".././#numbers-small">Figure 1</a>' in page
    assert "titles.txt" not in page
    assert not re.search("[\x02\x03]", page)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("<< page: titels >>", 'unknown page "titels"; did you mean "titles"?'),
        ("<< page: titles laud >>", 'page "titles" has no part "laud"; did you mean "loud"?'),
        ("<< page: titles size=3 >>", 'unknown option "size" of page "titles"; a page takes none'),
        ("A << page: titles >>", "a page stands on a line of its own; put blank lines around it"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(titled: Project, line: str, message: str) -> None:
    write(titled.content / "titles.md", f"# Titles\n\n{line}\n")
    with pytest.raises(BuildError) as error:
        built(titled)
    assert [str(problem) for problem in error.value.problems] == [f"content/titles.md:3: {message}"]


def test_a_byline_has_authors_day_and_the_way_to_the_citation(project: Project) -> None:
    index = project.content / "index.md"
    body = "# Toy\n\n<< page: byline >>\n\n<< section: 01-numbers >>\n"
    write(index, f"---\nauthors: [Ada, Grace]\ndate: 2026-03-31\n---\n{body}")
    write(project.content / "sources.md", "# Sources\n\n<< page: provenance cite >>\n")
    build(project, say=lambda _line: None)

    page = (project.site / "index.html").read_text("utf-8")
    line = re.search(r'<p class="post-byline">(.*?)</p>', page)
    assert line is not None
    assert line[1] == (
        'Ada, Grace · published <time datetime="2026-03-31">31 March 2026</time>'
        ' · <a href="./sources/#cite">how to cite</a>'
    )
    assert 'id="cite"' in (project.site / "sources" / "index.html").read_text("utf-8")

    write(index, f"---\nauthors: Ada\n---\n{body}")
    build(Project(project.root), say=lambda _line: None)
    page = (project.site / "index.html").read_text("utf-8")
    measured = Store(project).recipe(ResultId(project.study, "numbers", "small")).made_at[:10]
    assert f'Ada · measured <time datetime="{measured}">' in page
