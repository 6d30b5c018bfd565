"""What editors, systems and tools leave beside a file is nobody's, wherever files are listed."""

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.files import below, is_meant, listed
from site_builder.core.project import Project
from site_builder.post.post import Post
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site import assets
from site_builder.site.last_build import inputs

LEFT = [
    ".#{0}", "._{0}", ".{0}.swp", "{0}~", "{0}.orig", "{0}.bak", "{0}.rej", "#{0}#", "{0}.tmp",
    ".ipynb_checkpoints/{0}", "__pycache__/{0}",
]  # fmt: skip


@pytest.mark.parametrize("left", LEFT)
def test_what_a_tool_leaves_is_not_listed(left: str, tmp_path) -> None:
    (tmp_path / "a.md").write_text("a")
    path = tmp_path / left.format("b.md")
    path.parent.mkdir(exist_ok=True)
    path.write_text("b")
    assert listed(tmp_path, ".md") == below(tmp_path, ".md") == [tmp_path / "a.md"]


@pytest.mark.parametrize(
    "name", ["a.md", "a#b.md", "a~b.md", "tmp.md", "orig", "a.bak.md", "01-x.md"]
)
def test_an_authors_file_is_meant(name: str) -> None:
    assert is_meant(name)


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("kind", ["copy", "nowhere", "folder"])
def test_every_shelf_is_as_if_it_was_not_there(shelves: Project, left: str, kind: str) -> None:
    claims = shelves.content / "claims"
    claims.mkdir()
    (claims / "a.toml").write_text(
        '[fewer]\nsays = "Few."\nresult = "totals"\nrow = {x = 1}\nholds = "estimate > 0"\n',
        "utf-8",
    )
    (shelves.root / "assets").mkdir()
    (shelves.root / "assets" / "own.js").write_text("", "utf-8")
    (shelves.figures).mkdir(parents=True)
    (shelves.figures / "totals.py").write_text("\ndef draw(table):\n    pass\n", "utf-8")

    def seen() -> list[object]:
        project = Project(shelves.root)
        post = Post(project)
        post.collect()
        return [
            [*post.uses, *post.claims, *post.references.sections, *post.problems, *post.unused()],
            post.pages(),
            [*project.studies(), *project.measurements(), *project.drawings()],
            assets.files(project.asset_folders),
            Store(project).results(),
            inputs(project).inputs,
        ]

    before = seen()
    for path in (
        shelves.content / "index.md",
        shelves.content / "sections" / "01-numbers.md",
        claims / "a.toml",
        shelves.figures / "totals.py",
        shelves.root / "assets" / "own.js",
        shelves.root / "analyses" / "totals.py",
        shelves.root / "analyses" / "studies" / "toy.toml",
        Store(shelves).path(ResultId("toy", "totals", "")),
    ):
        copy = path.parent / left.format(path.name)
        copy.parent.mkdir(exist_ok=True)
        if kind == "copy":
            copy.write_bytes(path.read_bytes())
        elif kind == "folder":
            copy.mkdir()
        else:
            copy.symlink_to("nowhere")
    assert seen() == before


def test_a_link_to_nowhere_is_no_page_and_is_told(shelves: Project) -> None:
    (shelves.content / "about.md").symlink_to("nowhere")
    (shelves.content / "sections" / "02-x.md").symlink_to("nowhere")
    assert [path.name for path in Post(shelves).pages()] == ["index.md"]
    with pytest.raises(BuildError, match=r"content/about\.md: is a link that leads nowhere"):
        inputs(shelves)
