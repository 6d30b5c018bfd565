"""`build-site import`: what was measured elsewhere becomes a study's result.

Its options are the keyword-only parameters of the measurement's `read_external`, each told by its
line under `Args:` in the docstring.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from site_builder.commands.console import analysis_argument, find_project, say, study_option, told
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.project import Project
from site_builder.measure import external

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TYPES = {"Path": _FILE, "str": str, "int": int, "float": float, "bool": bool}
_OPTIONS = f"{__name__}.options"
_ARGUMENT = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
"""A parameter and what is said of it, under `Args:`."""


class _Import(click.Command):
    """The command with the options of the current project's measurements."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Those of any file, and those that a measurement takes."""
        if _OPTIONS not in ctx.meta:
            ctx.meta[_OPTIONS] = []
            project = _project()
            if project and ctx.resilient_parsing:  # a key press: what is faulty is not told
                with suppress(BuildError):
                    ctx.meta[_OPTIONS] = _options(project)
            elif project:
                with told():
                    ctx.meta[_OPTIONS] = _options(project)
        return [*super().get_params(ctx), *ctx.meta[_OPTIONS]]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what each measurement reads."""
        super().format_help_text(ctx, formatter)
        project = _project()
        readers = external.readers(project) if project else {}
        for name, path in readers.items():
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"{name}: {_said(path).partition('Args:')[0]}")


@click.command("import", cls=_Import)
@click.argument("file", type=_FILE)
@analysis_argument
@study_option
@click.option("--replace", is_flag=True, help="Put it in the place of the result that is there.")
@click.pass_context
def import_result(
    context: click.Context, /, file: Path, analysis: str, study: str, replace: bool, **options: Any
) -> None:
    """Read a result that was measured elsewhere into a study.

    FILE is what ANALYSIS reads; where one measurement alone reads such files, it need not be named.
    A file with one fault is refused as a whole, and so is one for a study that has the result,
    unless that is to be replaced.
    """
    from site_builder.results.recipe import ResultId
    from site_builder.results.store import Store

    by_hand = click.core.ParameterSource.COMMANDLINE
    given = {k: v for k, v in options.items() if context.get_parameter_source(k) is by_hand}
    with told():
        project = find_project()
        name = external.chosen(project, analysis)
        taken = external.options(project, project.measurements()[name])
        flags = [*map(_flag, taken)]
        wrong = [
            Problem(flag, f"{name} takes no such option", nearest(flag, flags))
            for flag in map(_flag, given.keys() - taken.keys())
        ]
        if wrong:
            raise BuildError(sorted(wrong))
        store = Store(project)
        id = ResultId(study or project.study, name)
        recipe = external.record(store, id, file, replace=replace, **given)
    read = recipe.labels.get("n") or file.name
    say(f"read {read} into {project.named(store.path(id))}")
    say(f"next: build-site run --plan --study {id.study}")


def _project() -> Project | None:
    """The current folder's project; outside of one the command itself says that there is none."""
    try:
        return Project.find()
    except BuildError:
        return None


def _options(project: Project) -> list[click.Option]:
    """What any measurement that reads such files takes, each name once."""
    found: dict[str, click.Option] = {}
    for path in external.readers(project).values():
        told_of = dict(_ARGUMENT.findall(_said(path).partition("Args:")[2]))
        for name, kind in external.options(project, path).items():
            words = " ".join(told_of.get(name, "").split())
            flag = _flag(name)
            shown = f"{flag}/--no-{flag[2:]}" if kind == "bool" else flag
            option = click.Option([shown, name], type=_TYPES[kind], help=words, default=None)
            found.setdefault(name, option)
    return [*found.values()]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _said(path: Path) -> str:
    """The docstring of what reads a file."""
    from site_builder.core.syntax import parse

    for node in parse(path, path.name).body:
        if isinstance(node, ast.FunctionDef) and node.name == external.READS:
            return ast.get_docstring(node) or ""
    return ""
