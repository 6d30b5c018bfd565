"""One form for every message: *where, what, cure*, one line each, all of a build at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MOST_NAMES = 60
"""Names in a hint, when none is near: all measurements and drawings, but not every anchor."""


_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What moves a terminal's cursor or turns its text, and halves of characters; blanks are none."""


def plain(text: str) -> str:
    """A text that a terminal shows and does not obey, whoever wrote it."""
    return _UNSEEN.sub("", text)


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong: `where` it is (file:line when there is one), `what` it is, and its `cure`."""

    where: str
    what: str
    cure: str

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" + (f"; {self.cure}" if self.cure else "")
        return " ".join(plain(line).split())


class BuildError(Exception):
    """Nothing was published; `problems` says why, each once, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what `word` was meant to be: `did you mean "entropy"?`, else what there is."""
    import difflib  # most commands have nothing to hint at

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"there is: {', '.join(names[:MOST_NAMES])}{more}" if names else "there is none yet"
