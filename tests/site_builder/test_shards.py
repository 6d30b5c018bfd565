"""Measurements in shards: the same tables, whoever makes which turns, and whoever dies on the way.

Those that Ray makes are in `test_cluster.py`.
"""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from analyses.lab.runtime.shards import Errand, SharedLab, Stopped
from site_builder.core.code_digest import Code
from site_builder.core.project import Project
from site_builder.core.workspace import alone
from site_builder.measure.checkpoints import Ledger
from site_builder.measure.runner import compute, measure
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.squares import TURNS, contents, made, project_of, run, start
from tests.site_builder.test_contracts import copy_of_project


def test_a_run_killed_in_a_loop_goes_on_with_its_next_turn(tmp_path: Path) -> None:
    project = project_of(tmp_path, square="time.sleep(600)")
    killed = start(project, "squares")
    while not (project / "did").exists():
        assert killed.running(), killed.err
        time.sleep(0.02)
    assert killed.kill() == -signal.SIGKILL
    assert made(project) == 2
    assert f" 1 of {TURNS} shards" in run(project, "squares", "--plan")
    run(project, "squares")
    assert made(project) == TURNS + 1  # only the one that was under way again
    squares = Store(Project(project)).load(ResultId("tiny", "squares")).table["square"].to_pylist()
    assert squares == [number**2 + squares[0] for number in range(TURNS)]


def test_two_runs_of_one_project_go_one_after_the_other(tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait = f"[time.sleep(0.02) for _ in iter(Path({str(go)!r}).exists, True)]"
    project = project_of(tmp_path / "project", square=wait)
    first = start(project, "squares")
    while not (project / "did").exists():
        assert first.running(), first.err
        time.sleep(0.02)
    second = start(project, "squares")
    while "another run of this project is under way" not in second.err:
        assert second.running(), second.err
        time.sleep(0.02)
    go.touch()
    assert [first.wait(), second.wait()] == [0, 0]
    assert "another run" not in first.err
    assert made(project) == TURNS
    assert [*contents(project)] == ["squares"]


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
    project = copy_of_project(tmp_path, data=False)
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
        assert [*lab.shared([1, 2], label="conditions")] == [1, 2]
    assert [*lab.turns] == ["conditions", "conditions #2", "conditions #3"]
    lab.errand = Errand(loop="conditions #2", turns=(1,))
    lab.begin()
    assert [*lab.shared([1, 2], label="conditions")] == [1, 2]
    with pytest.raises(Stopped, match="conditions #2"):
        list(lab.shared("ab", label="conditions"))


def ledger(project: Project, code: str) -> Ledger:
    return Ledger.of(Store(project), ResultId("toy", "totals"), Code(code, {}), {})


def test_a_ledger_remembers_what_is_done(project: Project) -> None:
    mine = ledger(project, "1")
    assert mine.open_turns("loop", 3) == [0, 1, 2]
    mine.note("loop", 3, [0, 2], 1.5)
    mine.note("other", 1, [0], 1.0)
    again = ledger(project, "1")
    assert again.open_turns("loop", 3) == [1]
    assert (again.whole, again.seconds) == (("other",), 2.5)
    assert ledger(project, "2").loops == {}  # other code: nothing is known to be done
    again.close()
    assert ledger(project, "1").loops == {}


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
    mine = ledger(project, "")
    mine.note("loop", 3, [0], 1.0)
    spoiled = SPOILED[name](json.loads(mine.path.read_text("utf-8")))
    mine.path.write_text(spoiled if isinstance(spoiled, str) else json.dumps(spoiled), "utf-8")
    assert ledger(project, "") == Ledger(mine.path, mine.key)
