"""`<< ref: entropy compare >>`: "Figure 7", "Section 3.5" or "Equation 2", which leads there."""

from __future__ import annotations

from pathlib import Path

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, takes
from site_builder.post.uses import Link


def take(post: Reading, directive: Directive, page: Path) -> Link | list[Problem]:
    """The link; what it names may come later, and is looked for when all has been read."""
    if wrong := validation.no_options(directive, "feature"):
        return wrong
    post.references.mention(directive)
    return Link(directive, page)


def show(blocks: Showing, link: Link) -> str:
    """The link, in HTML where no Markdown is read; nothing where it leads nowhere."""
    raw = blocks.post.way if link.in_html else None
    return blocks.post.references.reference(link.directive, link.page, raw)


def names(listing: Listing) -> Names:
    """Sections that a page shows, equations, and blocks of the post with their variants."""
    references = listing.post.references
    alone = (*references.sections, *references.equations)
    variants: dict[str, list[str]] = {name: [""] for name in alone}
    for called in references.named:
        name, _, variant = called.partition(" ")
        variants.setdefault(name, []).append(variant)
    return {name: takes(dict.fromkeys(of), {}) for name, of in variants.items()}
