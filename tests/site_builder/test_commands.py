"""What commands say and leave on the shelf: the lines of a terminal, and what is swept away."""

import json
import os
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import put

SECTION = "content/sections/01-numbers.md"
NUMBERS = ResultId("toy", "numbers", "small")


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Give a command in the toy project."""
    monkeypatch.chdir(project.root)
    return lambda *words: CliRunner().invoke(main, [*words], catch_exceptions=False)


def change(project: Project, name: str) -> None:
    path = project.analyses / f"{name}.py"
    path.write_text(path.read_text("utf-8").replace("return None", "return 1"), "utf-8")


def test_status_tells_every_directive_and_why_it_is_stale(
    project: Project, run: Callable[..., Result]
) -> None:
    change(project, "totals")
    Store(project).path(NUMBERS).unlink()
    told = run("status", "--explain").stdout.splitlines()
    assert [line.split()[0] for line in told if line.startswith("[")] == [
        "[missing]",
        "[missing]",
        "[stale]",
    ]
    figure = told.index(next(line for line in told if "figure: totals" in line))
    assert told[figure].endswith(f"{SECTION}:7")
    assert told[figure + 1].strip() == "analyses/totals.py changed"
    assert told[-1] == "0 fresh, 1 stale, 2 missing"
    assert "analyses/totals.py changed" not in run("status").stdout


def test_studies_are_listed_with_their_results(
    project: Project, run: Callable[..., Result]
) -> None:
    study = project.analyses / "studies" / "toy.toml"
    study.with_name("other.toml").write_text('title = "Another"\n', "utf-8")
    rows = json.loads(run("studies", "--json").stdout)
    assert rows == [
        {"study": "other", "title": "Another", "results": 0, "shown": False},
        {"study": "toy", "title": "A toy", "results": 3, "shown": True},
    ]
    assert [line.split() for line in run("studies").stdout.splitlines()] == [
        ["other", "0", "results", "Another"],
        ["*", "toy", "3", "results", "A", "toy"],
    ]


def test_a_quiet_build_says_nothing_but_what_is_wrong(
    project: Project, run: Callable[..., Result]
) -> None:
    assert run("--quiet").output == ""
    assert (project.site / "index.html").is_file()
    change(project, "totals")
    assert '"totals" is stale' in run("--quiet").output


def test_a_build_ends_with_the_path_of_the_page(
    project: Project, run: Callable[..., Result]
) -> None:
    assert run().stdout == "built site/index.html (2 figures drawn anew)\n"
    assert run().stdout == "nothing changed: site/index.html\n"


def edited(store: Store) -> str:
    """Another table under the recipe of the measured one."""
    path = store.path(NUMBERS)
    recipe = pq.read_metadata(path).metadata[b"recipe"]
    table = pa.table({"x": [7]})
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": recipe})
    return "data/toy/numbers/small.parquet: its table was changed after it was measured"


def cut(store: Store) -> str:
    path = store.path(NUMBERS)
    path.write_bytes(path.read_bytes()[:-20])
    return "data/toy/numbers/small.parquet: cannot be used: "


def foreign(store: Store) -> str:
    pq.write_table(pa.table({"x": [1]}), store.path(NUMBERS))
    return "data/toy/numbers/small.parquet: cannot be used: it has no recipe of ours"


def without_input(store: Store) -> str:
    store.path(ResultId("toy", "base")).unlink()
    return "data/toy/totals.parquet: its input base is gone; run: build-site run base"


@pytest.mark.parametrize("spoil", [edited, cut, foreign, without_input])
def test_verify_finds_what_is_unreadable_edited_or_without_its_inputs(
    project: Project, run: Callable[..., Result], spoil: Callable[[Store], str]
) -> None:
    said = spoil(Store(project))
    told = run("verify")
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith(said)


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_stays(
    project: Project, run: Callable[..., Result]
) -> None:
    shelf = project.data / "toy"
    old, fresh = shelf / ".base.parquet.1.tmp", shelf / ".base.parquet.2.tmp"
    for path in (old, fresh):
        path.write_bytes(b"half")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    gone = project.cache / f"site.{dead()}"
    ours = project.cache / f"preview.{os.getpid()}"
    for folder in (gone, ours):
        folder.mkdir(parents=True)
    assert run("gc").stdout.splitlines() == [
        f"removed .cache/{gone.name}",
        f"removed data/toy/{old.name}",
    ]
    assert (old.exists(), gone.exists(), fresh.exists(), ours.exists()) == (
        False,
        False,
        True,
        True,
    )
    assert run("verify").exit_code == 1  # the half file is told, as it is no result
    fresh.unlink()
    assert run("verify").exit_code == 0


def dead() -> int:
    """The number of a process that has ended."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_what_measures_and_draws_is_read_and_not_run(
    project: Project, run: Callable[..., Result]
) -> None:
    """Its imports would open a model: what it takes, and what it means, is told by its text."""
    for path in (project.analyses / "numbers.py", project.figures / "numbers.py"):
        text = path.read_text("utf-8")
        head = f'{text.split(chr(10), 1)[0]}\n\nraise SystemExit("{path.name} was run")\n'
        path.write_text(head + text.split("\n", 1)[1], "utf-8")
    put(Store(project), NUMBERS)
    rows = json.loads(run("status", "--json").stdout)
    assert {row["state"] for row in rows} == {"fresh"}
    takes = json.loads(run("directives", "--json").stdout)["kinds"]["figure"]["names"]["numbers"]
    assert takes["variants"] == ["small", "large"]
    assert takes["options"].keys() >= {"size"}
    assert run("verify").exit_code == 0
    assert "2 of 2 to do" in run("run", "numbers", "--plan").stdout
