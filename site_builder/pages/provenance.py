"""Where every figure came from: `<< page: provenance figures >>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from site_builder.drawing import BASE

if TYPE_CHECKING:
    from site_builder.blocks import Blocks

VARIANTS = ("figures",)


def render(blocks: Blocks, *, variant: str) -> Markup:  # noqa: ARG001
    """Draw one part of the page."""
    rows = [
        {
            "name": f"{use.noun} {use.number}",
            "link": f"{BASE}/{blocks.post.url(use.page)}#{use.slug}",
            "caption": fragment.caption,
        }
        for use, fragment in blocks.figures()
    ]
    return blocks.markup("provenance.html.j2", rows=rows)
