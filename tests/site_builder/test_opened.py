"""What a measurement does wrong is told at its line; what it reads behind our back is refused."""

import sys
from pathlib import Path

import pytest

from site_builder.core.errors import BuildError
from site_builder.measure.opened import watched
from site_builder.measure.runner import compute, on_path, open_lab
from tests.site_builder.conftest import write

HEAD = '''
"""Counts."""

import pyarrow as pa


def run(lab):
    """One row."""
'''
TABLE = '    return pa.table({"n": [len(text)]})\n'


def measured(root: Path, name: str, body: str):
    """What a measurement of this body gives in a project without any model."""
    write(root / "mkdocs.yml", "site_name: Counts\n")
    write(root / "analyses" / "studies" / "mine.toml", 'title = "Mine"\n')
    write(root / "raw" / "counts.csv", "n\n1\n2\n")
    write(root / "raw" / "cfg.json", "{}\n")
    write(root / "notes.txt", "some\n")
    (root / "analyses" / f"{name}.py").write_text(HEAD + body, "utf-8")
    return compute(open_lab(root, "mine", quiet=True), name, "", [])


def test_a_file_that_is_opened_through_the_lab_is_part_of_the_result(tmp_path: Path) -> None:
    body = '    text = lab.file("raw/counts.csv").read_text()\n' + TABLE
    found = measured(tmp_path, "opened_well", body)
    assert [*found.files] == ["raw/counts.csv"]
    assert found.table["n"].to_pylist() == [6]


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("opened_plainly", 'open(f"{lab.home}/raw/counts.csv")', 'lab.file("raw/counts.csv")'),
        (
            "opened_as_path",
            '(lab.home / "raw" / "counts.csv").open()',
            'lab.file("raw/counts.csv")',
        ),
        ("opened_as_sae", 'open(f"{lab.home}/raw/cfg.json")', 'lab.file("raw/cfg.json")'),
        ("opened_elsewhere", '(lab.home / "notes.txt").open("rb")', 'lab.file("raw/notes.txt")'),
    ],
)
def test_a_file_that_is_opened_past_the_lab_is_refused(
    tmp_path: Path, name: str, how: str, said: str
) -> None:
    with pytest.raises(BuildError) as refused:
        measured(tmp_path, name, f"    text = {how}.read()\n{TABLE}")
    (problem,) = refused.value.problems
    assert problem.where == f"analyses/{name}.py"
    assert problem.cure == f"open it with {said}"


def test_what_is_opened_or_raised_on_import_is_told_too(tmp_path: Path) -> None:
    early = '    return pa.table({"n": [SIZE]})\n\n\nSIZE = len(open("NOTES").read())\n'
    early = early.replace("NOTES", str(tmp_path / "notes.txt"))
    with pytest.raises(BuildError, match=r"opened notes\.txt by itself"):
        measured(tmp_path, "opened_early", early)
    with pytest.raises(BuildError, match=r"analyses/raises_early.py:\d+: .* ZeroDivisionError"):
        measured(tmp_path, "raises_early", "    return None\n\n\n1 / 0\n")


def test_code_beside_the_measurements_is_no_file_of_theirs(tmp_path: Path) -> None:
    write(tmp_path / "beside_them.py", "SIZE = 7\n")
    body = '    from beside_them import SIZE\n\n    return pa.table({"n": [SIZE]})\n'
    assert measured(tmp_path, "opens_code", body).table["n"].to_pylist() == [7]


def test_what_is_written_or_lies_elsewhere_is_let_be(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out.txt"
    write(inside / "analyses" / "code.py", "A = 1\n")
    write(inside / "seen.txt", "1")
    outside.write_text("1", "utf-8")
    with watched(inside) as found:
        (inside / "written.txt").write_text("1", "utf-8")
        with (inside / "written.txt").open("a") as more:
            more.write("2")
        outside.read_text("utf-8")
        (inside / "analyses" / "code.py").read_text("utf-8")
        (inside / "seen.txt").read_bytes()
    (inside / "written.txt").read_text("utf-8")  # nobody watches any more
    assert found == {"seen.txt"}


def test_what_a_measurement_raises_is_told_at_its_line(tmp_path: Path) -> None:
    body = '    return deep()\n\n\ndef deep():\n    raise ValueError("no moon")\n'
    with pytest.raises(BuildError) as told:
        measured(tmp_path, "raises", body)
    (problem,) = told.value.problems
    line = (HEAD + body).split("\n").index('    raise ValueError("no moon")') + 1
    assert problem.where == f"analyses/raises.py:{line}"
    assert problem.what == '"raises" raised ValueError: no moon'
    assert "deep()" in (tmp_path / ".cache" / "traceback.txt").read_text("utf-8")


@pytest.mark.parametrize(("name", "given"), [("gives_none", "None"), ("gives_dict", "{}")])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, given: str) -> None:
    with pytest.raises(BuildError, match="return a pyarrow Table"):
        measured(tmp_path, name, f"    return {given}\n")


def test_a_package_that_hides_the_measurements_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "other" / "analyses" / "__init__.py", "A = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "other")
    for name in [name for name in sys.modules if name.partition(".")[0] == "analyses"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BuildError, match="hides the project's") as told:
        on_path(tmp_path / "post")
    assert str(tmp_path / "other") in told.value.problems[0].what
