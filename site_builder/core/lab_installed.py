"""Whether the lab, which opens models, is installed, and how to get it."""

from __future__ import annotations

import importlib.util

from site_builder.core.project import Project

LAB_PACKAGE = "measured-post[lab]"

OF_LAB = {
    *("torch", "transformer_lens", "sae_lens", "transformers", "safetensors", "gguf"),
    *("numpy", "scipy"),
}
"""Packages that come with it."""


def has_lab() -> bool:
    """Whether measurements that open a model can run here."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformer_lens"))


def lab_cure(project: Project) -> str:
    """How to get what opens models."""
    package = '-e ".[lab]"' if project.engine == project.root else f'"{LAB_PACKAGE}"'
    return f"install the lab: pip install {package}"


def of_lab(error: ImportError) -> bool:
    """Whether a package that is not installed was asked for, and no module of ours."""
    top = (error.name or "").partition(".")[0]
    return top not in ("analyses", "site_builder", "") and importlib.util.find_spec(top) is None
