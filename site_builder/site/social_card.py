"""The picture that a link to the post becomes elsewhere: its title, and a curve from a result."""

from __future__ import annotations

import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import Any

from site_builder.core import digests
from site_builder.core.files import write_aside
from site_builder.render.blocks import Blocks
from site_builder.results.recipe import ResultId

SIZE = (1200, 630)
"""In pixels, as the networks that show cards ask for."""

CURVE = ("list_statistics", "items")
"""The result whose survival curves are drawn, if the post shows it: the question in one picture."""

TEMPLATE = "card/card.svg.j2"
TEMPLATES = {"short": "#0072b2", "long": "#d55e00"}
MOST_ITEMS = 30
PLOT = (700, 150, 430, 340)
"""Left, top, width and height of the curves, in pixels."""


def png(blocks: Blocks) -> bytes:
    """The card as PNG, drawn again only when its title, its result or its drawing changes."""
    post = blocks.post
    title = str(post.project.config.get("site_name", ""))
    id = ResultId(post.study, *CURVE)
    shown = any(use.id == id for use in post.uses.values())
    picture = post.project.template(TEMPLATE)
    key = digests.digest(
        [
            title,
            post.store.content(id) if shown else "",
            digests.sha256_file(Path(__file__)),
            digests.sha256_file(picture) if picture else "",
            version("vl-convert-python"),
        ]
    )[:32]
    path = post.project.cache / "cards" / f"{key}.png"
    if not path.is_file():
        import vl_convert

        drawn = blocks.frame.markup(
            TEMPLATE,
            size=SIZE,
            plot=PLOT,
            title=textwrap.wrap(title, 15),
            most=MOST_ITEMS,
            study=post.store.current_settings(post.study).get("title", post.study),
            curves=_curves(blocks, id) if shown else [],
        )
        write_aside(path, vl_convert.svg_to_png(str(drawn)))
    return path.read_bytes()


def _curves(blocks: Blocks, id: ResultId) -> list[dict[str, Any]]:
    """A path for each length word: the share of lists that have at least so many items."""
    left, top, width, height = PLOT
    settings = blocks.post.store.current_settings(id.study)
    rows = [
        row
        for row in blocks.post.store.load(id).table.to_pylist()
        if row["part"] == "survival"
        and row["temperature"] == settings.get("sampling.temperature")
        and row["items"] <= MOST_ITEMS
    ]
    curves = []
    for template, colour in TEMPLATES.items():
        points = [
            (
                left + width * (row["items"] - 1) / (MOST_ITEMS - 1),
                top + height * (1 - row["estimate"]),
            )
            for row in sorted(rows, key=lambda row: row["items"])
            if row["template"] == template
        ]
        if points:
            steps = " ".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
            path = f"M{points[0][0]:.1f} {points[0][1]:.1f}{steps}"
            curves.append({"name": template, "colour": colour, "path": path, "end": points[-1]})
    return curves
