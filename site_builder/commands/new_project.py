"""A post to begin with, from `templates/new/project`: it measures, draws and builds as it is.

`both/` has what every such post needs; `plain/` reads numbers from a file, `model/` opens a
language model. Every file is there to be changed.
"""

from __future__ import annotations

import json
import keyword
import re
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import shipped

KINDS = {"plain": "steps", "model": "scores"}
"""What a post begins with, and its measurement."""

SUMMARIES = {
    "plain": "How many steps numbers take to 1, counted.",
    "model": "How likely a language model thinks right and wrong answers are.",
}
TEMPLATES = Path("new", "project")
STUDY = "study.toml"

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


def create(folder: Path, kind: str = "plain", model: str = "") -> list[Path]:
    """Write a post into `folder`, which is named after it; returns its files.

    `model` is a local folder or a name on the Hugging Face hub, for the kind "model" alone.

    Raises `BuildError`, and writes nothing, for a bad name, a folder with something in it, a model
    that is missing, or one that nobody asked for.
    """
    _check(folder, kind, model)
    name = folder.name
    local = Path(model).expanduser()
    known = {
        "name": name,
        "title": re.sub("[_-]", " ", name).capitalize(),
        "summary": SUMMARIES[kind],
        "measurement": KINDS[kind],
        "model": local.name if local.is_dir() else model,
        "folder": str(local.resolve()) if local.is_dir() else "",
        "requirement": requirement("[lab]" if kind == "model" else ""),
    }
    texts = dict(_texts(kind, known))
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return [folder / path for path in texts]


def _check(folder: Path, kind: str, model: str) -> None:
    name = folder.name
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        cure = "write small letters, digits and - between them, a letter first"
        raise BuildError([Problem("init", f'"{name}" cannot name a post', cure)])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BuildError(
            [Problem(str(folder), "something is there already", "name another folder")]
        )
    if kind == "model" and not model:
        cure = "say --model with a local folder or a name on the Hugging Face hub"
        raise BuildError([Problem("init", "no model is named", cure)])
    if kind != "model" and model:
        raise BuildError(
            [Problem("init", "a model, which this post does not open", "--with model")]
        )


def _texts(kind: str, known: dict[str, Any]) -> list[tuple[Path, str]]:
    """Every file of a post: its path, and what stands in it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    base = shipped("templates") / TEMPLATES
    environment = Environment(
        loader=FileSystemLoader(base),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = partial(json.dumps, ensure_ascii=False)
    found = []
    for shelf in ("both", kind):
        for source in sorted((base / shelf).rglob("*.j2")):
            path = source.relative_to(base / shelf).with_suffix("")
            if path.name == STUDY:
                path = path.with_name(f"{known['name']}.toml")
            template = environment.get_template(source.relative_to(base).as_posix())
            found.append((path, template.render(known)))
    return found


def requirement(extra: str) -> str:
    """How a workflow installs the engine: from the repository that it was installed from here.

    What was installed from a file of this machine is asked for from the package index: see `local`.
    """
    source = _source()
    if vcs := source.get("vcs_info"):
        return f"measured-post{extra} @ {vcs['vcs']}+{source['url']}@{vcs['commit_id']}"
    return f"measured-post{extra}=={distribution('measured-post').version}"


def local() -> str:
    """The file or folder of this machine that the engine was installed from; "" if none."""
    url = str(_source().get("url", ""))
    return url if url.startswith("file:") else ""


def _source() -> dict[str, Any]:
    """Where the engine came from, as pip notes it (PEP 610)."""
    told = json.loads(distribution("measured-post").read_text("direct_url.json") or "{}")
    return told if isinstance(told, dict) else {}
