"""`<< section: 03-statistics >>`: a file of `content/sections/`, put in where it is listed."""

from __future__ import annotations

from pathlib import Path

from site_builder.core.errors import Problem, nearest
from site_builder.core.files import listed
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading
from site_builder.post.kinds.names import Names, plain
from site_builder.post.uses import Inclusion, Nothing


def take(post: Reading, directive: Directive, page: Path) -> Inclusion | Nothing | list[Problem]:
    """The file, if it is there and no page has it yet; nothing of a draft."""

    def wrong(what: str, cure: str) -> list[Problem]:
        return [Problem(directive.where, what, cure)]

    if post.references.of(directive):
        return wrong("a section cannot hold a section", "list it in the page")
    name, known = directive.name, _sections(post)
    if name not in known:
        return wrong(f'no section "{name}"', nearest(name, known))
    if name in post.references.sections:
        return wrong(f'section "{name}" stands twice', "keep one")
    if problems := validation.no_options(directive):
        return problems
    if post.is_draft(known[name]):
        return Nothing(directive, page)
    return Inclusion(directive, page, known[name])


def names(listing: Listing) -> Names:
    """Every file that can be listed."""
    return plain(_sections(listing.post))


def _sections(post: Reading) -> dict[str, Path]:
    return {path.stem: path for path in listed(post.project.content / "sections", ".md")}
