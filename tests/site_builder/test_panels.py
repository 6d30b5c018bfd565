"""`panels="1 3"`: which panels of a figure stand open."""

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from tests.site_builder.test_build import block, built, edit


def asked(project: Project, panels: str) -> Project:
    section = project.content / "sections" / "01-numbers.md"
    edit(section, "<< figure: numbers small >>", f'<< figure: numbers small panels="{panels}" >>')
    return project


def test_panels_are_named_by_number(project: Project) -> None:
    built(asked(project, "1"))

    assert 'data-panel="1"' in block(project, "numbers-small")


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ("2", 'there is no panel 2: the drawing has 1; write panels="1"'),
        ("0", 'option panels="0" is not numbers of panels, each once; write panels="1 3"'),
        ("1 1", 'option panels="1 1" is not numbers of panels, each once; write panels="1 3"'),
        ("all", 'option panels="all" is not numbers of panels, each once; write panels="1 3"'),
    ],
)
def test_what_is_no_panel_is_told(project: Project, panels: str, message: str) -> None:
    with pytest.raises(BuildError) as told:
        built(asked(project, panels))

    assert message in str(told.value)
