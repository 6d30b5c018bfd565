"""The markup of a text as the host will read it: what is literal, what is raw, what stays open.

Code, comments and scripts are blanked, not cut, so that every line and column stays true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common import html_re

_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)
_TAG = re.compile(rf"(?<!\\){html_re.open_tag}|(?<!\\){html_re.close_tag}")
_NAME = re.compile(r"</?([A-Za-z][\w-]*)")
_LITERAL = re.compile(
    r"(?P<open><(?P<tag>pre|script|style|textarea)\b[^>]*>)(?P<text>.*?)(?=</(?P=tag)\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_INLINE = re.compile(
    r"\\[\\`<]"
    r"|(?P<blank>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ ]*\n).)+?(?<!`)(?P=ticks)(?!`)|<!--.*?-->)",
    re.DOTALL,
)
_FENCE_END = re.compile(r"[ >]*(?P<mark>`{3,}|~{3,})[ ]*\Z")
_STARTS = (("<!--", "-->"), ("<?", "?>"))
_markdown = MarkdownIt("commonmark").disable(["code", "reference"])


class Open(NamedTuple):
    """What a text opens and does not close: its 0-based line, what it is, what would close it."""

    line: int
    what: str
    closer: str


class Markup(NamedTuple):
    """A text without what is literal in it, and its raw and open parts; lines are 0-based."""

    prose: str
    raw: list[tuple[int, int]]
    open: list[Open]
    stray: list[tuple[int, str]]


def read(text: str) -> Markup:
    """Look through a text."""
    lines = text.split("\n")
    left: list[Open] = []
    for start, end, mark in _fences(text):
        closing = _FENCE_END.match(lines[end - 1]) if end - 1 > start else None
        if not closing or not closing["mark"].startswith(mark):
            prefix = re.match(r"[ >]*", lines[start])
            left.append(Open(start, f"code ({mark})", (prefix[0] if prefix else "") + mark))
        for number in range(start, end):
            lines[number] = " " * len(lines[number])
    shown = _INLINE.sub(lambda one: _blank(one[0]) if one["blank"] else one[0], "\n".join(lines))
    prose = _LITERAL.sub(lambda one: one["open"] + _blank(one["text"]), shown)
    for opener, closer in _STARTS:
        at = prose.find(opener)
        if at >= 0 and closer not in prose[at:]:
            left.append(Open(prose.count("\n", 0, at), f"a comment ({opener})", closer))
            prose = prose[:at] + _blank(prose[at:])
    raw, tags, stray = _tags(prose)
    return Markup(prose, raw, [*left, *tags], stray)


def _fences(text: str) -> Iterator[tuple[int, int, str]]:
    for token in _markdown.parse(text):
        if token.type == "fence" and token.map:
            yield token.map[0], token.map[1], token.markup


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _tags(prose: str) -> tuple[list[tuple[int, int]], list[Open], list[tuple[int, str]]]:
    """Lines of raw HTML, where Markdown is not read; tags left open; ends that end nothing."""
    raw: list[tuple[int, int]] = []
    stray: list[tuple[int, str]] = []
    stack: list[tuple[str, int, bool]] = []  # name, line, whether it makes its lines raw
    for found in _TAG.finditer(re.sub(r"<<[^<>\n]*>>", lambda one: " " * len(one[0]), prose)):
        name = (_NAME.match(found[0]) or found)[1].lower()
        line = prose.count("\n", 0, found.start())
        if not found[0].startswith("</"):
            if name not in _VOID and not found[0].endswith("/>"):
                before = prose[prose.rfind("\n", 0, found.start()) + 1 : found.start()]
                begins = bool(stack) or not before.strip()
                reads = re.search(r"\smarkdown\b", found[0]) is not None
                is_raw = begins and not reads and name in _block_level()
                stack.append((name, line, is_raw or (bool(stack) and stack[-1][2])))
            continue
        if name not in (one for one, _, _ in stack):
            if name not in _VOID:
                stray.append((line, name))
            continue
        while stack:
            opened, first, is_raw = stack.pop()
            if is_raw and not (stack and stack[-1][2]):
                raw.append((first, line))
            if opened == name:
                break
    tags = [Open(line, f"<{name}>", f"</{name}>") for name, line, _ in reversed(stack)]
    return raw, tags, stray


@cache
def _block_level() -> frozenset[str]:
    from markdown.util import BLOCK_LEVEL_ELEMENTS

    return frozenset(BLOCK_LEVEL_ELEMENTS)
