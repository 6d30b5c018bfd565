"""A figure's panels on the page: in two columns, and folded what its author does not lead with."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

from site_builder.charts.drawing import DrawingError


class Placed(NamedTuple):
    """A panel as it is laid out: its HTML, its height in pixels and what it is called."""

    html: str
    height: int
    title: str


def laid_out(
    panels: Sequence[Placed], over: str, attributes: str = "", followers: Sequence[int] = (),
    leading: Sequence[int] = (),
) -> str:  # fmt: skip
    """Lay panels out in two columns, as equal in height as they can be.

    Columns are decided here because a browser would balance them anew when a chart comes alive.

    Args:
        panels: in the order of the drawing, by which scripts know them.
        over: what goes over both columns.
        attributes: of the chart as a whole.
        followers: numbers, counted from 1, of the panels that show what is picked.
        leading: numbers of the panels that stand open, in this order; the others are folded. If
            there are none, all stand open.

    Raises:
        DrawingError: a number that no panel has.
    """
    if beyond := [number for number in leading if number > len(panels)]:
        what = f"there is no panel {beyond[0]}: the drawing has {len(panels)}"
        raise DrawingError(what, f'write panels="{" ".join(map(str, range(1, len(panels) + 1)))}"')
    shown = [*leading] or [*range(1, len(panels) + 1)]
    folded = [number for number in range(1, len(panels) + 1) if number not in shown]

    framed = [
        one._replace(html=_framed(one.html, number, bool(leading), number in followers))
        for number, one in enumerate(panels, start=1)
    ]
    content = f'<div class="post-over">{over}</div>' if over else ""
    content += _columns([framed[number - 1] for number in shown])
    if folded:
        titles = "; ".join(filter(None, (panels[number - 1].title for number in folded)))
        count = f"{len(folded)} more panel{'s' if len(folded) > 1 else ''}"
        words = f"<summary>{count} <small>{html.escape(titles, quote=False)}</small></summary>"
        rest = (
            f'<div class="post-columns">{_columns([framed[number - 1] for number in folded])}</div>'
        )
        content += f'<details class="post-rest">{words}{rest}</details>'
    return f'<div class="post-chart post-columns"{attributes}>{content}</div>'


def _columns(panels: Sequence[Placed]) -> str:
    heights = [panel.height for panel in panels]
    cut = min(
        range(1, len(panels) + 1),
        key=lambda place: max(sum(heights[:place]), sum(heights[place:])),
    )
    parts = ("".join(panel.html for panel in part) for part in (panels[:cut], panels[cut:]))
    return "".join(f'<div class="post-column">{part}</div>' for part in parts if part)


def _framed(picture: str, number: int, is_moved: bool, follows: bool) -> str:
    """A panel in its frame, with its number where its place does not tell it."""
    place = f' data-panel="{number}"' if is_moved else ""
    return f'<div class="post-panel"{place}{" data-follows" * follows}>{picture}</div>'
