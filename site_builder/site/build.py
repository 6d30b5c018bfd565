"""`build-site`: resolve, draw, build aside, and only then take the last site's place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project, Snapshot
from site_builder.core.workspace import alone, recover
from site_builder.site.last_build import Inputs, Manifest, inputs, outputs
from site_builder.site.resolve import resolve

if TYPE_CHECKING:
    from site_builder.render.blocks import Blocks
    from site_builder.site.standing import Standing

Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """What a build did: where the page is, what to know about it, how much was drawn anew."""

    site: Path
    notes: list[str]
    drawn: int
    unchanged: bool = False


def build(
    project: Project,
    *,
    study: str = "",
    run: str = "missing",
    strict: bool = False,
    drafts: bool = False,
    live: bool = False,
    say: Say,
    quiet: bool = False,
) -> Built:
    """Publish the post to `site/`; does nothing when nothing changed.

    Raises `BuildError` with every problem; the last good site then stays in place.
    """
    if project.site.is_symlink():
        cure = "remove it: a build puts a folder there"
        raise BuildError([Problem(project.named(project.site), "is a link", cure)])
    last, read = _before(project)
    asked = (study, drafts, live, read.inputs)
    same = last and (last.study, last.drafts, last.live, last.inputs) == asked
    if last and same and not (last.doubts and (strict or run == "stale")):
        return Built(project.site, last.notes, 0, unchanged=True)
    with alone(project, say) as waited:
        recover(project)
        if waited:
            last, read = _before(project)
        return _build(project, last, read, study, run, strict, drafts, live, say, quiet)


def _before(project: Project) -> tuple[Manifest | None, Inputs]:
    """The last build, if the site is as it left it, and what this one may read."""
    last = Manifest.last(project)
    read = inputs(project, last)
    whole = last is not None and last.outputs == outputs(project.site)
    return last if whole else None, read


def _build(
    project: Project,
    last: Manifest | None,
    read: Inputs,
    study: str,
    run: str,
    strict: bool,
    drafts: bool,
    live: bool,
    say: Say,
    quiet: bool,
) -> Built:
    """Build, whatever stands; `last` is None where nothing of it can be used."""
    from site_builder.post.post import Post
    from site_builder.render.blocks import Blocks
    from site_builder.render.figures import Fragments
    from site_builder.results.reasons import sentences
    from site_builder.site.standing import Standing

    post = Post(project := Snapshot(project.root), study, drafts=drafts)
    project.memory.hold()
    measured = resolve(post, run, strict=strict, say=say, quiet=quiet)
    blocks = Blocks(post, Fragments(post), given="" if measured else _given(read))
    blocks.draw()
    stale = {str(use.id): use for use in post.uses.values() if use.state == "stale"}
    notes = [
        str(
            Problem(
                use.directive.where,
                f'"{use.id}" is stale: {"; ".join(sentences(use.reasons))}',
                f"run: {post.store.command(use.id)}",
            )
        )
        for use in stale.values()
    ] + [str(problem) for problem in post.unused()]
    failing = blocks.verdicts.failing()
    if failing and strict:
        raise BuildError(failing)
    notes += map(str, (*failing, *blocks.studies.notes))
    standing = Standing(project.root, project.site, last.inputs, read.inputs) if last else None
    aside = project.cache / f"site.{os.getpid()}"
    notes += _put(blocks, project.site, aside, standing, live=live)
    blocks.fragments.sweep()
    # What was measured on the way counts as read; of an edit made meanwhile it is not known which
    # state is in the site.
    made_from, after = _keep(project, read)
    made_from |= {name: after[name] for name in after if name.startswith("data/")}
    doubts = len(stale) + len(failing)
    written = outputs(project.site)
    Manifest(study, drafts, live, made_from, written, notes, doubts, read.stamps).save(project)
    return Built(project.site, notes, blocks.fragments.drawn)


class Previewed(NamedTuple):
    """What is on the pages, what to know about it, and what it was made from."""

    blocks: Blocks
    notes: list[str]
    read: Inputs


def preview(
    project: Project,
    site: Path,
    *,
    study: str = "",
    drafts: bool = False,
    live: bool = False,
    last: Inputs | None = None,
) -> Previewed:
    """Build into `site` whatever is there, for who writes it; `last` is what it was made from.

    What is wrong stands in its place, and is told. Raises `BuildError` when there can be no page at
    all, and leaves `site` as it was.
    """
    from site_builder.post.post import Post
    from site_builder.render.blocks import Blocks
    from site_builder.render.figures import Fragments
    from site_builder.site.standing import Standing

    read = inputs(project, last)
    post = Post(project := Snapshot(project.root), study, drafts=drafts)
    project.memory.hold()
    post.collect()
    post.judge()
    blocks = Blocks(post, Fragments(post), forgiving=True, given=_given(read))
    blocks.draw()
    standing = Standing(project.root, site, last.inputs, read.inputs) if last else None
    warnings = _put(blocks, site, site.with_name(f"{site.name}.new"), standing, live=live)
    # Of what was saved meanwhile it is not known which state is in the site.
    read = Inputs(_keep(project, read)[0], read.stamps)
    notes = [*post.unused(), *blocks.verdicts.failing(), *blocks.studies.notes]
    messages = [*map(str, (*sorted(set(blocks.problems)), *notes)), *warnings]
    return Previewed(blocks, messages, read)


def _given(read: Inputs) -> str:
    """The digest of all that a build reads beside the Markdown."""
    from site_builder.core.digests import digest

    return digest({name: one for name, one in read.inputs.items() if not name.endswith(".md")})


def _keep(project: Project, read: Inputs) -> tuple[dict[str, str], dict[str, str]]:
    """Remember what was worked out from `read`.

    Returns what of it is as it was, and all that is there now.
    """
    after = inputs(project, read).inputs
    if after != read.inputs:
        for about in ("part", "card"):
            project.memory.drop(about)
    project.memory.save()
    return {name: one for name, one in read.inputs.items() if after.get(name) == one}, after


def _put(
    blocks: Blocks, site: Path, aside: Path, standing: Standing | None, *, live: bool
) -> list[str]:
    """Write the pages aside, and put them where `site` is; returns the host's warnings.

    A dead link raises `BuildError`, or is one more of the problems that the blocks forgive.
    """
    import shutil

    from site_builder.site.page_check import wrong

    try:
        warnings, pages = _mkdocs(blocks, aside, standing, live)
        blocks.problems += wrong(blocks.post, aside, pages)
        if blocks.problems and not blocks.forgiving:
            raise BuildError(blocks.problems)
        _replace(site, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return warnings


def _mkdocs(
    blocks: Blocks, site: Path, standing: Standing | None, live: bool
) -> tuple[list[str], dict[Path, str]]:
    """Let MkDocs write the pages into `site`; returns its warnings, and the HTML of the prose."""
    # Material announces the end of MkDocs at every start; DESIGN for that is in the extension.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    import logging

    from jinja2 import TemplateError
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException

    from site_builder.render.frame import wrong

    warnings: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warnings.append(f"mkdocs: {record.getMessage()}")

    handler = Collect(logging.WARNING)
    logger = logging.getLogger("mkdocs")
    logger.addHandler(handler)
    try:
        config = load_config(str(blocks.post.project.root / "mkdocs.yml"), site_dir=str(site))
        plugin: Any = config.plugins.get("measured-post")
        if plugin is None:
            cure = "add it under plugins:"
            raise BuildError([Problem("mkdocs.yml", "no measured-post plugin", cure)])
        plugin.blocks, plugin.standing, plugin.live = blocks, standing, live
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs_build(config)
        config.plugins.on_shutdown()
    except MkDocsException as error:
        lines = warnings or [str(error)]
        raise BuildError([Problem("mkdocs.yml", line, "mend it") for line in lines]) from None
    except TemplateError as error:
        raise BuildError([wrong(error, "main.html")]) from None
    finally:
        logger.removeHandler(handler)
    return warnings, plugin.prose


def _replace(site: Path, aside: Path) -> None:
    """Put the new site where the old one is; if that fails, the old one stays."""
    import shutil

    old = aside.with_name(f"{aside.name}.old")
    if site.exists():
        site.rename(old)
    try:
        aside.rename(site)
    except OSError:
        if old.exists():
            old.rename(site)
        raise
    shutil.rmtree(old, ignore_errors=True)
