"""What may not be installed: the lab, which opens models."""

from __future__ import annotations

import importlib.util

from site_builder.project import Project

LAB_PACKAGE = "measured-post[lab]"


def lab_cure(project: Project) -> str:
    """How to get what opens models."""
    package = '-e ".[lab]"' if project.engine == project.root else f'"{LAB_PACKAGE}"'
    return f"install the lab: pip install {package}"


def has_lab() -> bool:
    """Whether measurements that open a model can run here."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformer_lens"))
