"""What each token of a prompt and of a list is for.

Roles of a prompt: `bos`, `turn` (the chat template's marks), `prompt` (text), `length` (the words
that ask for a length), `topic`. Roles of the answer: `hyphen`, `item`, `blank`, `break`, `end`, and
`other` for what belongs to no list item. Items are numbered from the start (k = 1, 2, …) and, in a
list that ended, from the end (k_end = −1, −2, …); the marks around an item carry its numbers.

The text of a token decides, not its id: SmolLM2 writes `-`, ` Apple`, `\\n`; Gemma 2 also writes a
blank token between the item and the line break.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FINISHED = ""
CAPPED = "capped"


@dataclass(frozen=True)
class Token:
    """A token's place. `part` says which token of its item it is: first, middle, last or only."""

    role: str
    k: int | None = None
    k_end: int | None = None
    part: str | None = None


@dataclass(frozen=True)
class Item:
    """One item of a list: its text without surrounding blanks, and how it was written."""

    text: str
    tokens: int  # hyphen, blank and break not counted
    blank: bool  # followed by a white-space-only token
    complete: bool  # followed by a break or the end, not cut by the token budget


@dataclass(frozen=True)
class ListRoles:
    """The roles of a list's tokens, and what they amount to.

    `reason` is empty for a well-formed list, else `capped` or `malformed: …`.
    """

    tokens: list[Token]
    items: list[Item]
    ended: bool
    reason: str


def list_roles(pieces: Sequence[str], *, hyphen: str, end: Sequence[str]) -> ListRoles:
    """Roles of an answer's tokens, from the prefilled hyphen on.

    Args:
        pieces: each token's text.
        hyphen: the token that opens an item.
        end: tokens that end the turn; what follows the first of them is `end`, too.
    """
    stop = next((i for i, piece in enumerate(pieces) if piece in end), len(pieces))
    ended = stop < len(pieces)
    tokens: list[Token] = []
    items: list[Item] = []
    problem = ""
    gap = False  # after an empty line, which is no fault at the very end
    for line in _lines(pieces[:stop]):
        body = line[:-1] if _is_break(line[-1]) else line
        if not body:
            gap = True
            tokens.append(Token("break", len(items) or None))
            continue
        if body[0].strip() != hyphen:
            problem = problem or f"a line without {hyphen}"
            tokens += [Token("other")] * len(body)
            tokens += [Token("break", len(items) or None)] * (len(line) - len(body))
            continue
        written = _strip_blanks(body[1:])
        whole = ended or "\n" in line[-1]
        if gap:
            problem = problem or "an empty line"
        elif whole and not written:
            problem = problem or "an empty item"
        gap = line[-1].count("\n") > 1
        k = len(items) + 1
        blanks = len(body) - 1 - len(written)
        tokens.append(Token("hyphen", k))
        tokens += [Token("item", k, part=part) for part in _parts(len(written), whole)]
        tokens += [Token("blank", k)] * blanks
        tokens += [Token("break", k)] * (len(line) - len(body))
        if written:
            items.append(Item("".join(written).strip(), len(written), blanks > 0, whole))
    if not items:
        problem = problem or ("no items" if ended else "")
    tokens += [Token("end", len(items) or None)] * (len(pieces) - stop)
    reason = f"malformed: {problem}" if problem else FINISHED if ended else CAPPED
    if ended:
        tokens = [_from_end(token, len(items)) for token in tokens]
    return ListRoles(tokens, items, ended, reason)


def prompt_roles(
    spans: Sequence[tuple[int, int]],
    pieces: Sequence[str],
    *,
    turn: tuple[int, int],
    length: Sequence[tuple[int, int]],
    topic: tuple[int, int],
    turn_open: str,
    turn_close: str,
    bos: str | None,
) -> list[str]:
    """Roles of a prompt's tokens, without the prefilled start of the answer.

    Args:
        spans: each token's characters in the prompt's text, (start, stop).
        pieces: each token's text.
        turn: characters of what is asked, which the template's marks stand around.
        length, topic: characters of the words that ask for a length, and of the topic.
    """
    roles: list[str] = []
    marks = turn_open in pieces  # else each mark is several tokens
    header = False  # between the mark that opens a turn and its line break, or its text
    for place, (span, piece) in enumerate(zip(spans, pieces, strict=True)):
        closing = place > 0 and pieces[place - 1] == turn_close and _is_break(piece)
        if piece == turn_open:
            header = True
        header = header and not _overlap(span, turn)
        outside = span[0] >= turn[1] or (span[1] <= turn[0] and not marks)
        if place == 0 and piece == bos:
            roles.append("bos")
        elif header or closing or outside or piece == turn_close:
            roles.append("turn")
        elif any(_overlap(span, word) for word in length):
            roles.append("length")
        else:
            roles.append("topic" if _overlap(span, topic) else "prompt")
        header = header and not _is_break(piece)
    return roles


def differing_words(one: str, other: str) -> list[tuple[int, int]]:
    """Characters of the words of `one` that `other` has replaced, word by word."""
    words = zip(re.finditer(r"\S+", one), re.findall(r"\S+", other), strict=False)
    return [mine.span() for mine, theirs in words if mine.group() != theirs]


def _lines(pieces: Sequence[str]) -> list[list[str]]:
    """Tokens up to and including each one with a line break."""
    lines: list[list[str]] = [[]]
    for piece in pieces:
        lines[-1].append(piece)
        if "\n" in piece:
            lines.append([])
    return [line for line in lines if line]


def _is_break(piece: str) -> bool:
    return "\n" in piece and not piece.strip()


def _strip_blanks(pieces: Sequence[str]) -> Sequence[str]:
    """Without white-space-only tokens after the text; those before or inside belong to it."""
    stop = len(pieces)
    while stop and not pieces[stop - 1].strip():
        stop -= 1
    return pieces[:stop]


def _parts(count: int, whole: bool) -> list[str]:
    """Of a cut item it is not known which token would have been the last."""
    if count == 1:
        return ["only" if whole else "first"]
    return (
        ["first"] * (count > 0)
        + ["middle"] * (count - 2)
        + ["last" if whole else "middle"] * (count > 1)
    )


def _from_end(token: Token, items: int) -> Token:
    if token.k is None or token.k > items:
        return token
    return Token(token.role, token.k, token.k - items - 1, token.part)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
