"""What a drawing hands to the page: charts or HTML, with the words that make them readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from markupsafe import Markup

if TYPE_CHECKING:
    import altair as alt

Chart: TypeAlias = "alt.Chart | alt.LayerChart | alt.FacetChart"


BASE = "\x02base\x03"
"""Stands for the way from a page to the site's root, which only the page knows."""

PICKED = "picked"
"""Name of the data set of a chart whose rows a reader picks."""


class DrawingError(Exception):
    """A drawing cannot be made from this table or these options.

    Args:
        what: The fact, for example a column that the table does not have.
        cure: What the author does about it.
    """

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"{what}; {cure}")
        self.what = what
        self.cure = cure


@dataclass(frozen=True)
class Choices:
    """What a reader may pick in a figure: a menu a name, and the rows that each choice shows.

    Charts take the rows from their data set `PICKED`; the picture shows those of `chosen`, and the
    page's script puts those of another choice in their place. Not every combination need exist.

    Attributes:
        names: What is picked, as it stands before each menu ("city", "year").
        options: One value a name -> rows, in the order of the menus.
        chosen: The combination that stands in the page first.
    """

    names: tuple[str, ...]
    options: Mapping[tuple[str, ...], Sequence[dict[str, Any]]]
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """A measured figure, ready to be embedded.

    Attributes:
        body: Charts, or HTML whose every piece of data is escaped. Charts are panels: the page sets
            them side by side where there is room and below each other on a phone, so each is about
            340 pixels wide.
        caption: One or two plain sentences. The page adds number, n and interval.
        description: What a screen reader says: what is shown and how to read it.
        files: Files that the page's script fetches, by the end of their name ("city-names.json").
        choices: What a reader may pick, if anything.
        only: What the charts show alone of what can be chosen for the whole page, for example
            {"year": "2020"}: the figure says so when a reader chooses another.
    """

    body: tuple[Chart, ...] | Markup
    caption: str
    description: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    choices: Choices | None = None
    only: Mapping[str, str] = field(default_factory=dict)
