"""The works that the post cites, numbered as they are first cited."""

from __future__ import annotations

from markupsafe import Markup

from site_builder.render.blocks import Blocks


def render(blocks: Blocks) -> Markup:
    """List every cited work with its address."""
    references = blocks.post.references
    works = [(number, references.works[key]) for key, number in references.cited.items()]
    return blocks.frame.markup("references.html.j2", works=works)
