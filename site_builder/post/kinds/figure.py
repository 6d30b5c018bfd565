"""`<< figure: entropy compare >>`: a result as its drawing shows it; so do `table` and `tokens`.

What stands there is the same: the kind says what the block is called.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names
from site_builder.post.uses import Use
from site_builder.results.recipe import ResultId


def take(post: Reading, directive: Directive, page: Path) -> Use | list[Problem]:
    """The use of a result that is measured and drawn, with options that its drawing takes."""
    if wrong := validation.drawn(post.project, directive, post.study):
        return wrong
    study = directive.options.get("study", post.study)
    return Use(directive, page, ResultId(study, directive.name, directive.variant))


def show(blocks: Showing, use: Use) -> Markup:
    """The slot of a block."""
    return blocks.figure(use)


def names(listing: Listing) -> Names:
    """Measurements that have a drawing."""
    return listing.drawn()
