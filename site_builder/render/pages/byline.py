"""Who wrote the post, when it was measured, and how to cite it: one line under the title."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.render.blocks import Blocks

CITE = "page: provenance cite"
"""The part of a page that says how to cite the post."""


def render(blocks: Blocks) -> Markup:
    """Name the authors, the day of publication, else of the newest result, and where to cite."""
    post = blocks.post
    said = post.front()
    author = str(post.project.config.get("site_author") or "")
    measured = post.newest()[:10]
    day = said.date or measured
    cite = post.page_with(CITE)
    return blocks.frame.markup(
        "byline.html.j2",
        authors=said.authors or ((author,) if author else ()),
        day=day,
        worded=_worded(day),
        is_published=bool(said.date),
        cite=f"{BASE}/{post.url(cite)}#cite" if cite else "",
    )


def _worded(day: str) -> str:
    """ "29 November 2026" of "2026-11-29"."""
    if not day:
        return ""
    when = date.fromisoformat(day[:10])
    return f"{when.day} {when:%B} {when.year}"
