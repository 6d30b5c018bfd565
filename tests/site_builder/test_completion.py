"""What a shell offers: names of the project, at the price of reading a few files."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.project import Project
from tests.site_builder.conftest import REPO


def offered(*words: str) -> list[str]:
    """What completes the last word of a command line."""
    shell = ShellComplete(main, {}, "build-site", "_BUILD_SITE_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.fixture(autouse=True)
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    other = project.analyses / "studies" / "other.toml"
    other.write_text('title = "Another"\n', "utf-8")
    monkeypatch.chdir(project.content)
    return project


@pytest.mark.parametrize("command", ["run", "accept"])
def test_measurements_and_their_variants(command: str) -> None:
    assert offered(command, "") == ["base", "numbers", "totals"]
    assert offered(command, "nu") == ["numbers"]
    assert offered(command, "numbers", "") == ["large", "small"]
    assert offered(command, "--study", "toy", "numbers", "s") == ["small"]
    assert offered(command, "totals", "") == []
    assert offered(command, "nombers", "") == []


@pytest.mark.parametrize(
    "command", [[], ["run"], ["run", "numbers"], ["accept"], ["status"], ["claims"]], ids=" ".join
)
def test_studies(command: list[str]) -> None:
    assert offered(*command, "--study", "") == ["other", "toy"]
    assert offered(*command, "--study", "t") == ["toy"]


def test_a_new_figure_may_draw_what_nothing_draws() -> None:
    assert offered("new", "figure", "") == ["base"]


def test_new_files_are_offered_at_once(here: Project) -> None:
    (here.analyses / "newest.py").write_text('VARIANTS = ("a", "b")\n\n\ndef run(lab): ...\n')
    assert offered("run", "ne") == ["newest"]
    assert offered("run", "newest", "") == ["a", "b"]


def test_nothing_is_offered_and_nothing_said_where_nothing_can_be_read(
    here: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (here.analyses / "numbers.py").write_text("def run(lab:\n")
    assert offered("run", "numbers", "") == []
    (here.figures / "numbers.py").write_bytes(b"\xff\n")
    assert offered("new", "figure", "") == []
    monkeypatch.chdir(here.root.parent)
    assert offered("run", "") == offered("run", "--study", "") == []
    assert capfd.readouterr() == ("", "")


def test_the_shell_s_own_way_imports_no_model_and_no_chart() -> None:
    """As the script of bash asks: words in the environment, an answer a line."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import atexit, sys\n"
            "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
            "from site_builder.commands.main import main\nmain(prog_name='build-site')",
        ],
        cwd=REPO,
        env={
            **os.environ,
            "PYTHONPATH": str(REPO),
            "_BUILD_SITE_COMPLETE": "bash_complete",
            "COMP_WORDS": "build-site run entropy sw",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.stdout.splitlines() == ["plain,swap", "plain,swap-break"]
    heavy = {"torch", "altair", "pyarrow", "mkdocs", "jinja2", "markdown_it", "numpy", "yaml"}
    assert "site_builder.commands.completion" in told.stderr.split()
    assert not heavy & set(told.stderr.split())


def test_commands() -> None:
    assert offered("") == sorted(main.commands)
    assert offered("st") == ["status", "studies"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_gets_a_script_that_asks_us(shell: str) -> None:
    asked = {"_BUILD_SITE_COMPLETE": f"{shell}_source"}
    told = CliRunner().invoke(main, env=asked, prog_name="build-site")
    assert told.exit_code == 0
    assert f"_BUILD_SITE_COMPLETE={shell}_complete" in told.stdout
    assert "build-site" in told.stdout
