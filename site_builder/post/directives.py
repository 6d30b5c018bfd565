"""Directives such as `<< figure: entropy short-clean >>`, found with their true file and line.

A feature is named PLACE/NUMBER; what a place is called, and whether there is such a feature, the
post's drawings know. `<< feature: 26/1201 >>` is short for the drawing `feature` with that option,
`<< figure: feature_activation 26/1201 >>` for `feature="26/1201"`. `<< page: provenance graph >>`
names no result, but a part of a page that is made from the post itself.

Four kinds stand in a sentence: `value` and `claim` say what a result says, `ref` names a figure or
section by what it is called in its directive, `cite` works of the bibliography by their keys.

markdown-it-py reads the raw file, so directives in fenced or inline code, comments and scripts are
left alone. Indented code is not literal here: Python-Markdown indents the content of admonitions
and tabs, where directives are welcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from site_builder.core.errors import Problem, nearest

BLOCKS = ("figure", "table", "tokens", "feature", "page", "section")
KINDS = (*BLOCKS, "value", "claim", "ref", "cite")

_OPENS = re.compile(r"<<[ \t]*(?P<kind>[A-Za-z][\w-]*)[ \t]*:")
_WHOLE = re.compile(r"<<(?P<body>(?:\"[^\"\n]*\"|(?!>>)[^\"\n])*)>>")
_NO_COLON = re.compile(rf"<<[ \t]*(?:{'|'.join(KINDS)})[ \t]+\w")
_HALF_OPEN = re.compile(rf"<[ \t]*(?:{'|'.join(KINDS)})[ \t]*:[^<>\n]*>")
_FORMS = {
    "feature": ("PLACE/NUMBER [option=value]", 1),
    "page": ("NAME [PART]", 2),
    "section": ("FILE", 1),
    "value": ("NAME [VARIANT] column=value", 2),
    "claim": ("ID [show=COLUMN]", 1),
    "ref": ("NAME [VARIANT]", 2),
    "cite": ("KEY [KEY …]", 20),
}
"""What follows the colon of a kind, and how many words at most."""
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_FEATURE = re.compile(r"[a-z0-9][a-z0-9_-]*/[0-9]{1,7}\Z")
_PIECE = re.compile(
    r"(?P<key>[A-Za-z_]\w*)=(?:\"(?P<quoted>[^\"\n]*)\"|(?P<bare>[^\s\"]+))|(?P<word>[^\s=\"]+)"
)
_LITERAL_HTML = re.compile(r"\s*<(?:!--|pre\b|script\b|style\b|textarea\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Directive:
    """One directive: what it asks for, and where it stands.

    `line` is 0-based within the text scanned; `start` and `end` are columns of its raw line.
    """

    kind: str
    name: str
    variant: str
    options: dict[str, str] = field(hash=False)
    where: str
    line: int = 0
    start: int = 0
    end: int = 0

    @property
    def named(self) -> str:
        """What it asks for, as a `ref` names it: "entropy compare", "26/1201"."""
        if self.name == "feature" and "feature" in self.options:
            return self.options["feature"]
        return " ".join(filter(None, (self.name, self.variant, self.options.get("feature"))))

    def __str__(self) -> str:
        if self.kind == "feature":
            return f"feature: {self.options['feature']}"
        return " ".join(f"{self.kind}: {self.name} {self.variant}".split())


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
        found = _read(source, where)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        kind, name, variant, options, length = found
        directive = Directive(kind, name, variant, options, where, line, column, column + length)
        if kind in BLOCKS and _has_company(lines[line], directive):
            what = f"a {kind} stands on a line of its own"
            problems.append(Problem(where, what, "put blank lines around it"))
        else:
            directives.append(directive)
    return directives, problems


def form(kind: str) -> str:
    """What follows the colon of a kind: "NAME [VARIANT] [option=value]"."""
    return _FORMS.get(kind, ("NAME [VARIANT] [option=value]", 2))[0]


def _read(source: str, where: str) -> tuple[str, str, str, dict[str, str], int] | Problem:
    """The parts of the directive that `source` opens with, or what is wrong with it."""
    if _HALF_OPEN.match(source):
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
    if kind == "feature" and not (len(words) == 1 and _FEATURE.match(words[0])):
        cure = "write << feature: PLACE/NUMBER >>, such as << feature: 26/1201 >>"
        return Problem(where, f"cannot read {_shown(whole[0])}", cure)
    if kind in (*BLOCKS, "ref") and words and _FEATURE.match(words[-1]):
        if "feature" in options:
            return Problem(where, 'option "feature" stands twice', "keep one")
        options = {"feature": words.pop(), **options}
        words = words or ["feature"]
    _, most = _FORMS.get(kind, ("", 2))
    if not 1 <= len(words) <= most or not all(map(_WORD.match, words)):
        what = f"cannot read {_shown(whole[0])}"
        return Problem(where, what, f"write << {kind}: {form(kind)} >> in lower case")
    if kind == "cite":
        return kind, " ".join(words), "", options, whole.end()
    return kind, words[0], words[1] if len(words) == 2 else "", options, whole.end()


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
                        yield line, start, source
                        whole = _WHOLE.match(source)
                        position = start + (whole.end() if whole else 2)
                    else:
                        position = start + 1
        elif token.type == "inline":
            content = token.content.split("\n")
            for start, hidden in _inside(token):
                before = token.content[:start]
                offset = before.count("\n")
                column = start - (before.rfind("\n") + 1)
                # The raw line is the content's line behind its container's marks (`> `, `- `).
                raw, inner = lines[top + offset], content[offset]
                column += raw.find(inner.strip()) - (len(inner) - len(inner.lstrip()))
                yield top + offset, column, "" if hidden else raw[column:]


def _inside(token: Token) -> Iterator[tuple[int, bool]]:
    """Where in a token's content directives begin, and whether they are hidden there."""
    after = 0
    for child in token.children or []:
        if child.type == "directive":
            yield int(child.meta["start"]), False
        elif child.type in ("image", "html_inline") and _OPENS.search(child.content):
            start = max(0, token.content.find(child.content, after))
            after = start + 1  # the same may stand there again
            yield start, True


def _is_directive(source: str) -> bool:
    return any(begins.match(source) for begins in (_OPENS, _NO_COLON, _HALF_OPEN))


def _directive_rule(state: StateInline, silent: bool) -> bool:
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
_markdown.inline.ruler.before("backticks", "directive", _directive_rule)
