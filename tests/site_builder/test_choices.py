"""What mkdocs.yml names as one choice for all figures: read, refused, handed to the scripts."""

import json
import re
from html import unescape

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post import choices
from site_builder.site.build import build
from tests.site_builder.conftest import REPO

OWN = (REPO / "mkdocs.yml").read_text("utf-8")
LINE = OWN[: OWN.index("      choices:\n")].count("\n") + 1


def named(project: Project, given: str) -> Project:
    """The project with other choices."""
    path = project.root / "mkdocs.yml"
    text = re.sub(
        r"      choices:.*\n(?: {8}.*\n)*", f"      choices: {given}\n", path.read_text("utf-8")
    )
    path.write_text(text, "utf-8")
    return Project(project.root)


def test_the_choices_are_those_of_mkdocs_yml(shelves: Project) -> None:
    given = (
        "[{name: city, title: town, otherwise: towns are pooled}, "
        "{name: year, title: year, note: Of some.}]"
    )
    found, problems = choices.load(named(shelves, given))
    assert problems == []
    city = {"name": "city", "title": "town", "otherwise": "towns are pooled"}
    year = {"name": "year", "title": "year"}
    assert found == [city, year | {"note": "Of some."}]


def test_a_project_without_any_has_none(shelves: Project) -> None:
    assert choices.load(named(shelves, "")) == ([], [])


FORM = "write - {name: NAME, title: WORDS}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("topic", [f"'topic' is no list; {FORM}"]),
        ("[topic]", [f"'topic' has no name and title; {FORM}"]),
        ("[{name: a}]", [f"{{'name': 'a'}} has no name and title; {FORM}"]),
        ("[{name: a, title: b, nota: c}]", ['unknown key "nota" of a; did you mean "note"?']),
        ("[{name: a, title: 3}]", ["the title of a is no text; write title: WORDS"]),
        ("[{name: a, title: b, note: ''}]", ["the note of a is no text; write note: WORDS"]),
        (
            "[{name: A b, title: c}]",
            ['"A b" cannot stand in an address; write it in small letters, as a column'],
        ),
        (
            "[{name: a, title: c}, {name: b, title: c}]",
            ['both a and b are called "c"; keep one'],
        ),
        (
            "[{name: a, title: b}, {name: b, title: d}]",
            ['both a and b are called "b"; keep one'],
        ),
        (
            "[{name: a, title: study}]",
            ['both study and a are called "study"; every page has that'],
        ),
        (
            "[{name: a, title: ''}, b]",
            ["the title of a is no text; write title: WORDS", f"'b' has no name and title; {FORM}"],
        ),
    ],
)
def test_what_is_no_choice_is_told_at_its_line(
    shelves: Project, given: str, said: list[str]
) -> None:
    found, problems = choices.load(named(shelves, given))
    assert found == []
    assert [*map(str, problems)] == [f"mkdocs.yml:{LINE}: choices: {line}" for line in said]


@pytest.mark.builds
def test_every_page_tells_the_scripts_what_is_chosen(project: Project) -> None:
    given = """[{name: city, title: "town's <b>"}]"""
    build(named(project, given), run="never", say=lambda _line: None)
    page = (project.site / "index.html").read_text("utf-8")
    (told,) = re.findall(r"<meta name=\"post-choices\" content='([^']*)'>", page)
    assert json.loads(unescape(told)) == [{"name": "city", "title": "town's <b>"}]
    assert "<b>" not in told
    build(named(project, ""), run="never", say=lambda _line: None)
    assert "post-choices" not in (project.site / "index.html").read_text("utf-8")


def test_a_faulty_choice_stops_a_build(project: Project) -> None:
    with pytest.raises(BuildError, match=f"mkdocs.yml:{LINE}: choices: 'x' is no list"):
        build(named(project, "x"), run="never", say=lambda _line: None)
