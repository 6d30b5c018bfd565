"""`<< cite: KEY p. 3 >>`: works of the bibliography, by the numbers that they have there.

Keys are as others wrote them; what stands behind one says where in that work.
"""

from __future__ import annotations

from pathlib import Path

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, plain
from site_builder.post.uses import Link


def take(post: Reading, directive: Directive, page: Path) -> Link | list[Problem]:
    """The links to its works, which are numbered as they are first cited."""
    post.references.cite(directive)
    return Link(directive, page)


def show(blocks: Showing, link: Link) -> str:
    """The links, in HTML where no Markdown is read; nothing where a work is not there."""
    raw = blocks.post.way if link.in_html else None
    return blocks.post.references.citation(link.directive, link.page, raw)


def names(listing: Listing) -> Names:
    """The keys of the bibliography."""
    return plain(listing.post.references.works)
