"""What a save changes at once: no more than it touches, and what is in view first."""

import shutil
from pathlib import Path

import pytest

from site_builder.core.project import Project
from site_builder.preview.edits import Workbench
from tests.site_builder.conftest import REPO

DRAWINGS = ("numbers", "totals")


@pytest.fixture
def bench(project: Project) -> Workbench:
    (project.root / "assets" / "preview").mkdir(exist_ok=True)
    return Workbench(project.root)


def changed(bench: Workbench, path: Path, before: str, after: str, *seen: str) -> list[str]:
    """Save a file otherwise; returns what pages are told, in turn."""
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    return [
        f"{message['kind']} {message.get('slug', message.get('name'))}"
        for message in bench.edit([path], seen)
    ]


@pytest.mark.parametrize("first", ["numbers-small", "totals"])
def test_a_template_changes_all_that_it_shows_and_those_in_view_first(
    project: Project, bench: Workbench, first: str
) -> None:
    for name in DRAWINGS:  # both are drawn with it
        path = project.figures / f"{name}.py"
        path.write_text(path.read_text("utf-8") + '\n\nUSED = "figure.html.j2"\n', "utf-8")
    bench.load()
    template = project.templates / "figure.html.j2"
    told = changed(bench, template, "<figcaption>", "<figcaption >", first)
    assert [line.split()[1] for line in told] == [first, *({"numbers-small", "totals"} - {first})]


def test_a_drawing_changes_its_figures_alone(project: Project, bench: Workbench) -> None:
    path = project.figures / "numbers.py"
    assert changed(bench, path, '"x:Q"', '"estimate:Q"') == ["chart numbers-small"]


def test_a_style_sheet_is_told_by_its_name(project: Project, bench: Workbench) -> None:
    shutil.copy(REPO / "assets" / "post.css", project.assets / "post.css")
    (told,) = bench.edit([project.assets / "post.css"])
    assert (told["kind"], told["name"]) == ("style", "post")
    assert str(told["url"]).startswith("assets/post.css?")


def test_a_sentence_is_told_as_its_section(project: Project, bench: Workbench) -> None:
    path = project.content / "sections" / "01-numbers.md"
    told = changed(bench, path, "The first is", "The very first is")
    assert told == ["section 01-numbers"]
