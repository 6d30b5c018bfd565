"""Every kind of directive, a row each: to add one, add a row and its module.

`<< KIND: … >>` is read by a kind's `read`, checked by its `take`, and shown by its `show`; whoever
meets a directive asks this table, and nothing else tells the kinds apart.
"""

from __future__ import annotations

from site_builder.post.kinds import (
    cite,
    claim,
    feature,
    figure,
    page,
    ref,
    section,
    term,
    value,
    words,
)
from site_builder.post.kinds.kind import Kind

_CARD = "PLACE/NUMBER [option=value]"
_DRAWN = "NAME [VARIANT] [option=value]"
_DRAW = (figure.take, figure.names, figure.show, words.featured)

KINDS: dict[str, Kind] = {
    "figure": Kind(_DRAWN, *_DRAW, noun="Figure"),
    "table": Kind(_DRAWN, *_DRAW, noun="Table"),
    "tokens": Kind(_DRAWN, *_DRAW, noun="Figure"),
    "feature": Kind(_CARD, feature.take, feature.names, figure.show, words.card, "Feature card"),
    "page": Kind("NAME [PART]", page.take, page.names, page.show, alone=True),
    "section": Kind("FILE", section.take, section.names, None, words.one, alone=True),
    "value": Kind("NAME [VARIANT] column=value", value.take, value.names, value.show),
    "claim": Kind("ID [show=COLUMN]", claim.take, claim.names, claim.show, words.one),
    "ref": Kind("NAME [VARIANT]", ref.take, ref.names, ref.show, words.featured),
    "cite": Kind("KEY [p. 3] [KEY …]", cite.take, cite.names, cite.show, words.keys, several=True),
    "term": Kind('TERM [as="WORDING"]', term.take, term.names, term.show, words.whole),
}
