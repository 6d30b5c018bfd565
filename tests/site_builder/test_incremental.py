"""A build after an edit makes the site that a build from nothing makes, and little else."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from site_builder.core import modules
from site_builder.core.cache import Memory
from site_builder.core.digests import sha256_file
from site_builder.core.project import Project
from site_builder.post.post import Post
from site_builder.render.figures import Fragments
from site_builder.results import tabular
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import Built, build
from tests.site_builder.conftest import put

SENTENCE = "The first is"
CLAIM = """
[small]
says = "The first number is above one."
result = "numbers small"
row = {x = 1}
holds = "low >= 1.0"
"""


PARTS = """# A page

<< page: provenance summary >>

<< page: provenance results >>

<< page: claims >>

<< page: references >>
"""


def built(project: Project) -> Built:
    return build(project, run="never", say=lambda _line: None)


def tree(site: Path) -> dict[str, bytes]:
    files = (path for path in site.rglob("*") if path.is_file())
    # Of a compressed file only the content counts: gzip writes the time into its head.
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in files
        if path.suffix != ".gz"
    }


def from_nothing(project: Project) -> dict[str, bytes]:
    """What a build makes of the same files, in the same place, with an empty cache."""
    aside = project.root.with_name("aside")
    for name in ("site", ".cache"):
        (project.root / name).rename(aside.with_name(f"aside-{name}"))
    try:
        built(project)
        return tree(project.site)
    finally:
        for name in ("site", ".cache"):
            shutil.rmtree(project.root / name)
            aside.with_name(f"aside-{name}").rename(project.root / name)


def settle(project: Project, settled: Callable[[], None]) -> None:
    """Let every file look as if nobody had touched it for long, as far as its times go."""
    past = time.time() - 60
    for path in project.root.rglob("*"):
        if path.is_file() and not path.is_relative_to(project.site):
            os.utime(path, (past, past))
    settled()  # the time of the last change cannot be set back


def section(project: Project) -> Path:
    return project.content / "sections" / "01-numbers.md"


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def more(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text("utf-8") if path.exists() else "") + text, "utf-8")


def other_numbers(project: Project) -> None:
    table = {name: [5.0, 6.0, 7.0] for name in ("estimate", "low", "high")}
    put(Store(project), ResultId("toy", "numbers", "small"), pa.table({"x": [1, 2, 3], **table}))


EDITS: dict[str, Callable[[Project], None]] = {
    "a sentence": lambda p: replace(section(p), SENTENCE, "The very first is"),
    "a line more": lambda p: replace(section(p), "## Numbers\n", "## Numbers\n\nOne line.\n"),
    "a heading": lambda p: replace(section(p), "## Numbers", "## Figures of numbers"),
    "a link": lambda p: more(
        section(p), "\n[More](other.md), $x^2$, a note[^1].\n\n[^1]: Here it is.\n"
    ),
    "a title": lambda p: replace(p.content / "other.md", "# A page", "# Another page"),
    "a part fewer": lambda p: replace(p.content / "other.md", "<< page: references >>", ""),
    "a claim": lambda p: (
        more(p.content / "claims" / "all.toml", CLAIM),
        more(section(p), "\nIt is above one << claim: small >>.\n"),
    )[0],
    "a figure fewer": lambda p: replace(section(p), "<< figure: totals >>", ""),
    "a result": other_numbers,
    "a style": lambda p: more(p.assets / "post.css", "\n.post-new { color: red }\n"),
    "a template": lambda p: replace(
        p.templates / "figure.html.j2", "<figcaption", "<figcaption lang"
    ),
    "a file beside": lambda p: more(p.content / "notes.txt", "one"),
    "that file": lambda p: (p.content / "notes.txt").write_text("two"),
    "no file": lambda p: (p.content / "notes.txt").unlink(),
    "the name": lambda p: replace(p.root / "mkdocs.yml", "site_author: ", "site_author: New "),
}


def test_after_every_kind_of_edit_the_site_is_that_of_a_build_from_nothing(
    project: Project, settled: Callable[[], None]
) -> None:
    more(project.content / "other.md", PARTS)
    built(project)
    for number, (name, edit) in enumerate(EDITS.items()):
        if number % 4 == 0:  # now and then every file has its stamp
            settle(project, settled)
            built(project)
        edit(project)
        assert not built(project).unchanged, name
        assert tree(project.site) == from_nothing(project), name


def test_a_sentence_makes_no_part_anew_and_a_line_that_moves_what_they_name_does(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    more(project.content / "other.md", PARTS)
    rendered = []
    load = modules.load

    def spy(root: Path, path: Path) -> object:
        if path.parent.name == "pages":
            rendered.append(path.stem)
        return load(root, path)

    monkeypatch.setattr(modules, "load", spy)
    built(project)
    assert sorted(rendered) == ["claims", "provenance", "provenance", "references"]
    rendered.clear()
    replace(section(project), SENTENCE, "The very first is")
    built(project)
    assert rendered == []
    shutil.rmtree(project.site)  # their files are made once for all of a part
    built(project)
    assert sorted(rendered) == ["claims", "provenance", "provenance"]
    rendered.clear()
    replace(section(project), "## Numbers\n", "## Numbers\n\nOne line.\n")
    built(project)
    assert sorted(rendered) == ["claims", "provenance", "provenance", "references"]


def test_what_was_made_while_a_file_changed_is_not_remembered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    more(project.content / "other.md", PARTS)
    template = project.templates / "provenance" / "summary.html.j2"
    before = template.read_text("utf-8")
    collect = Post.collect

    def edited_meanwhile(post: Post) -> None:
        template.write_text("<p>for a moment</p>", "utf-8")
        collect(post)

    with monkeypatch.context() as patch:
        patch.setattr(Post, "collect", edited_meanwhile)
        built(project)
    assert "for a moment" in (project.site / "other" / "index.html").read_text("utf-8")
    template.write_text(before, "utf-8")
    built(project)
    assert "for a moment" not in (project.site / "other" / "index.html").read_text("utf-8")


def test_what_an_edit_leaves_alone_is_the_last_sites_file(project: Project) -> None:
    built(project)
    before = {path.name: path.stat().st_ino for path in project.site.rglob("*.*")}
    replace(section(project), SENTENCE, "The very first is")
    built(project)
    after = {path.name: path.stat().st_ino for path in project.site.rglob("*.*")}
    assert after.keys() == before.keys()
    made = {name for name in after if after[name] != before[name]}
    assert "index.html" in made
    assert not {name for name in made if name.endswith((".svg", ".js", ".css", ".woff2"))}


def test_drawings_are_made_anew_when_tables_become_text_otherwise(project: Project) -> None:
    post = Post(project)
    assert sha256_file(Path(tabular.__file__)) in Fragments(post)._surroundings


def test_cells_are_cut_and_columns_that_say_nothing_left_out() -> None:
    table = pa.table(
        {"x": [1.23456, None], "none": pa.array([None, None], pa.string()), "of": [["a", "b"], []]}
    )
    assert tabular.head(table, 5) == (["x", "of"], [["1.235", "a, b"], ["", ""]])
    assert tabular.head(table, 0) == ([], [])
    assert tabular.cell("x" * 60) == "x" * 60
    assert tabular.cell("x" * 61) == "x" * 59 + "…"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory.json")


def asked(file: Path, about: str, files: list[Path]) -> str:
    """Ask a memory that was read again from its file; what it makes anew says so."""
    memory = Memory(file)
    value = memory.read(about, lambda: ("made", files))
    memory.save()
    return value


def test_a_value_is_kept_while_its_files_are_as_they_were(
    memory: Memory, tmp_path: Path, settled: Callable[[], None]
) -> None:
    source, absent = tmp_path / "source", tmp_path / "absent"
    source.write_text("one")
    settled()
    memory.read("it", lambda: ("kept", [source, absent]))
    memory.save()
    assert asked(memory.file, "it", [source, absent]) == "kept"
    absent.write_text("")
    assert asked(memory.file, "it", [source, absent]) == "made"


def test_a_value_of_a_file_just_written_is_not_kept(memory: Memory, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("one")
    memory.read("it", lambda: ("kept", [source]))
    memory.save()
    assert asked(memory.file, "it", [source]) == "made"


def test_a_build_looks_at_a_file_once_but_at_what_it_wrote_again(
    memory: Memory, tmp_path: Path, settled: Callable[[], None]
) -> None:
    path = tmp_path / "read.txt"

    def kept() -> str:
        return memory.read("it", lambda: (path.read_text("utf-8"), [path]))

    path.write_text("one", "utf-8")
    settled()
    assert kept() == "one"
    memory.hold()
    assert kept() == "one"
    path.write_text("two", "utf-8")
    assert kept() == "one"
    memory.changed(path)
    assert kept() == "two"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"builder": 1}', '{"builder": null, "seen": []}'])
def test_a_memory_that_cannot_be_read_is_empty(memory: Memory, text: str) -> None:
    memory.file.write_text(text)
    assert memory.recall("it", {}, lambda: "made") == "made"


def test_another_builder_remembers_nothing(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.recall("it", {}, lambda: "kept")
    memory.save()
    assert Memory(memory.file).recall("it", {}, lambda: "made") == "kept"
    with monkeypatch.context() as patch:
        patch.setattr("site_builder.core.cache._builder", lambda: ["another"])
        assert Memory(memory.file).recall("it", {}, lambda: "made") == "made"
    monkeypatch.setattr("site_builder.core.cache.PACKAGES", memory.file.parent)  # other libraries
    assert Memory(memory.file).recall("it", {}, lambda: "made") == "made"
