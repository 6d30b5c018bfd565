"""Commands for those who write: files to begin with."""

from __future__ import annotations

import click

from site_builder.console import find_project, say, told


@click.group()
def new() -> None:
    """Write the files that something new begins with."""


@new.command()
@click.argument("name")
def figure(name: str) -> None:
    """Write a drawing and its test, which work as they are; print the line that shows the figure.

    If the measurement NAME is there, its result is drawn; otherwise one is written, too.
    """
    from site_builder.scaffold import figure as write

    with told(of_page=False):
        project = find_project()
        written = write(project, name)
    for path in written.files:
        say(f"wrote {project.named(path)}")
    if written.measure:
        say(f"measure it: {written.measure}")
    say("put this line into a section:")
    click.echo(written.line)
