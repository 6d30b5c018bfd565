"""The directive `<< feature: PLACE/NUMBER >>`, from the Markdown to the block, and what can be wrong."""

import json
import shutil

import pytest

from site_builder.core.errors import BuildError
from site_builder.post.post import Post
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.resolve import resolve
from tests.figures import feature_tables
from tests.site_builder.conftest import REPO, put, write


@pytest.fixture
def cards(project):
    """The project with feature cards and their drawing; returns a page's blocks."""
    for path in (REPO / "site_builder/figures").glob("*.py"):
        shutil.copy(path, project.figures)
    write(project.analyses / "feature.py", '"""Cards."""\n\n\ndef run(lab):\n    """Nothing."""\n')
    put(Store(project), ResultId("toy", "feature", ""), feature_tables.feature(12))

    def draw(*directives: str) -> Blocks:
        write(project.content / "index.md", "\n\n".join(["# Cards", *directives]) + "\n")
        post = Post(project)
        resolve(post, "never", say=print)
        blocks = Blocks(post, Fragments(post))
        blocks.draw()
        return blocks

    return draw


def test_cards_are_named_and_numbered_apart(cards):
    blocks = cards("<< table: feature >>", "<< feature: 26/63 >>", "<< feature: 6/43 >>")
    uses = blocks.post.uses.values()

    assert [f"{use.noun} {use.number} {use.slug} {use.directive}" for use in uses] == [
        "Table 1 feature table: feature",
        "Feature card 1 feature-26-63 feature: 26/63",
        "Feature card 2 feature-6-43 feature: 6/43",
    ]
    block = blocks.block("feature-26-63", "..")
    assert 'id="feature-26-63"' in block
    assert 'href="../features/#f-26-63"' in block
    assert "\x02" not in block
    gallery = blocks.block("feature", "..")
    files = [name for name in blocks.files() if name.endswith(".htm")]
    assert len(files) == 12
    assert all(f'href="../{name}"' in gallery for name in files)


def test_an_index_tells_scripts_where_each_figure_and_its_own_files_are(cards):
    files = cards("<< table: feature >>", "<< feature: 26/63 >>").files()
    index = json.loads(files["figures/index.json"]())

    assert set(index) == {"feature", "feature-26-63"}
    assert index["feature-26-63"]["files"] == []
    assert index["feature"]["page"] == ""
    assert "f-26-63.htm" in index["feature"]["files"]
    stem = index["feature"]["stem"]
    assert {f"figures/{stem}{name}" for name in index["feature"]["files"]} <= set(files)


def test_an_absent_feature_is_told_with_its_line_and_the_nearest(cards):
    with pytest.raises(BuildError) as error:
        cards(
            "Text.",
            "<< feature: 26/64 >>",
            "<< feature: 99/1 >>",
            '<< table: feature feature="x" >>',
        )

    first = str(error.value.problems[0])
    assert first.startswith(
        'content/index.md:5: "feature": feature "26/64" has no card; the nearest are 26/63, 26/100'
    )
    assert [problem.where for problem in error.value.problems] == [
        f"content/index.md:{line}" for line in (5, 7, 9)
    ]
    assert all(problem.cure.startswith("the nearest are") for problem in error.value.problems)


def test_what_is_no_option_of_a_card_is_told(cards):
    with pytest.raises(BuildError, match='unknown option "rows" of feature "feature"'):
        cards("<< feature: 26/63 rows=3 >>")
