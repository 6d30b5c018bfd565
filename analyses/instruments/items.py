"""The items of many lists, without the roles of their tokens.

The rules are those of `roles.list_roles`, and a test holds the two together. That one makes an
object a token, which for a hundred thousand lists is gigabytes and minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import pyarrow as pa

from analyses.instruments.lists import KEY, WrittenList
from analyses.instruments.roles import CAPPED, FINISHED, Item, ListRoles
from analyses.lab.core.study import Prompt

BATCH = 4096


def read_items(list_samples: pa.Table, prompt: Prompt) -> Iterator[WrittenList]:
    """All lists of the table, in its order, with items and without tokens, ids and text."""
    prefill, hyphen = prompt.prefill, prompt.hyphen
    asked = list_samples.select([*KEY, "tokens", "ended"])
    for batch in asked.to_batches(BATCH):
        for row in batch.to_pylist():
            pieces = [prefill, *row["tokens"]]
            roles = list_items(pieces, hyphen=hyphen, end=pieces[-1:] if row["ended"] else [])
            yield WrittenList({name: row[name] for name in KEY}, "", [], [], roles)


def list_items(pieces: Sequence[str], *, hyphen: str, end: Sequence[str]) -> ListRoles:
    """What `list_roles` finds, its tokens left out."""
    stop = next((i for i, piece in enumerate(pieces) if piece in end), len(pieces))
    ended = stop < len(pieces)
    items: list[Item] = []
    problem = ""
    gap = False
    line: list[str] = []
    for place, piece in enumerate(pieces[:stop], start=1):
        line.append(piece)
        if "\n" not in piece and place < stop:
            continue
        size = len(line) - ("\n" in piece and not piece.strip())  # without the break
        if not size:
            gap = True
        elif line[0].strip() != hyphen:
            problem = problem or f"a line without {hyphen}"
        else:
            whole = ended or "\n" in piece
            last = size
            while last > 1 and not line[last - 1].strip():
                last -= 1
            if gap:
                problem = problem or "an empty line"
            elif whole and last == 1:
                problem = problem or "an empty item"
            gap = piece.count("\n") > 1
            if last > 1:
                text = "".join(line[1:last]).strip()
                items.append(_item(text, last - 1, size > last, whole))
        line = []
    if not items:
        problem = problem or ("no items" if ended else "")
    reason = f"malformed: {problem}" if problem else FINISHED if ended else CAPPED
    return ListRoles([], items, ended, reason)


_item = lru_cache(maxsize=1 << 17)(Item)
"""Models write the same items again and again."""
