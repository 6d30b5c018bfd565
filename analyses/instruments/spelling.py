"""Tokens as vocabularies spell them, read back as text.

SentencePiece writes a blank as ▁ and a byte as <0x0A>; byte-level BPE, since GPT-2, writes every
byte as a character of its own (Ġ is a blank, Ċ a line break). Bytes that make no character on their
own become �, as they do in the study's own lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

BLANK = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def reader(pieces: Iterable[str]) -> Callable[[str], str]:
    """What reads tokens that are spelled as these are; plain text is left as it is."""
    characters = set("".join(pieces))
    if BLANK in characters:
        return _sentencepiece
    return _byte_level if characters & {"\u0120", "\u010a"} and " " not in characters else str


@cache
def _sentencepiece(piece: str) -> str:
    byte = _BYTE.fullmatch(piece)
    if byte:
        return bytes([int(byte[1], 16)]).decode(errors="replace")
    return piece.replace(BLANK, " ")


@cache
def _byte_level(piece: str) -> str:
    known = _bytes()
    if not all(character in known for character in piece):
        return piece  # a token with a meaning, which is not spelled in bytes
    return bytes(known[character] for character in piece).decode(errors="replace")


@cache
def _bytes() -> dict[str, int]:
    """The byte of each character: printable ones are themselves, the rest follow from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }
