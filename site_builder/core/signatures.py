"""What a module says of itself without being imported: what it takes, and its variants."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from site_builder.core.errors import BuildError, Problem


@dataclass(frozen=True)
class Signature:
    """What a module says of itself: the inputs or options it takes, and its variants.

    `options` maps a keyword to the name of its type, `defaults` to its default if that is written
    out.
    """

    inputs: tuple[str, ...]
    options: dict[str, str]
    variants: tuple[str, ...]
    defaults: dict[str, Any]

    def takes(self, variant: str) -> bool:
        """Whether a drawing draws a variant: it does unless it tells which ones it draws."""
        return not any(self.variants) or variant in self.variants


def signature(root: Path, path: Path, function: str) -> Signature:
    """What `run` (of a measurement) or `draw` (of a drawing) in `path` takes, without importing it.

    The first parameter is the lab or the table; the other positional ones are inputs; keyword-only
    ones are options, except `variant`. Raises `BuildError` when there is no such function.
    """
    import ast  # who asks for a digest alone reads no code

    from site_builder.core.syntax import parse

    name = path.relative_to(root).as_posix()
    tree = parse(path, name)
    variants: tuple[str, ...] = ("",)
    taken = None
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
            taken = node.args
    if taken is None:
        raise BuildError([Problem(name, f"defines no {function}()", f"add def {function}(…)")])
    positional = [a.arg for a in (*taken.posonlyargs, *taken.args)]
    options = {
        a.arg: ast.unparse(a.annotation) if a.annotation else "str"
        for a in taken.kwonlyargs
        if a.arg != "variant"
    }
    defaults = {}
    for a, value in zip(taken.kwonlyargs, taken.kw_defaults, strict=True):
        with suppress(ValueError):  # a default that is no literal
            if a.arg in options and value is not None:
                defaults[a.arg] = ast.literal_eval(value)
    return Signature(tuple(positional[1:]), options, variants, defaults)
