"""A file that an editor has only half saved changes nothing on the page, and is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from site_builder.core.project import Project
from site_builder.preview.builder_process import is_whole
from tests.site_builder.conftest import REPO, write
from tests.site_builder.test_live_model import with_wheel

BIB = "@misc{ada,\n  author = {Lovelace, Ada},\n  title = {Notes},\n  year = {1843},\n  url = {https://example.org},\n}\n"
CLAIM = '[few]\nsays = "Few."\nresult = "totals"\nrow = {x = 1}\nshow = "estimate"\nholds = "estimate > 0"\n'


@pytest.mark.parametrize(
    ("name", "text", "whole"),
    [
        ("a.bib", BIB, True),
        ("a.bib", BIB[:60], False),
        ("a.bib", "", False),
        ("a.bib", "@misc{a, title = {50\\% \\{}}\n", True),
        ("a.toml", CLAIM, True),
        ("a.toml", CLAIM[:15], False),
        ("a.md", "## A\n", True),
        ("a.md", "\n", False),
        ("a.py", "def (", True),
    ],
)
def test_what_is_half_a_file(tmp_path: Path, name: str, text: str, whole: bool) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert is_whole(tmp_path / name) is whole
    assert is_whole(tmp_path / "gone.md")


@pytest.mark.builds
def test_the_last_good_state_stays_while_a_file_is_half_saved(project: Project, tmp_path) -> None:
    bib, claim = project.content / "references.bib", project.content / "claims" / "a.toml"
    section = project.content / "sections" / "01-numbers.md"
    write(bib, BIB)
    write(claim, CLAIM)
    text = section.read_text("utf-8") + "\nAs said << cite: ada >>, few. << claim: few >>\n"
    section.write_text(text, "utf-8")
    site = tmp_path / "shown"
    command = [sys.executable, "-m", "site_builder.preview.builder_process"]
    with subprocess.Popen(
        [*command, str(project.root), str(site), ""],
        cwd=REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def save(path: Path, new: str) -> dict[str, object]:
            path.write_text(new, "utf-8")
            process.stdin.write(json.dumps([str(path)]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        first = save(section, text)
        assert first["pages"]
        page = (site / "index.html").read_text("utf-8")
        assert "post-cite" in page
        for path, cut, told in (
            (bib, BIB[:60], "content/references.bib"),
            (claim, CLAIM[:15], "content/claims/a.toml:2: not TOML"),
            (section, "", "content/sections/01-numbers.md: empty, or cut in the middle"),
        ):
            whole = path.read_text("utf-8")
            said = save(path, cut)
            assert said["pages"] is None
            assert said["notes"][0].startswith(told)
            assert (site / "index.html").read_text("utf-8") == page
            assert save(path, whole)["pages"]
            assert (site / "index.html").read_text("utf-8") == page
        process.stdin.close()


@pytest.mark.builds
@pytest.mark.parametrize("options", [[], ["--live"]])
def test_a_preview_has_the_model_if_it_is_asked_for(project: Project, tmp_path, options) -> None:
    with_wheel(project)
    site = tmp_path / "shown"
    command = [sys.executable, "-m", "site_builder.preview.builder_process"]
    done = subprocess.run(
        [*command, str(project.root), str(site), "", *options],
        cwd=REPO,
        input="[]\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["pages"]
    assert ("live-model" in (site / "index.html").read_text("utf-8")) == bool(options)
    assert bool([*site.glob("assets/live/*.bin")]) == bool(options)
