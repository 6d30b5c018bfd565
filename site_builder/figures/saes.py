"""How sparse autoencoders and their features are named: by layer, "26" and "26/1201".

Those of the residual stream bear its name unsaid; others begin with their site: "z-14/77".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from site_builder.figures import roles

Row = dict[str, Any]

STREAM = "resid_post"
START = "prompt’s start"
"""What stands before the length word, in words; the other roles are those of `heat.ROLES`."""


def name(site: str, layer: int) -> str:
    """Return the name of the autoencoder at a place."""
    return str(layer) if site == STREAM else f"{site}-{layer}"


def feature(site: str, layer: int, index: int) -> str:
    """Return the name of a feature."""
    return f"{name(site, layer)}/{index}"


def role(words: str, k_end: int | None) -> str:
    """Return a role of attribution as words."""
    return START if words == "start" else roles.role(words, k_end)


def places(records: Iterable[Row]) -> list[str]:
    """Return the names of the autoencoders of `records`, those of the stream first, by layer."""
    found = {(row["site"], row["layer"]) for row in records}
    return [name(*place) for place in sorted(found, key=lambda place: (place[0] != STREAM, *place))]


def usual(places: Sequence[str]) -> str:
    """Return the place that is shown first: the last but one, if there is one.

    The last one is next to the decision and tells least about what comes before it.
    """
    return places[-2:][0]
