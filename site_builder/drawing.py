"""What a drawing hands to the page: charts or HTML, with the words that make them readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from markupsafe import Markup

if TYPE_CHECKING:
    import altair as alt

Chart: TypeAlias = "alt.Chart | alt.LayerChart | alt.FacetChart"


BASE = "\x02base\x03"
"""Stands for the way from a page to the site's root, which only the page knows."""


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
class Drawing:
    """A measured figure, ready to be embedded.

    Attributes:
        body: Charts, or HTML whose every piece of data is escaped. Charts are panels: the page sets
            them side by side where there is room and below each other on a phone, so each is about
            340 pixels wide.
        caption: One or two plain sentences. The page adds number, n and interval.
        description: What a screen reader says: what is shown and how to read it.
        files: Files that the page's script fetches, by the end of their name ("city-names.json").
    """

    body: tuple[Chart, ...] | Markup
    caption: str
    description: str
    files: Mapping[str, bytes] = field(default_factory=dict)
