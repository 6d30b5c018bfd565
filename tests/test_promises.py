"""What README, OPERATIONS and SECURITY promise is held by tests, and a new promise wants its own."""

from pathlib import Path

import pytest

from tests.promises import DATA, DOCUMENTS, ROOT, TABLE, Promises, entry, sentences, table

README = """# A machine

It counts. It never forgets
what it *counted.* See `there.`

```sh
count 3   # three, at once
count
```

| how | what is seen |
|---|---|
| slowly | one. Then the other |
| killed | `test_count.py::test_killed`, `::test_killed_twice`, `tests/test_more.py::test_it` |

- An item: it
  goes on. e.g. here
"""

COUNTING = """
import pytest

def helper(): ...

@pytest.mark.parametrize("n", [1, 2])
def test_killed(n): ...

def test_killed_twice(): ...
"""


def test_every_sentence_that_promises_something_is_held_by_a_test() -> None:
    problems = [*Promises.of().problems()]
    assert not problems, "\n".join(["", *problems])


def test_the_table_is_the_one_that_the_command_writes() -> None:
    written = (ROOT / TABLE).read_text("utf-8")
    assert written == table(Promises.of()), "run: python -m tests.promises"


def test_a_document_is_read_by_sentences_rows_and_remarks() -> None:
    found = [(one.line, one.text) for one in sentences("README.md", README)]
    assert found == [
        (3, "It counts."),
        (3, "It never forgets what it *counted.*"),
        (4, "See `there.`"),
        (7, "count 3 # three, at once"),
        (13, "slowly | one. Then the other"),
        (14, README.splitlines()[13].strip("| ")),
        (16, "An item: it goes on. e.g. here"),
    ]


def test_a_row_is_held_by_the_tests_that_it_names() -> None:
    row = [*sentences("README.md", README)][5]
    home = "tests/site_builder/test_count.py"
    assert row.names() == [
        f"{home}::test_killed",
        f"{home}::test_killed_twice",
        "tests/test_more.py::test_it",
    ]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A project of one promise and its test."""
    for name in DOCUMENTS:
        (tmp_path / name).write_text("# A machine\n\nIt counts to three.\n", "utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_count.py").write_text(COUNTING, "utf-8")
    say(tmp_path, "'It counts to three.' = ['tests/test_count.py::test_killed']")
    return tmp_path


def say(root: Path, line: str) -> None:
    said = "\n".join(f'["{name}"]\n{line}' for name in DOCUMENTS)
    (root / DATA).write_text(said, "utf-8")


def wrong(root: Path) -> list[str]:
    """What is wrong with README; the others are like it."""
    return [line for line in Promises.of(root).problems() if "README.md" in line]


def test_a_promise_with_its_test_is_well(machine: Path) -> None:
    assert [*Promises.of(machine).problems()] == []


def test_a_new_wording_is_told_with_its_place_and_what_to_write(machine: Path) -> None:
    text = "# A machine\n\nIt counts to three,\nand back.\n"
    (machine / "README.md").write_text(text, "utf-8")
    assert wrong(machine) == [
        'README.md:3: no test holds "It counts to three, and back."; run python -m tests.promises, '
        "which shows the line to put into tests/promises.toml",
        'tests/promises.toml: README.md no longer says "It counts to three."; take it out there',
    ]
    promises = Promises.of(machine)
    ((_, gone),) = promises.gone()
    assert entry(promises.unknown()[0], promises.said["README.md"], [gone]) == (
        """'It counts to three, and back.' = ["tests/test_count.py::test_killed"]"""
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("['tests/test_count.py::test_kiled']", 'README.md:3: no test "tests/test_count.py::'),
        ("['tests/test_count.py::helper']", 'README.md:3: no test "tests/test_count.py::helper"'),
        ("['tests/test_count.py']", 'README.md:3: no test "tests/test_count.py"; correct'),
        ("['tests/gone.py::test_killed']", 'README.md:3: no test "tests/gone.py::test_killed"'),
        ("[]", 'tests/promises.toml: README.md: "It counts to three." has no test; name one'),
        ("'boasts'", 'tests/promises.toml: README.md: "boasts" of "It counts to three." is no'),
    ],
)
def test_what_holds_nothing_is_told(machine: Path, said: str, told: str) -> None:
    say(machine, f"'It counts to three.' = {said}")
    (line,) = wrong(machine)
    assert line.startswith(told)


def test_the_table_shows_promises_beside_their_tests(machine: Path) -> None:
    (machine / "README.md").write_text(README.replace("a `b`", "a | b"), "utf-8")
    say(machine, "'It counts.' = ['tests/test_count.py::test_killed']\n'See `there.`' = 'leads'")
    shown = table(Promises.of(machine)).splitlines()
    assert "2 promises, 4 tests; 5 sentences promise nothing." in shown
    assert "| It counts. | [killed](test_count.py) |" in shown
    home = "site_builder/test_count.py"
    row = f"| killed | [killed]({home})<br>[killed twice]({home})<br>[it](test_more.py) |"
    assert row in shown
