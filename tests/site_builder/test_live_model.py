"""The model beside the page: cut into parts that are named by their content, checked, and taken along."""

import hashlib
import json
import random
import zipfile

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.site.build import build
from site_builder.site.live import model as live_model
from site_builder.site.live import wheel
from tests.conftest import light

MODEL = random.Random(0).randbytes(5 * 2**20)
SETTINGS = """
[model.wheel]
package = "toy-model"
version = "1.2"
sha256 = "{digest}"
member = "toy_model/model.gguf"
"""


def with_wheel(
    project: Project, *, digest: str = "", member: str = "toy_model/model.gguf"
) -> Project:
    """The project, whose study names a wheel that lies in the cache."""
    folder = project.cache / "models"
    folder.mkdir(parents=True)
    file = folder / "toy_model-1.2-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, MODEL)
    found = digest or hashlib.sha256(file.read_bytes()).hexdigest()
    study = project.studies()["toy"]
    study.write_text(study.read_text("utf-8") + SETTINGS.format(digest=found), "utf-8")
    return Project(project.root)


@pytest.fixture(autouse=True)
def no_index(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(live_model, "PART", 2**20 * 2)


def said(project: Project, value: str) -> Project:
    """The project with `live: value` at the extension."""
    config = project.root / "mkdocs.yml"
    text = config.read_text("utf-8").replace(
        "      study: toy", f"      study: toy\n      live: {value}"
    )
    config.write_text(text, "utf-8")
    return Project(project.root)


def test_parts_are_named_by_their_content_and_make_up_the_file(shelves, small_parts, tmp_path):
    model, told = live_model.chosen(with_wheel(shelves), "toy", live=True)
    model.publish(tmp_path / "site")

    manifest = json.loads((tmp_path / "site" / told["manifest"]).read_text("utf-8"))
    files = [tmp_path / "site" / live_model.FOLDER / part["file"] for part in manifest["parts"]]
    assert b"".join(file.read_bytes() for file in files) == MODEL
    assert manifest["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert told["bytes"] == manifest["bytes"] == len(MODEL)
    assert manifest["from"] == "toy-model 1.2, toy_model/model.gguf"
    for file, part in zip(files, manifest["parts"], strict=True):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert (part["sha256"], part["bytes"]) == (digest, file.stat().st_size)
        assert file.name == f"{digest[:16]}.bin"


def test_parts_that_are_kept_are_not_made_again_unless_one_is_cut(shelves, small_parts):
    project = with_wheel(shelves)
    first = live_model.in_parts(project, wheel.named_by(project, "toy"))
    for file in (project.cache / "models").iterdir():
        file.unlink()

    again = live_model.in_parts(project, wheel.named_by(project, "toy"))
    assert again == first
    (first.kept / first.parts[1]).write_bytes(b"cut")
    with pytest.raises(BuildError, match="package index gave none"):
        live_model.in_parts(project, wheel.named_by(project, "toy"))


def test_a_model_that_is_not_the_one_that_was_measured_is_refused(shelves):
    project = with_wheel(shelves, digest="0" * 64)
    with pytest.raises(BuildError, match=r"wrong digest: SHA-256 \w+, the study says 0+; remove"):
        live_model.chosen(project, "toy", live=True)


def test_a_wheel_without_the_file_is_told(shelves):
    project = with_wheel(shelves, member="toy_model/other.gguf")
    with pytest.raises(BuildError, match=r"no toy_model/model\.gguf in this wheel; correct model"):
        live_model.chosen(project, "toy", live=True)


def test_a_study_without_a_wheel_is_told(shelves):
    with pytest.raises(BuildError) as caught:
        live_model.chosen(shelves, "toy", live=True)
    assert str(caught.value) == (
        "analyses/studies/toy.toml: a live model comes from [model.wheel], which has no package, "
        "version, sha256, member; add it, or publish without --live"
    )


@pytest.mark.parametrize("value", ["http://example.org", "soon", "[1]", "3"])
def test_a_key_that_means_nothing_is_told(shelves, value):
    with pytest.raises(
        BuildError, match=r"mkdocs.yml: live: .* is neither; write true, or the https"
    ):
        live_model.chosen(said(shelves, value), "toy", live=False)


def test_without_the_model_the_page_leads_to_where_it_is(shelves):
    project = said(shelves, "https://example.org/lists/")
    told = {"link": "https://example.org/lists/"}
    assert live_model.chosen(project, "toy", live=False) == (None, told)


def test_the_key_alone_publishes_the_model(shelves):
    model, told = live_model.chosen(said(with_wheel(shelves), "true"), "toy", live=False)
    assert model is not None
    assert told["bytes"] == len(MODEL)


def test_nothing_is_said_of_a_model_that_nobody_asked_for(shelves):
    assert live_model.chosen(shelves, "toy", live=False) == (None, {})
    assert live_model.chosen(said(shelves, "false"), "toy", live=False) == (None, {})


def test_the_light_install_cuts_a_model_in_little_memory(project):
    """Of a model of 300 MB no more than a part is held."""
    project = with_wheel(project)
    (file,) = (project.cache / "models").iterdir()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy_model/model.gguf", bytes(300 * 2**20))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    study = project.studies()["toy"]
    study.write_text(
        study.read_text("utf-8").replace(wheel.named_by(project, "toy").sha256, digest)
    )
    done = light(
        project.root,
        "from pathlib import Path\n"
        "from site_builder.core.project import Project\n"
        "from site_builder.site.live import model as live_model\n"
        "model, _ = live_model.chosen(Project.find(), 'toy', live=True)\n"
        "assert model.bytes == 300 * 2**20\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n",
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100_000  # kB at its most


@pytest.mark.builds
def test_a_build_takes_the_model_along_only_if_it_is_asked_for(project, small_parts):
    project = with_wheel(project)
    index = project.site / "index.html"
    build(project, run="never", say=print, quiet=True)
    assert "live-model" not in index.read_text("utf-8")
    assert not (project.site / live_model.FOLDER).exists()

    built = build(project, run="never", live=True, say=print, quiet=True)
    assert not built.unchanged
    assert '<meta name="live-model"' in index.read_text("utf-8")
    parts = sorted((project.site / live_model.FOLDER).glob("*.bin"))
    assert sum(part.stat().st_size for part in parts) == len(MODEL)
    assert build(project, run="never", live=True, say=print, quiet=True).unchanged

    parts[0].unlink()
    assert not build(project, run="never", live=True, say=print, quiet=True).unchanged
    assert parts[0].is_file()
