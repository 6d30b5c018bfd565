"""`<< claim: ID >>`: a statement that the paragraph makes; with `show=COLUMN` a number of it.

Either counts as one claim of the paragraph's sign, and both together as one. A claim about any
model prints where it holds, `show=models`, and with `study=NAME` its number there: what that says
depends on no verdict, so the sign does not count it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from markupsafe import Markup

from site_builder.core.errors import Problem, nearest
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, option, takes
from site_builder.post.uses import Use
from site_builder.results.recipe import ResultId

PLACE = "said-"
"""What the id of a place begins with at which a claim is made."""

NAME = "claim"
"""What it is called in a directive, for who looks for the sentences that make a claim."""


def take(post: Reading, directive: Directive, page: Path) -> Use | list[Problem]:
    """The use of the result that the claim is tested on."""
    claim = post.claims.get(directive.name)
    if claim is None:
        what, cure = f'unknown claim "{directive.name}"', nearest(directive.name, post.claims)
        return [Problem(directive.where, what, cure)]
    if wrong := validation.no_options(directive, "show", "study"):
        return wrong
    other = directive.options.get("study")
    if other and not claim.everywhere:
        what = f'claim "{claim.id}" is tested on one study, and not on "{other}"'
        return [Problem(directive.where, what, f"write everywhere = true in {claim.where}")]
    if other and "show" not in directive.options:
        what = f'claim "{claim.id}" is marked by the verdict on the post\'s own study'
        return [Problem(directive.where, what, "add show=…, or leave study out")]
    if other and other not in (known := post.project.studies()):
        return [Problem(directive.where, f'no study "{other}"', nearest(other, known))]
    study = other or claim.study or post.study
    return Use(directive, page, ResultId(study, claim.analysis, claim.variant))


def place(uses: Iterable[Use]) -> None:
    """Give each place where a claim is made an id, of which a page has no other."""
    made: dict[tuple[Path, str], int] = {}
    for use in uses:
        name = use.directive.name
        if use.directive.kind == NAME:
            count = made[use.page, name] = made.get((use.page, name), 0) + 1
            use.place = f"{PLACE}{name}" + (f".{count}" if count > 1 else "")


def show(blocks: Showing, use: Use) -> Markup:
    """The mark that the paragraph's sign counts, or the number."""
    return blocks.claim(use)


def names(listing: Listing) -> Names:
    """Every claim, with what its sentence may print."""
    claims = listing.post.claims
    return {
        name: takes(
            [""],
            {
                "show": option("str", listing.shown(claim)),
                **(listing.studies if claim.everywhere else {}),
            },
        )
        for name, claim in claims.items()
    }
