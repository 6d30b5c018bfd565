"""What a directive asks for, once it is known that it can be had.

A kind of directive asks for one of these: a result, a part made from the post itself, a link,
another file, or nothing. That decides when it is shown; see `render/blocks.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from site_builder.post.directive import Directive
from site_builder.results.reasons import Reason, State
from site_builder.results.recipe import ResultId


@dataclass
class Asked:
    """What a directive asks for, and the file that becomes the page on which it stands."""

    directive: Directive
    page: Path


@dataclass
class Part(Asked):
    """A part of a page that is made from the post itself, when all that is measured is there."""


@dataclass
class Link(Asked):
    """A link to another place of the post, written as Markdown so that the host resolves it.

    It may stand `in_html`, where no Markdown is read.
    """

    in_html: bool = False


@dataclass
class Nothing(Asked):
    """A place that stays empty, such as that of a draft."""


@dataclass
class Inclusion(Asked):
    """Another file that is put in here as it reads; its directives are read in their turn."""

    path: Path


@dataclass
class Use(Asked):
    """One use of a result.

    state is "fresh", "stale" or "missing", with the reasons unless it is fresh. Of a numbered
    block, noun is what it is called, number counts those of its noun, and slug is its id in the
    page, and of its files; label is what the id has behind the name of the result. Of a claim,
    place is the id in the page of where it is made.
    """

    id: ResultId
    label: str = ""
    state: State = "missing"
    reasons: list[Reason] = field(default_factory=list)
    noun: str = ""
    number: int = 0
    slug: str = ""
    place: str = ""

    @property
    def stem(self) -> str:
        """What the block's id begins with: "entropy-compare", "feature-26-1201"."""
        words = filter(None, (self.id.analysis, self.id.variant, self.label))
        return "-".join(words).replace("_", "-").replace("/", "-")
