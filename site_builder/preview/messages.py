"""What the processes and pages of a preview tell each other, as JSON: one schema for both sides.

The server tells pages by events, each a `Message`; `assets/preview/preview.js` has a function for
each kind. Pages ask the server by posting to `/~/`. The process that builds answers each line of
`Changed` with one of `Built`.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from site_builder.results.reasons import State
from site_builder.results.recipe import ResultId


class NewSection(TypedDict):
    """A section of the page at `page` reads as `html` now; `name` is that of its file."""

    kind: Literal["section"]
    page: str
    name: str
    html: str


class NewCharts(TypedDict):
    """The figure `slug` shows other charts: their specifications as JSON, and where that lies."""

    kind: Literal["chart"]
    page: str
    slug: str
    url: str
    charts: str
    caption: str


class NewFigure(TypedDict):
    """The figure `slug` is `html` now; `wrong` instead tells, in front of it, why it is not."""

    kind: Literal["figure", "wrong"]
    page: str
    slug: str
    html: str


class NewStyle(TypedDict):
    """The style sheet `name` lies at `url` now."""

    kind: Literal["style"]
    name: str
    url: str


class Measurement(TypedDict):
    """What is being measured (`name`, "" for nothing), what it says, and what could be measured."""

    kind: Literal["measuring"]
    name: str
    line: str
    open: list[str]


class NewPages(TypedDict):
    """The site was built: the digest of every page by its address, and what there is to mend.

    Who connects is told which process answers: another one may have built another state.
    """

    kind: Literal["page"]
    pages: dict[str, str]
    notes: list[str]
    process: NotRequired[int]


Message = NewSection | NewCharts | NewFigure | NewStyle | Measurement | NewPages

Question = Literal["seen", "measure", "cancel"]
"""What a page posts to the server: the figures in view, a result to measure, or its end."""

Changed = list[str]
"""The files that changed since the last build."""


class Unmeasured(TypedDict):
    """A result that the post asks for and that is not fresh."""

    study: str
    analysis: str
    variant: str
    state: State


class Built(TypedDict):
    """What became of a build: the pages' digests, None if it failed, and what there is to know."""

    pages: dict[str, str] | None
    notes: list[str]
    unmeasured: list[Unmeasured]


def result_name(result: Unmeasured) -> str:
    """What a result is called on pages: "entropy compare"."""
    return str(ResultId(result["study"], result["analysis"], result["variant"]))
