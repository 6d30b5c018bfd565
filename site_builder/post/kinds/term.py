"""`<< term: hazard >>`: a term of the glossary, which leads to its definition.

`as="how often it ends"` is what stands there instead.
"""

from __future__ import annotations

from pathlib import Path

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, option, takes
from site_builder.post.uses import Link

NAME = "term"
"""What it is called in a directive, for who looks for where terms are used."""


def take(post: Reading, directive: Directive, page: Path) -> Link | list[Problem]:
    """The link to its definition."""
    wrong = validation.no_options(directive, "as")
    if post.glossary.find(directive.name) is None:
        wrong.append(post.glossary.unknown(directive.name, directive.where))
    return wrong or Link(directive, page)


def show(blocks: Showing, link: Link) -> str:
    """The link, in HTML where no Markdown is read."""
    return blocks.post.glossary.link(link, blocks.post.way if link.in_html else None)


def names(listing: Listing) -> Names:
    """Every term, in small letters."""
    return {name: takes([""], {"as": option("str")}) for name in listing.post.glossary.terms}
