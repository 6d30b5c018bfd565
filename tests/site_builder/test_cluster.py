"""Ray against the engine of one process: the same tables, whoever dies on the way."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyses.lab.runtime.shards import Errand
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.measure.worker import run_errand
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import write
from tests.site_builder.squares import LOOP, TURNS, contents, made, project_of, run, start
from tests.site_builder.test_contracts import copy_of_project

RAY = ("--engine", "ray")
# Two tasks at a time, each on one core, as the embedded run that they are compared with.
TWO = (*RAY, "--cpus", "1")
SQUARES, SUMS = ResultId("tiny", "squares"), ResultId("tiny", "sums")
POST = """# Four results that read one another, with four loops that are shared

<< figure: entropy swap >>

<< figure: patching z >>

<< figure: list_statistics items >>

<< table: lists >>
"""


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares and their sum, made by one process."""
    project = project_of(tmp_path_factory.mktemp("serial"))
    run(project, "sums")
    assert made(project) == TURNS
    return project


def spoil(project: Path) -> Path:
    """Flip a bit of one of the numbers that were kept; returns its file."""
    file = min((project / ".cache" / "numbers" / "tiny").glob("*.npy"))
    data = bytearray(file.read_bytes())
    data[-3] ^= 0x40
    file.write_bytes(data)
    return file


def test_tasks_of_ray_make_the_same_tables_shard_by_shard(tmp_path: Path) -> None:
    """Of a real model, tiny as it is: its lists, their scores, and what heads carry."""
    (embedded, ray) = (copy_of_project(tmp_path / name, data=False) for name in ("one", "two"))
    for project in (embedded, ray):
        shutil.rmtree(project / "content")
        write(project / "content" / "index.md", POST)
    run(embedded)
    told = run(ray, *TWO)
    assert contents(ray) == contents(embedded)
    assert len(contents(ray)) >= 6
    for loop in ("batches of lists", "scoring lists, batches", "z, heads", "z, roles and tokens"):
        assert f"sent 2 shards, {loop}: " in told
    assert "under way" in told
    store = Store(Project(ray))
    scores = ResultId("tiny", "token_scores")
    theirs = Store(Project(embedded)).recipe(scores)
    assert store.why_stale(scores) == []
    assert store.recipe(scores).made_with["engine"] == "ray"
    assert store.recipe(scores).key == theirs.key
    assert store.recipe(scores).made_with["shards"] == theirs.made_with["shards"] > 1
    assert not [*(ray / ".cache").glob("worker.*")]
    assert not [*(ray / ".cache" / "numbers" / "tiny").glob("*.json")]


def test_a_run_that_was_killed_goes_on_where_it_was(serial: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path, sum="time.sleep(600)")
    killed = start(project, "sums")
    while not (project / "done").exists():
        assert killed.running(), killed.err
        time.sleep(0.02)
    assert killed.kill() == -signal.SIGKILL
    finished = Store(Project(project)).recipe(SQUARES)
    run(project, "sums")
    assert contents(project) == contents(serial)
    assert Store(Project(project)).recipe(SQUARES) == finished


def test_a_spoiled_number_is_found_anew(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path, data=False)
    lens = "logit_lens", "end-hyphen"
    run(project, *lens)
    before = contents(project)
    spoiled = spoil(project)
    assert f"{spoiled.name}: not the numbers that were kept here" in run(project, *lens)
    assert contents(project) == before


def test_a_killed_worker_costs_its_own_task_and_no_finished_one(
    serial: Path, tmp_path: Path
) -> None:
    project = project_of(tmp_path, sum="os.kill(os.getpid(), 9)")
    run(project, "sums", *RAY)
    assert (project / "done").exists()
    assert made(project) == TURNS
    assert contents(project) == contents(serial)


def test_a_worker_killed_in_a_shard_costs_that_shard(serial: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path, square="os.kill(os.getpid(), 9)")
    run(project, "squares", *TWO)
    assert TURNS < made(project) <= TURNS + (TURNS + 1) // 2
    assert contents(project).items() <= contents(serial).items()


def test_a_worker_that_hangs_is_ended_and_its_task_made_again(serial: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path, sum="time.sleep(600)")
    run(project, "sums", *RAY, "--limit", "5")
    assert (project / "done").exists()
    assert contents(project) == contents(serial)


def test_a_limit_counts_neither_imports_nor_the_opening_of_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is slow in a healthy worker of a busy machine; its clock is watched, not waited for."""
    told: list[str] = []
    clock = "site_builder.measure.worker.faulthandler"
    monkeypatch.setattr(f"{clock}.dump_traceback_later", lambda *_, exit: told.append("counting"))
    monkeypatch.setattr(f"{clock}.cancel_dump_traceback_later", lambda: told.append("stopped"))
    project = project_of(tmp_path)
    write(
        project / "analyses" / "opens.py",
        """
        TOLD.append("imported")

        import pyarrow as pa


        def run(lab):
            TOLD.append("measuring")
            TOLD.append(lab.model.device)
            return pa.table({"x": [1]})
        """,
    )
    monkeypatch.setattr("builtins.TOLD", told, raising=False)
    monkeypatch.setattr("analyses.__path__", [str(project / "analyses")])
    monkeypatch.setattr(sys, "path", [*sys.path])
    came = run_errand(str(project), "tiny", "opens", "", [], {}, Errand(), 1.0)
    assert came.measured is not None
    before, after = told.index("measuring"), told.index("cpu")
    assert told[: before + 1] == ["imported", "counting", "measuring"]
    assert told[before + 1 : after] == ["stopped", "counting"]  # it was opened between the two
    assert told[after:] == ["cpu", "stopped"]


def test_a_task_whose_workers_all_die_is_told_and_what_is_finished_stays(tmp_path: Path) -> None:
    deed = "Path('DONE').unlink(); Path('TRIES').open('a').write('x'); os.kill(os.getpid(), 9)"
    project = project_of(tmp_path, sum=deed.replace("TRIES", str(tmp_path / "tries")))
    told = start(project, "sums", *RAY).done()
    assert told.returncode == 1
    (line,) = re.findall(r"^engine ray: .*$", told.stderr, re.MULTILINE)
    assert line.startswith("engine ray: sums ended without a result")
    assert line.endswith("finished results are kept")
    assert [*contents(project)] == ["squares"]
    assert len((project / "tries").read_text()) == 1 + 3  # started again up to three times


def test_finished_shards_outlive_the_run_that_a_cluster_made_them_for(
    serial: Path, tmp_path: Path
) -> None:
    project = project_of(tmp_path, square="time.sleep(600)")
    noted = project / ".cache" / "numbers" / "tiny" / "squares.json"
    killed = start(project, "squares", *TWO)
    done: list[int] = []
    while not done:
        assert killed.running(), killed.err
        time.sleep(0.05)
        if noted.is_file():
            _, done = json.loads(noted.read_text("utf-8"))["loops"].get(LOOP, (0, []))
    assert killed.kill() == -signal.SIGKILL
    before = made(project)
    assert len(done) in (TURNS // 2, TURNS - TURNS // 2)  # one shard of two; the other hangs
    assert f" {len(done)} of {TURNS} shards" in run(project, "squares", "--plan")
    run(project, "squares")
    assert made(project) == before + TURNS - len(done)
    assert contents(project).items() <= contents(serial).items()


def test_a_spoiled_number_goes_to_no_worker(serial: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path)
    run(project, "squares")
    spoiled = spoil(project)
    told = run(project, "squares", *TWO)
    assert f"{spoiled.name}: not the numbers that were kept here" in told
    assert contents(project).items() <= contents(serial).items()


def test_a_cluster_elsewhere_gets_the_code_and_needs_no_shelf(serial: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path)
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5ec2e7" * 8}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = Path(sys.executable).with_name("ray")
    words = ["start", "--head", "--block", f"--port={port}", "--include-dashboard=false"]
    words += ["--num-cpus=2"]
    head = subprocess.Popen(
        [ray, *words, "--disable-usage-stats"],
        cwd=tmp_path.parent,
        env=dict(os.environ) | secret,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    away = (*TWO, "--address", f"127.0.0.1:{port}")
    try:
        told = start(project, "sums", *away, **secret).done()
        while told.returncode and head.poll() is None:  # it takes a while to come up
            time.sleep(0.5)
            told = start(project, "sums", *away, **secret).done()
        assert told.returncode == 0, told.stderr
        assert f"sent 2 shards, {LOOP}: squares" in told.stderr
        assert contents(project) == contents(serial)
        refused = start(project, "sums", *away, **secret | {"RAY_AUTH_TOKEN": "0ddba1" * 8}).done()
    finally:
        head.terminate()
        head.wait(60)
    assert refused.returncode == 1
    (line,) = re.findall(r"^engine ray: .*$", refused.stderr, re.MULTILINE)
    assert line.startswith(f"engine ray: the cluster at 127.0.0.1:{port} cannot be used: ")
    assert "RAY_AUTH_TOKEN" in line


def test_what_a_measurement_says_is_wrong_comes_from_the_worker_as_it_says_it(
    tmp_path: Path,
) -> None:
    said = "from analyses.lab.core.errors import LabError; raise LabError('here', 'no sums', 'add')"
    told = start(project_of(tmp_path, sum=said), "sums", *RAY).done()
    assert told.returncode == 1
    assert re.search(r"^here: no sums; add$", told.stderr, re.M)


def test_a_cluster_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    told = start(project_of(tmp_path), "sums", *RAY, "--address", "127.0.0.1:1").done()
    assert told.returncode == 1
    line = told.stderr.splitlines()[0]
    assert line.startswith("engine ray: no cluster at 127.0.0.1:1: ")
    assert line.endswith("start it: ray start --head")


def test_what_a_measurement_says_is_wrong_is_told_as_it_says_it() -> None:
    from site_builder.core.errors import Problem
    from site_builder.measure.cluster import _told

    problem = Problem("data/x", "is wrong", "mend it")
    error = Exception("around it")
    error.cause = BuildError([problem])  # type: ignore[attr-defined]
    assert [*_told(ResultId("toy", "x"), error)] == [problem]
