"""`<< feature: 26/1201 >>`: the card of one feature, which the drawing `feature` draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds import figure
from site_builder.post.kinds.kind import Listing, Reading
from site_builder.post.kinds.names import Names, takes
from site_builder.post.uses import Use


def take(post: Reading, directive: Directive, page: Path) -> Use | list[Problem]:
    """The use of the drawing; every card has an id of its own."""
    use = figure.take(post, directive, page)
    return replace(use, label=directive.options["feature"]) if isinstance(use, Use) else use


def names(listing: Listing) -> Names:
    """Features that have a card."""
    options = dict(listing.drawn().get("feature", {}).get("options", {}))
    cards = options.pop("feature", {}).get("values", [])
    return {card: takes([""], options) for card in cards}
