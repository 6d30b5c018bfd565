"""What a kind of directive is, and what its module is given to work with.

A kind reads its words, takes a directive (or says what is wrong with it), shows it, and lists the
names that can follow its colon. It does so with no more than the three protocols below: they are
what a post, its blocks and its vocabulary are to a kind, whose rooms lie above this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from markupsafe import Markup

from site_builder.core.errors import Problem
from site_builder.core.project import Project
from site_builder.core.signatures import Signature
from site_builder.post.claims import Claim
from site_builder.post.directive import Directive
from site_builder.post.glossary.terms import Glossary
from site_builder.post.kinds.names import Names, Option
from site_builder.post.kinds.words import Words, named
from site_builder.post.references import References
from site_builder.post.uses import Asked, Part, Use
from site_builder.post.values import Value


class Reading(Protocol):
    """A post while it is read: what a directive can name."""

    @property
    def project(self) -> Project:
        """Where the shelves are."""

    @property
    def study(self) -> str:
        """The study that the post shows."""

    @property
    def claims(self) -> Mapping[str, Claim]:
        """The claims by their ids."""

    @property
    def references(self) -> References:
        """Sections, works, and what is cited."""

    @property
    def glossary(self) -> Glossary:
        """The terms, and where each is used first."""

    def is_draft(self, path: Path) -> bool:
        """Whether a page or a section is to be left out, as its front matter says."""

    def way(self, page: Path, target: Path) -> str:
        """The address of one page as another one's links have it."""


class Showing(Protocol):
    """A post while it is shown; what asks for a result that is missing raises `BuildError`."""

    @property
    def post(self) -> Reading:
        """The post."""

    def value(self, use: Use) -> Value:
        """The number of a result that a directive picks."""

    def figure(self, use: Use) -> Markup:
        """A drawn result, as the slot that a page has for it."""

    def claim(self, use: Use) -> Markup:
        """A claim's mark or number."""

    def part(self, part: Part) -> Markup:
        """What the module of `render/pages` that a directive names makes of the post."""


class Listing(Protocol):
    """A post while it is listed what its directives can say."""

    @property
    def post(self) -> Reading:
        """The post."""

    @property
    def studies(self) -> dict[str, Option]:
        """The option `study`, of all that can show the result of another one."""

    def drawn(self) -> Names:
        """Measurements that have a drawing, with its options."""

    def columns(self, analysis: str) -> list[str]:
        """The columns of all results of a measurement."""

    def shown(self, claim: Claim) -> list[str] | None:
        """What a claim can print; None where that is not known."""

    def signature(self, root: Path, path: Path, function: str) -> Signature | None:
        """What a module says of itself; None, and a problem, if it cannot be read."""


@dataclass(frozen=True)
class Kind:
    """One kind of directive.

    `form` is what follows its colon, and `read` makes a name, a variant and options of that.
    `take` says what a directive asks for, or all that is wrong with it; `show` gives what then
    stands there: `Markup` is HTML, any other text Markdown. What includes a file shows nothing of
    its own. A kind with a `noun` is drawn as a numbered block, and stands on a line of its own, as
    what is `alone` does; one that takes `several` names has them all in its name.
    """

    form: str
    take: Callable[[Reading, Directive, Path], Asked | list[Problem]]
    names: Callable[[Listing], Names]
    show: Callable[[Showing, Any], str] | None
    read: Callable[[list[str], dict[str, str]], Words] = named
    noun: str = ""
    alone: bool = False
    several: bool = False

    @property
    def is_block(self) -> bool:
        """Whether it stands on a line of its own."""
        return self.alone or self.noun != ""
