"""The stage of the trace: one list's tokens laid out as text, and the ways that heads take over it.

Everything is laid out here, in units of which a line of text has `WIDTH`, so that the picture in
the page and what its script draws are one: the script gets places and paths, and computes none.
The request is text that wraps; the marks of the turns are folded into narrow cells; each item of
the list has a line of its own, which leaves room on both sides for arcs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from site_builder.charts import theme

WIDTH = 340
ADVANCE = 6.0  # of a letter of a typewriter face at the size of the style sheet
BOX = 15  # height of a token
LINE = 25  # from line to line: a token, and a number below it
TOP = 24  # room above the first line, for arcs
INDENT = 24  # of the list, for arcs that come from the left
CELL = 7  # width of a folded mark
MOST_ARCS = 8
FAINT = 0.2  # of a mover's largest share: what is smaller has no arc

Row = dict[str, Any]
Place = tuple[str | None, int | None]


@dataclass
class Token:
    """A token where it stands; `x` and `y` are those of its upper left corner."""

    text: str
    place: Place
    position: int
    x: float
    y: float
    width: float
    line: int
    last: bool = False  # of its line

    @property
    def middle(self) -> float:
        """Halfway along it."""
        return self.x + self.width / 2


@dataclass
class Stage:
    """The tokens of a list in reading order."""

    tokens: list[Token] = field(default_factory=list)
    height: float = 0.0
    answer: int = 0
    """Line on which the list begins."""

    def at(self, position: int) -> Token:
        """The token at a position of the model's input."""
        return next(token for token in self.tokens if token.position == position)

    def first(self, place: Place) -> Token | None:
        """The token that stands for all of a role: its first, of earlier items a line break."""
        found = [token for token in self.tokens if token.place == place]
        breaks = [token for token in found if token.text == "⏎"]
        return next(iter(breaks if place == ("earlier", None) and breaks else found), None)


def stage(rows: Sequence[Row]) -> Stage:
    """Lay out a list.

    Args:
        rows: a row a token, in reading order: position, token, role, k_end.
    """
    made = Stage()
    x, line = 0.0, 0
    for row in rows:
        place = (row["role"], row["k_end"])
        text: str = row["token"]
        if row["role"] == "turn":
            if not made.tokens or made.tokens[-1].place != place:
                x, line = 0.0, line + 1
            made.tokens.append(_token("", place, row, x, line, CELL - 1))
            x += CELL
            continue
        if made.tokens and made.tokens[-1].place[0] == "turn":
            line, made.answer = line + 1, line + 1
            x = INDENT
        shown = theme.visible(text.strip(" ") or text)
        width = _width(shown) + 2
        start = x + (ADVANCE * 0.75 if text.startswith(" ") and x else 1.0)
        if start + width > WIDTH:
            line += 1
            start = INDENT + 2 * ADVANCE if made.answer else 0.0
        made.tokens.append(_token(shown, place, row, start, line, width))
        x = start + width
        if made.answer and text.endswith("\n"):
            x, line = INDENT, line + 1
    for token, after in zip(made.tokens, [*made.tokens[1:], None], strict=True):
        token.last = after is None or after.line != token.line
    made.height = TOP + LINE * made.tokens[-1].line + LINE if made.tokens else 0.0
    return made


def _token(shown: str, place: Place, row: Row, x: float, line: int, width: float) -> Token:
    y = TOP + LINE * line
    return Token(shown, place, row["position"], round(x, 1), y, round(width, 1), line)


def _width(text: str) -> float:
    """Of a text in a typewriter face: letters of East Asia take two places, marks above none."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    above = sum(unicodedata.combining(letter) > 0 for letter in text)
    return min(ADVANCE * (len(text) + wide - above), WIDTH - 3 * INDENT)


def arcs(made: Stage, source: Token, targets: Mapping[int, float]) -> list[tuple[str, float]]:
    """Return the ways from a token to others as paths, each with the share that it stands for.

    Args:
        targets: position in `made.tokens` -> share. The faint ones are left out.
    """
    strongest = sorted(targets.items(), key=lambda item: -item[1])[:MOST_ARCS]
    most = max(targets.values(), default=0.0)
    return [
        (_way(source, made.tokens[place]), share)
        for place, share in strongest
        if share >= FAINT * most and made.tokens[place] is not source
    ]


def _way(source: Token, target: Token) -> str:
    """A curve from a token to a later one, which enters it from the side that is free."""
    x, y = source.middle, source.y
    if source.line == target.line:
        high = 9 + 0.1 * abs(target.middle - x)
        return _curve((x, y), (x, y - high), (target.middle, y - high), (target.middle, y))
    middle = target.y + BOX / 2
    if target.x < INDENT + 4:  # a hyphen
        ways = (x, y + BOX + 26), (0, middle), (target.x - 1, middle)
        return _curve((x, y + BOX), *ways)
    if target.last:
        end = target.x + target.width + 1
        if source.last:
            start = source.x + source.width + 1
            out = max(start, end) + 38
            level = source.y + BOX / 2
            return _curve((start, level), (out, level), (out, middle), (end, middle))
        out = min(end + 96, WIDTH - 4)
        return _curve((x, y + BOX), (max(x, out), y + BOX + 30), (out, middle), (end, middle))
    return _curve(
        (x, y + BOX), (x, y + BOX + 20), (target.middle, target.y - 22), (target.middle, target.y)
    )


def _curve(*points: tuple[float, float]) -> str:
    start, *rest = (f"{x:.4g} {y:.4g}" for x, y in points)
    return f"M{start}C{' '.join(rest)}"
