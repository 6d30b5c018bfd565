"""What stands in a project's folders and is no file of it is told, by every command, and waits for nothing."""

import os

import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.errors import BuildError
from site_builder.results.maintenance import collect
from site_builder.results.store import Store
from site_builder.site.build import build
from site_builder.site.shelves import files

CURE = "remove it, or put the files themselves there"
STRAYS = {
    "content/files/x": (lambda path: path.symlink_to("/etc/passwd"), "is a link out of the project"),
    "content/files": (lambda path: path.symlink_to("/etc"), "is a link out of the project"),
    "content/gone.md": (lambda path: path.symlink_to("nowhere"), "is a link that leads nowhere"),
    "content/round": (lambda path: path.symlink_to("round"), "is a link that leads nowhere"),
    "content/up": (lambda path: path.symlink_to(".."), "is a link into itself"),
    "content/sections/pipe.md": (os.mkfifo, "is neither a file nor a folder"),
    "analyses/studies/pipe.toml": (os.mkfifo, "is neither a file nor a folder"),
    "data/toy/pipe.parquet": (os.mkfifo, "is neither a file nor a folder"),
    "content/claims/x.toml": (os.mkdir, "is a folder, and called as files are"),
    "content/x.md": (os.mkdir, "is a folder, and called as files are"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRAYS)
def test_each_command_tells_what_is_no_file(shelves, monkeypatch, name):
    make, what = STRAYS[name]
    path = shelves.root / name
    path.parent.mkdir(exist_ok=True, parents=True)
    make(path)
    monkeypatch.chdir(shelves.root)

    for command in ([], ["status"], ["verify"], ["claims"], ["gc"], ["studies"], ["run", "--plan"]):
        result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert result.exit_code == 1
        assert result.stderr.splitlines()[0] == f"{name}: {what}; {CURE}"
    assert not shelves.site.exists()


def test_a_name_that_is_no_text_is_told(shelves):
    (shelves.content / os.fsdecode(b"a\xff.md")).write_text("# A\n")
    with pytest.raises(BuildError) as raised:
        files(shelves.root, shelves.folders())
    assert [str(one) for one in raised.value.problems] == [
        f"content/a\\udcff.md: has a name that is no text; {CURE}"
    ]


def test_all_are_told_at_once(shelves):
    for name in ("content/a", "content/b"):
        (shelves.root / name).symlink_to("/etc")
    with pytest.raises(BuildError) as raised:
        files(shelves.root, shelves.folders())
    assert [problem.where for problem in raised.value.problems] == ["content/a", "content/b"]


def test_a_link_within_the_project_is_a_file(shelves):
    (shelves.content / "same.txt").symlink_to("index.md")
    names = [path for path, _ in files(shelves.root, shelves.folders())]
    assert str(shelves.content / "same.txt") in names


def test_a_site_that_is_a_link_is_left_alone(shelves, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shelves.site.symlink_to("elsewhere")
    with pytest.raises(BuildError) as raised:
        build(shelves, run="never", say=print)
    assert str(raised.value) == "site: is a link; remove it: a build puts a folder there"
    assert shelves.site.is_symlink()


def test_the_cache_is_swept_whatever_is_in_it(shelves, tmp_path):
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    (kept / "file").write_text("x")
    cache = shelves.cache
    cache.mkdir(exist_ok=True)
    (cache / "site.1.old").symlink_to(kept)
    (cache / f"worker.{'9' * 40}").mkdir()
    (cache / "preview.0x").write_text("")
    (cache / "site.gone").symlink_to("nowhere")
    for path in cache.iterdir():
        os.utime(path, (0, 0), follow_symlinks=False)

    told = [*collect(Store(shelves), results=False)]

    assert "removed .cache/site.gone" in told
    assert not shelves.site.exists()
    assert (kept / "file").exists()
    assert not [
        path
        for path in cache.iterdir()
        if not path.name.endswith(".lock") and path.name != "site.1.old"
    ]
