"""Results for every directive of a post: judged, and measured where the build is allowed to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from site_builder.core.errors import BuildError, Problem
from site_builder.measure import policy, runner
from site_builder.post.post import Post
from site_builder.render import mathematics
from site_builder.results.reasons import sentences
from site_builder.results.recipe import ResultId


def resolve(
    post: Post,
    run: str = "missing",
    *,
    strict: bool = False,
    say: Callable[[str], None],
    quiet: bool = False,
) -> list[ResultId]:
    """Collect and judge a post, and measure what `run` ("never", "missing", "stale") allows.

    Returns what was measured. Raises `BuildError` with every problem of every page.
    """
    post.collect()
    post.judge()
    post.problems += mathematics.wrong(post)
    _raise(post)
    store, measured = post.store, list[ResultId]()
    allowed = policy.RUNS[run]
    ids = list(dict.fromkeys(use.id for use in post.uses.values() if use.state in allowed))
    cures = {id: runner.needs_lab(post.project, id) for id in ids}
    for id, cure in cures.items():
        if cure and store.path(id).is_file():  # what is missing is an error of its own
            say(f'"{id}" is stale and was not measured: {cure}')
    if able := [id for id, cure in cures.items() if not cure]:
        is_due = partial(policy.needs, store, stale=run == "stale")
        measured = runner.measure(store, able, is_due, say=say, quiet=quiet)
        post.judge()
    for use in post.uses.values():
        where = use.directive.where
        if use.state == "missing":
            post.problems.append(policy.missing(store, use.id, where))
        elif use.state == "stale" and strict:
            what = f'"{use.id}" is stale: {"; ".join(sentences(use.reasons))}'
            post.problems.append(Problem(where, what, f"run: {store.command(use.id)}"))
    _raise(post)
    return measured


def _raise(post: Post) -> None:
    if post.problems:
        raise BuildError(sorted(post.problems))
