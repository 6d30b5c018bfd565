"""What can go wrong around us: killed, full, read-only, spoiled, twice at once, by a wrong clock.

After each fault the last good site and every finished result are as they were, the message says
what happened and the cure, and the next run succeeds.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from analyses.lab.runtime import numbers
from analyses.lab.runtime.cached_arrays import FOLDER
from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.core.workspace import alone
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.site_builder.conftest import put

NUMBERS = ResultId("toy", "numbers", "small")
BUILD = "from site_builder.commands.main import main; main(['--run', 'never', '-q'])"
PUT = """
import pyarrow as pa
from site_builder.core.project import Project
from site_builder.results.store import ResultId, Store
from tests.site_builder.conftest import put
put(Store(Project.find()), ResultId("toy", "numbers", "small"), pa.table({"x": [5]}))
"""
REPO = Path(__file__).parents[2]


def process(project: Project, code: str, **more: str) -> subprocess.Popen[str]:
    path = os.pathsep.join((str(project.root), str(REPO)))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=dict(os.environ) | {"PYTHONPATH": path} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_at(project: Project, where: str, code: str) -> None:
    """Run `code` in a process that is killed when it is about to call `where`."""
    module, _, name = where.rpartition(".")
    prefix = f"""
import importlib, os
owner = importlib.import_module({module.partition(":")[0]!r})
for part in {module.partition(":")[2]!r}.split("."):
    owner = getattr(owner, part) if part else owner
setattr(owner, {name!r}, lambda *a, **k: os.kill(os.getpid(), 9))
"""
    found = process(project, prefix + code)
    found.communicate(timeout=120)
    assert found.returncode == -signal.SIGKILL


def good(project: Project) -> dict[str, bytes]:
    """The site, and the results, as they stand."""
    files = [*project.site.rglob("*"), *project.data.rglob("*.parquet")]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def built(project: Project) -> None:
    build(project, run="never", say=lambda _line: None)


def edit(project: Project) -> None:
    path = project.content / "sections" / "01-numbers.md"
    path.write_text(path.read_text("utf-8") + f"\nAt {time.time_ns()}.\n", "utf-8")


def told(project: Project, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    monkeypatch.chdir(project.root)
    result = CliRunner().invoke(main, [*words], catch_exceptions=False)
    return result.exit_code, result.stderr


@pytest.mark.parametrize("where", ["os:.fsync", "pathlib:Path.replace"])
def test_killed_while_a_result_is_written(project: Project, where: str) -> None:
    built(project)
    before = good(project)
    killed_at(project, where, PUT)
    assert good(project) == before
    done = process(project, PUT)
    assert (done.communicate(timeout=60), done.returncode) == (("", ""), 0)
    assert Store(project).load(NUMBERS).table.num_rows == 1


@pytest.mark.parametrize(
    "where",
    [
        "site_builder.core.files:.write_aside",  # a drawing
        "mkdocs.commands.build:._build_page",  # a page
        "site_builder.site.page_check:.wrong",  # the site stands aside
        "shutil:.rmtree",  # the last one is being removed
    ],
)
def test_killed_while_a_site_is_written(project: Project, where: str) -> None:
    built(project)
    before = good(project)
    edit(project)
    if "write_aside" in where:
        put(Store(project), NUMBERS, pa.table({"x": [1, 2], "estimate": [0.5, 0.25]}))
        before = good(project)
    # A process that has the libraries draws by itself.
    killed_at(project, where, f"import altair\n{BUILD}" if "write_aside" in where else BUILD)
    if "rmtree" not in where:  # by then the new one is there, whole
        assert good(project) == before
    assert (project.site / "index.html").is_file()
    built(project)
    assert "At " in (project.site / "index.html").read_text("utf-8")


def test_killed_between_the_last_site_and_the_next(project: Project) -> None:
    built(project)
    before = good(project)
    project.site.rename(project.cache / "site.1.old")  # all that a build did before it was killed
    broken = project.content / "sections" / "01-numbers.md"
    text = broken.read_text("utf-8")
    broken.write_text(text + "\n<< figure: nonsense >>\n", "utf-8")
    with pytest.raises(Exception, match="nonsense"):
        built(project)
    assert good(project) == before
    broken.write_text(text, "utf-8")
    built(project)
    assert good(project) == before


def test_a_site_that_a_killed_build_took_away_is_no_rubbish(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(project)
    before = good(project)
    project.site.rename(project.cache / "site.1.old")
    monkeypatch.chdir(project.root)
    told = CliRunner().invoke(main, ["gc"], catch_exceptions=False)
    assert told.stdout == "put back site, which a build had taken away\n"
    assert good(project) == before


REFUSED = {
    28: "No space left on device; make room",
    30: "Read-only file system; make the file system writable",
    13: "Permission denied; give yourself the right to write there",
}


@pytest.mark.parametrize("number", REFUSED)
def test_what_the_disk_refuses_is_told_in_a_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    built(project)
    before = good(project)
    edit(project)
    real = Path.write_bytes

    def refuse(path: Path, data: bytes) -> int:
        if path.is_relative_to(project.cache):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse)
        code, lines = told(project, patch, "--run", "never")
    assert code == 1
    first, second = lines.strip().splitlines()
    assert REFUSED[number] in first
    assert second == "nothing that was finished is lost"
    assert good(project) == before
    assert told(project, monkeypatch, "--run", "never")[0] == 0


def test_files_that_may_not_grow(project: Project) -> None:
    """A disk that is full for all but small files, as the system itself says it."""
    built(project)
    before = good(project)
    edit(project)
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
    found = process(project, limit + BUILD)
    _, lines = found.communicate(timeout=120)
    assert found.returncode == 1
    assert "File too large; allow larger files and run it again" in lines
    assert "Traceback" not in lines
    assert good(project) == before
    built(project)


def spoil(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        data[len(data) // 3] ^= 0x10
        path.write_bytes(data)
    else:
        path.write_bytes(b"something else entirely")


@pytest.mark.parametrize("how", ["cut", "flipped", "foreign"])
def test_a_spoiled_result(project: Project, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    built(project)
    site = {path: data for path, data in good(project).items() if "/site/" in path}
    sound = Store(project).path(NUMBERS).read_bytes()
    spoil(Store(project).path(NUMBERS), how)
    code, lines = told(project, monkeypatch, "--run", "never", "--strict")
    assert code == 1
    assert "numbers small" in lines
    assert "build-site run numbers small" in lines
    assert "Traceback" not in lines
    assert {path: data for path, data in good(project).items() if path in site} == site
    Store(project).path(NUMBERS).write_bytes(sound)
    built(project)


@pytest.mark.parametrize("how", ["cut", "flipped", "foreign"])
def test_a_spoiled_number_is_forgotten(tmp_path: Path, how: str) -> None:
    folder = tmp_path / FOLDER / "toy"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        np.save(folder / f"{name}.npy", np.arange(9.0))
    assert numbers.check(tmp_path, "toy") == []
    spoil(folder / "one.npy", how)
    assert numbers.check(tmp_path, "toy") == [folder / "one.npy"]
    assert {path.name for path in folder.iterdir()} == {"two.npy", "two.sha256"}
    assert numbers.check(tmp_path, "toy") == []


@pytest.mark.parametrize("how", ["cut", "foreign"])
def test_a_number_without_a_digest_counts_if_it_is_whole(tmp_path: Path, how: str) -> None:
    folder = tmp_path / FOLDER / "toy"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        np.save(folder / f"{name}.npy", np.arange(9.0))
    spoil(folder / "one.npy", how)
    assert numbers.check(tmp_path, "toy") == [folder / "one.npy"]
    assert {path.name for path in folder.iterdir()} == {"two.npy", "two.sha256"}


@pytest.mark.parametrize("how", ["cut", "foreign"])
def test_a_spoiled_cache_costs_time_and_nothing_else(project: Project, how: str) -> None:
    built(project)
    before = good(project)
    for path in [path for path in project.cache.rglob("*") if path.is_file()]:
        spoil(path, how)
    edit(project)
    built(project)
    index = str(project.site / "index.html")
    same = {path for path, data in good(project).items() if data == before.get(path)}
    kept = {
        path
        for path in before
        if path.endswith((".svg", ".json", ".csv", ".js")) and "/search/" not in path
    }
    assert kept <= same
    assert index not in same


def test_a_drawing_whose_file_is_gone_is_drawn_again(project: Project) -> None:
    built(project)
    before = good(project)
    for path in (project.cache / "drawings").rglob("*.svg"):
        path.unlink()
    (project.site / "index.html").unlink()
    built(project)
    assert good(project) == before


def test_a_cache_of_another_version_is_not_read(project: Project) -> None:
    built(project)
    before = good(project)
    for name in ("build.json", "memory.json"):
        path = project.cache / name
        path.write_text(json.dumps({"version": 0, "builder": "old", "values": {}}))
    built(project)
    assert good(project) == before


def test_two_builds_at_once(project: Project) -> None:
    built(project)
    edit(project)
    both = [process(project, BUILD) for _ in range(3)]
    said = [one.communicate(timeout=180)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0, 0], said
    after = good(project)
    (project.site / "index.html").unlink()
    built(project)
    assert good(project) == after
    assert not [*project.cache.glob("site.*")]


def test_a_build_waits_for_another_and_says_so(project: Project) -> None:
    said: list[str] = []
    waiting = Thread(target=build, args=[project], kwargs={"run": "never", "say": said.append})
    with alone(project, said.append):
        waiting.start()
        while not said and waiting.is_alive():
            time.sleep(0.01)
        assert said == ["another build of this project is under way: waiting for it"]
        assert not project.site.exists()
    waiting.join(60)
    assert (project.site / "index.html").is_file()


def test_two_runs_at_once(project: Project) -> None:
    both = [process(project, PUT) for _ in range(3)]
    assert [one.communicate(timeout=60)[1] for one in both] == ["", "", ""]
    store = Store(project)
    assert store.why_stale(NUMBERS) == []
    assert store.load(NUMBERS).table.num_rows == 1
    assert [path.name for path in store.path(NUMBERS).parent.iterdir()] == ["small.parquet"]


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_wrong_clock_hides_no_edit(project: Project, hours: int) -> None:
    section = project.content / "sections" / "01-numbers.md"
    built(project)
    shown = section.read_text("utf-8")
    for number in range(3):
        section.write_text(shown.replace("The first", f"The {number}rd"), "utf-8")
        then = time.time() + hours * 3600 * (number + 1)
        os.utime(section, (then, then))
        built(project)
        assert f"The {number}rd" in (project.site / "index.html").read_text("utf-8")


HOSTILE: dict[str, Callable[[Project], object]] = {
    "a study file": lambda p: (p.analyses / "studies" / "toy.toml").write_bytes(b"\xff\xfe[["),
    "a directive": lambda p: edit_with(p, '<< figure: ../../../etc/passwd "x" >>'),
    "a page's template": lambda p: (p.templates / "main.html").write_text("{% block x %}"),
    "a template": lambda p: (p.templates / "figure.html.j2").write_text("{{ ''.__class__.__mro__"),
}


def edit_with(project: Project, line: str) -> None:
    path = project.content / "sections" / "01-numbers.md"
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_what_strangers_write_ends_in_a_message(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    built(project)
    site = {path: data for path, data in good(project).items() if "/site/" in path}
    HOSTILE[name](project)
    code, lines = told(project, monkeypatch, "--run", "never")
    assert code == 1
    assert "Traceback" not in lines
    assert all(": " in line or "problem" in line for line in lines.strip().splitlines())
    assert {path: data for path, data in good(project).items() if path in site} == site
