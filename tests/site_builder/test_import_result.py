"""`build-site import`: results from elsewhere on the shelf, known by their file, not by our code."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import analyses.instruments.recorded.lists  # noqa: F401  (ours, before a project's own could be found)
from site_builder.commands.main import main
from site_builder.core.digests import sha256_file
from site_builder.core.project import Project
from site_builder.results.reasons import sentences
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import REPO

LISTS = ResultId("tiny", "list_samples")
KEY = {"template": "short", "temperature": 0.8, "topic": "Fruits", "token_ids": [5, 6, 7]}
ROWS = [
    KEY | {"sample": 0, "tokens": [" Fig", "\n", "<end_of_turn>"]},
    KEY | {"sample": 1, "tokens": [" Fig", "\n", "-"]},
]


@pytest.fixture
def study(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny study in the toy project, and what makes its lists."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(project.root)
    for name in ("studies/tiny.toml", "list_samples.py"):
        shutil.copy(REPO / "analyses" / name, project.analyses / name)
    return project.analyses / "studies" / "tiny.toml"


@pytest.fixture
def read(study: Path, tmp_path: Path) -> Callable[..., Result]:
    """Import rows into the study, with more words on the command line."""

    def run(rows: list[dict[str, object]], *more: str) -> Result:
        file = tmp_path / "from-elsewhere.parquet"
        pq.write_table(pa.Table.from_pylist(rows), file)
        words = ["import", str(file), "--study", "tiny", *more]
        return CliRunner().invoke(main, words, catch_exceptions=False)

    return run


def test_the_recipe_tells_the_file_in_place_of_code(
    project: Project, read: Callable[..., Result], tmp_path: Path
) -> None:
    assert read(ROWS).exit_code == 0
    recipe = Store(project).recipe(LISTS)
    digest = sha256_file(tmp_path / "from-elsewhere.parquet")
    assert recipe.made_with == {"recorded": "from-elsewhere.parquet", "sha256": digest}
    assert recipe.code == {}
    assert Store(project).why_stale(LISTS) == []


def test_a_list_without_the_token_that_ends_the_turn_was_cut(
    project: Project, read: Callable[..., Result]
) -> None:
    read(ROWS)
    assert Store(project).load(LISTS).table["ended"].to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("before", "after", "stale"),
    [
        ("top_p = 0.9", "top_p = 0.5", ""),
        ('"Fruits", ', '"Fruits", "Rivers", ', "topics.names"),
        ("short list of {topic}", "brief list of {topic}", "prompt.templates"),
    ],
)
def test_other_prompts_or_topics_make_it_stale(
    project: Project, read: Callable[..., Result], study: Path, before: str, after: str, stale: str
) -> None:
    read(ROWS)
    text = study.read_text("utf-8")
    assert before in text
    study.write_text(text.replace(before, after), "utf-8")
    reasons = sentences(Store(project).why_stale(LISTS))
    assert bool(reasons) == bool(stale)
    assert all(reason.startswith(stale) for reason in reasons)


def test_lists_that_are_there_are_replaced_when_that_is_said(
    project: Project, read: Callable[..., Result]
) -> None:
    read(ROWS)
    assert read(ROWS[:1]).exit_code == 1
    assert Store(project).load(LISTS).table.num_rows == 2
    assert read(ROWS[:1], "--replace").exit_code == 0
    assert Store(project).load(LISTS).table.num_rows == 1


READER = '''
"""Numbers of a stranger."""

import pyarrow as pa

from analyses.lab.core.errors import LabError


def run(lab):
    """A table."""
    return None


def read_external(lab, file, *, scale: float = 1.0, last_only: bool = False):
    """Read a number a line.

    Args:
        scale: What each is multiplied by,
            before anything else.
        last_only: Leave all but the last out.
    """
    words = file.read_text().split()
    if "x" in words:
        raise LabError(f"{file.name}:{1 + words.index('x')}", "no number", "write one")
    found = [scale * float(word) for word in words]
    return pa.table({"x": found[-1:] if last_only else found})
'''


@pytest.fixture
def strange(study: Path, project: Project, tmp_path: Path) -> Callable[..., Result]:
    """A measurement of one's own that reads files, and a command line of words behind the file."""
    (project.analyses / "list_samples.py").unlink()
    (project.analyses / "strange.py").write_text(READER, "utf-8")
    sys.modules.pop("analyses.strange", None)
    file = tmp_path / "numbers.txt"
    file.write_text("1\n2\n", "utf-8")

    def run(*words: str, text: str = "") -> Result:
        if text:
            file.write_text(text, "utf-8")
        asked = ["import", str(file), "--study", "tiny", *words]
        return CliRunner().invoke(main, asked, catch_exceptions=False)

    return run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [1.0, 2.0]),
        (["--scale", "2.5"], [2.5, 5.0]),
        (["strange", "--last-only"], [2.0]),
    ],
)
def test_the_options_are_those_of_the_measurement(project, strange, words, expected) -> None:
    told = strange(*words)
    assert told.exit_code == 0, told.stderr
    id = ResultId("tiny", "strange")
    assert Store(project).load(id).table["x"].to_pylist() == expected
    assert told.stderr.splitlines() == [
        "read numbers.txt into data/tiny/strange.parquet",
        "next: build-site run --plan --study tiny",
    ]


def test_help_tells_what_the_measurement_says_of_its_options(strange) -> None:
    text = " ".join(strange("--help").stdout.split())
    assert "strange: Read a number a line." in text
    assert "--scale FLOAT What each is multiplied by, before anything else." in text
    assert "--last-only / --no-last-only Leave all but the last out." in text
    assert "--tokenizer" not in text


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["base"], "", "analyses: base reads no results from elsewhere; there is: strange"),
        (["stranger"], "", 'analyses: no measurement "stranger"; did you mean "strange"?'),
        ([], "1\nx\n", "numbers.txt:2: no number; write one"),
        ([], "one", '"strange" raised ValueError: could not convert string to float'),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(project, strange, words, text, said) -> None:
    told = strange(*words, text=text)
    assert told.exit_code == 1
    assert said in told.stderr
    assert not Store(project).path(ResultId("tiny", "strange")).is_file()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("scale: float", "scale: complex", "read_external: scale is a complex; make it one of: "),
        ("scale: float", "study: float", "read_external: every import has an option study"),
        ('"""Numbers', 'VARIANTS = ("a",)\n"""Numbers', "a measurement that has variants"),
        ("return pa.table(", "return list(", "read_external() returned list; return a pyarrow"),
    ],
)
def test_a_reader_that_no_command_line_can_serve_is_told(project, strange, old, new, said) -> None:
    path = project.analyses / "strange.py"
    assert old in READER
    path.write_text(READER.replace(old, new), "utf-8")
    told = strange()
    assert told.exit_code == 1
    assert told.stderr.startswith("analyses/strange.py: ")
    assert said in told.stderr


def test_of_several_readers_one_is_named(project, strange) -> None:
    text = READER.replace("scale: float", "unit: str").replace("scale * ", "")
    (project.analyses / "other.py").write_text(text, "utf-8")
    sys.modules.pop("analyses.other", None)
    several = "analyses: several measurements read such a file; name one: other, strange\n"
    assert strange().stderr == several
    told = strange("other", "--scale", "2").stderr
    assert told == "--scale: other takes no such option; there is: --last-only, --unit\n"
    assert strange("other", "--unit", "m").exit_code == 0


def test_where_nothing_reads_files_that_is_said(project, strange) -> None:
    (project.analyses / "strange.py").unlink()
    said = "no measurement reads such a file; add def read_external(lab, file) to one"
    assert strange().stderr == f"analyses: {said}\n"
