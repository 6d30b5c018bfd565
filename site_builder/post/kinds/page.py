"""`<< page: provenance graph >>`: a part of a page that is made from the post itself."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, takes
from site_builder.post.uses import Part


def take(post: Reading, directive: Directive, page: Path) -> Part | list[Problem]:
    """The part, if there is a module of that name, and it has one so called."""
    known = post.project.page_parts()
    name, variant = directive.name, directive.variant
    if name not in known:
        what, cure = f'unknown page "{name}"', nearest(name, known)
        return [Problem(directive.where, what, cure)]
    try:
        project = post.project
        parts = validation.signature(project, project.engine, known[name], "render").variants
    except BuildError as error:
        return list(error.problems)
    wrong = validation.no_options(directive)
    if variant not in parts:
        what = f'page "{name}" has no part "{variant or "(none)"}"'
        wrong.append(Problem(directive.where, what, nearest(variant, filter(None, parts))))
    return wrong or Part(directive, page)


def show(blocks: Showing, part: Part) -> Markup:
    """What the module makes of the post."""
    return blocks.part(part)


def names(listing: Listing) -> Names:
    """Every module that makes parts of pages, with the parts."""
    project, parts = listing.post.project, Names()
    for name, path in project.page_parts().items():
        if render := listing.signature(project.engine, path, "render"):
            parts[name] = takes(render.variants, {})
    return parts
