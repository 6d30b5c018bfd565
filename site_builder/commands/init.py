"""`build-site init`: a post of one's own, written, measured and built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from site_builder.commands.console import say, told
from site_builder.core.errors import BuildError, Problem


@click.command()
@click.argument("name")
@click.option(
    "--with",
    "kind",
    type=click.Choice(["plain", "model"]),
    default="plain",
    show_default=True,
    help="What the post measures: numbers in a file, or what a language model says.",
)
@click.option("--model", default="", help="Of --with model: a local folder, or a name on the hub.")
def init(name: str, kind: str, model: str) -> None:
    """Write a post that works into the new folder NAME, measure it and build its page."""
    from site_builder.commands.new_project import create, local
    from site_builder.core.lab_installed import LAB_PACKAGE, has_lab

    with told():
        folder = Path(name).absolute()
        if kind == "model" and not has_lab():
            what = "a model cannot be opened without the lab"
            raise BuildError([Problem("init", what, f'install it: pip install "{LAB_PACKAGE}"')])
        for path in create(folder, kind, model):
            say(f"wrote {path.relative_to(folder.parent)}")
    # In a process of its own: that one is the new project's, whatever this one has imported.
    built = subprocess.run([sys.executable, "-m", "site_builder"], cwd=folder, check=False)
    if built.returncode:
        sys.exit(built.returncode)
    if source := local():
        say(f"measured-post was installed from {source}, which no workflow can reach:")
        say(f"before you publish, name another place in {name}/requirements.txt")
    say("next:")
    click.echo(f"cd {name}\nbuild-site serve")
