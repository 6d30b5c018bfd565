"""Commands for those who write: files to begin with, and what a directive can say."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from site_builder.commands import completion
from site_builder.commands.console import find_project, json_option, say, told
from site_builder.core.project import Project

if TYPE_CHECKING:
    from site_builder.commands.scaffold import Written

MOST_VALUES, MOST_NAMES = 4, 30
"""Of an option's values, and of names without variants, in the short list; `--json` has all."""

_UNBROKEN = "\u00a0"


@click.group()
def new() -> None:
    """Write the files that something new begins with."""


@new.command()
@click.argument("name", shell_complete=completion.undrawn)
def figure(name: str) -> None:
    """Write a drawing and its test, which work as they are; print the line that shows the figure.

    If the measurement NAME is there, its result is drawn; otherwise one is written, too.
    """
    from site_builder.commands.scaffold import figure as write

    with told():
        project = find_project()
        written = write(project, name)
    _tell(project, written)
    say("put this line into a section:")
    click.echo(written.line)


@new.command()
@click.argument("name")
@click.option("--model", metavar="FOLDER", help="With the model of a folder, and its own tokens.")
def study(name: str, model: str | None) -> None:
    """Write a study with the settings of the post's own, there to be varied."""
    from site_builder.commands.scaffold import study as write

    with told():
        project = find_project()
        written = write(project, name, model)
    _tell(project, written)


def _tell(project: Project, written: Written) -> None:
    for path in written.files:
        say(f"wrote {project.named(path)}")
    if written.measure:
        say(f"measure it: {written.measure}")


@click.command()
@json_option
def directives(as_json: bool) -> None:
    """List what directives can say: kinds, names, variants, options and their values."""
    from site_builder.commands.vocabulary import Vocabulary

    with told():
        vocabulary = Vocabulary(find_project())
        everything = vocabulary.everything()
    if as_json:
        click.echo(json.dumps(everything, indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_listed(everything["kinds"])))
    for problem in vocabulary.problems:
        click.secho(str(problem), err=True, fg="red")
    if vocabulary.problems:
        sys.exit(1)


def _listed(kinds: dict[str, Any]) -> Iterator[str]:
    """A line for each name that has variants or options, the others side by side."""
    done: list[str] = []
    for kind, said in kinds.items():
        if kind in done:
            continue
        alike = [other for other in kinds if kinds[other] == said]
        done += alike
        yield f"{', '.join(alike)}: {said['form']}"
        plain = []
        for name, takes in said["names"].items():
            variants = [variant or "(none)" for variant in takes["variants"]]
            # What stands in a sentence can show any column: too many for a short list.
            listed = takes["options"] if said["alone"] else {}
            options = {option: of for option, of in listed.items() if option != "study"}
            is_long = takes["options"] and not said["alone"]
            if is_long or (variants == ["(none)"] and not options):
                plain.append(name)
                continue
            words = [name, "" if variants == ["(none)"] else ", ".join(variants)]
            yield from _wrapped(" ".join(filter(None, [*words, *map(_told, options.items())])))
        more = f" and {len(plain) - MOST_NAMES} more" if len(plain) > MOST_NAMES else ""
        yield from _wrapped(", ".join(plain[:MOST_NAMES]) + more)


def _told(option: tuple[str, dict[str, Any]]) -> str:
    """An option as it is written, with what it can be: `[template=short|long]`."""
    name, takes = option
    values = [f'"{one}"' if " " in one else one for one in takes.get("values", [takes["type"]])]
    more = "|…" if len(values) > MOST_VALUES else ""
    return f"[{name}={'|'.join(values[:MOST_VALUES])}{more}]".replace(" ", _UNBROKEN)


def _wrapped(text: str) -> Iterator[str]:
    lines = textwrap.TextWrapper(94, subsequent_indent="  ", break_on_hyphens=False).wrap(text)
    yield from (f"  {line}".replace(_UNBROKEN, " ") for line in lines)
