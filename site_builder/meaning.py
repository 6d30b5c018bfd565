"""What a piece of code means, as digests: the definitions that it can reach, and nothing else.

Code is read, never imported. From one function on, every name that a reachable definition mentions
is followed, into every module of the same top-level package that it imports. A class counts as a
whole; so do statements that act when a module is imported (calls, conditions, decorators other than
the harmless ones). Comments, docstrings and layout do not count. So an edit to one instrument makes
stale what uses that instrument, and leaves the rest alone.

The dump is our own because `ast.dump` and `ast.unparse` differ between Python versions, and a newer
Python must not make results stale.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from site_builder.errors import BuildError, Problem

_MEANINGLESS = {"ctx", "kind", "type_comment", "type_ignores"}
_HARMLESS = {"dataclass", "cache", "lru_cache", "contextmanager", "total_ordering", "overload"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORT = re.compile(rb"\bimport\b")
_DYNAMIC = {"globals", "importlib", "__import__", "eval", "exec", "vars"}

WHOLE = "*"
"""In place of a name: everything in the module."""


def code(root: Path, path: Path, function: str = WHOLE) -> dict[str, str]:
    """The digest of what `function` in `path` can reach, by file.

    `{"analyses/entropy.py": "9f…", "analyses/lab/statistics.py": "02…"}`, paths from `root`.
    Raises `BuildError` when one of the files is not Python.
    """
    return reach(root, path, function)[0]


def reach(root: Path, path: Path, function: str = WHOLE) -> tuple[dict[str, str], set[Path]]:
    """The same, and every file that was read for it, or looked for and is not there."""
    modules: dict[Path, _Module] = {}
    kept: dict[Path, dict[tuple[int, int], ast.stmt]] = {}
    queue: list[tuple[Path, str]] = [(path, function)]
    seen: set[tuple[Path, str]] = set()
    while queue:
        wanted = queue.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        file, name = wanted
        if file not in modules:
            stat = file.stat()
            modules[file] = _module(root, file, stat.st_mtime_ns, stat.st_size)
            kept[file] = {}
            queue.append((file, ""))  # what happens on import, whoever imports it
        module = modules[file]
        for statement in module.statements(name):
            place = (statement.lineno, statement.col_offset)
            if place not in kept[file]:
                kept[file][place] = statement
                queue += module.mentioned(statement)
        queue += module.passed_on(name)
    digests = {
        modules[file].name: modules[file].digest([statements[p] for p in sorted(statements)])
        for file, statements in sorted(kept.items())
        if statements
    }
    return digests, modules.keys() | {path for module in modules.values() for path in module.looked}


def parse(path: Path, name: str) -> ast.Module:
    """A file's syntax tree, read once as long as the file stays as it is.

    Raises `BuildError` with file and line when it is not Python.
    """
    stat = path.stat()
    return _parsed(path, name, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(path: Path, name: str, _changed: int, _size: int) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), name)
    except SyntaxError as error:
        where = (
            f"{name}:{error.lineno}" if error.lineno else name
        )  # of a null byte it tells no line
        raise BuildError([Problem(where, error.msg, "mend it")]) from None
    except ValueError as error:
        raise BuildError([Problem(name, str(error), "mend it")]) from None


@cache
def _module(root: Path, path: Path, _changed: int, _size: int) -> _Module:
    """A module, read once as long as its file stays as it is."""
    return _Module(root, path)


class _Module:
    """One file's top-level statements: which define names, which act, what they import."""

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.package = path.relative_to(root).parts[0]
        self.looked: set[Path] = set()
        self.body = _without_docstring(parse(path, self.name))
        self._meanings: dict[int, str] = {}
        self._mentions: dict[int, set[tuple[Path, str]]] = {}
        self.imports: dict[str, set[tuple[Path, str]]] = {}
        self.dotted: set[str] = set()  # `import a.b` binds `a`: what is used of b is not followed
        for node in _imports(self.body, path.read_bytes()):
            for bound, target in self._bindings(node):
                self.imports.setdefault(bound, set()).add(target)
            if isinstance(node, ast.Import):
                self.dotted |= {a.name.split(".")[0] for a in node.names if not a.asname}

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """Top-level names and the statements that bind them."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in self.body:
            for name in _bound(statement):
                found.setdefault(name, []).append(statement)
        return found

    def statements(self, name: str) -> list[ast.stmt]:
        """What `name` stands for here; "" for what happens on import, `WHOLE` for everything."""
        if name == WHOLE:
            return [node for node in self.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        if name == "":
            return [node for node in self.body if _acts(node)]
        return self.definitions.get(name, [])

    def passed_on(self, name: str) -> Iterator[tuple[Path, str]]:
        """What else comes with `name`: a re-exported import; on import, all that is imported."""
        if name == "":
            for statement in self.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    for _, (file, _) in self._bindings(statement):
                        yield file, ""
        elif name == WHOLE or name not in self.definitions:
            for bound, targets in self.imports.items():
                if name in (WHOLE, bound) or bound == WHOLE:
                    yield from targets

    def digest(self, statements: list[ast.stmt]) -> str:
        """The digest of what these statements mean."""
        for statement in statements:
            if id(statement) not in self._meanings:
                self._meanings[id(statement)] = _meaning(statement)
        text = "\n".join(self._meanings[id(statement)] for statement in statements)
        return hashlib.sha256(text.encode()).hexdigest()

    def mentioned(self, statement: ast.stmt) -> set[tuple[Path, str]]:
        """Names of this and of other modules that a statement uses."""
        if id(statement) not in self._mentions:
            self._mentions[id(statement)] = set(self._names_in(statement))
        return self._mentions[id(statement)]

    def _names_in(self, statement: ast.stmt) -> Iterator[tuple[Path, str]]:
        through: set[int] = set()  # names that are only the way to an attribute
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                for file, name in self.imports.get(node.value.id, ()):
                    if name == WHOLE and node.value.id not in self.dotted:
                        through.add(id(node.value))
                        yield file, node.attr
            if isinstance(node, ast.Name) and node.id in _DYNAMIC:
                yield self.path, WHOLE
            if isinstance(node, ast.Name) and id(node) not in through:
                yield self.path, node.id
                yield from self.imports.get(node.id, ())
            if isinstance(node, ast.Import | ast.ImportFrom):
                for _, (file, _) in self._bindings(node):
                    yield file, ""

    def _bindings(self, node: ast.AST) -> Iterator[tuple[str, tuple[Path, str]]]:
        """What an import statement binds: local name, and (file, name there or `WHOLE`)."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                for file in self._files(alias.name):
                    yield (alias.asname or alias.name.split(".")[0]), (file, WHOLE)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = self.path.relative_to(self.root).parent.parts
                parent = here[: len(here) - node.level + 1]
                base = ".".join((*parent, base) if base else parent)
            for alias in node.names:
                bound = alias.asname or alias.name
                submodules = self._files(f"{base}.{alias.name}")
                for file in submodules:
                    yield bound, (file, WHOLE)
                if not submodules:
                    for file in self._files(base):
                        yield bound, (file, alias.name)  # of a star import it is `WHOLE`

    def _files(self, name: str) -> list[Path]:
        parts = name.split(".")
        if parts[0] != self.package:
            return []
        stem = self.root.joinpath(*parts)
        places = stem.with_suffix(".py"), stem / "__init__.py"
        self.looked.update(places)
        return [file for file in places if file.is_file()]


def _imports(body: list[ast.stmt], source: bytes) -> Sequence[ast.Import | ast.ImportFrom]:
    """All import statements; the tree is searched for inner ones only if the word says so."""
    found = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    if len(_IMPORT.findall(source)) == len(found):
        return found
    nodes = ast.walk(ast.Module(body, []))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
    elif not isinstance(statement, ast.Import | ast.ImportFrom):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, _DEFINITIONS):
                yield node.name


def _acts(statement: ast.stmt) -> bool:
    """Whether a top-level statement may do more than bind a name."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return False
    if isinstance(statement, _DEFINITIONS):
        return not all(_last_name(decorator) in _HARMLESS for decorator in statement.decorator_list)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not isinstance(statement, ast.Pass)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _meaning(node: Any) -> str:
    """A syntax tree as text, without places, docstrings and empty fields."""
    if isinstance(node, ast.AST):
        fields = []
        for name in node._fields:
            value = getattr(node, name, None)
            if name in _MEANINGLESS or value is None or value == []:
                continue
            if name == "body" and isinstance(value, list):
                value = _without_docstring(node)
            fields.append(f"{name}={_meaning(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(_meaning, node))}]"
    return f"{type(node).__name__}:{node!r}"


def _without_docstring(node: Any) -> list[ast.stmt]:
    body: list[ast.stmt] = node.body
    if (
        isinstance(node, (ast.Module, *_DEFINITIONS))
        and ast.get_docstring(node, clean=False) is not None
    ):
        return body[1:]
    return body
