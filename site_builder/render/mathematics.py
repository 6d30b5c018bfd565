"""Formulas become MathML when the page is built: mathematics that needs no script.

Temml (assets/mathematics) sets them, in the QuickJS of a wheel, so that nobody needs Node. Of the
sixty formulas in its tests latex2mathml sets halves and takes unknown environments for nothing, and
KaTeX's MathML leaves bold, script and blackboard letters plain in Chromium. What Temml cannot set
is told at its line.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from site_builder.core.errors import Problem
from site_builder.core.project import Project, shipped
from site_builder.post.formula import Formula
from site_builder.post.post import Post

VERSION = "0.13.5"
"""Of Temml; what it made is kept under it."""

SECONDS = 10
"""That a formula may take: one of macros that call themselves ends, and one of a megabyte."""

_REFUSED = re.compile(
    r"\\(?P<name>ref|eqref|label|class|id|style|data|href|url|cancelto|longdiv|phase|angl"
    r"|textcircled|toggle|includegraphics)(?![A-Za-z])"
)
_NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather|multline)\}")
_STYLED = re.compile(r'(?: class="(?P<class>[^"]*)")? style="(?P<style>[^"]*)"')
_SAID = re.compile(r"\s*(?P<what>.*?)(?: at position \d+| at end of input|\Z)", re.DOTALL)
_SET = """(latex, display) => {
  try {
    return JSON.stringify({ html: temml.renderToString(
      latex, { displayMode: display, throwOnError: true }) })
  } catch (error) {
    return JSON.stringify({ why: error.name === 'ParseError' ? error.message : '',
                            at: error.position ?? 0 })
  }
}"""

STYLED = re.compile(r'class="(?:tml-(?!display)|chr-|sout|(?:up|down)strike)|<m(?:table|enclose)')
"""What of a formula assets/formulas.css is for."""

_here = threading.local()


def wrong(post: Post) -> list[Problem]:
    """Of every formula that cannot be set, why."""
    tried = (written(post.project, formula, 0) for formula in post.formulas)
    return [one for one in tried if isinstance(one, Problem)]


def written(project: Project, formula: Formula, number: int) -> str | Problem:
    """A formula as it stands in the page; `number` is that of an equation, else 0."""
    made = project.memory.recall(
        "mathematics",
        [VERSION, formula.latex, formula.display],
        lambda: _made(project, formula.latex, formula.display),
    )
    if "why" in made:
        path, _, line = formula.where.rpartition(":")
        what = f"cannot set ${formula.latex.strip()}$: {made['why']}"
        return Problem(f"{path}:{int(line) + made['line']}", what, "mend the formula")
    if not formula.label:
        return f'<span class="post-math">{made["html"]}</span>'
    return (
        f'<span class="post-math post-equation" id="{html.escape(formula.label)}">{made["html"]}'
        f'<span class="post-equation-number">({number})</span></span>'
    )


def _made(project: Project, latex: str, display: bool) -> dict[str, Any]:
    """The MathML of a formula, or why there is none and at which of its lines."""
    if found := _REFUSED.search(latex):
        why = f"\\{found['name']} cannot be used here"
        if found["name"] in ("ref", "eqref", "label"):
            why = "name an equation by {#eq-name} behind it, and write << ref: eq-name >>"
        return {"why": why, "line": latex.count("\n", 0, found.start())}
    if not latex.strip():
        return {"why": "it is empty", "line": 0}
    # Only what has a name has a number, and that is the page's.
    told = json.loads(_engine(project)(_NUMBERED.sub(r"\\\1{\2*}", latex), display))
    if "html" not in told:
        before = latex.encode("utf-16-le")[: 2 * told["at"]].decode("utf-16-le", "ignore")
        first = latex.count("\n") - latex.lstrip().count("\n")
        last = latex.rstrip().count("\n")
        return {"why": _reason(told["why"]), "line": max(first, min(before.count("\n"), last))}
    made = _STYLED.sub(_classes, told["html"])
    if display:  # a long one scrolls, so that a keyboard has to reach it
        made = made.replace("<math", '<math tabindex="0"', 1)
    return {"html": made}


def _reason(said: str) -> str:
    """What Temml says, in the words of an author."""
    found = _SAID.match(said)
    what = found["what"].strip() if found else ""
    if unknown := re.match(r"Unsupported function name: (.*)", what):
        return f"{unknown[1]} is no command"
    if unexpected := re.match(r"Expected 'EOF', got '(.*)'", what):
        return f'"{unexpected[1]}" does not belong there'
    if what.startswith("Unexpected end of input in a macro argument"):
        return "an argument is missing, or not closed by }"
    return re.sub("'EOF'|EOF", "the end", what) or "something is missing"


def _classes(found: re.Match[str]) -> str:
    """Styles as classes and attributes, as the page's policy lets no element have a style.

    Of the classes assets/formulas.css has what a formula needs to be read.
    """
    names, attributes = [*filter(None, [found["class"]])], ""
    for one in filter(None, found["style"].split(";")):
        what, _, value = one.partition(":")
        if what in ("color", "background-color", "background"):
            attributes += f' math{what.removesuffix("-color")}="{value}"'
        else:
            names.append("tml-" + re.sub(r"[^a-z0-9]+", "-", one.lower()))
    return (f' class="{" ".join(names)}"' if names else "") + attributes


def _engine(project: Project) -> Callable[[str, bool], str]:
    """What sets a formula: one for each thread, begun when its first one is set."""
    if not hasattr(_here, "engine"):
        import quickjs  # a page whose formulas are known needs it not

        context = quickjs.Context()
        context.set_time_limit(SECONDS)
        context.set_memory_limit(256 * 2**20)
        path = shipped("assets", project.engine) / "mathematics" / "temml.min.js"
        context.eval(path.read_text("utf-8"))
        _here.engine = context.eval(_SET)
    engine: Callable[[str, bool], str] = _here.engine
    return engine
