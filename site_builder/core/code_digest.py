"""What a piece of code means, as digests: the definitions that it can reach, and nothing else.

Code is read, never imported. From one function on, every name that a reachable definition mentions
is followed, into every module that lies below one of the given folders. A class counts as a whole;
so do statements that act when a module is imported. Comments, docstrings, layout, **import
statements, file paths and the names of top-level definitions** do not count: a name stands for what
it is bound to, wherever that is defined and whatever it is called. So an edit to one instrument
makes stale what uses that instrument, and moving or renaming it makes nothing stale.

The dump is our own because `ast.dump` and `ast.unparse` differ between Python versions, and a newer
Python must not make results stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from site_builder.core.project import Project
from site_builder.core.syntax import Fragment, Module, open_module
from site_builder.core.syntax_text import WHOLE, Node


@dataclass(frozen=True)
class Code:
    """What a result depends on.

    meaning: the digest of all that counts. files: the digest of each file's part in it, by path,
    to tell what changed; a part that moved to another file keeps its digest.
    """

    meaning: str
    files: dict[str, str]


def code(roots: Sequence[Path], path: Path, function: str = WHOLE) -> Code:
    """What `function` in `path` can reach.

    `roots` are the folders whose modules are followed, the first that has one first; the files are
    named by their paths below them: `{"analyses/entropy.py": "9f…"}`. Without a function the whole
    module counts.

    Raises `BuildError` when one of the files is not Python.
    """
    return reach(roots, path, function)[0]


def remembered(project: Project, path: Path, function: str) -> Code:
    """The same in a project, worked out again only when one of the files was touched."""

    def make() -> tuple[tuple[str, dict[str, str]], set[Path]]:
        found, read = reach((project.root, project.engine), path, function)
        return (found.meaning, found.files), read

    return Code(*project.memory.read(f"code {path} {function}", make))


def reach(roots: Sequence[Path], path: Path, function: str = WHOLE) -> tuple[Code, set[Path]]:
    """The same, and every file that was read for it, or looked for and is not there."""
    walk = _Walk(tuple(dict.fromkeys(roots)))
    walk.to([(path, function)])
    walk.acts()
    return walk.code(), walk.read()


class _Walk:
    """Goes from definition to definition, numbering them as they are first mentioned.

    The numbers take the place of names. So what is digested is the graph of the definitions, seen
    from where it starts, whatever they are called and wherever they stand.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self.roots = roots
        self.modules: dict[Path, Module] = {}
        self.numbers: dict[Node, int] = {}
        self.texts: list[str] = []
        self.parts: dict[Path, dict[tuple[int, int], str]] = {}
        self.imported: set[Path] = set()  # by statements that run later than on import

    def to(self, nodes: Iterable[Node]) -> None:
        """Take in definitions and all that can be reached from them."""
        waiting = list(nodes)
        for node in waiting:
            self.numbers.setdefault(node, len(self.numbers))
        for file, name in waiting:  # it grows
            module = self._module(file)
            texts = [self._text(file, one, waiting) for one in module.fragments(name)]
            if name == WHOLE:  # names may be asked for by their text
                texts += [*module.definitions, self._mark(module.passed_on(name), waiting)]
            self.texts.append("\n".join(texts))

    def acts(self) -> None:
        """Take in what acts when the modules so far are imported, in whatever order they are."""
        done: set[Path] = set()
        while todo := self._all_imported() - done:
            done |= todo
            found = [(act.alone, file, act) for file in todo for act in self._module(file).acts]
            for _, file, act in sorted(found, key=lambda one: one[:2]):
                waiting: list[Node] = []
                self.texts.append(self._text(file, act, waiting))
                self.to(waiting)

    def code(self) -> Code:
        """The digests of what was taken in."""
        parts = {
            self.modules[file].name: _digest(part[place] for place in sorted(part))
            for file, part in sorted(self.parts.items())
        }
        return Code(_digest(self.texts), parts)

    def read(self) -> set[Path]:
        """The files that decided it, there or not."""
        looked = (module.looked for module in self.modules.values())
        return set(self.modules).union(*looked)

    def _module(self, file: Path) -> Module:
        if file not in self.modules:
            self.modules[file] = open_module(self.roots, file)
        return self.modules[file]

    def _all_imported(self) -> set[Path]:
        found = {*self.modules, *self.imported}
        waiting = [*found]
        for file in waiting:  # it grows
            new = set(self._module(file).imported) - found
            found |= new
            waiting += new
        return found

    def _text(self, file: Path, fragment: Fragment, waiting: list[Node]) -> str:
        """A statement with a number for each name that it mentions; new ones join `waiting`."""
        self.parts.setdefault(file, {})[fragment.place] = fragment.alone
        self.imported.update(fragment.imports)
        return fragment.written([self._mark(nodes, waiting) for nodes in fragment.mentions])

    def _mark(self, nodes: Iterable[Node], waiting: list[Node]) -> str:
        found = dict.fromkeys(one for node in nodes for one in self._meant(node, ()))
        for node in found:
            if node not in self.numbers:
                self.numbers[node] = len(self.numbers)
                waiting.append(node)
        return " ".join(str(self.numbers[node]) for node in found) or f"?{[n for _, n in nodes]}"

    def _meant(self, node: Node, above: tuple[Node, ...]) -> Iterator[Node]:
        """Where a name is defined: modules pass on what they import."""
        file, name = node
        module = self._module(file)
        if name == WHOLE or name in module.definitions:
            yield node
        elif node not in above:
            for one in module.passed_on(name):
                yield from self._meant(one, (*above, node))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
