"""One file of Python, read and never imported: its top-level statements, and what they mention."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from site_builder.core.errors import BuildError, Problem
from site_builder.core.syntax_text import (
    DEFINITIONS,
    MARK,
    WHOLE,
    Bindings,
    Dump,
    Import,
    Node,
    last_name,
    says_nothing,
)

ENGINE = ("analyses", "site_builder")
"""Packages that are followed into the engine's folder, where other libraries may stand, too."""

_HARMLESS = {"dataclass", "cache", "lru_cache", "contextmanager", "total_ordering", "overload"}
_PLAIN = {
    *("dict", "tuple", "list", "set", "frozenset", "range", "len", "sorted", "zip", "map", "sum"),
    *("min", "max", "str", "int", "float", "abs", "round", "enumerate", "reversed"),
    *("pyarrow", "re", "pathlib", "typing", "functools", "itertools", "collections", "operator"),
    *("fractions", "decimal", "datetime", "math", "dataclasses", "string"),
}
"""Builtins and modules whose calls make a value and do nothing else."""
_IMPORT = re.compile(rb"\bimport\b")


@dataclass(frozen=True)
class Fragment:
    """One statement.

    place: line and column. text: what it means, with a mark for each name that is defined in some
    module that is followed; mentions: what each mark may stand for. imports: modules that it
    imports when it runs.
    """

    place: tuple[int, int]
    text: tuple[str, ...]
    mentions: tuple[tuple[Node, ...], ...]
    imports: tuple[Path, ...]

    def written(self, names: Sequence[str]) -> str:
        """Its text with a name for each mention."""
        pairs = zip(self.text, (*names, ""), strict=True)
        return "".join(f"{text}{name}" for text, name in pairs)

    @cached_property
    def alone(self) -> str:
        """Its text with each mention under the name that it has where it is defined."""
        return self.written(["|".join(name for _, name in one) for one in self.mentions])


def parse(path: Path, name: str) -> ast.Module:
    """A file's syntax tree, read once as long as the file stays as it is.

    Raises `BuildError` with file and line when it is not Python.
    """
    stat = path.stat()
    return _parsed(path, name, stat.st_mtime_ns, stat.st_size)


def open_module(roots: tuple[Path, ...], path: Path) -> Module:
    """A module, read once as long as its file stays as it is, and what it imports where it is."""
    stat = path.stat()
    key = roots, path, stat.st_mtime_ns, stat.st_size
    known = _OPENED.get(key)
    if known is None or {place for place in known.looked if place.is_file()} != known.there:
        known = _OPENED[key] = Module(roots, path)
    return known


@cache
def _parsed(path: Path, name: str, _changed: int, _size: int) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), name)
    except SyntaxError as error:
        # of a null byte it tells no line
        where = f"{name}:{error.lineno}" if error.lineno else name
        raise BuildError([Problem(where, error.msg, "mend it")]) from None
    except ValueError as error:
        raise BuildError([Problem(name, str(error), "mend it")]) from None


_OPENED: dict[tuple[tuple[Path, ...], Path, int, int], Module] = {}


class Module:
    """A file's top-level statements: which define names, which act, what they import.

    Attributes:
        name: its path below the folder that it was found in.
        looked: files that were looked for, to see what its imports mean; there: those of them that
            there were.
        bindings: what its names stand for.
    """

    def __init__(self, roots: tuple[Path, ...], path: Path) -> None:
        self.roots = roots
        self.path = path
        self.root = next(root for root in roots if path.is_relative_to(root))
        self.name = path.relative_to(self.root).as_posix()
        self.looked: set[Path] = set()
        self.body = parse(path, self.name).body
        self.definitions: dict[str, list[ast.stmt]] = {}
        for statement in self.body:
            for name in _bound(statement):
                self.definitions.setdefault(name, []).append(statement)
        self.bindings = Bindings(path, self.definitions.keys(), {}, {}, set())
        self._fragments: dict[int, Fragment] = {}
        for node in _imports(self.body, path.read_bytes()):
            self._modules(node)
            for bound, targets, foreign in self._bindings(node):
                self.bindings.imports.setdefault(bound, []).extend(targets)
                if not targets:
                    self.bindings.foreign.setdefault(bound, []).append(foreign)
            if isinstance(node, ast.Import):
                tops = (one.name.split(".")[0] for one in node.names if not one.asname)
                self.bindings.dotted.update(tops)
        self._packages(path)
        self.there = {place for place in self.looked if place.is_file()}

    @cached_property
    def acts(self) -> list[Fragment]:
        """The statements that may do more than bind a name when the module is imported."""
        return [self._fragment(statement) for statement in self.body if self._does_act(statement)]

    @cached_property
    def imported(self) -> list[Path]:
        """The modules that it imports, packages that it lies in first."""
        found = self._packages(self.path)
        for statement in self.body:
            if isinstance(statement, Import):
                found += self._modules(statement)
        return found

    def fragments(self, name: str) -> list[Fragment]:
        """What `name` stands for here; `WHOLE` for everything."""
        found = self.body if name == WHOLE else self.definitions.get(name, [])
        return [self._fragment(one) for one in found if not isinstance(one, Import)]

    def passed_on(self, name: str) -> list[Node]:
        """What an import here makes `name` stand for; of `WHOLE`, all that is imported."""
        if name == WHOLE:
            return [node for nodes in self.bindings.imports.values() for node in nodes]
        stars = [(file, name) for file, _ in self.bindings.imports.get(WHOLE, ())]
        return [*self.bindings.imports.get(name, ()), *stars]

    def _fragment(self, statement: ast.stmt) -> Fragment:
        if id(statement) not in self._fragments:
            self._fragments[id(statement)] = self._written(statement)
        return self._fragments[id(statement)]

    def _written(self, statement: ast.stmt) -> Fragment:
        is_definition = isinstance(statement, DEFINITIONS)
        dump = Dump(self.bindings, _inside(statement) if is_definition else frozenset())
        text = dump.of(statement, named=not is_definition).split(MARK)
        inner = [node for node in ast.walk(statement) if isinstance(node, Import)]
        modules = [file for node in inner for file in self._modules(node)]
        place = statement.lineno, statement.col_offset
        return Fragment(place, tuple(text), tuple(dump.mentions), tuple(modules))

    def _does_act(self, statement: ast.stmt) -> bool:
        if isinstance(statement, Import | ast.Pass):
            return False
        if isinstance(statement, DEFINITIONS):
            return not all(last_name(one) in _HARMLESS for one in statement.decorator_list)
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
            return not all(self._is_plain(call.func) for call in calls)
        if isinstance(statement, ast.Expr):
            return not isinstance(statement.value, ast.Constant)
        if isinstance(statement, ast.If):
            return not (says_nothing(statement) or _is_main(statement.test))
        return True

    def _is_plain(self, called: ast.expr) -> bool:
        """Whether a call makes a value and does nothing else."""
        while isinstance(called, ast.Attribute | ast.Call | ast.Subscript):
            called = called.func if isinstance(called, ast.Call) else called.value
        if not isinstance(called, ast.Name):
            return True  # a method of a value that is written out
        if called.id in self.bindings.imports or called.id in self.definitions:
            return False
        names = self.bindings.foreign.get(called.id, [called.id])
        return all(name.split(".")[0] in _PLAIN for name in names)

    def _modules(self, node: Import) -> list[Path]:
        found: list[Path] = []
        for _, targets, _ in self._bindings(node):
            for file, _ in targets:
                found += [*self._packages(file), file]
        return found

    def _packages(self, file: Path) -> list[Path]:
        root = next(root for root in self.roots if file.is_relative_to(root))
        above = [root / part / "__init__.py" for part in file.relative_to(root).parents]
        places = [place for place in reversed(above) if place not in (file, root / "__init__.py")]
        self.looked.update(places)
        return [place for place in places if place.is_file()]

    def _bindings(self, node: Import) -> Iterator[tuple[str, list[Node], str]]:
        """What a statement binds: local name, what it stands for, what else it is called."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                targets = [(file, WHOLE) for file in self._files(alias.name)]
                top = alias.name.split(".")[0]
                yield (alias.asname or top), targets, (alias.name if alias.asname else top)
            return
        base = node.module or ""
        if node.level:
            here = self.path.relative_to(self.root).parent.parts
            parent = here[: len(here) - node.level + 1]
            base = ".".join((*parent, base) if base else parent)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            targets = [(file, WHOLE) for file in self._files(full)]
            targets = targets or [(file, alias.name) for file in self._files(base)]
            yield alias.asname or alias.name, targets, full  # of a star import it is `WHOLE`

    def _files(self, name: str) -> list[Path]:
        top, *_ = parts = name.split(".")
        for number, root in enumerate(self.roots):
            if number and top not in ENGINE:
                continue
            if not (root / top).is_dir() and not (root / f"{top}.py").is_file():
                self.looked |= {root / top, root / f"{top}.py"}
                continue
            stem = root.joinpath(*parts)
            for place in (stem / "__init__.py", stem.parent / f"{stem.name}.py"):  # as Python does
                self.looked.add(place)
                if place.is_file():
                    return [place]
        return []


def _imports(body: list[ast.stmt], source: bytes) -> Sequence[Import]:
    """All import statements; the tree is searched for inner ones only if the word says so."""
    found = [node for node in body if isinstance(node, Import)]
    if len(_IMPORT.findall(source)) == len(found):
        return found
    nodes = ast.walk(ast.Module(body, []))
    return [node for node in nodes if isinstance(node, Import)]


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, DEFINITIONS):
        yield statement.name
    elif not isinstance(statement, Import):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, DEFINITIONS):
                yield node.name


def _inside(statement: ast.stmt) -> frozenset[str]:
    """Names that a definition binds within itself."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (*DEFINITIONS, ast.ExceptHandler)) and node is not statement:
            found.add(node.name or "")
    return frozenset(found)


def _is_main(test: ast.expr) -> bool:
    """Whether a condition asks if the module is run as a program."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))
