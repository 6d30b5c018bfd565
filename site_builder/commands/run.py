"""`build-site run`: the measurements that a command line names, here or on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from site_builder.commands.console import (
    analysis_argument,
    counted,
    find_project,
    quiet_option,
    say,
    study_option,
    told,
    variant_argument,
)
from site_builder.core.errors import BuildError, plain
from site_builder.core.project import Project

if TYPE_CHECKING:
    from site_builder.results.recipe import ResultId


@click.command("run")
@analysis_argument
@variant_argument
@click.option("--again", is_flag=True, help="Measure even what is fresh, from the first input on.")
@click.option("--plan", "planned", is_flag=True, help="Only say what would be done, and its cost.")
@click.option(
    "--engine",
    type=click.Choice(["embedded", "ray"]),
    default="embedded",
    show_default=True,
    help="Here one after the other, or as tasks of Ray.",
)
@click.option("--address", default="", help="Of Ray's cluster; without one Ray is started here.")
@click.option("--cpus", type=click.IntRange(1), help="Cores that a task of Ray takes.")
@click.option(
    "--limit",
    type=click.FloatRange(0),
    default=0,
    help="Seconds that a task of Ray may measure; what takes longer hangs, and is started again.",
)
@study_option
@quiet_option
def run(
    analysis: str,
    variant: str,
    again: bool,
    planned: bool,
    engine: str,
    address: str,
    cpus: int | None,
    limit: float,
    study: str,
    quiet: bool,
) -> None:
    """Measure: all that the post needs and is missing or stale, or the named ANALYSIS [VARIANT].

    A named analysis is measured even when fresh; its inputs only when they are missing or stale.
    """
    if engine != "ray" and (address or cpus or limit):
        raise click.UsageError("--address, --cpus and --limit are about --engine ray")
    from site_builder.measure import runner
    from site_builder.measure.cluster import Cluster, measure
    from site_builder.measure.plan import lines, plan
    from site_builder.measure.policy import needs

    with told():
        project = find_project()
        store, asked = asked_for(project, analysis, variant, study)
        named = set(asked) if analysis else set()

        def wanted(id: ResultId) -> bool:
            return again or id in named or needs(store, id, stale=True)

        if planned:
            click.echo("\n".join(lines(plan(store, asked, wanted))))
            return
        before = _claims(project, study)
        tell = (lambda _line: None) if quiet else say
        if engine == "ray":
            cluster = Cluster(address, cpus or 0, limit)
            done = measure(store, asked, wanted, cluster, say=tell)
        else:
            done = runner.measure(store, asked, wanted, say=tell, quiet=quiet)
    after = _claims(project, study) if done and before else None
    for line in before.changes(after) if before and after else ():
        click.secho(plain(line), err=True, fg="yellow")
    if not quiet:
        click.echo(f"measured {counted(len(done), 'result')}" if done else "every result is fresh")


def _claims(project: Project, study: str) -> Any:
    """The post's claims as they stand; None while problems of the post keep them untested."""
    from site_builder.render.claim_marks import judged

    try:
        return judged(project, study)
    except BuildError:
        return None


def asked_for(project: Project, analysis: str, variant: str, study: str) -> tuple[Any, list[Any]]:
    """The results that a command line names: of one variant, one analysis, or the whole post."""
    from site_builder.core.errors import Problem, nearest
    from site_builder.core.signatures import signature
    from site_builder.post.post import Post
    from site_builder.results.recipe import ResultId

    post = Post(project, study)
    project.settings(post.study)
    if not analysis:
        post.collect()
        if post.problems:
            raise BuildError(sorted(post.problems))
        return post.store, list(dict.fromkeys(use.id for use in post.uses.values()))
    known = project.measurements()
    if analysis not in known:
        what = f'no measurement "{analysis}"'
        raise BuildError([Problem("analyses", what, nearest(analysis, known))])
    variants = signature(project.root, known[analysis], "run").variants
    return post.store, [
        ResultId(post.study, analysis, name) for name in ([variant] if variant else variants)
    ]
