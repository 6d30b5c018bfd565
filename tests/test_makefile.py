"""The Makefile does what the documents say of its targets: read from what it would run."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.test_documents import commands

REPO = Path(__file__).parents[1]


def runs(target: str, *more: str) -> list[str]:
    """The lines that `make` would run for a target where nothing is installed yet."""
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "VENV=/nowhere/venv", target, *more],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def test_every_target_of_the_documents_is_there() -> None:
    targets = {words[0] for words in commands("make")}
    assert {"site", "test", "lab", "lock", "audit"} <= targets
    for target in targets:
        assert runs(target), target


def test_the_page_is_built_without_the_lab_and_its_path_is_said_last() -> None:
    lines = runs("site")
    installed = [line for line in lines if "pip" in line and "install" in line]
    assert [line.partition("install -qq ")[2] for line in installed] == [
        "--require-hashes -r requirements.lock && /nowhere/venv/bin/python -m pip "
        "--disable-pip-version-check install -qq --no-deps --editable ."
    ]
    assert lines[-2:] == [
        "/nowhere/venv/bin/build-site",
        'echo "look at it: make serve  (or open site/index.html)"',
    ]


def test_the_lab_is_installed_and_measures() -> None:
    lines = runs("lab")
    assert any("install -qq --require-hashes -r requirements-lab.lock" in line for line in lines)
    assert lines[-1] == "/nowhere/venv/bin/build-site run"


def test_the_preview_is_served_at_the_address_that_is_told() -> None:
    assert runs("serve")[-1] == "/nowhere/venv/bin/build-site serve"
    assert "http://127.0.0.1:8000" in (REPO / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "part", ["ruff check .", "ruff format --check .", "mypy", "lint-imports", "-m pytest"]
)
def test_all_is_tested_and_what_that_needs_is_installed(part: str) -> None:
    lines = runs("test")
    assert any("install -qq --require-hashes -r requirements-lab.lock" in line for line in lines)
    assert any("apt-get install" in line and "chromium" in line for line in lines)
    assert any(f"/{part}" in line or f" {part}" in line for line in lines)


def test_newer_packages_are_taken_by_one_command_alone() -> None:
    upgraded = [line for line in runs("upgrade") if "uv pip compile" in line]
    assert len(upgraded) == 2
    assert all("--upgrade" in line for line in upgraded)
    for target in ("site", "lab", "test", "lock"):
        assert not any("--upgrade" in line for line in runs(target))


def test_both_locks_are_resolved_and_both_are_audited() -> None:
    assert re.findall(r"-o (\S+)", "\n".join(runs("lock"))) == [
        "requirements.lock",
        "requirements-lab.lock",
    ]
    audit = runs("audit")[-1]
    assert "pip-audit" in audit
    assert "-r requirements.lock -r requirements-lab.lock" in audit
