"""A file of Markdown as it was read once: its text, and what stands where in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from site_builder.core.errors import BuildError, Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds.table import KINDS
from site_builder.post.uses import Asked

Shown = Asked | Directive | str
"""What is to be shown: what a directive asks for, one that cannot be had, or a line that cannot be
read, as "file:line"."""

Show = Callable[[Shown], str]
"""What stands there instead, as Markdown."""

Normal = Callable[[str], str]
"""What a host makes of a line before it hands it on."""


@dataclass
class Source:
    """A file of Markdown; `asked` has what each of its directives asks for, if it can be had."""

    path: Path
    text: str
    directives: list[Directive]
    unread: list[Problem]
    asked: dict[Directive, Asked] = field(default_factory=dict)

    def filled(self, show: Show, given: str | None = None, normal: Normal = str) -> list[str]:
        """The lines of the file, every directive in them replaced by what stands there instead.

        A host may have `given` the text without its front matter, its blanks made `normal`: its
        lines are counted from the end. Raises `BuildError` where it is not that of the file.
        """
        lines = (self.text if given is None else given).split("\n")
        skipped = self.text.rstrip().count("\n") - "\n".join(lines).rstrip().count("\n")
        own = self.text.split("\n")
        for directive in reversed(self.directives):
            number = directive.line - skipped
            if number < 0:  # in the front matter
                continue
            ends = (own[directive.line][:column] for column in (directive.start, directive.end))
            start, end = (len(normal(text)) for text in ends)
            line = lines[number] if number < len(lines) else ""
            if line[:end] != normal(own[directive.line][: directive.end]):
                what = "the host hands on another text than that of the file"
                cure = "let no plugin change a page's Markdown before its directives are read"
                raise BuildError([Problem(directive.where, what, cure)])
            before, after = line[:start], line[end:]
            text = show(self.asked.get(directive, directive))
            if KINDS[directive.kind].is_block:
                text = text.replace(
                    "\n", f"\n{before}"
                )  # all of it stands where its first line does
                # A blank line only where there is none: a second one would end a footnote.
                if number and lines[number - 1].strip(" \t>"):
                    before = f"{before.rstrip()}\n{before}"
                if number + 1 < len(lines) and lines[number + 1].strip(" \t>"):
                    after = f"{after}\n"
            lines[number] = before + text + after
        for where in {problem.where for problem in self.unread}:
            number = int(where.rpartition(":")[2]) - 1 - skipped
            if number >= 0:  # only a preview shows what cannot be read: behind its line
                lines[number] += f"\n\n{show(where)}\n"
        return lines
