"""Statements of Python as text that stays the same while they mean the same."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHOLE = "*"
"""In place of a name: everything in the module."""

MARK = "\0"
"""Stands in a text where it mentions something; no dump of a constant has it."""

Node = tuple[Path, str]
"""A file, and a top-level name of it or `WHOLE`."""

Import = ast.Import | ast.ImportFrom
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MEANINGLESS = {"ctx", "kind", "type_comment", "type_ignores"}
_DYNAMIC = {"globals", "importlib", "__import__", "eval", "exec"}


@dataclass(frozen=True)
class Bindings:
    """What the top-level names of a module stand for.

    definitions: names that it defines. imports: name → what in modules that are followed it may
    stand for. foreign: name → what it is called elsewhere, `{"np": ["numpy"]}`. dotted: names that
    `import a.b` binds: of these modules everything counts.
    """

    path: Path
    definitions: Collection[str]
    imports: dict[str, list[Node]]
    foreign: dict[str, list[str]]
    dotted: set[str]


class Dump:
    """Writes statements of a module as text, without places, docstrings and empty fields."""

    def __init__(self, bindings: Bindings, inside: frozenset[str]) -> None:
        self.bindings = bindings
        self.inside = inside  # names that the statement binds: they may be meant, too
        self.mentions: list[tuple[Node, ...]] = []

    def of(self, node: Any, *, named: bool = True) -> str:
        """A node as text; a definition's own name is left out unless `named`."""
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call) and not node.args and last_name(node) == "vars":
            return f"Vars({self._mark([(self.bindings.path, WHOLE)])})"  # of the module, perhaps
        if isinstance(node, list):
            return f"[{','.join(self.of(one) for one in node if not says_nothing(one))}]"
        if not isinstance(node, ast.AST):
            return f"{type(node).__name__}:{node!r}"
        fields = []
        for name in node._fields:
            value = getattr(node, name, None)
            if (
                name in _MEANINGLESS
                or value is None
                or value == []
                or (name == "name" and not named)
            ):
                continue
            fields.append(f"{name}={self.of(value)}")
        return f"{type(node).__name__}({','.join(fields)})"

    def _name(self, node: ast.Name) -> str:
        module, name = self.bindings, node.id
        found: list[Node] = [(module.path, WHOLE)] if name in _DYNAMIC else []
        found += [(module.path, name)] if name in module.definitions else []
        found += module.imports.get(name, ())
        if not found and WHOLE in module.imports:  # of a star import, perhaps
            found.append((module.path, name))
        elsewhere = "|".join(module.foreign.get(name, ()))
        local = name if name in self.inside or not (found or elsewhere) else ""
        return f"Name({local};{elsewhere};{self._mark(found) if found else ''})"

    def _attribute(self, node: ast.Attribute) -> str:
        value = node.value
        if isinstance(value, ast.Name) and value.id not in self.inside:
            module = self.bindings
            found = module.imports.get(value.id, [])
            if found and all(name == WHOLE for _, name in found) and self._is_alias(value.id):
                return f"Name(;;{self._mark([(file, node.attr) for file, _ in found])})"
            if value.id in module.foreign and not found and value.id not in module.definitions:
                names = "|".join(f"{one}.{node.attr}" for one in module.foreign[value.id])
                return f"Name(;{names};)"
        return f"Attribute({self.of(value)}.{node.attr})"

    def _is_alias(self, name: str) -> bool:
        """Whether a name is that of one module; `import a.b` binds `a`, which may be several."""
        return name not in self.bindings.dotted and name not in self.bindings.definitions

    def _mark(self, found: list[Node]) -> str:
        self.mentions.append(tuple(dict.fromkeys(found)))
        return MARK


def says_nothing(node: Any) -> bool:
    """Whether a statement only imports, or is a text that stands alone."""
    if isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING":
        return all(says_nothing(one) for one in (*node.body, *node.orelse))
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, Import)


def last_name(node: ast.expr) -> str:
    """What is called or named at the end: `c` of `a.b.c(…)`."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
