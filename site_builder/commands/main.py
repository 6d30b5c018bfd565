"""`build-site` and its commands.

Exit codes: 0 all is well; 1 something is wrong with the post, its results or its studies (every
message says where, what and the cure); 2 the command line itself is wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from gc import freeze, set_threshold

import click

from site_builder.commands.console import (
    Interruptible,
    analysis_argument,
    counted,
    find_project,
    json_option,
    quiet_option,
    say,
    study_option,
    told,
    variant_argument,
)
from site_builder.commands.import_result import import_result
from site_builder.commands.init import init
from site_builder.commands.new import directives, new
from site_builder.commands.run import asked_for, run
from site_builder.commands.studies import studies
from site_builder.core.errors import BuildError, plain
from site_builder.results import graph
from site_builder.results.reasons import sentences

STATES = {"fresh": "green", "stale": "yellow", "missing": "red"}


_run = click.option(
    "--run",
    type=click.Choice(["never", "missing", "stale"]),
    default="missing",
    show_default=True,
    help="Which results to measure on the way.",
)
_strict = click.option(
    "--strict", is_flag=True, help="Make a stale result, and a claim that does not hold, an error."
)

_drafts = click.option(
    "--drafts", is_flag=True, help="Show what says draft: true in its front matter."
)

_live = click.option(
    "--live", is_flag=True, help="Publish the model, too, for the reader's browser to run."
)


@click.group(
    cls=Interruptible,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="measured-post", prog_name="build-site")
@study_option
@_run
@_strict
@_drafts
@_live
@quiet_option
@click.pass_context
def main(
    context: click.Context,
    study: str,
    run: str,
    strict: bool,
    drafts: bool,
    live: bool,
    quiet: bool,
) -> None:
    """Build the post: every directive's result, drawn, on a page in site/.

    Fresh and stale results are drawn (a stale one is marked), missing ones are measured if the lab
    is installed. Without a command this builds; see the commands below for the rest.
    """
    if context.invoked_subcommand is None:
        _build(study, run, strict, drafts, live, quiet)
        return
    # They are about building: a command that has such an option has its own.
    by_hand = click.core.ParameterSource.COMMANDLINE
    given = [name for name in context.params if context.get_parameter_source(name) is by_hand]
    if given:
        what = f"put --{given[0]} behind {context.invoked_subcommand}, if it takes that"
        raise click.UsageError(what, context)


main.add_command(directives)
main.add_command(init)
main.add_command(new)
main.add_command(import_result)
main.add_command(run)
main.add_command(studies)


def _build(study: str, run: str, strict: bool, drafts: bool, live: bool, quiet: bool) -> None:
    from site_builder.site.build import build

    set_threshold(1_000_000)  # a build keeps nearly all that it makes: to look costs a twentieth
    with told(of_page=True):
        project = find_project(looked_through=False)
        built = build(
            project,
            study=study,
            run=run,
            strict=strict,
            drafts=drafts,
            live=live,
            say=_quietly(quiet),
            quiet=quiet,
        )
    for note in built.notes:
        click.secho(plain(note), err=True, fg="yellow")
    if not quiet:
        page = project.named(built.site / "index.html")
        if built.unchanged:
            click.echo(f"nothing changed: {page}")
        else:
            click.echo(f"built {page} ({counted(built.drawn, 'figure')} drawn anew)")
    freeze()  # nothing is left to do: to look through it all at exit costs a seventh


def _quietly(quiet: bool) -> Callable[[str], None]:
    return (lambda _line: None) if quiet else say


@main.command()
@click.option("--port", default=8000, show_default=True, help="Port; the next free one if taken.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer at.")
@click.option(
    "--run",
    type=click.Choice(["never", "missing", "stale"]),
    default="never",
    show_default=True,
    help="Which results to measure beside the page without being asked.",
)
@click.option(
    "--root-path",
    default="",
    help="Path that a proxy puts before every address.",
)
@click.option(
    "--allow-host",
    multiple=True,
    help="Name by which a proxy asks for the preview; may be repeated.",
)
@_drafts
@_live
@study_option
def serve(
    port: int,
    host: str,
    run: str,
    root_path: str,
    allow_host: tuple[str, ...],
    drafts: bool,
    live: bool,
    study: str,
) -> None:
    """Show the post as it is written: a saved file changes the open page at once."""
    from site_builder.preview.serve import serve as preview

    with told():
        preview(
            find_project(),
            host=host,
            port=port,
            root=root_path,
            allowed=allow_host,
            study=study,
            run=run,
            drafts=drafts,
            live=live,
            say=say,
        )


@main.command()
@study_option
@json_option
@click.option("--explain", is_flag=True, help="Say why a result is stale.")
def status(study: str, as_json: bool, explain: bool) -> None:
    """Show for every directive whether its result is fresh, stale or missing."""
    from site_builder.post.post import Post

    with told():
        post = Post(find_project(), study)
        post.collect()
        post.judge()
        uses = [*post.uses.values(), *post.predicted()]
        if post.problems and not as_json:
            raise BuildError(sorted(post.problems))
    rows = [
        {
            "where": use.directive.where,
            "directive": str(use.directive),
            "study": use.id.study,
            "analysis": use.id.analysis,
            "variant": use.id.variant,
            "state": use.state,
            "reasons": sentences(use.reasons),
        }
        for use in uses
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        if post.problems:
            for problem in sorted(post.problems):
                click.secho(str(problem), err=True, fg="red")
            sys.exit(1)
        return
    for use in uses:
        if not use.slug and use.state == "fresh":
            continue
        mark = click.style(f"[{use.state}]".ljust(9), fg=STATES[use.state])
        click.echo(f"{mark} {str(use.directive).ljust(44)} {use.directive.where}")
        for reason in sentences(use.reasons) if explain or use.state == "missing" else ():
            click.echo(f"          {plain(reason)}")
    counts = {state: sum(use.state == state for use in uses) for state in STATES}
    click.echo(", ".join(f"{count} {state}" for state, count in counts.items()))


@main.command()
@study_option
@json_option
@click.option("--strict", is_flag=True, help="Exit with 1 when a claim does not hold.")
def claims(study: str, as_json: bool, strict: bool) -> None:
    """Show what the prose claims, and whether each claim holds on the study's results."""
    from site_builder.commands.claims import tell
    from site_builder.render.claim_marks import judged

    with told():
        verdicts = judged(find_project(), study)
    if as_json:
        click.echo(json.dumps(verdicts.rows(), indent=1, ensure_ascii=False))
    else:
        tell(verdicts)
    if strict and any(verdict.holds is False for verdict in verdicts.of.values()):
        sys.exit(1)


@main.command()
@analysis_argument
@variant_argument
@click.option("--because", default="", help="How it is known that the numbers stay as they are.")
@study_option
def accept(analysis: str, variant: str, because: str, study: str) -> None:
    """Restamp stale results after a change that keeps their meaning (all, or ANALYSIS [VARIANT]).

    The table stays as it is; the recipe gets today's code and settings, and says that it was
    accepted by hand, when, what was waved through and because of what; the page tells it.
    """
    from site_builder.results.maintenance import accept as restamp

    with told():
        store, asked = asked_for(find_project(), analysis, variant, study)
        ids = [id for id in graph.with_inputs(store.project, asked) if store.path(id).is_file()]
        accepted = restamp(store, ids, because)
    for id, reasons in accepted:
        click.echo(f"accepted {id}: {plain('; '.join(sentences(reasons)))}")
    if not accepted:
        click.echo("nothing is stale")


@main.command()
def verify() -> None:
    """Check every result on the shelf: readable, unedited, with a recipe, inputs there."""
    from site_builder.results.maintenance import check
    from site_builder.results.store import Store

    with told():
        store = Store(find_project())
        problems = check(store)
        if problems:
            raise BuildError(problems)
    number = len(store.results())
    click.echo(f"{counted(number, 'result')} {'is' if number == 1 else 'are'} sound")


@main.command()
@click.option("--results", is_flag=True, help="Also remove results that nothing can measure.")
def gc(results: bool) -> None:
    """Remove what nothing uses: half-built sites and half-written files."""
    from site_builder.results.maintenance import collect
    from site_builder.results.store import Store

    with told():
        for line in collect(Store(find_project()), results=results):
            click.echo(line)
