"""How the words behind the colon of a directive become its name, its variant and its options."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_KEY = re.compile(r"[^\s,{}\"]+\Z")
_SPOT = re.compile(
    r"(?:pp?|§§?|ch|chap|chapter|sec|section|fig|figure|tab|table|eq|equation|thm|theorem|lemma"
    r"|prop|proposition|def|definition|ex|example|alg|algorithm|app|appendix|vol|volume|n|note"
    r"|page|pages|line|lines|part)\.?(?P<number>(?<=[.§])\d.*)?\Z",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:\d\S*|[A-Z](?:\.\d\S*)?|[ivxlc]+|ff?\.|and|&|[-–]),?\Z")
_FEATURE = re.compile(r"[a-z0-9][a-z0-9_-]*/[0-9]{1,7}\Z")

MOST_KEYS = 20
"""Words that one directive can cite works with."""


class Words(NamedTuple):
    """What the words say."""

    name: str
    variant: str
    options: dict[str, str]


class MisreadError(Exception):
    """Words that a kind cannot read: `what` is wrong, and the `cure`; "" to be told the form."""

    def __init__(self, what: str = "", cure: str = "") -> None:
        self.what = what
        self.cure = cure
        super().__init__(what)


def named(words: list[str], options: dict[str, str]) -> Words:
    """NAME [VARIANT]."""
    name, variant = [*_plain(words, 2), ""][:2]
    return Words(name, variant, options)


def one(words: list[str], options: dict[str, str]) -> Words:
    """NAME."""
    return Words(_plain(words, 1)[0], "", options)


def keys(words: list[str], options: dict[str, str]) -> Words:
    """KEY [p. 3] [KEY …]: the keys together are the name, where in a work its option."""
    spots = _spots(words)
    if not spots or len(words) > MOST_KEYS or not all(map(_KEY.match, spots)):
        raise MisreadError(cure="write << cite: KEY [p. 3] [KEY …] >>")
    name = " ".join(spots)
    if options:
        what = f'unknown option "{min(options)}" of cite "{name}"'
        raise MisreadError(what, "a cite takes none")
    return Words(name, "", {key: spot for key, spot in spots.items() if spot})


def whole(words: list[str], options: dict[str, str]) -> Words:
    """A name of one word or several, in letters of any size."""
    if not words or not all(map(_KEY.match, words)):
        raise MisreadError
    return Words(" ".join(words), "", options)


def featured(words: list[str], options: dict[str, str]) -> Words:
    """NAME [VARIANT], where a last word PLACE/NUMBER is short for the option `feature`.

    Alone it names the drawing `feature`.
    """
    if not words or not _FEATURE.match(words[-1]):
        return named(words, options)
    if "feature" in options:
        raise MisreadError('option "feature" stands twice', "keep one")
    return named(words[:-1] or ["feature"], {"feature": words[-1], **options})


def card(words: list[str], options: dict[str, str]) -> Words:
    """PLACE/NUMBER, which is the option `feature` of the drawing `feature`."""
    if len(words) != 1 or not _FEATURE.match(words[0]):
        raise MisreadError(cure="write << feature: PLACE/NUMBER >>, such as << feature: 26/1201 >>")
    return featured(words, options)


def _plain(words: list[str], most: int) -> list[str]:
    if not 1 <= len(words) <= most or not all(map(_WORD.match, words)):
        raise MisreadError
    return words


def _spots(words: list[str]) -> dict[str, str]:
    """Every key that is cited, and where in that work: "p. 3", "Theorem 2.1"; {} if unclear."""
    spots: dict[str, str] = {}
    inside = False
    for word, after in zip(words, [*words[1:], ""], strict=True):
        label = _SPOT.match(word)
        begins = label and (label["number"] or _NUMBER.match(after))
        if spots and (begins or (inside and _NUMBER.match(word))):
            key = [*spots][-1]
            spots[key] = f"{spots[key]} {word}".strip()
            inside = True
        elif word in spots:
            return {}
        else:
            spots[word] = ""
            inside = False
    return spots
