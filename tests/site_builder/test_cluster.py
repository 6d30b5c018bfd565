"""Ray against the engine of one process: the same tables, whoever dies on the way."""

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

from site_builder.errors import BuildError
from site_builder.project import Project
from site_builder.store import ResultId, Store
from tests.site_builder.conftest import write
from tests.site_builder.test_contracts import copy_of_project
from tests.site_builder.test_runner import build_site

pytestmark = pytest.mark.timeout(600)
RAY = ("--engine", "ray")
FEW = ("list_statistics", "lists", "token_scores")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_of_project(tmp_path_factory.mktemp("serial"))
    for name in FEW:
        assert build_site(project, "run", name, "--study", "tiny").returncode == 0
    return project


def contents(project: Path) -> dict[str, str]:
    store = Store(Project(project))
    return {str(id): store.content(id) for id in store.results() if id.study == "tiny"}


def measure(project: Path, names: tuple[str, ...], *more: str) -> str:
    told = ""
    for name in names:
        done = build_site(project, "run", name, "--study", "tiny", *RAY, *more)
        assert done.returncode == 0, done.stderr + done.stdout
        told += done.stderr
    return told


def clumsy(project: Path, deed: str) -> Path:
    """Let the measurement `lists` do a deed when it is measured first."""
    marker = project / "done-once"
    path = project / "analyses" / "lists.py"
    text = path.read_text("utf-8")
    before = "    rows = []\n"
    assert before in text
    lines_ = ["import os, time", "from pathlib import Path", f"marker = Path({str(marker)!r})"]
    lines_ += ["if not marker.exists():", "    marker.write_text('')", f"    {deed}"]
    write(path, text.replace(before, before + "".join(f"    {line}\n" for line in lines_)))
    return marker


def test_tasks_of_ray_make_the_same_tables(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    told = measure(project, FEW)
    assert contents(project) == contents(serial)
    assert "under way" in told
    store = Store(Project(project))
    lists = ResultId("tiny", "lists")
    assert store.why_stale(lists) == []
    assert store.recipe(lists).made_with["engine"] == "ray"
    assert store.recipe(lists).key == Store(Project(serial)).recipe(lists).key


def test_a_run_that_was_killed_goes_on_where_it_was(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    first = project / "data" / "tiny" / "list_samples.parquet"
    code = "from site_builder.cli import main; main(['run', 'token_scores', '--study', 'tiny'])"
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=project,
        env=dict(os.environ) | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"},
        stderr=subprocess.DEVNULL,
    )
    while not first.exists() and run.poll() is None:
        time.sleep(0.02)
    run.kill()
    assert run.wait(30) == -signal.SIGKILL
    finished = Store(Project(project)).recipe(ResultId("tiny", "list_samples"))
    for name in FEW:
        assert build_site(project, "run", name, "--study", "tiny").returncode == 0
    assert contents(project) == contents(serial)
    assert Store(Project(project)).recipe(ResultId("tiny", "list_samples")) == finished


def test_a_spoiled_number_is_found_anew(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    shutil.copytree(serial / "data" / "tiny", project / "data" / "tiny", dirs_exist_ok=True)
    lens = "run", "logit_lens", "end-hyphen", "--study", "tiny"
    assert build_site(project, *lens).returncode == 0
    before = contents(project)
    spoiled = min((project / ".cache" / "numbers" / "tiny").glob("*.npy"))
    data = bytearray(spoiled.read_bytes())
    data[-3] ^= 0x40
    spoiled.write_bytes(data)
    again = build_site(project, *lens)
    assert again.returncode == 0
    assert f"{spoiled.name}: not the numbers that were kept here" in again.stderr
    assert contents(project) == before


def test_a_killed_worker_costs_its_own_task_and_no_finished_one(
    serial: Path, tmp_path: Path
) -> None:
    project = copy_of_project(tmp_path)
    marker = clumsy(project, "os.kill(os.getpid(), 9)")
    measure(project, ("lists",))
    assert marker.exists()
    assert contents(project).items() <= contents(serial).items()
    assert {"list_samples", "lists"} <= contents(project).keys()


def test_a_worker_that_hangs_is_ended_and_its_task_made_again(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    marker = clumsy(project, "time.sleep(600)")
    measure(project, ("lists",), "--limit", "45")
    assert marker.exists()
    assert contents(project).items() <= contents(serial).items()
    assert {"list_samples", "lists"} <= contents(project).keys()


def test_a_task_whose_workers_all_die_is_told_and_what_is_finished_stays(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    path, tries = project / "analyses" / "lists.py", project / "tries"
    text = path.read_text("utf-8")
    deed = f"    import os\n    open({str(tries)!r}, 'a').write('x')\n    os.kill(os.getpid(), 9)\n"
    write(path, text.replace("    rows = []\n", deed))
    told = build_site(project, "run", "lists", "--study", "tiny", *RAY)
    assert told.returncode == 1
    (line,) = re.findall(r"^engine ray: .*$", told.stderr, re.MULTILINE)
    assert line.startswith("engine ray: lists ended without a result")
    assert line.endswith("finished results are kept")
    assert [*contents(project)] == ["list_samples"]
    assert len(tries.read_text()) == 1 + 3  # started again up to three times


def test_a_cluster_elsewhere_gets_the_code_and_needs_no_shelf(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
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
    address = "--address", f"127.0.0.1:{port}"
    run = "run", "lists", "--study", "tiny", *RAY, *address, "--cpus", "1"
    try:
        told = build_site(project, *run, **secret)
        for _ in range(5):  # the cluster takes some seconds to come up
            if told.returncode == 0:
                break
            time.sleep(5)
            told = build_site(project, *run, **secret)
        assert told.returncode == 0, told.stderr
        assert "sent 2 shards, batches of lists: list_samples" in told.stderr
        assert contents(project).items() <= contents(serial).items()
        refused = build_site(project, *run, **secret | {"RAY_AUTH_TOKEN": "0ddba1" * 8})
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
    project = copy_of_project(tmp_path)
    told = build_site(project, "run", "list_samples", "--study", "gemma-2-2b-it", *RAY)
    assert told.returncode == 1
    assert re.search(r"^google/gemma-2-2b-it: no weights, .*LIST_STUDY_MODEL", told.stderr, re.M)


def test_a_cluster_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    told = build_site(project, "run", "lists", *RAY, "--address", "127.0.0.1:1")
    assert told.returncode == 1
    line = told.stderr.splitlines()[0]
    assert line.startswith("engine ray: no cluster at 127.0.0.1:1: ")
    assert line.endswith("start it: ray start --head")


def test_what_a_measurement_says_is_wrong_is_told_as_it_says_it() -> None:
    from site_builder.cluster import _told
    from site_builder.errors import Problem

    problem = Problem("data/x", "is wrong", "mend it")
    error = Exception("around it")
    error.cause = BuildError([problem])  # type: ignore[attr-defined]
    assert [*_told(ResultId("toy", "x"), error)] == [problem]
