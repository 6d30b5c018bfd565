"""Mathematics that needs no script: `$…$` and `$$…$$` become MathML when the page is built.

pymdownx.arithmatex finds the formulas, latex2mathml sets them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from markdown.treeprocessors import Treeprocessor

from site_builder.core.errors import Problem
from site_builder.core.files import below

if TYPE_CHECKING:
    from markdown import Markdown

    from site_builder.core.project import Project

SETTINGS = {"generic": True, "preview": False}
"""How arithmatex marks what it finds."""

_FOUND = re.compile(r"\\(?P<open>[(\[])\s*(?P<latex>.*?)\s*\\[)\]]", re.DOTALL)


def _convert(latex: str, display: str) -> str:
    from latex2mathml.converter import convert  # a page whose formulas are known needs it not

    return str(convert(latex, display=display))


class MathML(Treeprocessor):
    """Sets every formula; of one that cannot be read it tells `wrong`, and puts in its answer."""

    def __init__(
        self, md: Markdown, project: Callable[[], Project], wrong: Callable[[Problem], str]
    ) -> None:
        super().__init__(md)
        self.project = project
        self.wrong = wrong

    def run(self, root: Element) -> None:
        """Replace the marked formulas."""
        for node in root.iter():
            if "arithmatex" in (node.get("class") or "").split() and node.text:
                found = _FOUND.search(node.text)
                if not found:
                    continue
                block = found["open"] == "["
                html = self._set(found["latex"], "block" if block else "inline")
                if block:  # a long one scrolls, so that a keyboard has to reach it
                    html = html.replace("<math", '<math tabindex="0"', 1)
                node.text = self.md.htmlStash.store(html)
                node.set("class", "post-math")

    def _set(self, latex: str, display: str) -> str:
        try:
            html = self.project().memory.recall(
                "mathematics", [latex, display], partial(_convert, latex, display)
            )
        except Exception as error:  # the library raises one class for each thing it cannot read
            html, why = "", type(error).__name__
        else:
            unknown = re.search(r"\\\w+", html)
            why = f"{unknown[0]} is no command" if unknown else ""
        if why:
            what = f"cannot set ${latex}$: {why}"
            return self.wrong(Problem(self._where(latex), what, "mend the formula"))
        return html

    def _where(self, latex: str) -> str:
        """The line at which a formula stands."""
        first = latex.split("\n")[0]
        project = self.project()
        for path in below(project.content, ".md"):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                if first in line:
                    return f"{project.named(path)}:{number}"
        return "content"
