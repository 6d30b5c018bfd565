"""The works that the post cites, numbered as they are first cited."""

from __future__ import annotations

import re
from html import unescape

from markupsafe import Markup

from site_builder.core.errors import BuildError, Problem
from site_builder.post.bibliography.latex import FORMULA
from site_builder.post.bibliography.works import Work
from site_builder.post.formula import Formula
from site_builder.render import mathematics
from site_builder.render.blocks import Blocks

_FORMULA = re.compile(rf"<{FORMULA}>(.*?)</{FORMULA}>")


def render(blocks: Blocks) -> Markup:
    """List every cited work with its address."""
    references = blocks.post.references
    cited = [(number, references.works[key]) for key, number in references.cited.items()]
    works = [(number, work, _with_formulas(blocks, work)) for number, work in cited]
    return blocks.frame.markup("references.html.j2", works=works)


def _with_formulas(blocks: Blocks, work: Work) -> str:
    """A reference whose formulas are set."""

    def put(found: re.Match[str]) -> str:
        formula = Formula(unescape(found[1]), False, "", work.where)
        made = mathematics.written(blocks.post.project, formula, 0)
        if isinstance(made, Problem):
            raise BuildError([made])
        return made

    return _FORMULA.sub(put, work.html)
