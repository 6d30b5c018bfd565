r"""Formulas such as `$x < y$`, found in the raw file with their true lines.

`$…$` and `\(…\)` stand in a sentence. `$$…$$` is set on a line of its own; so are `\[…\]` and
`\begin{align}…\end{align}`, which begin and end a line. `{#eq-loss}` behind one of these names it,
numbers it, and lets `<< ref: eq-loss >>` lead to it.

A dollar opens a formula where Pandoc's does: no blank is inside of either dollar, and no digit
follows. Behind a letter or a digit what follows has to look like mathematics (`R$^2$`), and prose
between two prices (`$5/month or 10$`) is none. Formulas in code are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from site_builder.core.errors import Problem
from site_builder.post.directives import BEGINS, directive_rule, place
from site_builder.post.formula import Formula

_LABEL = r"(?:[ \t]*\{[ \t]*#(?P<label>[^\s{}]*)[ \t]*\})?"
# Never taken back, or what is not closed would be tried in every way.
_INNER = r"(?P<latex>(?:\\text\w*\{[^{}]*\}|\\.|[^$\\`])++)"
_DISPLAYED = re.compile(rf"\$\${_INNER}\$\${_LABEL}", re.DOTALL)
_DOLLARS = re.compile(rf"\$(?=[^\s$]){_INNER}(?<!\s)\$(?!\d)", re.DOTALL)
_ROUND = re.compile(r"\\\((?P<latex>.{1,2000}?)\\\)", re.DOTALL)
_OPENS = re.compile(r"\$\$(?!\$)|\\\[|\\begin\{(?P<name>[A-Za-z]+\*?)\}")
_LEFT_OPEN = re.compile(r"\$\$[A-Za-z\\({]")
_REST = re.compile(rf"(?P<whole>{_LABEL})[ \t]*(?:\n|\Z)")
_MATHEMATICS = re.compile(r"[\\^_]|(?:[^\W\d_]|[=<>({+])\S*\Z")
_PRICES = re.compile(r"\d[^\\]*\s(?:and|but|for|from|in|or|per|plus|than|to|with)\s")
_NAME = re.compile(r"eq-[a-z0-9][a-z0-9_-]*\Z")
_LITERAL = re.compile(r"\s*<!--|<(?:pre|code|script|style|textarea)\b", re.IGNORECASE)


class _Found(NamedTuple):
    """A formula between two positions of a source, or what is wrong with it and the cure."""

    start: int
    end: int
    latex: str = ""
    display: bool = False
    label: str = ""
    wrong: tuple[str, str] = ("", "")


def scan(text: str, path: str, first_line: int = 1) -> tuple[list[Formula], list[Problem]]:
    """Every formula of `text`, in order, and every one that cannot be read.

    `path` and `first_line` (the file's line at which `text` begins) make the messages true.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    lines = text.split("\n")
    formulas: list[Formula] = []
    problems: list[Problem] = []
    if not any(sign in text for sign in ("$", "\\(", "\\[", "\\begin{")):
        return formulas, problems
    for found, (line, start), (last, end) in _candidates(text, lines):
        where = f"{path}:{first_line + line}"
        what, cure = found.wrong
        if BEGINS.search(found.latex):
            what = "a directive cannot stand in a formula"
            cure = "put the number beside it, or write \\$ for a dollar"
        elif found.label and not _NAME.match(found.label):
            what = f'an equation cannot be called "{found.label}"'
            cure = "begin its name with eq-, in lower case, such as {#eq-loss}"
        if what:
            problems.append(Problem(where, what, cure))
        else:
            whole = "\n".join(lines[line : last + 1])
            source = whole[start : len(whole) - len(lines[last]) + end]
            spot = (where, line, start, last, end, source)
            formulas.append(Formula(found.latex, found.display, found.label, *spot))
    return formulas, problems


def _candidates(
    text: str, lines: list[str]
) -> Iterator[tuple[_Found, tuple[int, int], tuple[int, int]]]:
    """What was found, and its two ends as lines and columns."""
    for token in _markdown.parse(text):
        if token.type == "formula":
            found = token.meta["found"]
            yield found, _spot(text, found.start), _spot(text, found.end)
            continue
        children = token.children or []
        if token.type == "html_block" and not _LITERAL.search(token.content):
            children = _markdown.parseInline(token.content)[0].children or []
        for child in children:
            if child.type == "formula":
                found = child.meta["found"]
                start, end = place(lines, token, found.start), place(lines, token, found.end - 1)
                yield found, start, (end[0], end[1] + 1)


def _spot(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1


def _inline_rule(state: StateInline, silent: bool) -> bool:
    """A formula within a paragraph."""
    found = _inline(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        _push(state.push("formula", "", 0), found)
    state.pos = found.end
    return True


def _inline(source: str, position: int, end: int) -> _Found | None:
    """The formula that begins at a position of a paragraph."""
    if source[position] == "\\":
        if found := _ROUND.match(source, position, end):
            return _Found(position, found.end(), found["latex"])
        opens = _OPENS.match(source, position, end)
        inside = source[source.rfind("\n", 0, position) + 1 : position].strip()
        if opens is None or inside:
            return None
        return _displayed(position, opens, source[opens.end() : end])
    if source[position] != "$":
        return None
    if source.startswith("$$", position):
        found = _DISPLAYED.match(source, position, end)
        if found and re.search(r"[\w\\]", found["latex"]):
            return _Found(position, found.end(), found["latex"], True, found["label"] or "")
        if _LEFT_OPEN.match(source, position, end):
            return _open(position, position + 2, "$$")
        return None
    found = _DOLLARS.match(source, position, end)
    if found is None or "</" in found["latex"] or _PRICES.match(found["latex"]):
        return None
    if source[position - 1 : position].isalnum() and not _MATHEMATICS.match(found["latex"]):
        return None
    return _Found(position, found.end(), found["latex"])


def _block_rule(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A formula that begins and ends a line, whatever Markdown makes of the lines between."""
    begin = state.bMarks[first] + state.tShift[first]
    opens = _OPENS.match(state.src, begin, state.eMarks[first])
    if opens is None:
        return False
    last = first
    while last < end and not state.isEmpty(last) and state.sCount[last] >= state.blkIndent:
        last += 1
    starts = [opens.end(), *(state.bMarks[n] + state.tShift[n] for n in range(first + 1, last))]
    text = "\n".join(state.src[start : state.eMarks[first + n]] for n, start in enumerate(starts))
    found = _displayed(begin, opens, text)
    if found is None and (silent or opens[0] == "\\[" or _closing(opens) in text):
        return False
    if found is None:
        closing = _closing(opens)
        found = _open(begin, opens.end(), closing)
        lines = (state.src[state.bMarks[n] : state.eMarks[n]] for n in range(last, end))
        ends = (n for n, line in enumerate(lines, start=last) if closing in line)
        state.line = next(ends, last - 1) + 1  # what was meant for the formula is no prose
    else:
        line, column = _spot(text, found.end - opens.end())
        found = found._replace(end=starts[line] + column)
        state.line = first + line + 1
    if not silent:
        _push(state.push("formula", "", 0), found)
    return True


def _displayed(begin: int, opens: re.Match[str], text: str) -> _Found | None:
    """A formula that ends a line of `text`, which follows its opening."""
    closing = _closing(opens)
    inner = _until(text, closing, opens[0] if opens["name"] else "")
    rest = _REST.match(text, inner + len(closing)) if inner >= 0 else None
    if rest is None:
        return None
    latex = f"{opens[0]}{text[:inner]}{closing}" if opens["name"] else text[:inner]
    return _Found(begin, opens.end() + rest.end("whole"), latex, True, rest["label"] or "")


def _closing(opens: re.Match[str]) -> str:
    return f"\\end{{{opens['name']}}}" if opens["name"] else "$$" if opens[0] == "$$" else "\\]"


def _open(begin: int, end: int, closing: str) -> _Found:
    cure = f"close it with {closing} before the next blank line"
    return _Found(begin, end, wrong=("the formula is not closed", cure))


def _until(text: str, closing: str, again: str) -> int:
    """Where a formula ends whose text follows its opening; `again` opens another within it."""
    depth = 1
    for found in re.finditer(rf"\\\\|{re.escape(closing)}|{re.escape(again) or '(?!)'}", text):
        depth += (found[0] == again) - (found[0] == closing)
        if not depth:
            return found.start()
    return -1


def _push(token: Token, found: _Found) -> None:
    token.meta = {"found": found}


_markdown = MarkdownIt("commonmark").disable(["code", "reference"])
_markdown.inline.ruler.before("escape", "formula", _inline_rule)
_markdown.inline.ruler.before("backticks", "directive", directive_rule)
_markdown.block.ruler.before(
    "fence", "formula", _block_rule, {"alt": ["paragraph", "blockquote", "list"]}
)
