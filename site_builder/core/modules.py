"""The project's own drawings and pages, whatever is installed elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def load(root: Path, path: Path) -> Any:
    """The module in a file below `root`, imported once, under the name that it has from there."""
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
