"""The workflow that publishes the page: real commands, the light install, no more rights than it needs."""

import hashlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from site_builder.commands.main import main

WORKFLOW: dict[Any, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / ".github" / "workflows" / "pages.yml").read_text("utf-8")
)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS: list[dict[str, Any]] = [step for job in JOBS.values() for step in job["steps"]]
RUNS: list[list[str]] = [
    shlex.split(line) for step in STEPS for line in step.get("run", "").splitlines()
]


def accepted(words: list[str]) -> bool:
    """Whether the command and its options exist: help is shown only when all others are known."""
    return CliRunner().invoke(main, [*words, "--help"]).exit_code == 0


@pytest.mark.parametrize("words", [r for r in RUNS if r[0] == "build-site"], ids=" ".join)
def test_a_command_of_the_workflow_is_one_of_ours(words: list[str]) -> None:
    assert accepted(words[1:])


@pytest.mark.parametrize("words", ["verifi", "--run never --strikt"])
def test_a_misspelt_one_would_be_seen(words: str) -> None:
    assert not accepted(words.split())


def test_only_the_light_install_is_made_and_nothing_stale_is_published() -> None:
    assert [words for words in RUNS if words[0] != "build-site"] == [
        ["pip", "install", "--require-hashes", "-r", "requirements.lock"],
        ["pip", "install", "--no-deps", "--editable", "."],
    ]
    (build,) = (words for words in RUNS if words[:2] == ["build-site", "--run"])
    assert {"never", "--strict", "--live"} <= set(build)
    assert ["build-site", "verify"] in RUNS


def test_the_page_knows_its_address() -> None:
    (step,) = (step for step in STEPS if "SITE_URL" in step.get("env", {}))
    (pages,) = (
        step for step in STEPS if step.get("uses", "").startswith("actions/configure-pages@")
    )
    assert step["env"]["SITE_URL"] == f"${{{{ steps.{pages['id']}.outputs.base_url }}}}/"


def test_rights_are_few_and_versions_pinned() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    writing = {name for name, job in JOBS.items() if "write" in job["permissions"].values()}
    assert writing == {"deploy"}
    assert JOBS["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert JOBS["deploy"]["needs"] == "build"
    assert WORKFLOW["concurrency"]["group"]
    root = Path(__file__).parents[1]
    begun = root / "templates/new/project/both/.github/workflows/pages.yml.j2"
    for path in (*(root / ".github" / "workflows").glob("*.yml"), begun):
        uses = re.findall(r"uses: (.*)", path.read_text("utf-8"))
        assert uses
        for one in uses:  # a tag can be moved; a comment says which it was
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one), one


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", ()), ("requirements-lab.lock", ("lab", "cluster", "test"))],
)
def test_a_lock_pins_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    text = (root / lock).read_text("utf-8")
    pinned: dict[str, str] = dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE))
    for line in wanted:
        asked = Requirement(line)
        assert asked.specifier.contains(pinned[canonicalize_name(asked.name)]), line
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_push_to_main_is_published() -> None:
    when = WORKFLOW[True]  # YAML reads `on` so
    assert when["push"] == {"branches": ["main"]}
    steps = [step.get("uses", "").partition("@")[0] for step in JOBS["deploy"]["steps"]]
    assert steps == ["actions/deploy-pages"]
    uploaded = [step["with"]["path"] for step in STEPS if "upload-pages" in step.get("uses", "")]
    assert uploaded == ["site"]


PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["cluster"]])
def test_what_we_run_with_has_a_lowest_and_a_highest_version(line: str) -> None:
    operators = {one.operator for one in Requirement(line).specifier}
    assert operators == {">=", "<"}


def test_each_package_of_the_page_stands_beside_its_reason() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
    for line in PROJECT["dependencies"]:
        assert re.search(rf'^ +"{re.escape(line)}", +# \w+', text, re.MULTILINE), line


def test_the_vendored_script_is_the_one_that_was_published() -> None:
    script = Path(__file__).parents[1] / "assets" / "preview" / "idiomorph.esm.js"
    digest = "e1e2c7dbd606233d302bac48074fd1307c15609b77ea485c18f1b13d6be67c14"  # dist/ of 0.8.0
    assert hashlib.sha256(script.read_bytes()).hexdigest() == digest
