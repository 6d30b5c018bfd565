"""Digests of files and values."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from site_builder.core.environment import MODEL_VARIABLE

MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt")
"""What decides a model's numbers, of its folder: as the lab's `weights` has it."""

SAE_FILES = ("cfg.json", "sae_weights.safetensors")
"""Of a sparse autoencoder, as sae_lens names them."""


def sha256(data: bytes) -> str:
    """The digest that is used everywhere."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """The digest of a JSON value, whatever the order of its keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode())


def model(
    root: Path, settings: Mapping[str, Any], digest_of: Callable[[Path], str]
) -> dict[str, str]:
    """The digests of a study's own model, by file; of none where it is not in a folder here."""
    named = os.environ.get(MODEL_VARIABLE) or settings.get("model.folder")
    folder = root / Path(named).expanduser() if isinstance(named, str) else None
    if folder is None or not folder.is_dir():
        return {}
    files = {file.name: file for pattern in MODEL_FILES for file in folder.glob(pattern)}
    return {name: digest_of(files[name]) for name in sorted(files)}


def sae_files(root: Path, settings: Mapping[str, Any]) -> list[str]:
    """The files of a study's own sparse autoencoders, from its settings."""
    return [
        file
        for source in settings.get("saes", [])
        if "folder" in source
        for layer in source["layers"]
        for name in SAE_FILES
        if (root / (file := f"{source['folder'].replace('{layer}', str(layer))}/{name}")).is_file()
    ]


def saes(
    root: Path, settings: Mapping[str, Any], digest_of: Callable[[Path], str]
) -> dict[str, str]:
    """Their digests, by file."""
    return {file: digest_of(root / file) for file in sae_files(root, settings)}
