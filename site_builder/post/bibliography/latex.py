r"""Text of a bibliography, from its LaTeX: accents, quotes, dashes, `\textit{}`, and a bare `%`.

pylatexenc reads it and knows what letters and signs its commands stand for. A command that is none
of these is refused by name: half of a title is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

TAGS = {
    "emph": "em",
    "textit": "em",
    "textsl": "em",
    "textbf": "strong",
    "texttt": "code",
    "textsuperscript": "sup",
    "textsubscript": "sub",
}
FORMULA = "post-formula"
"""The element that holds the LaTeX of a formula until the page is made."""

_PLAIN = ("textsc", "textsf", "textrm", "textup", "textnormal", "text", "mbox", "enquote", "nocase")
_SWITCHES = ("it", "em", "bf", "sc", "sl", "tt", "rm", "sf", "relax", "protect", "xspace", "/", "-")
_SIGNS = {
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textunderscore": "_",
    "textdollar": "$",
    "textquotedbl": '"',
    "textperiodcentered": "·",
    "copyright": "©",
    "textcopyright": "©",
    "textregistered": "®",
    "texttrademark": "™",
    "texteuro": "€",
    "pounds": "£",
    "guillemotleft": "«",
    "guillemotright": "»",
    "slash": "/",
    "TeX": "TeX",
    "LaTeX": "LaTeX",
    "BibTeX": "BibTeX",
}
_BARE = re.compile(r"(\\.)|([%&#])", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """What a field says, as HTML and as plain text."""

    html: str = ""
    plain: str = ""

    def __add__(self, other: Text) -> Text:
        return Text(self.html + other.html, self.plain + other.plain)

    def __bool__(self) -> bool:
        return bool(self.plain.strip())

    def tagged(self, tag: str) -> Text:
        """The same in an element."""
        return Text(f"<{tag}>{self.html}</{tag}>", self.plain)


def text(latex: str) -> Text:
    """What LaTeX says; raises `ValueError` that names what it cannot say."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerError

    walker, _ = _contexts()
    # In a bibliography these are written bare as well.
    source = _BARE.sub(lambda found: found[1] or f"\\{found[2]}", " ".join(latex.split()))
    reader = LatexWalker(source, latex_context=walker, tolerant_parsing=False)
    try:
        nodes, _, _ = reader.get_latex_nodes()
    except LatexWalkerError as error:
        raise ValueError(f"cannot read {latex!r}: {error.msg}") from None
    return _all(nodes)


def url(latex: str) -> str:
    r"""An address as it is meant: without the backslashes that LaTeX wants, out of `\url{}`."""
    inner = re.fullmatch(r"\s*\\(?:url|href)\s*\{([^{}]*)\}.*", latex, re.DOTALL)
    return re.sub(r"\\([%&#_~$])", r"\1", (inner[1] if inner else latex).strip())


def _all(nodes: Any) -> Text:
    return sum(map(_one, filter(None, nodes)), Text())


def _one(node: Any) -> Text:
    from pylatexenc import latexwalker as lw

    if isinstance(node, lw.LatexCharsNode):
        return Text(escape(node.chars, quote=False), node.chars)
    if isinstance(node, lw.LatexGroupNode):
        return _all(node.nodelist)
    if isinstance(node, lw.LatexMathNode):
        return _formula(node.nodelist)
    if isinstance(node, lw.LatexEnvironmentNode):
        raise ValueError(f"\\begin{{{node.environmentname}}} cannot be used here")
    if isinstance(node, lw.LatexMacroNode):
        return _command(node)
    return _known(node)


def _command(node: Any) -> Text:
    name = node.macroname
    given = list(node.nodeargd.argnlist or ()) if node.nodeargd else []
    if name in TAGS:
        return _all(given).tagged(TAGS[name])
    if name in _PLAIN:
        return _all(given)
    if name in ("url", "href"):
        shown = url(given[0].latex_verbatim().strip("{}"))
        return _all(given[1:]) if name == "href" else Text(escape(shown, quote=False), shown)
    if name in (*_SWITCHES, "noopsort"):
        return Text()
    if name == "ensuremath":
        return _formula(given)
    if name in _SIGNS:
        return Text(escape(_SIGNS[name], quote=False), _SIGNS[name])
    _, signs = _contexts()
    if signs.latex_context.get_macro_spec(name) is None:
        raise ValueError(f"\\{name} is no command that is known here")
    return _known(node)


def _formula(nodes: Any) -> Text:
    """A formula: its LaTeX is set where the page is made."""
    _, signs = _contexts()
    latex = "".join(one.latex_verbatim() for one in nodes)
    return Text(
        f"<{FORMULA}>{escape(latex, quote=False)}</{FORMULA}>", signs.nodelist_to_text(nodes)
    )


def _known(node: Any) -> Text:
    """A letter or a sign, as pylatexenc knows it."""
    _, signs = _contexts()
    said = signs.nodelist_to_text([node])
    return Text(escape(said, quote=False), said)


@cache
def _contexts() -> tuple[Any, Any]:
    """What reads LaTeX, and what says which sign a command stands for."""
    from pylatexenc import latex2text, latexwalker
    from pylatexenc.macrospec import MacroSpec

    walker = latexwalker.get_default_latex_context_db()
    specs = [MacroSpec(name, "{") for name in (*TAGS, *_PLAIN, "url", "ensuremath", "noopsort")]
    specs += [MacroSpec("href", "{{"), *(MacroSpec(name, "") for name in (*_SWITCHES, *_SIGNS))]
    walker.add_context_category("here", macros=specs, prepend=True)
    signs = latex2text.LatexNodes2Text(
        latex_context=latex2text.get_default_latex_context_db(), keep_comments=True
    )
    signs.latex_context.set_unknown_macro_spec(None)
    return walker, signs
