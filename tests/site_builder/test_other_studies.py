"""Figures of other studies: drawn where they have a result, told apart, and no error of the post."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.site_builder.conftest import put
from tests.site_builder.test_build import block, built, edit

OTHER = ResultId("other", "numbers", "small")
TITLE = "Another & <b>"


@pytest.fixture
def studies(project: Project) -> Project:
    toy = project.analyses / "studies" / "toy.toml"
    (toy.with_name("other.toml")).write_text(
        toy.read_text("utf-8").replace("A toy", TITLE), "utf-8"
    )
    table = pa.table({"x": [1], "estimate": [7.5], "low": [7.0], "high": [8.0], "n": [99]})
    put(Store(project), OTHER, table)
    return project


def files(project: Project, slug: str) -> dict[str, Path]:
    found = re.findall(r'<option value="(\w+)" data-file="\./([^"]+)"', block(project, slug))
    return {study: project.site / name for study, name in found}


def test_a_figure_that_two_studies_have_can_be_switched(studies: Project) -> None:
    assert built(studies).notes == []
    figure = block(studies, "numbers-small")
    switch = files(studies, "numbers-small")

    assert list(switch) == ["toy", "other"]
    assert '<option value="other"' in figure
    assert "Another &amp; &lt;b&gt;</option>" in figure
    assert "post-study" not in block(studies, "totals")
    other, own = (switch[name].read_text("utf-8") for name in ("other", "toy"))
    assert "<b>Another &amp; &lt;b&gt;</b>" in other
    assert "7.5" in other
    assert "--study other" in other
    assert "post-other" not in own
    assert "post-study" not in other + own


def test_all_that_the_other_figure_links_to_is_there(studies: Project) -> None:
    built(studies)
    text = files(studies, "numbers-small")["other"].read_text("utf-8")
    names = re.findall('\x02base\x03/(figures/[^"]+)"', text)

    assert any(name.endswith(".csv") for name in names)
    assert any(name.endswith(".chart.json") for name in names)
    for name in names:
        assert (studies.site / name).is_file(), name


def test_a_stale_result_of_another_study_says_so(studies: Project) -> None:
    edit(studies.analyses / "studies" / "other.toml", "top_p = 0.9", "top_p = 0.5")
    built(studies)
    other, own = (files(studies, "numbers-small")[name] for name in ("other", "toy"))

    assert 'data-state="stale"' in other.read_text("utf-8")
    assert 'data-state="fresh"' in own.read_text("utf-8")


def test_what_another_study_cannot_draw_is_a_note(studies: Project) -> None:
    put(Store(studies), OTHER, pa.table({"y": [1]}))
    (note,) = built(studies).notes

    assert note.startswith("content/sections/01-numbers.md:5: study other: ")
    assert "no column 'x', 'estimate'" in note
    assert "post-study" not in block(studies, "numbers-small")


def test_a_directive_that_names_its_study_is_not_switched(studies: Project) -> None:
    section = studies.content / "sections" / "01-numbers.md"
    edit(section, "<< figure: numbers small >>", "<< figure: numbers small study=other >>")
    built(studies)

    assert "post-study" not in block(studies, "numbers-small")
    assert "post-other" not in block(studies, "numbers-small")
    assert "build-site run numbers small --study other" in block(studies, "numbers-small")


def test_a_number_that_names_its_study_is_told_where_it_cannot_be_read(studies: Project) -> None:
    section = studies.content / "sections" / "01-numbers.md"
    line = "Of the other: << value: numbers small show=nonsense x=1 study=other >>."
    section.write_text(f"{section.read_text('utf-8')}\n{line}\n", "utf-8")

    with pytest.raises(BuildError, match='numbers small has no column "nonsense"'):
        built(studies)


def test_a_study_that_is_not_offered_is_shown_only_where_it_is_named(studies: Project) -> None:
    other = studies.analyses / "studies" / "other.toml"
    edit(other, "title = ", "offered = false\ntitle = ")
    built(studies)
    assert "post-study" not in block(studies, "numbers-small")

    section = studies.content / "sections" / "01-numbers.md"
    edit(section, "<< figure: numbers small >>", "<< figure: numbers small study=other >>")
    built(studies)
    assert "build-site run numbers small --study other" in block(studies, "numbers-small")


def test_the_study_that_is_built_comes_first(studies: Project) -> None:
    for analysis in ("base", "totals"):
        put(Store(studies), ResultId("other", analysis))
    build(studies, study="other", say=lambda _line: None)

    assert list(files(studies, "numbers-small")) == ["other", "toy"]
    assert list(files(studies, "totals")) == ["other", "toy"]
