"""Measurements in shards: the same tables, whoever makes which turns, and whoever dies on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from analyses.lab import shards
from analyses.lab.shards import SHARED, Errand, SharedLab, Stopped
from site_builder.alone import alone
from site_builder.ledger import Ledger
from site_builder.project import Project
from site_builder.runner import compute, measure
from site_builder.store import ResultId, Store
from tests.site_builder.conftest import write
from tests.site_builder.test_cluster import contents
from tests.site_builder.test_contracts import REPO, copy_of_project
from tests.site_builder.test_runner import build_site

pytestmark = pytest.mark.timeout(600)
# Two tasks of Ray at a time, each on one core, as the embedded run they are compared with.
TWO = ("--engine", "ray", "--cpus", "1")
ALONE = {"OMP_NUM_THREADS": "1"}
SCORES = ResultId("tiny", "token_scores")
BATCHES = "scoring lists, batches"
ASKED = (("token_scores",), ("patching", "z"))


def run(project: Path, *words: str) -> str:
    done = build_site(project, "run", *words, "--study", "tiny", **ALONE)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stderr + done.stdout


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_of_project(tmp_path_factory.mktemp("serial"))
    for words in ASKED:
        run(project, *words)
    return project


def clumsy(project: Path, deed: str) -> Path:
    """Let a turn of the scores' loop do a deed, the second that is made, once."""
    path, marker = project / "analyses" / "token_scores.py", project / "turns"
    text, place = path.read_text("utf-8"), "        rows = [\n"
    assert place in text
    deed_ = f"""
        from pathlib import Path
        import os, time
        with Path({str(marker)!r}).open("a") as turns:
            turns.write("x")
        if len(Path({str(marker)!r}).read_text()) == 2:
            {deed}
"""
    write(path, text.replace(place, deed_ + place))
    return marker


def test_shards_make_the_same_tables(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    told = "".join(run(project, *words, *TWO) for words in ASKED)
    assert contents(project) == contents(serial)
    for loop in ("batches of lists", BATCHES, "z, heads", "z, roles and tokens"):
        assert f"sent 2 shards, {loop}: " in told
    ours, theirs = (Store(Project(root)).recipe(SCORES) for root in (project, serial))
    assert ours.key == theirs.key
    assert ours.made_with["shards"] == theirs.made_with["shards"] > 1
    assert not [*(project / ".cache").glob("worker.*")]
    assert not [*(project / ".cache" / "numbers" / "tiny").glob("*.json")]


def test_a_worker_killed_in_a_shard_costs_that_shard(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    marker = clumsy(project, "os.kill(os.getpid(), 9)")
    run(project, "token_scores", *TWO)
    batches = Store(Project(project)).recipe(SCORES).made_with["shards"]
    assert batches < len(marker.read_text()) <= batches + (batches + 1) // 2
    assert contents(project).items() <= contents(serial).items()


def test_a_run_killed_in_a_loop_goes_on_with_its_next_turn(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    marker = clumsy(project, "time.sleep(600)")
    code = "from site_builder.cli import main; main(['run', 'token_scores', '--study', 'tiny'])"
    variables = dict(os.environ) | ALONE | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"}
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=project, env=variables)
    try:
        while not (marker.exists() and len(marker.read_text()) == 2):
            assert killed.poll() is None
            time.sleep(0.05)
    finally:
        killed.kill()
        assert killed.wait(30) == -signal.SIGKILL
    planned = run(project, "token_scores", "--plan")
    batches = Store(Project(serial)).recipe(SCORES).made_with["shards"]
    assert f" 1 of {batches} shards" in planned
    run(project, "token_scores")
    assert len(marker.read_text()) == batches + 1  # only the one that was under way again
    assert contents(project).items() <= contents(serial).items()


def test_finished_shards_outlive_the_run_that_a_cluster_made_them_for(
    serial: Path, tmp_path: Path
) -> None:
    project = copy_of_project(tmp_path)
    marker = clumsy(project, "time.sleep(600)")
    noted = project / ".cache" / "numbers" / "tiny" / "token_scores.json"
    words = ["run", "token_scores", "--study", "tiny", *TWO]
    code = f"from site_builder.cli import main; main({words!r})"
    variables = dict(os.environ) | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"}
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=project, env=variables)
    done: list[int] = []
    try:
        while not done:
            assert killed.poll() is None
            time.sleep(0.2)
            if noted.is_file():
                _, done = json.loads(noted.read_text())["loops"].get(BATCHES, (0, []))
    finally:
        killed.kill()
        killed.wait(30)
    made = len(marker.read_text())
    batches = Store(Project(serial)).recipe(SCORES).made_with["shards"]
    assert len(done) in (batches // 2, batches - batches // 2)  # one shard of two; the other hangs
    assert f" {len(done)} of {batches} shards" in run(project, "token_scores", "--plan")
    run(project, "token_scores")
    assert len(marker.read_text()) == made + batches - len(done)
    assert contents(project).items() <= contents(serial).items()


def test_a_spoiled_number_goes_to_no_worker(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    run(project, "list_samples")
    spoiled = min((project / ".cache" / "numbers" / "tiny").glob("*.npy"))
    data = bytearray(spoiled.read_bytes())
    data[-3] ^= 0x40
    spoiled.write_bytes(data)
    told = run(project, "list_samples", *TWO)
    assert f"{spoiled.name}: not the numbers that were kept here" in told
    assert contents(project).items() <= contents(serial).items()


def test_two_runs_of_one_project_go_one_after_the_other(serial: Path, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    code = "from site_builder.cli import main; main(['run', 'list_samples', '--study', 'tiny'])"
    variables = dict(os.environ) | ALONE | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=project, env=variables, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    told = [one.communicate(timeout=280)[1].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sum("another run of this project is under way" in one for one in told) == 1
    assert contents(project).items() <= contents(serial).items()


def test_whoever_measures_waits_for_a_run(project: Project) -> None:
    """A build that measures on the way too: all numbers lie in one folder."""
    said: list[str] = []
    nothing = Store(project), (), lambda _id: False
    waiting = Thread(target=measure, args=nothing, kwargs={"say": said.append})
    with alone(project, said.append, "run"):
        waiting.start()
        while not said and waiting.is_alive():
            time.sleep(0.01)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
    assert said == ["another run of this project is under way: waiting for it"]


@pytest.fixture
def lab(tmp_path: Path) -> SharedLab:
    """The tiny study, its numbers kept nowhere else."""
    project = copy_of_project(tmp_path)
    opened = SharedLab.open("tiny", root=project, quiet=True)
    assert isinstance(opened, SharedLab)
    return opened


def test_an_errand_ends_where_it_says(lab: SharedLab) -> None:
    with pytest.raises(Stopped) as lead:
        compute(lab, "list_samples", "", [], errand=Errand(known=()))
    assert (lead.value.loop, lead.value.total) == ("batches of lists", 4)
    kept = lab.root / ".cache" / "numbers" / "tiny"
    assert not kept.exists()
    for turns, numbers in (((1, 3), 2), ((1,), 2), ((0,), 3)):
        errand = Errand(loop="batches of lists", turns=turns)
        with pytest.raises(Stopped):
            compute(lab, "list_samples", "", [], errand=errand)
        assert len([*kept.glob("*.npy")]) == numbers
    done: list[int] = []
    found = compute(lab, "list_samples", "", [], note=lambda _a, _b, turns, _c: done.extend(turns))
    assert done == [0, 1, 2, 3]
    assert found.made_with["shards"] == 4


def test_what_the_model_was_opened_with_counts_for_whoever_uses_it(lab: SharedLab) -> None:
    first, second = (compute(lab, "list_samples", "", []) for _ in range(2))
    assert first.settings == second.settings
    assert {"prompt.turn_open", "model.builtin", "sampling.batch"} <= second.settings


def test_loops_that_are_met_again_are_told_apart(lab: SharedLab) -> None:
    lab.begin()
    for _ in range(3):
        assert [*lab.progress([1, 2], total=2, label="conditions")] == [1, 2]
    assert [*lab.turns] == ["conditions", "conditions #2", "conditions #3"]
    lab.errand = Errand(loop="conditions #2", turns=(1,))
    lab.begin()
    assert [*lab.progress([1, 2], total=2, label="conditions")] == [1, 2]
    with pytest.raises(Stopped, match="conditions #2"):
        list(lab.progress("ab", total=2, label="conditions"))


@pytest.mark.parametrize("pattern", SHARED)
def test_what_is_shared_is_a_loop_somewhere(pattern: str) -> None:
    """A label that was reworded would not be shared any more, without a word."""
    text = "".join(path.read_text("utf-8") for path in (REPO / "analyses").rglob("*.py"))
    text = text.replace(Path(shards.__file__).read_text("utf-8"), "")
    assert f'{pattern.removeprefix("*")}"' in text


def ledger(project: Project, **code: str) -> Ledger:
    return Ledger.of(Store(project), ResultId("toy", "totals"), code, {})


def test_a_ledger_remembers_what_is_done(project: Project) -> None:
    mine = ledger(project, a="1")
    assert mine.open_turns("loop", 3) == [0, 1, 2]
    mine.note("loop", 3, [0, 2], 1.5)
    mine.note("other", 1, [0], 1.0)
    again = ledger(project, a="1")
    assert again.open_turns("loop", 3) == [1]
    assert (again.whole, again.seconds) == (("other",), 2.5)
    assert ledger(project, a="2").loops == {}  # other code: nothing is known to be done
    again.close()
    assert ledger(project, a="1").loops == {}


SPOILED: dict[str, Callable[[dict[str, object]], object]] = {
    "no JSON": lambda _: "{",
    "a list": lambda _: "[]",
    "no loops": lambda said: said | {"loops": 3},
    "a loop of text": lambda said: said | {"loops": {"a": [1, [0]], "loop": ["x", []]}},
    "no seconds": lambda said: said | {"seconds": None},
    "a deep one": lambda _: "[" * 100_000,
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_ledger_is_none(project: Project, name: str) -> None:
    mine = ledger(project)
    mine.note("loop", 3, [0], 1.0)
    spoiled = SPOILED[name](json.loads(mine.path.read_text("utf-8")))
    mine.path.write_text(spoiled if isinstance(spoiled, str) else json.dumps(spoiled), "utf-8")
    assert ledger(project) == Ledger(mine.path, mine.key)
