"""The files of a new figure, from `templates/new`: its drawing, its test and, if nothing is
measured under its name, a measurement; or of a new study. They work as written, and are there to be
changed.

A result whose rows are few and have `estimate`, `low` and `high` becomes a row an estimate. Of any
other a histogram is drawn: of `estimate` or else of the column of numbers with the most values, for
what a study sets has few.
"""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.core.signatures import signature
from site_builder.measure.model_report import changes
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    from jinja2 import Template

MOST_ROWS = 30
"""Estimates that a chart has a row for each of."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OF_THE_MODEL = r"(?ms)^\[\[?(model|weights|saes)[\].].*?(?=^\[(?!model|\[?weights|\[saes)|\Z)"
"""The tables of a study's file that tell of its model."""
_STUDY = re.compile(r"[a-z][a-z0-9.-]*[a-z0-9]")
_NUMBERS = ("estimate", "low", "high")


@dataclass(frozen=True)
class Written:
    """What is new; `measure` is the command that makes its results, `line` shows them, if any."""

    files: tuple[Path, ...]
    line: str
    measure: str = ""


def figure(project: Project, name: str) -> Written:
    """Write what the figure `name` needs and does not have.

    Raises `BuildError`, and writes nothing, if the name is none, if a file is there already, or if
    a measurement of this name has no result that could say what to draw.
    """
    _check(name)
    store = Store(project)
    measured = name in project.measurements()
    drawing = project.figures / f"{name}.py"
    tests = project.root / "tests" / "figures"
    test = (tests if tests.is_dir() else tests.parent) / f"test_{name}.py"
    measurement = project.analyses / f"{name}.py"
    made = (drawing, test) if measured else (measurement, drawing, test)
    # A measurement would stand before a folder of its name, or behind it: ours or the engine's.
    folders = (home / "analyses" / name for home in (project.root, project.engine))
    for path in (drawing, test, *([] if measured else [measurement, *folders])):
        if path.exists():
            cure = "choose another name, or edit it"
            raise BuildError([Problem(project.named(path), "it is there already", cure)])
    id = _result(store, name) if measured else ResultId(project.study, name)
    kind, known = _look(store, id) if measured else ("intervals", _fresh(project, name))
    variants = list(signature(project.root, measurement, "run").variants) if measured else [""]
    known = known | {"name": name, "words": _words(name), "package": project.package}
    known |= {"variant": id.variant, "variants": variants}
    templates = {drawing: kind, test: f"{kind}_test", measurement: "measurement"}
    texts = {path: _filled(project, templates[path], known) for path in made}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    study = "" if id.study == project.study else f" study={id.study}"
    line = f"<< figure: {id}{study} >>"
    return Written(made, line, "" if measured else store.command(id))


def study(project: Project, name: str, model: str | None = None) -> Written:
    """Write the study `name`, with the settings of the post's own, there to be varied.

    With the folder of a `model` it names that one, and the tokens that are the model's. Raises
    `BuildError`, and writes nothing, if the name is none, there is such a study, or the model
    cannot be opened.
    """
    if not _STUDY.fullmatch(name):
        cure = "write small letters, digits, - and ., a letter first"
        raise BuildError([Problem("new study", f'"{name}" cannot name a study', cure)])
    known = project.studies()
    project.settings(project.study)  # raises unless that is there, and TOML
    path = known[project.study].with_name(f"{name}.toml")
    if path.exists():
        cure = "choose another name, or edit it"
        raise BuildError([Problem(project.named(path), "it is there already", cure)])
    title = f"title = {json.dumps(_words(name), ensure_ascii=False)}"
    text = known[project.study].read_text("utf-8")
    text = re.sub(r"(?m)^title *=.*$", lambda _: title, text, count=1)
    if model is not None:
        text = _with_model(text, model, changes(project, project.study, model))
    path.write_text(text, "utf-8")
    return Written((path,), "", f"build-site run --study {name}")


def _with_model(text: str, folder: str, prompt: dict[str, str]) -> str:
    """A study's file with the model of a folder, and other tokens in its prompt.

    The other model's wheel, weights and saes go; where a proxy named its end it names the new one.
    """
    path = Path(folder).expanduser().absolute()
    model = {"repo": path.name, "folder": str(path), "device": "auto", "dtype": "float32"}
    text = re.sub(_OF_THE_MODEL, "", text)
    head, _, rest = text.partition("[prompt]\n")
    own, bracket, others = rest.partition("\n[")
    for key, value in prompt.items():
        own, before = _replaced(own, key, value)
        if key == "end" and before:
            others = others.replace(before, json.dumps(value, ensure_ascii=False))
    table = "".join(f"{key} = {json.dumps(of, ensure_ascii=False)}\n" for key, of in model.items())
    return f"{head}[model]\n{table}\n[prompt]\n{own}{bracket}{others}".rstrip() + "\n"


def _replaced(table: str, key: str, value: str) -> tuple[str, str]:
    """A table with another text at a key, and what was written there before."""
    found = re.search(rf"(?m)^{key} *= *(.*?) *$", table)
    if not found:
        return table, ""
    start, end = found.span(1)
    return table[:start] + json.dumps(value, ensure_ascii=False) + table[end:], found[1]


def _words(name: str) -> str:
    return re.sub("[_-]", " ", name).strip().capitalize()


def _fresh(project: Project, name: str) -> dict[str, Any]:
    """How the result of `templates/new/measurement.py.j2` is drawn, as that says itself."""
    made: Any = _template(project, "measurement").make_module({"words": _words(name)})
    return {"keys": made.keys, "unit": made.unit}


def _check(name: str) -> None:
    """Raise `BuildError` unless `name` can name a module, a result and a directive."""
    if _NAME.fullmatch(name) and not keyword.iskeyword(name):
        return
    near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    near = near if _NAME.fullmatch(near) and not keyword.iskeyword(near) else f"figure_{near}"
    cure = f'write small letters, digits and _, a letter first, such as "{near}"'
    raise BuildError([Problem("new figure", f'"{name}" cannot name a figure', cure)])


def _result(store: Store, name: str) -> ResultId:
    """A result of a measurement, of the post's own study if it has one."""
    own = store.project.study
    found = [id for id in store.results() if id.analysis == name]
    path = store.project.measurements()[name]
    variants = signature(store.project.root, path, "run").variants
    there = [id for id in found if id.variant in variants]
    if not there:
        what = "it has no result yet that says what there is to draw"
        cure = f"run: {store.command(ResultId(own, name, variants[0]))}"
        raise BuildError([Problem(store.project.named(path), what, cure)])
    return min(there, key=lambda id: (id.study != own, id.study, variants.index(id.variant)))


def _look(store: Store, id: ResultId) -> tuple[str, dict[str, Any]]:
    """How to draw a result, and by which of its columns."""
    import pyarrow as pa

    result = store.load(id)
    table = result.table
    # Names that can stand in a chart's shorthand and in Python as they are.
    numbers = [
        one.name
        for one in table.schema
        if (pa.types.is_integer(one.type) or pa.types.is_floating(one.type))
        and one.name.isidentifier()
    ]
    if table.num_rows <= MOST_ROWS and {*_NUMBERS} <= {*numbers} and (keys := _keys(table)):
        unit = result.recipe.labels.get("units", {}).get("estimate", "")
        return "intervals", {"keys": keys, "unit": unit}
    if not numbers:
        where = store.project.named(store.path(id))
        what, cure = "it has no column of numbers to draw", "write its drawing by hand"
        raise BuildError([Problem(where, what, cure)])
    values = {name: len(table[name].unique()) for name in numbers}
    column = "estimate" if "estimate" in values else max(numbers, key=values.__getitem__)
    return "histogram", {"column": column}


def _keys(table: pa.Table) -> list[str]:
    """The first columns before the estimate that tell all rows apart; none if they cannot."""
    import pyarrow as pa

    keys: list[str] = []
    rows: set[tuple[Any, ...]] = set()
    for name in table.column_names[: table.column_names.index("estimate")]:
        if pa.types.is_nested(table[name].type) or not name.isidentifier():
            continue
        told = {*zip(*(table[key].to_pylist() for key in [*keys, name]), strict=True)}
        if len(told) > len(rows):
            keys, rows = [*keys, name], told
        if len(rows) == table.num_rows:
            return keys
    return []


def _filled(project: Project, template: str, known: dict[str, Any]) -> str:
    return _template(project, template).render(known)


def _template(project: Project, name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder / "new" for folder in project.template_folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = partial(json.dumps, ensure_ascii=False)
    return environment.get_template(f"{name}.py.j2")
