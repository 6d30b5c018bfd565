"""Digests of files and values."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from site_builder.core.environment import MODEL_VARIABLE

MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt")
"""What decides a model's numbers, of its folder: as the lab's `weights` has it."""

NOTE = "recipe.json"
"""A file beside others that tells how they were made, and does not count."""

_SLOT = re.compile(r"\{(\w+)\}")


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


def folders(setting: Any) -> Iterator[str]:
    """The folders that a setting names: `folder` of each table of a list, such as `[[parts]]`.

    In "data/parts/{size}" stands each of the table's `sizes`.
    """
    for table in setting if isinstance(setting, list) else ():
        named = table.get("folder") if isinstance(table, dict) else None
        if isinstance(named, str):
            slots = {f"{{{slot}}}": table.get(f"{slot}s") for slot in _SLOT.findall(named)}
            slots = {slot: values for slot, values in slots.items() if isinstance(values, list)}
            for values in product(*slots.values()):
                folder = named
                for slot, value in zip(slots, values, strict=True):
                    folder = folder.replace(slot, str(value))
                yield folder


def files(root: Path, settings: Mapping[str, Any]) -> list[str]:
    """The files in the folders that settings name, by their paths below `root`."""
    return [
        f"{folder}/{path.name}"
        for setting in settings.values()
        for folder in folders(setting)
        if (root / folder).is_dir()
        for path in sorted((root / folder).glob("[!.]*"))
        if path.is_file() and path.name != NOTE
    ]


def of_files(
    root: Path, settings: Mapping[str, Any], digest_of: Callable[[Path], str]
) -> dict[str, str]:
    """Their digests, by file."""
    return {file: digest_of(root / file) for file in files(root, settings)}
