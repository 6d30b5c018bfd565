"""Directives such as `<< figure: entropy short-clean >>`, found with their true file and line.

What a kind can say, and what it becomes, is a row of `kinds/table.py`.

markdown-it-py reads the raw file, so directives in fenced or inline code, comments and scripts are
left alone. Indented code is not literal here: Python-Markdown indents the content of admonitions
and tabs, where directives are welcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from site_builder.core.errors import Problem, nearest
from site_builder.post.directive import Directive
from site_builder.post.kinds.table import KINDS
from site_builder.post.kinds.words import MisreadError, Words

BEGINS = re.compile(r"<<[ \t]*(?P<kind>[A-Za-z][\w-]*)[ \t]*:")
_IN_TAG = re.compile(r"<[A-Za-z][^<>]*\Z")  # a tag that is open: what follows is an attribute
_WHOLE = re.compile(r"<<(?P<body>(?:\"[^\"\n]*\"|(?!>>)[^\"\n])*)>>")
_PIECE = re.compile(
    r"(?P<key>[A-Za-z_]\w*)=(?:\"(?P<quoted>[^\"\n]*)\"|(?P<bare>[^\s\"]+))|(?P<word>[^\s=\"]+)"
)
_LITERAL_HTML = re.compile(r"\s*<(?:!--|pre\b|script\b|style\b|textarea\b)", re.IGNORECASE)


def scan(text: str, path: str, first_line: int = 1) -> tuple[list[Directive], list[Problem]]:
    """Every directive of `text`, in order, and every one that cannot be read.

    `path` and `first_line` (the file's line at which `text` begins) make the messages true.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    lines = text.split("\n")
    directives: list[Directive] = []
    problems: list[Problem] = []
    for line, column, source in _candidates(text, lines):
        where = f"{path}:{first_line + line}"
        if not source:
            what = "a directive cannot stand inside an image or a tag"
            problems.append(Problem(where, what, "put it in the text"))
            continue
        written = _read(source, where)
        if isinstance(written, Problem):
            problems.append(written)
            continue
        kind, words, length = written
        directive = Directive(kind, *words, where, line, column, column + length)
        if KINDS[kind].is_block and _has_company(lines[line], directive):
            what = f"a {kind} stands on a line of its own"
            problems.append(Problem(where, what, "put blank lines around it"))
        else:
            directives.append(directive)
    return directives, problems


def _read(source: str, where: str) -> tuple[str, Words, int] | Problem:
    """The kind, words and length of what `source` opens with, or what is wrong with it."""
    if _half_open((*KINDS,)).match(source):
        inner = source[1:].partition(">")[0].strip()
        return Problem(where, f"one < in {_shown(source)}", f"write << {inner} >>")
    whole = _WHOLE.match(source)
    if not whole:
        return Problem(
            where, f"unclosed directive {_shown(source)}", "close it with >> on its line"
        )
    kind, colon, rest = whole["body"].partition(":")
    kind = kind.strip()
    if not colon or " " in kind:
        first, _, others = whole["body"].strip().partition(" ")
        cure = f"write << {first}: {others.strip()} >>"
        return Problem(where, f"no colon in {_shown(whole[0])}", cure)
    if kind not in KINDS:
        return Problem(where, f'unknown kind "{kind}"', nearest(kind, KINDS))
    words: list[str] = []
    options: dict[str, str] = {}
    position = 0
    for piece in _PIECE.finditer(rest):
        if rest[position : piece.start()].strip():
            break
        position = piece.end()
        if piece["word"] is not None:
            words.append(piece["word"])
        elif piece["key"] in options:
            return Problem(where, f'option "{piece["key"]}" stands twice', "keep one")
        else:
            options[piece["key"]] = piece["quoted"] if piece["bare"] is None else piece["bare"]
    if rest[position:].strip():
        what = f"cannot read {_shown(rest[position:].strip())} in {_shown(whole[0])}"
        return Problem(where, what, f'write << {kind}: NAME [VARIANT] [option="value"] >>')
    try:
        return kind, KINDS[kind].read(words, options), whole.end()
    except MisreadError as error:
        what = error.what or f"cannot read {_shown(whole[0])}"
        cure = error.cure or f"write << {kind}: {KINDS[kind].form} >> in lower case"
        return Problem(where, what, cure)


def _shown(source: str) -> str:
    source = source.strip()
    return source if len(source) <= 60 else source[:57] + "…"


def _has_company(raw: str, directive: Directive) -> bool:
    around = raw[: directive.start] + raw[directive.end :]
    return bool(around.strip(" \t>"))


def _candidates(text: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """(line, column, source from there) of everything that begins like a directive.

    The source is empty where a directive is hidden in an image's description or a tag.
    """
    for token in _markdown.parse(text):
        if token.map is None:
            continue
        top = token.map[0]
        if token.type == "html_block" and not _LITERAL_HTML.match(token.content):
            for line in range(top, min(token.map[1], len(lines))):
                position = 0
                while (start := lines[line].find("<<", position)) >= 0:
                    source = lines[line][start:]
                    if _is_directive(source):
                        before = "\n".join([*lines[top:line], lines[line][:start]])
                        yield line, start, "" if _IN_TAG.search(before) else source
                        whole = _WHOLE.match(source)
                        position = start + (whole.end() if whole else 2)
                    else:
                        position = start + 1
        elif token.type == "inline":
            for start, hidden in _inside(token):
                line, column = place(lines, token, start)
                yield line, column, "" if hidden else lines[line][column:]


def place(lines: list[str], token: Token, position: int) -> tuple[int, int]:
    """The line and column of a position in a token's content."""
    before = token.content[:position]
    offset = before.count("\n")
    # The raw line is the content's line behind its container's marks (`> `, `- `).
    line = (token.map[0] if token.map else 0) + offset
    inner = token.content.split("\n")[offset]
    column = position - (before.rfind("\n") + 1)
    column += lines[line].find(inner.strip()) - (len(inner) - len(inner.lstrip()))
    return line, column


def _inside(token: Token) -> Iterator[tuple[int, bool]]:
    """Where in a token's content directives begin, and whether they are hidden there."""
    after = 0
    for child in token.children or []:
        if child.type == "directive":
            yield int(child.meta["start"]), False
        elif child.type in ("image", "html_inline") and BEGINS.search(child.content):
            start = max(0, token.content.find(child.content, after))
            after = start + 1  # the same may stand there again
            yield start, True


def _is_directive(source: str) -> bool:
    kinds = (*KINDS,)
    return any(one.match(source) for one in (BEGINS, _no_colon(kinds), _half_open(kinds)))


@cache
def _no_colon(kinds: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"<<[ \t]*(?:{'|'.join(kinds)})[ \t]+\w")


@cache
def _half_open(kinds: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"<[ \t]*(?:{'|'.join(kinds)})[ \t]*:[^<>\n]*>")


def directive_rule(state: StateInline, silent: bool) -> bool:
    """A directive within a paragraph."""
    if state.src[state.pos] != "<":
        return False
    source = state.src[state.pos : state.posMax]
    if not _is_directive(source):
        return False
    whole = _WHOLE.match(source)
    if not silent:
        token = state.push("directive", "", 0)
        token.meta = {"start": state.pos}
    state.pos += whole.end() if whole else 2
    return True


_markdown = MarkdownIt("commonmark").disable(["code", "reference"])
_markdown.inline.ruler.before("backticks", "directive", directive_rule)
