"""The picture that a link to the post becomes elsewhere: its title, and what the post draws there.

A project draws with `templates/card/picture.svg.j2`, in SVG, inside the rectangle `plot`. It is
given the study's `settings` by dotted keys, and `rows("NAME", "VARIANT")`: the rows of a result as
dictionaries, none while it is not measured.
"""

from __future__ import annotations

import textwrap
from importlib.metadata import version
from typing import Any

from site_builder.core import digests
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import write_aside
from site_builder.render.blocks import Blocks
from site_builder.results.graph import inputs_of
from site_builder.results.recipe import ResultId
from site_builder.results.tabular import visible

SIZE = (1200, 630)
"""In pixels, as the networks that show cards ask for."""

TEMPLATE = "card/card.svg.j2"
PICTURE = "card/picture.svg.j2"
PLOT = (700, 150, 430, 340)
"""Left, top, width and height of what the post draws, in pixels."""


def png(blocks: Blocks) -> bytes:
    """The card as PNG, drawn again only when what is on it changes."""
    folder = blocks.post.project.cache / "cards"
    drawn: list[str] = []

    def make() -> str:
        drawn.append(_svg(blocks))
        return digests.digest([*drawn, version("vl-convert-python")])[:32]

    about = [blocks.given, blocks.post.study]
    key = blocks.post.project.memory.recall("card", about, make) if blocks.given else make()
    path = folder / f"{key}.png"
    if not path.is_file():
        import vl_convert

        write_aside(path, vl_convert.svg_to_png(drawn[0] if drawn else _svg(blocks)))
    return path.read_bytes()


def _svg(blocks: Blocks) -> str:
    post = blocks.post
    settings = post.store.current.settings(post.study)

    def rows(analysis: str, variant: str = "") -> list[dict[str, Any]]:
        id = ResultId(post.study, analysis, variant)
        try:
            inputs_of(post.project, id)
        except BuildError as error:
            told = (Problem(f"templates/{PICTURE}", one.what, one.cure) for one in error.problems)
            raise BuildError(told) from None
        return post.store.load(id).table.to_pylist() if post.store.path(id).is_file() else []

    return str(
        blocks.frame.markup(
            TEMPLATE,
            size=SIZE,
            plot=PLOT,
            title=textwrap.wrap(visible(str(post.project.config.get("site_name", ""))), 15),
            study=visible(str(settings.get("title", post.study))),
            settings=settings,
            rows=rows,
        )
    )
