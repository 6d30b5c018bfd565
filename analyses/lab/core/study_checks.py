"""What is well-typed in a study's file and still cannot be meant, group by group."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from analyses.lab.core.toml import nearest

if TYPE_CHECKING:
    from analyses.lab.core.study import (
        Decision,
        ModelSource,
        Prompt,
        SaeSource,
        Sampling,
        Study,
        Topics,
    )


def senseless(study: Study) -> list[str]:
    """What is well-typed and still cannot be meant, in the groups that are given."""
    checks: dict[str, Callable[[Any], list[str]]] = {
        "prompt": _senseless_prompt,
        "decision": _senseless_decision,
        "model": _senseless_model,
        "sampling": _senseless_sampling,
        "topics": _senseless_topics,
    }
    given = [name for name in checks if study.gives(name)]
    found = [wrong for name in given for wrong in checks[name](getattr(study, name))]
    if study.gives("bootstrap"):
        found += ["bootstrap.resamples must be at least 1"] * (study.bootstrap.resamples < 1)
        found += ["bootstrap.seed must be at least 0"] * (study.bootstrap.seed < 0)
    found += ["seed must be at least 0"] * (study.gives("seed") and study.seed < 0)
    if study.gives("sampling") and study.gives("prompt"):
        template, known = study.sampling.sweep.template, list(study.prompt.templates)
        if template not in known:
            near = nearest(template, known)
            found.append(f"sampling.sweep.template is no template ({near})")
    for i, saes in enumerate(study.saes):
        found += _senseless_saes(f"saes[{i}]", saes)
    return found


def _senseless_prompt(prompt: Prompt) -> list[str]:
    wordings = {f"prompt.templates.{k}": v for k, v in prompt.templates.items()}
    wordings |= {f"prompt.emphatic.{k}": v for k, v in prompt.emphatic.items()}
    found = [
        f"{k} must contain {{topic}} once" for k, v in wordings.items() if v.count("{topic}") != 1
    ]
    found += [f"{k} must not begin or end blank" for k, v in wordings.items() if v != v.strip()]
    found += ["prompt.prefill must not be empty"] * (not prompt.prefill.strip())
    for name in ("short", "long"):
        found += [f"missing key prompt.templates.{name}"] * (name not in prompt.templates)
        found += [f"missing key prompt.emphatic.{name}"] * (name not in prompt.emphatic)
    return found


def _senseless_decision(decision: Decision) -> list[str]:
    found = []
    if decision.primary not in ("proxy_a", "proxy_b"):
        found.append("decision.primary must be proxy_a or proxy_b")
    for name in ("proxy_a", "proxy_b"):
        if getattr(decision, name).at not in ("item-last", "break"):
            found.append(f"decision.{name}.at must be item-last or break")
    return found


def _senseless_model(model: ModelSource) -> list[str]:
    found = []
    if model.device not in ("cpu", "cuda", "auto"):
        found.append("model.device must be cpu, cuda or auto")
    if model.dtype not in ("float32", "bfloat16", "float16"):
        found.append("model.dtype must be float32, bfloat16 or float16")
    return found


def _senseless_sampling(sampling: Sampling) -> list[str]:
    found = []
    temperatures = (sampling.temperature, *sampling.sweep.temperatures)
    if not all(0 < one < inf for one in temperatures):
        found.append("sampling temperatures must be numbers above 0")
    elif len(set(temperatures)) < len(temperatures):
        # The same lists would be drawn twice, and count as more.
        found.append("sampling.sweep.temperatures must differ, from sampling.temperature as well")
    if not 0 < sampling.top_p <= 1:
        found.append("sampling.top_p must be above 0 and at most 1")
    counts = {
        "sampling.lists": sampling.lists,
        "sampling.max_new_tokens": sampling.max_new_tokens,
        "sampling.batch": sampling.batch,
        "sampling.sweep.lists": sampling.sweep.lists,
    }
    return found + [f"{key} must be at least 1" for key, count in counts.items() if count < 1]


def _senseless_topics(topics: Topics) -> list[str]:
    found = []
    if not topics.names or len(set(topics.names)) < len(topics.names):
        found.append("topics.names must be a list of different topics")
    for topic in set(topics.held_out) - set(topics.names):
        found.append(f"topics.held_out: no topic {topic} ({nearest(topic, list(topics.names))})")
    return found


def _senseless_saes(key: str, saes: SaeSource) -> list[str]:
    found = [f"{key}.site must be resid_post or z"] * (saes.site not in ("resid_post", "z"))
    if not saes.layers or len(set(saes.layers)) < len(saes.layers) or min(saes.layers) < 0:
        found.append(f"{key}.layers must be different layers, counted from 0")
    if bool(saes.folder) == bool(saes.release and saes.id):
        found.append(f"{key} must have either folder, or release and id")
    for name, value in (("folder", saes.folder), ("id", saes.id)):
        if value and "{layer}" not in value and len(saes.layers) > 1:
            found.append(f"{key}.{name} must contain {{layer}}")
    return found
