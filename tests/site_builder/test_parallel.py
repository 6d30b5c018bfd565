"""Drawing in several processes: the same site, the same messages, and nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from site_builder.charts import chart
from site_builder.charts.pieces import ENDING
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.render import parallel
from site_builder.render.figures import Fragments
from tests.site_builder.test_build import edit
from tests.site_builder.test_faults import BUILD, process
from tests.site_builder.test_incremental import built, more, section, tree

FIGURES = 12
TWO = "from site_builder.render import parallel; parallel.processes = lambda drawings: 2\n"


@pytest.fixture
def long(project: Project) -> Project:
    """The small project with more figures than one process should draw."""
    for size in range(FIGURES):
        more(section(project), f"\n<< figure: numbers small size={size + 1} >>\n")
    return project


def drawn_by(count: int, project: Project, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The site that so many processes make from nothing."""
    for name in (".cache", "site"):
        if (project.root / name).exists():
            (project.root / name).rename(project.root / f"{name}.{count}")
    monkeypatch.setattr(parallel, "processes", lambda _drawings: count)
    assert built(project).drawn == FIGURES + 2
    return tree(project.site)


def test_one_process_and_two_make_the_same_site(
    long: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    drew = Fragments.draw
    here = []

    def spy(fragments: Fragments, *about: object) -> None:
        here.append(about)
        drew(fragments, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(Fragments, "draw", spy)
    alone = drawn_by(1, long, monkeypatch)
    assert len(here) == FIGURES + 2
    here.clear()
    assert drawn_by(2, long, monkeypatch) == alone
    assert here == []


def test_a_few_drawings_and_one_core_need_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: range(2), raising=False)
    counts = [parallel.processes(drawings) for drawings in (0, 2, 6, 12, 500)]
    assert counts == [0, 0, 1, 2, 2]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: range(1))
    assert parallel.processes(500) == 1


def told(project: Project) -> list[str]:
    with pytest.raises(BuildError) as failed:
        built(project)
    return [str(problem) for problem in failed.value.problems]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('no')", 'drawing "numbers small" raised ValueError: no; see '),
        ("raise theme.DrawingError('it is odd', 'even it')", '"numbers small": it is odd; even it'),
        (
            "import os; os.abort()",
            'drawing "numbers small" ended the process that drew it, without a word; ',
        ),
    ],
)
def test_what_a_process_finds_wrong_is_told_as_if_drawn_here(
    long: Project, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    edit(
        long.figures / "numbers.py",
        '    theme.need(table, "x", "estimate")\n',
        f'    theme.need(table, "x", "estimate")\n    if size == 5:\n        {code}\n',
    )
    monkeypatch.setattr(parallel, "processes", lambda _drawings: 2)
    there = told(long)
    assert len(there) == 1
    assert said in there[0]
    if "abort" in code:  # it would end this process too
        return
    monkeypatch.setattr(parallel, "processes", lambda _drawings: 1)
    assert told(long) == there


def running(process_id: int) -> bool:
    """Whether a process runs: one that ended may wait for somebody to look."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()[:1] not in ("", "Z")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_killed_build(long: Project, tmp_path: Path, how: int) -> None:
    told = tmp_path / "processes"
    told.mkdir()
    edit(
        long.figures / "numbers.py",
        '    theme.need(table, "x", "estimate")\n',
        "    import os, time\n"
        f"    open({str(told)!r} + f'/{{os.getpid()}}', 'w').close()\n"
        "    time.sleep(100)\n",
    )
    whole = process(long, TWO + BUILD)
    deadline = time.monotonic() + 120
    while len([*told.iterdir()]) < 2:
        assert time.monotonic() < deadline
        assert whole.poll() is None
        time.sleep(0.05)
    drawing = [int(path.name) for path in told.iterdir()]
    assert all(map(running, drawing))
    whole.send_signal(how)
    whole.communicate(timeout=60)
    while any(map(running, drawing)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_what_an_edit_changes_is_converted(
    long: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = []
    convert = chart._convert

    def spy(*about: object) -> object:
        converted.append(about)
        return convert(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel, "processes", lambda _drawings: 1)
    monkeypatch.setattr(chart, "_convert", spy)
    built(long)
    assert len(converted) == FIGURES  # three are the same
    converted.clear()
    before = tree(long.site)
    edit(
        long.figures / "numbers.py",
        'alt.X("x:Q")',
        'alt.X("x:Q", title="The x" if size == 5 else alt.Undefined)',
    )
    sys.modules.pop("site_builder.figures.numbers")
    assert built(long).drawn == FIGURES + 1
    assert len(converted) == 1
    after = tree(long.site)
    pieces = sorted((long.cache / "drawings").glob(f"*/*{ENDING}"))
    assert not {name for name in after if name.endswith(ENDING)}
    assert len(after) == len(before)

    converted.clear()
    for path in pieces:  # what is spoiled is made anew, what is whole taken over
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    edit(long.figures / "numbers.py", '"Some numbers."', '"Some more numbers."')
    sys.modules.pop("site_builder.figures.numbers")
    built(long)
    assert len(converted) == FIGURES


def test_what_is_no_vega_lite_is_told_at_its_line(project: Project) -> None:
    edit(project.figures / "numbers.py", 'alt.X("x:Q")', 'alt.X("x:Q", scale=alt.Scale(typ="log"))')
    text = (project.figures / "numbers.py").read_text("utf-8")
    line = text[: text.index("typ=")].count("\n") + 1
    (said,) = told(project)
    assert "raised SchemaValidationError" in said
    assert said.endswith(f"see site_builder/figures/numbers.py:{line}")


BEGINS = """
import sys
class Begins:
    def find_spec(self, name, path=None, target=None):
        if name == "site_builder.commands.main":
            print("begins", flush=True)
sys.meta_path.insert(0, Begins())
"""
"""Says when the command line has begun, and loads what it needs."""


@pytest.mark.parametrize("wait", [0.0, 0.3, 1.0])
def test_an_interrupted_build_is_a_line(long: Project, wait: float) -> None:
    """As a terminal does it: every process of the build is interrupted."""
    edit(
        long.figures / "numbers.py",
        '    theme.need(table, "x", "estimate")\n',
        "    import time\n    time.sleep(0.3)\n",
    )
    start = "from site_builder.render import parallel; parallel.processes = lambda drawings: 2\n"
    code = f"{start}from site_builder.__main__ import run\n{BEGINS}run()\n"
    whole = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=long.root,
        env=os.environ | {"PYTHONPATH": str(long.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert whole.stdout is not None
    assert whole.stdout.readline() == "begins\n"
    time.sleep(wait)
    # Python drops an interruption that comes while some library is torn down or set up: whoever
    # sees nothing stop interrupts once more.
    for _ in range(5):
        with suppress(ProcessLookupError):
            os.killpg(whole.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            whole.wait(7)
            break
    out, err = whole.communicate(timeout=120)
    assert whole.returncode == 130
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("stopped")
