"""One use of a result in the prose, and what it is called there; parts that need no result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from site_builder.post.directives import Directive
from site_builder.results.recipe import ResultId

if TYPE_CHECKING:
    pass

NOUNS = {"figure": "Figure", "tokens": "Figure", "table": "Table", "feature": "Feature card"}
"""The kinds of directive that become numbered blocks; each noun is counted apart."""


@dataclass(frozen=True)
class Part:
    """A part of a page that is made from the post itself, and the file of that page."""

    directive: Directive
    page: Path


@dataclass
class Use:
    """One use of a result in the prose.

    page is the file that becomes the page; state is "fresh", "stale" (with reasons) or "missing";
    number counts figures or tables; slug is the block's id in the page, and of its files.
    """

    directive: Directive
    id: ResultId
    page: Path
    state: str = "missing"
    reasons: list[str] = field(default_factory=list)
    number: int = 0
    slug: str = ""

    @property
    def noun(self) -> str:
        """What the block is called: Figure, Table or Feature card."""
        return NOUNS[self.directive.kind]

    @property
    def stem(self) -> str:
        """What the block's id begins with: "entropy-compare", "feature-26-1201"."""
        named = self.directive.options["feature"] if self.directive.kind == "feature" else ""
        words = filter(None, (self.id.analysis, self.id.variant, named))
        return "-".join(words).replace("_", "-").replace("/", "-")
