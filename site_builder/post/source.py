"""A file of Markdown as it was read once: its text, and what stands where in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from site_builder.core.errors import BuildError, Problem
from site_builder.post.directive import Directive
from site_builder.post.formula import Formula
from site_builder.post.kinds.table import KINDS
from site_builder.post.uses import Asked

Shown = Asked | Directive | Formula | str
"""What is to be shown: what a directive asks for, one that cannot be had, a formula, or a line that
cannot be read, as "file:line"."""

Show = Callable[[Shown], str]
"""What stands there instead, as Markdown."""

Normal = Callable[[str], str]
"""What a host makes of a line before it hands it on."""


@dataclass
class Source:
    """A file of Markdown, by its name from the project's root.

    `asked` has what each of its directives asks for, if it can be had.
    """

    name: str
    text: str
    directives: list[Directive]
    formulas: list[Formula]
    unread: list[Problem]
    asked: dict[Directive, Asked] = field(default_factory=dict)

    @property
    def found(self) -> list[Directive | Formula]:
        """Its directives and formulas as they are read."""
        both: list[Directive | Formula] = [*self.directives, *self.formulas]
        return sorted(both, key=lambda one: (one.line, one.start))

    def filled(self, show: Show, given: str | None = None, normal: Normal = str) -> list[str]:
        """The lines of the file, directives and formulas replaced by what stands there instead.

        A host may have `given` the text without its front matter, its blanks made `normal`: its
        lines are counted from the end. Raises `BuildError` where it is not that of the file, and
        for a directive that it leaves out; a formula in the front matter is text.
        """
        own = self.text.split("\n")
        lines = own if given is None else given.split("\n")
        skipped = _last(own) - _last(lines)
        if "\n".join(lines).count("<<") != "\n".join(own[max(0, skipped) :]).count("<<"):
            raise _changed(self.name)
        lines, gone = [*lines], set[int]()
        for directive in reversed(self.found):
            number = directive.line - skipped
            if isinstance(directive, Formula):
                if number >= 0:
                    gone |= _set(lines, number, directive, own, normal, show(directive))
                continue
            if number < 0:
                what = "a directive cannot stand in the front matter"
                raise BuildError([Problem(directive.where, what, "put it in the text")])
            raw, line = own[directive.line], lines[number] if number < len(lines) else ""
            start, end = (len(normal(raw[:at])) for at in (directive.start, directive.end))
            if line[:end] != normal(raw[: directive.end]):
                raise _changed(directive.where)
            before, after = line[:start], line[end:]
            text = show(self.asked.get(directive, directive))
            if KINDS[directive.kind].is_block:
                text = text.replace("\n", f"\n{before}")  # in the same quotation, or as deep
                # A blank line only where there is none: a second one would end a footnote.
                if number and lines[number - 1].strip(" \t>"):
                    before = f"{before.rstrip()}\n{before}"
                if number + 1 < len(lines) and lines[number + 1].strip(" \t>"):
                    after = f"{after}\n"
            lines[number] = before + text + after
        for where in {problem.where for problem in self.unread}:
            number = int(where.rpartition(":")[2]) - 1 - skipped
            while number in gone:
                number -= 1
            if number >= 0:  # only a preview shows what cannot be read: behind its line
                lines[number] += f"\n\n{show(where)}\n"
        return [line for number, line in enumerate(lines) if number not in gone]


def _set(
    lines: list[str], number: int, formula: Formula, own: list[str], normal: Normal, shown: str
) -> set[int]:
    """Put what is shown in the place of a formula that begins at a line; returns lines now gone."""
    end = number + formula.last - formula.line
    raw = own[formula.line : formula.last + 1]
    raw[-1] = raw[-1][: formula.end]
    start, after = len(normal(own[formula.line][: formula.start])), len(normal(raw[-1]))
    there = lines[number : end + 1]
    rest = there[-1][after:] if there else ""
    if "\n".join(there).removesuffix(rest) != "\n".join(map(normal, raw)):
        raise _changed(formula.where)
    lines[number] = there[0][:start] + shown + rest
    return {*range(number + 1, end + 1)}


def _last(lines: list[str]) -> int:
    """The number of the last line that says something."""
    return "\n".join(lines).rstrip().count("\n")


def _changed(where: str) -> BuildError:
    what = "the host hands on another text than that of the file"
    cure = "let no plugin change a page's Markdown before its directives are read"
    return BuildError([Problem(where, what, cure)])
