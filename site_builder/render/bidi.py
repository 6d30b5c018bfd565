"""Text that turns the direction of writing, kept from turning what stands beside it."""

from __future__ import annotations

import re

_TURNS = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
_PIECES = re.compile(r"(<!--.*?-->|<[^>]*>)", re.DOTALL)
_NAME = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_LEFT_ALONE = ("svg", "script", "style", "title", "textarea", "option")
"""Elements whose text is no part of a line, or that may hold text alone."""


def isolated(html: str) -> str:
    """HTML in which every text that turns the direction ends its turn where it ends: in `<bdi>`."""
    if not any(turn in html for turn in _TURNS):
        return html
    pieces, inside = _PIECES.split(html), ""
    for place, piece in enumerate(pieces):
        if place % 2:
            tag = _NAME.match(piece)
            name = tag[2].lower() if tag else ""
            if tag and not inside and not tag[1] and name in _LEFT_ALONE:
                inside = name
            elif tag and tag[1] and name == inside:
                inside = ""
        elif not inside and any(turn in piece for turn in _TURNS):
            pieces[place] = f"<bdi>{piece}</bdi>"
    return "".join(pieces)
