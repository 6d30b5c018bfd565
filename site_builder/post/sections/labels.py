"""Labels of footnotes and links: local to the file that writes them, defined once, and defined.

All sections of a page share one namespace in Python-Markdown, where the last definition wins. So a
section's labels get its name in front. `[text][label]`, `[label][]` and `[label]` are uses of a
link; the last is plain text where nothing of that name is defined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_NOTE = re.compile(r"^[ >]*\[\^(?P<label>[^\]\n]*)\]:", re.MULTILINE)
_LINK = re.compile(r"^[ >]*\[(?P<label>(?!\^)[^\[\]\n]+)\]:[ ]*\n?[ ]*(?=\S)", re.MULTILINE)
_FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)
_DIRECTIVE = re.compile(r"<<[^<>\n]*>>")
_LINKING = re.compile(r"<<[ ]*(ref|cite|claim|term)[ ]*:")
_GAP = re.compile(r"[ ]?\n?\[(?!\^)([^\[\]]*)\]")


class Put(NamedTuple):
    """Text that replaces another within one line, from one column to the next; 0-based."""

    line: int
    start: int
    end: int
    text: str


class Fault(NamedTuple):
    """What is wrong in a 0-based line of a text."""

    line: int
    what: str
    cure: str


def read(prose: str, scope: str) -> tuple[list[Put], list[Fault]]:
    """What makes the labels of a text those of `scope`, and what is wrong with them.

    `prose` is the text without what is literal in it; no `scope` leaves the labels as they are.
    """
    shown = _DIRECTIVE.sub(lambda one: " " * len(one[0]), prose)
    formulas = [(one.start(), one.end()) for one in _FORMULA.finditer(shown)]
    puts: list[tuple[int, int, str]] = []
    faults: list[tuple[int, str, str]] = []
    notes, links = _defined(_NOTE, shown, "^"), _defined(_LINK, shown, "")
    for found, sign in ((notes, "^"), (links, "")):
        for label, places in found.items():
            puts += [(start, start, f"{scope}:") for start in places]
            for start in places[1:]:
                what = f'"[{sign}{label}]" is defined twice'
                faults.append((start, what, "keep one, or give it another label"))
    own = {
        start - 1 - (shown[start - 1] == "^")
        for at in (notes, links)
        for s in at.values()
        for start in s
    }

    def in_formula(at: int) -> bool:
        return any(start <= at < end for start, end in formulas)

    seen: set[int] = set()
    marked: set[str] = set()
    for start, end in _brackets(shown):
        inner = shown[start + 1 : end]
        if start in own or start in seen:
            continue
        if inner.startswith("^"):
            marked.add(inner[1:])
            if inner[1:] in notes:
                puts.append((start + 2, start + 2, f"{scope}:"))
            elif " " not in inner and not in_formula(start):
                faults.append(
                    (start, f'no footnote "[{inner}]"', f"write [{inner}]: … in this file")
                )
            continue
        full = _GAP.match(shown, end + 1)
        if (full or shown.startswith("(", end + 1)) and not in_formula(start):
            hidden = _LINKING.search(prose, start, end)
            if hidden:
                what = f"a {hidden[1]} is a link, and cannot stand in another's text"
                faults.append((start, what, "put it behind the link"))
        if full:
            seen.add(full.start(1) - 1)
            label = _folded(full[1] or inner)
            if label in links:
                puts.append((full.start(1), full.end(1), f"{scope}:{label}"))
            elif not in_formula(start):
                cure = f"write [{label}]: https://… in this file, or \\[ for a bracket"
                faults.append((full.start(1), f'no link "[{label}]"', cure))
        elif _folded(inner) in links and not shown.startswith("(", end + 1):
            puts.append((end + 1, end + 1, f"[{scope}:{_folded(inner)}]"))
    for label in notes.keys() - marked:
        what = f'nothing refers to the footnote "[^{label}]"'
        faults.append((notes[label][0], what, f"put [^{label}] where it belongs, or take it out"))
    return (
        [_put(prose, *put) for put in puts] if scope else [],
        [Fault(prose.count("\n", 0, at), what, cure) for at, what, cure in sorted(faults)],
    )


def _defined(form: re.Pattern[str], text: str, sign: str) -> dict[str, list[int]]:
    """Where the labels of one kind are defined: each label's first column, in order."""
    found: dict[str, list[int]] = {}
    for one in form.finditer(text):
        label = one["label"] if sign else _folded(one["label"])
        found.setdefault(label, []).append(one.start("label"))
    return found


def _folded(label: str) -> str:
    return " ".join(label.split()).lower()


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    """Pairs of brackets that stand in one paragraph, in the order of their first ones."""
    pairs: list[tuple[int, int]] = []
    stack: list[int] = []
    for found in re.finditer(r"\\.|\[|\]|\n[ ]*\n", text):
        if found[0] == "[":
            stack.append(found.start())
        elif found[0] == "]" and stack:
            pairs.append((stack.pop(), found.start()))
        elif found[0].startswith("\n"):
            stack.clear()
    yield from sorted(pairs)


def _put(text: str, start: int, end: int, new: str) -> Put:
    line_start = text.rfind("\n", 0, start) + 1
    return Put(text.count("\n", 0, start), start - line_start, end - line_start, new)
