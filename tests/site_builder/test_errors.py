"""Bad input: one line each, all of a build at once, and the last good site untouched."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.errors import Problem
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import put

SECTION = "content/sections/01-numbers.md"


def add(project: Project, line: str) -> None:
    path = project.root / SECTION
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")


def build(project: Project, monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, list[str]]:
    monkeypatch.chdir(project.root)
    result = CliRunner().invoke(main, list(args), catch_exceptions=False)
    lines = [
        line for line in result.stderr.splitlines() if "the page was left as it was" not in line
    ]
    return result.exit_code, lines


@pytest.fixture
def good_site(project: Project) -> Path:
    """What a failed build must not touch."""
    page = project.site / "index.html"
    page.parent.mkdir()
    page.write_text("the last good page")
    return page


CASES = {
    "unknown kind": ("<< figur: numbers small >>", 'unknown kind "figur"; did you mean "figure"?'),
    "unknown figure": ("<< figure: nubers small >>", 'unknown figure "nubers"; did you mean "numbers"?'),
    "unknown variant": (
        "<< figure: numbers smal >>",
        '"numbers" has no variant "smal"; did you mean "small"?',
    ),
    "no variant": ("<< figure: numbers >>", '"numbers" has no variant "(none)"; there is: large, small'),
    "unknown option": (
        "<< figure: numbers small sise=4 >>",
        'unknown option "sise" of figure "numbers"; did you mean "size"?',
    ),
    "bad option": ("<< figure: numbers small size=big >>", 'option size="big" is not a whole number; write size=3'),
    "unknown study": ("<< figure: numbers small study=toi >>", 'unknown study "toi"; did you mean "toy"?'),
    "not drawn": (
        "<< figure: base >>",
        '"base" is measured but not drawn; write site_builder/figures/base.py',
    ),
    "unclosed": (
        "<< figure: numbers small",
        "unclosed directive << figure: numbers small; close it with >> on its line",
    ),
    "value of no column": (
        "A << value: numbers small shoe=1 >>.",
        'numbers small has no column "shoe"; there is: estimate, high, low, n, x',
    ),
    "value of no row": (
        "A << value: numbers small x=9 >>.",
        '0 rows match; x is never "9": there is: 1, 2, 3',
    ),
    "value of many rows": (
        "A << value: numbers small show=x >>.",
        "3 rows match; choose by x, estimate, low, high, n",
    ),
    "value with a bad format": (
        "A << value: numbers small x=1 format=.q >>.",
        'format ".q" does not fit; write ".1f", "d" or ".0%"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_line_in_the_prose(
    project: Project, good_site: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    written, message = CASES[name]
    add(project, written)
    code, lines = build(project, monkeypatch)
    assert (code, lines) == (1, [f"{SECTION}:9: {message}"])
    assert good_site.read_text() == "the last good page"


def test_all_messages_come_at_once(
    project: Project, good_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for written, _ in CASES.values():
        if "value" not in written:
            add(project, written)
    (project.content / "index.md").write_text(
        "<< section: 02-nombers >>\n\n<< section: 01-numbers >>"
    )
    code, lines = build(project, monkeypatch)
    assert code == 1
    assert lines[0] == 'content/index.md:1: no section "02-nombers"; did you mean "01-numbers"?'
    assert len(lines) == 1 + sum("value" not in written for written, _ in CASES.values())


def test_missing_result(project: Project, good_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(project, "<< figure: numbers large >>")
    code, lines = build(project, monkeypatch, "--run", "never")
    assert code == 1
    assert lines == [
        f'{SECTION}:9: no result for "numbers large"; run: build-site run numbers large'
    ]
    assert good_site.read_text() == "the last good page"


def test_a_variant_that_the_drawing_leaves_out(
    project: Project, good_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = project.figures / "numbers.py"
    drawing.write_text(f'{drawing.read_text()}\nVARIANTS = ("small",)\n')
    add(project, "<< figure: numbers large >>\n\n<< value: numbers large x=2 >>")
    code, lines = build(project, monkeypatch, "--run", "never")
    assert code == 1
    assert lines == [f'{SECTION}:9: "numbers large" is measured but not drawn; there is: small']
    assert good_site.read_text() == "the last good page"


def no_column(project: Project) -> None:
    put(
        Store(project), ResultId("toy", "numbers", "small"), pa.table({"x": [1], "estimete": [1.0]})
    )


def broken_study(project: Project) -> None:
    (project.analyses / "studies" / "toy.toml").write_text("title = \n")


def twice(project: Project) -> None:
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< section: 01-numbers >>\n", "utf-8")


def wrong_study(project: Project) -> None:
    config = project.root / "mkdocs.yml"
    config.write_text(config.read_text("utf-8").replace("study: toy", "study: toi"), "utf-8")


def broken_config(project: Project) -> None:
    (project.root / "mkdocs.yml").write_text("site_name: [\n")


def broken_measurement(project: Project) -> None:
    (project.analyses / "numbers.py").write_text("def run(lab:\n")


def broken_drawing(project: Project) -> None:
    (project.figures / "numbers.py").write_text(
        "def x():\n\ndef draw(table, *, variant=''):\n  1/0\n"
    )


def raising_drawing(project: Project) -> None:
    (project.figures / "numbers.py").write_text(
        "X = 1\ndef draw(table, *, variant=''):\n    1 / 0\n"
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_column, f"{SECTION}:3: numbers small has no column"),
        (no_column, f'{SECTION}:5: "numbers small": the result has no column'),
        (broken_study, "analyses/studies/toy.toml:1: not TOML"),
        (broken_config, "mkdocs.yml:"),
        (twice, 'content/index.md:8: section "01-numbers" stands twice; keep one'),
        (wrong_study, 'analyses/studies: no study "toi"; did you mean "toy"?'),
        (broken_measurement, "analyses/numbers.py:1: "),
        (broken_drawing, "site_builder/figures/numbers.py:3: "),
        (raising_drawing, f'{SECTION}:5: drawing "numbers small" raised ZeroDivisionError'),
    ],
)
def test_one_line_elsewhere(
    project: Project,
    good_site: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Project], None],
    message: str,
) -> None:
    spoil(project)
    code, lines = build(project, monkeypatch)
    assert code == 1
    assert any(line.startswith(message) for line in lines), lines
    assert len(lines) == len(set(lines)) <= 3
    assert good_site.read_text() == "the last good page"
    assert not list(project.cache.glob("site.*"))


def test_a_circle_of_measurements(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.analyses / "base.py"
    path.write_text(path.read_text().replace("run(lab)", "run(lab, totals)"))
    code, lines = build(project, monkeypatch, "run")
    assert code == 1
    assert "a circle: base → totals → base" in lines[0] or "totals → base → totals" in lines[0]


def test_strict_makes_stale_an_error(
    project: Project, good_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.analyses / "totals.py"
    path.write_text(path.read_text().replace("return None", "return 1"))
    code, lines = build(project, monkeypatch, "--strict")
    assert code == 1
    assert lines == [
        f'{SECTION}:7: "totals" is stale: analyses/totals.py changed; run: build-site run totals'
    ]


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "no mkdocs.yml here or above" in result.stderr


def test_status_tells_machines(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    monkeypatch.chdir(project.root)
    rows = json.loads(CliRunner().invoke(main, ["status", "--json"]).stdout)
    assert rows[1] == {
        "where": f"{SECTION}:5",
        "directive": "figure: numbers small",
        "study": "toy",
        "analysis": "numbers",
        "variant": "small",
        "state": "fresh",
        "reasons": [],
    }


def test_accept_restamps_and_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.analyses / "base.py"
    path.write_text(path.read_text().replace("return None", "return 1"))
    monkeypatch.chdir(project.root)
    result = CliRunner().invoke(main, ["accept"], catch_exceptions=False)
    assert result.stdout == "accepted base: analyses/base.py changed\n"
    store = Store(project)
    assert store.why_stale(ResultId("toy", "totals")) == []
    (accepted,) = store.recipe(ResultId("toy", "base")).accepted
    assert accepted["reasons"] == ["analyses/base.py changed"]
    assert "because" not in accepted


def test_accept_keeps_the_word_of_who_accepts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.analyses / "base.py"
    path.write_text(path.read_text().replace("return None", "return 1"))
    monkeypatch.chdir(project.root)
    CliRunner().invoke(main, ["accept", "--because", "it is <never> called"])
    (accepted,) = Store(project).recipe(ResultId("toy", "base")).accepted
    assert accepted["because"] == "it is <never> called"


def test_accept_needs_the_inputs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(project).path(ResultId("toy", "base")).unlink()
    monkeypatch.chdir(project.root)
    result = CliRunner().invoke(main, ["accept", "totals"], catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stderr == 'data/toy: no result for "base"; run: build-site run base\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--study", "other", "status"], "put --study behind status, if it takes that"),
        (["-q", "run", "--plan"], "put --quiet behind run, if it takes that"),
        (["run", "--address", "nowhere:1", "base"], "are about --engine ray"),
        (["run", "--engine", "ray", "--limit", "-4"], "-4.0 is not in the range x>=0"),
    ],
)
def test_an_option_in_the_wrong_place_is_an_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(project.root)
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 2
    assert said in result.stderr


def test_lists_that_are_there_are_not_replaced_unasked(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reads = "\n\ndef read_external(lab, file):\n    return None\n"
    with (project.analyses / "base.py").open("a", encoding="utf-8") as module:
        module.write(reads)
    path = Store(project).path(ResultId("toy", "base"))
    path.write_bytes(b"lists of hours")
    (tmp_path / "lists.parquet").write_bytes(b"")
    monkeypatch.chdir(project.root)
    words = ["import", str(tmp_path / "lists.parquet")]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 1
    said = "data/toy/base.parquet: toy has base; name another --study, or say --replace\n"
    assert result.stderr == said
    assert path.read_bytes() == b"lists of hours"


def test_verify_and_gc(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    runner = CliRunner()
    assert runner.invoke(main, ["verify"]).stdout == "3 results are sound\n"
    orphan = project.data / "toy" / "gone.parquet"
    orphan.write_bytes(Store(project).path(ResultId("toy", "base")).read_bytes())
    result = runner.invoke(main, ["verify"])
    assert result.exit_code == 1
    assert 'nothing here measures "gone"' in result.stderr
    assert "kept data/toy/gone.parquet" in runner.invoke(main, ["gc"]).stdout
    assert orphan.exists()
    assert "removed data/toy/gone.parquet" in runner.invoke(main, ["gc", "--results"]).stdout
    assert not orphan.exists()


def test_a_terminal_obeys_nobody() -> None:
    problem = Problem("x\x1b[2J", "a\x9b31m \u202eb\nc\x07", "\ud800d\0")
    assert str(problem) == "x[2J: a31m b c; d"


def test_a_chart_that_would_show_nothing_is_told_where_it_is_asked_for(project, monkeypatch):
    empty = pa.table({"x": pa.array([], pa.int64()), "estimate": pa.array([], pa.float64())})
    put(Store(project), ResultId("toy", "numbers", "small"), empty)
    path = project.root / SECTION
    path.write_text("## Numbers\n\n<< figure: numbers small >>\n", "utf-8")
    code, lines = build(project, monkeypatch)
    assert code == 1
    assert lines == [
        f'{SECTION}:3: "numbers small": chart 1 has no rows to show; '
        "measure it again, or draw what it has"
    ]


@pytest.mark.builds
def test_a_result_needs_no_labels(project, monkeypatch):
    id, store = ResultId("toy", "numbers", "small"), Store(project)
    result = store.load(id)
    store.save(id, result.table, replace(result.recipe, labels={}))
    page = project.content / "provenance.md"
    page.write_text("# Provenance\n\n<< page: provenance results >>\n", "utf-8")
    code, lines = build(project, monkeypatch, "--run", "never")
    assert (code, lines) == (0, [])
    assert "numbers small" in (project.site / "provenance" / "index.html").read_text("utf-8")
