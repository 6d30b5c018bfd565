"""Digests of files and values, and what a module says of itself without being imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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


def saes(
    root: Path, settings: Mapping[str, Any], digest_of: Callable[[Path], str]
) -> dict[str, str]:
    """The digests of a study's own sparse autoencoders, by file, from its settings."""
    return {
        file: digest_of(root / file)
        for source in settings.get("saes", [])
        if "folder" in source
        for layer in source["layers"]
        for name in SAE_FILES
        if (root / (file := f"{source['folder'].replace('{layer}', str(layer))}/{name}")).is_file()
    }
