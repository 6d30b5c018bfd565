"""What a result depends on: the meaning of code, of settings and of tables, as digests.

Code is read, never imported: its syntax tree without comments, docstrings and layout, and that of
every module it imports from the same package. The dump is our own because `ast.dump` and
`ast.unparse` differ between Python versions, and a newer Python must not make results stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from site_builder.errors import BuildError, Problem

_MEANINGLESS = {"ctx", "kind", "type_comment", "type_ignores"}


@dataclass(frozen=True)
class Signature:
    """What a module says of itself: the inputs or options it takes, and its variants.

    `options` maps a keyword to the name of its type.
    """

    inputs: tuple[str, ...]
    options: dict[str, str]
    variants: tuple[str, ...]


def sha256(data: bytes) -> str:
    """The digest that is used everywhere."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """The digest of a JSON value, whatever the order of its keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode())


def code(root: Path, module: Path) -> dict[str, str]:
    """The digest of `module` and of all it imports inside its own top-level package.

    `{"analyses/entropy.py": "9f…", "analyses/lab/roles.py": "02…"}`, paths from `root`.
    Raises `BuildError` when one of them is not Python.
    """
    package = module.relative_to(root).parts[0]
    digests: dict[str, str] = {}
    queue = [module]
    while queue:
        path = queue.pop()
        name = path.relative_to(root).as_posix()
        if name in digests:
            continue
        tree = _parse(path, name)
        digests[name] = sha256(_meaning(tree).encode())
        queue += _imports(tree, root, path, package)
    return dict(sorted(digests.items()))


def signature(root: Path, path: Path, function: str) -> Signature:
    """What `run` (of a measurement) or `draw` (of a drawing) in `path` takes, without importing it.

    The first parameter is the lab or the table; the other positional ones are inputs; keyword-only
    ones are options, except `variant`. Raises `BuildError` when there is no such function.
    """
    name = path.relative_to(root).as_posix()
    tree = _parse(path, name)
    variants: tuple[str, ...] = ("",)
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "VARIANTS" for t in targets):
                try:
                    variants = tuple(map(str, ast.literal_eval(node.value)))
                except ValueError:
                    what = "VARIANTS is not a literal tuple of strings"
                    raise BuildError(
                        [Problem(f"{name}:{node.lineno}", what, "write it out")]
                    ) from None
        if isinstance(node, ast.FunctionDef) and node.name == function:
            positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            options = {
                a.arg: ast.unparse(a.annotation) if a.annotation else "str"
                for a in node.args.kwonlyargs
                if a.arg != "variant"
            }
            return Signature(tuple(positional[1:]), options, variants)
    raise BuildError([Problem(name, f"defines no {function}()", f"add def {function}(…)")])


def _parse(path: Path, name: str) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), name)
    except SyntaxError as error:
        raise BuildError([Problem(f"{name}:{error.lineno}", error.msg, "mend it")]) from None
    except ValueError as error:
        raise BuildError([Problem(name, str(error), "mend it")]) from None


def _meaning(node: Any) -> str:
    """A syntax tree as text, without places, docstrings and empty fields."""
    if isinstance(node, ast.AST):
        fields = []
        for name in node._fields:
            value = getattr(node, name, None)
            if name in _MEANINGLESS or value is None or value == []:
                continue
            if name == "body" and isinstance(value, list):
                value = _without_docstring(node, value)
            fields.append(f"{name}={_meaning(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(_meaning, node))}]"
    return f"{type(node).__name__}:{node!r}"


def _without_docstring(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        return body[1:]
    return body


def _imports(tree: ast.Module, root: Path, path: Path, package: str) -> Iterator[Path]:
    """Files of `package` that the tree imports, at any depth of nesting, with their `__init__`."""
    here = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = here[: len(here) - node.level + 1]
                base = ".".join((*parent, base) if base else parent)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] != package:
                continue
            for depth in range(1, len(parts) + 1):
                stem = root.joinpath(*parts[:depth])
                for file in (stem.with_suffix(".py"), stem / "__init__.py"):
                    if file.is_file():
                        yield file
