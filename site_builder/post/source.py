"""A file of Markdown as it was read once: its text, and what stands where in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from site_builder.core.errors import BuildError, Problem
from site_builder.post.directive import Directive
from site_builder.post.formula import Formula
from site_builder.post.kinds.table import KINDS
from site_builder.post.sections.labels import Put
from site_builder.post.sections.text import Text, normalised
from site_builder.post.uses import Asked

Shown = Asked | Directive | Formula | str
"""What is to be shown: what a directive asks for, one that cannot be had, a formula, or a line that
cannot be read, as "file:line"."""

Show = Callable[[Shown], str]
"""What stands there instead, as Markdown."""


@dataclass
class Source:
    """A file of Markdown, by its name from the project's root.

    `text` is that of the file as its host reads it, and `seen` what was found when it was looked
    through. `asked` has what each of its directives asks for, if it can be had.
    """

    name: str
    text: str
    seen: Text
    directives: list[Directive]
    formulas: list[Formula]
    unread: list[Problem]
    asked: dict[Directive, Asked] = field(default_factory=dict)

    @property
    def found(self) -> list[Directive | Formula]:
        """Its directives and formulas as they are read."""
        both: list[Directive | Formula] = [*self.directives, *self.formulas]
        return sorted(both, key=lambda one: (one.line, one.start))

    def filled(self, show: Show, given: str | None = None, also: Iterable[Put] = ()) -> list[str]:
        """The lines of the file with all put in that is seen, for directives and formulas, too.

        What else is to be put in is `also` handed over.

        A host may have `given` the text without its front matter: its lines are counted from the
        end. Raises `BuildError` where it is not that of the file, and for a directive that it
        leaves out; a formula in the front matter is text.
        """
        own = self.text.split("\n")
        lines = [*own] if given is None else normalised(given).split("\n")
        skipped = _last(own) - _last(lines)
        if "\n".join(lines).count("<<") != "\n".join(own[max(0, skipped) :]).count("<<"):
            raise _changed(self.name)

        def is_own(line: int, end: int) -> bool:
            number = line - skipped
            return 0 <= number < len(lines) and lines[number][:end] == own[line][:end]

        puts = [
            put
            for put in (*self.seen.puts, *also)
            if is_own(put.line, put.end) and not any(_is_in(put, one) for one in self.formulas)
        ]
        for directive in self.directives:
            if directive.line < skipped:
                what = "a directive cannot stand in the front matter"
                raise BuildError([Problem(directive.where, what, "put it in the text")])
            if not is_own(directive.line, directive.end):
                raise _changed(directive.where)
            text = show(self.asked.get(directive, directive))
            puts.append(_put(directive, text, lines, directive.line - skipped))
        formulas = [one for one in self.formulas if one.line >= skipped]
        for one in formulas:
            ends = [*map(len, own[one.line : one.last]), one.end]
            if not all(is_own(line, end) for line, end in enumerate(ends, one.line)):
                raise _changed(one.where)
            if one.line == one.last:
                puts.append(Put(one.line, one.start, one.end, show(one)))
            else:
                puts.append(Put(one.line, one.start, len(own[one.line]), show(one)))
                puts.append(Put(one.last, 0, one.end, ""))
        for line, start, end, text in sorted(puts, reverse=True):
            whole = lines[line - skipped]
            lines[line - skipped] = whole[:start] + text + whole[end:]
        gone = set[int]()
        for one in reversed(formulas):
            if one.last > one.line:  # what follows it stands in its line now
                lines[one.line - skipped] += lines[one.last - skipped]
                gone |= {*range(one.line + 1 - skipped, one.last + 1 - skipped)}
        for where in {problem.where for problem in self.unread}:
            number = int(where.rpartition(":")[2]) - 1 - skipped
            while number in gone:
                number -= 1
            if number >= 0:  # only a preview shows what cannot be read: behind its line
                lines[number] += f"\n\n{show(where)}\n"
        return [line for number, line in enumerate(lines) if number not in gone]

    def ends(self, show: Show) -> list[str]:
        """What ends all that the file leaves open, and tells what is wrong with its markup."""
        told = dict.fromkeys(f"{self.name}:{fault.line + 1}" for fault in self.seen.faults)
        return [*self.seen.ends, *(f"\n{show(where)}\n" for where in told)]


def _is_in(put: Put, formula: Formula) -> bool:
    """Whether a place lies in a formula, where nothing is Markdown."""
    begins, ends = (formula.line, formula.start), (formula.last, formula.end)
    return begins < (put.line, put.start) < ends or begins < (put.line, put.end) < ends


def _put(directive: Directive, text: str, lines: list[str], number: int) -> Put:
    """A directive's place and what stands there; a block has blank lines around it."""
    if not KINDS[directive.kind].is_block:
        return Put(directive.line, directive.start, directive.end, text)
    before = lines[number][: directive.start]
    text = before + text.replace("\n", f"\n{before}")  # in the same quotation, or as deep
    # A blank line only where there is none: a second one would end a footnote.
    if number and lines[number - 1].strip(" >"):
        text = f"{before.rstrip()}\n{text}"
    if number + 1 < len(lines) and lines[number + 1].strip(" >"):
        text = f"{text}\n"
    return Put(directive.line, 0, directive.end, text)


def _last(lines: list[str]) -> int:
    """The number of the last line that says something."""
    return "\n".join(lines).rstrip().count("\n")


def _changed(where: str) -> BuildError:
    what = "the host hands on another text than that of the file"
    cure = "let no plugin change a page's Markdown before its directives are read"
    return BuildError([Problem(where, what, cure)])
