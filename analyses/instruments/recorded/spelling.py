"""Tokens as vocabularies spell them, read back as text.

SentencePiece writes a blank as ▁ and a byte as <0x0A>; byte-level BPE, since GPT-2, writes every
byte as a character of its own (Ġ is a blank, Ċ a line break). A character of several tokens is the
text of the last of them, so that all together are the text; bytes that never become one are �.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

BLANK = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SPECIAL = re.compile(r"<[^<>\s]+>|\[[A-Z_]+\]")
_UTF8 = getincrementaldecoder("utf-8")

Reader = Callable[[Sequence[str]], list[str]]


def reader(pieces: Iterable[str]) -> Reader:
    """What reads tokens that are spelled as these are; plain text is left as it is."""
    # Tokens with a meaning are no spelling: DeepSeek's have a ▁ among bytes.
    characters = set("".join(piece for piece in pieces if not is_special(piece)))
    if characters & {"\u0120", "\u010a"} and " " not in characters:
        return partial(_read, _byte_level)
    return partial(_read, _sentencepiece) if BLANK in characters else list


def is_special(piece: str) -> bool:
    """Whether a token has a meaning of its own, such as an end or padding, and no text."""
    return bool(_SPECIAL.fullmatch(piece)) and not _BYTE.fullmatch(piece)


def _read(spelled: Callable[[str], bytes | None], pieces: Sequence[str]) -> list[str]:
    found: list[str] = []
    decoder = _UTF8("replace")
    for piece in pieces:
        raw = spelled(piece)
        found.append(decoder.decode(raw or b"", final=raw is None) + (piece if raw is None else ""))
    if found:
        found[-1] += decoder.decode(b"", final=True)
    return found


@cache
def _sentencepiece(piece: str) -> bytes | None:
    byte = _BYTE.fullmatch(piece)
    if byte:
        return bytes([int(byte[1], 16)])
    return None if is_special(piece) else piece.replace(BLANK, " ").encode("utf-8", "replace")


@cache
def _byte_level(piece: str) -> bytes | None:
    known = _bytes()
    if not all(character in known for character in piece):
        return None  # a token with a meaning, which is not spelled in bytes
    return bytes(known[character] for character in piece)


@cache
def _bytes() -> dict[str, int]:
    """The byte of each character: printable ones are themselves, the rest follow from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }
