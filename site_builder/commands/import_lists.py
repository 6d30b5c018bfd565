"""`build-site import`: lists that were sampled elsewhere become a study's lists."""

from __future__ import annotations

from pathlib import Path

import click

from site_builder.commands.console import find_project, say, study_option, told
from site_builder.measure import external

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE)
@study_option
@click.option(
    "--tokenizer", type=_FILE, help="The model's tokenizer.json, for files without texts."
)
@click.option("--template", default="", help="The wording of all lists, for files of tensors.")
@click.option("--temperature", type=float, help="Their temperature, for files of tensors.")
@click.option("--replace", is_flag=True, help="Put them in the place of lists that are there.")
def recorded(
    file: Path,
    study: str,
    tokenizer: Path | None,
    template: str,
    temperature: float | None,
    replace: bool,
) -> None:
    """Read lists that were sampled elsewhere, so that what needs no model is shown for them.

    FILE is Parquet (template, temperature, topic, sample, token_ids, tokens), JSON lines
    ({"template", "temperature", "topic", "sample", "text", "ended"}) or PyTorch (topic to tensor
    of token ids). A file with one fault is refused as a whole, and so is one for a study that has
    lists, unless they are to be replaced.
    """
    from site_builder.results.store import Store

    with told():
        project = find_project()
        store = Store(project)
        id = external.record(
            store,
            study or project.study,
            file,
            replace=replace,
            tokenizer=tokenizer,
            template=template,
            temperature=temperature,
        )
        count = store.recipe(id).labels["n"]
    say(f"read {count} into {project.named(store.path(id))}")
    say(f"next: build-site run list_statistics --study {id.study}")
