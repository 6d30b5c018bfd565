"""`build-site studies`: which there are, and what a model lets a study measure."""

from __future__ import annotations

import json

import click

from site_builder.commands.console import find_project, json_option, study_option, told
from site_builder.core.errors import plain


@click.command()
@json_option
@click.option(
    "--check",
    "folder",
    metavar="FOLDER",
    help="Say instead what can be measured on the model of a folder.",
)
@study_option
def studies(as_json: bool, folder: str | None, study: str) -> None:
    """List the studies, with how many results each has.

    With --check: whether the model's numbers would be those of Hugging Face's network, which of the
    study's tokens are its tokens, where it ends some answers, and what the study's file has to say
    otherwise.
    """
    with told():
        project = find_project()
        if folder is not None:
            from site_builder.measure.model_report import report

            for line in report(project, study or project.study, folder):
                click.echo(plain(line))
            return
        from site_builder.results.store import Store

        ids = Store(project).results()
        rows = [
            {
                "study": name,
                "title": str(project.settings(name).get("title", "")),
                "results": sum(id.study == name for id in ids),
                "shown": name == project.study,
            }
            for name in project.studies()
        ]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        star = "*" if row["shown"] else " "
        title = plain(str(row["title"]))
        click.echo(f"{star} {row['study']:<24} {row['results']:>3} results  {title}")
