"""Style sheets, scripts and programs under names that change with their content: no cache lies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from site_builder.core.digests import sha256
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.files import listed

_IMPORTED = re.compile(r"""\b(from|import|import\(|URL\()\s*(["'])\./([\w.-]+)\2""")
_LATER = ("import(", "URL(")
"""Words by which a script asks for what it needs later: a module, a worker, a program."""

_REMARKS = re.compile(rb"/\*(?!!).*?\*/\s*|(?<=\n)[ \t]+", re.DOTALL)
"""Of a style sheet what only its author reads: comments, but for licences, and indentation."""


def files(folders: Iterable[Path]) -> dict[str, Path]:
    """Every style sheet, script and program in `folders`, by name; of two, the first counts."""
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in listed(folder, ".css", ".js", ".wasm"):
            paths.setdefault(path.name, path)
    return dict(sorted(paths.items()))


def hashed(*folders: Path) -> dict[str, bytes]:
    """The `files` of `folders` as they are published: `assets/post.1a2b3c4d.css` → content.

    Style sheets go without comments, but for those of licences that begin with `/*!`.

    Scripts import each other by name, `./address.js`, whichever folder the other one is in; what is
    published imports by the hashed names, so that a script's name changes with all that it imports.
    A worker or a program is asked for as `new URL("./worker.js", import.meta.url)`.

    Raises `BuildError` when a script imports one that is not there, or itself in a roundabout way.
    """
    sources = files(folders)
    names: dict[str, str] = {}
    made: dict[str, bytes] = {}

    def add(path: Path, above: tuple[str, ...]) -> str:
        """The hashed name of a file, after those of the files that it imports."""
        if path.name in above:
            way = " → ".join((*above[above.index(path.name) :], path.name))
            raise BuildError([Problem(f"assets/{path.name}", f"imports itself: {way}", "cut it")])
        if path.name not in names:
            data = path.read_bytes()
            if path.suffix == ".css":
                data = _REMARKS.sub(b"", data)
            if path.suffix == ".js" and b"./" in data:
                data = _IMPORTED.sub(
                    lambda match: _renamed(match, path, (*above, path.name)), data.decode()
                ).encode()
            name = stamped(path.name, data)
            names[path.name] = name.removeprefix("assets/")
            made[name] = data
        return names[path.name]

    def _renamed(match: re.Match[str], path: Path, above: tuple[str, ...]) -> str:
        name = match[3]
        target = sources.get(name)
        if target is None:
            known = (entry for entry in sources if not entry.endswith(".css"))
            what = f'imports "./{name}", which is not there'
            raise BuildError([Problem(f"assets/{path.name}", what, nearest(name, known))])
        return match[0].replace(f"./{name}", f"./{add(target, above)}")

    for path in sources.values():
        add(path, ())
    return made


def stamped(name: str, data: bytes) -> str:
    """Where a file with this content is published: `assets/card.1a2b3c4d.png`."""
    stem, _, suffix = name.rpartition(".")
    return f"assets/{stem}.{sha256(data)[:8]}.{suffix}"


def named(files: dict[str, bytes], name: str) -> str:
    """The hashed name of `name` ("post.js"), or "" when there is no such asset."""
    stem, _, suffix = name.rpartition(".")
    names = (path for path in files if path.startswith(f"assets/{stem}.") and path.endswith(suffix))
    return next(names, "")


def needed(files: dict[str, bytes], script: str) -> list[str]:
    """The hashed names of all that `script`, a hashed name, imports before it can run.

    What it imports on demand is not among them.
    """
    modules: dict[str, None] = {}
    waiting = [script]
    while waiting:
        for word, _, name in _IMPORTED.findall(files.get(waiting.pop(), b"").decode()):
            path = f"assets/{name}"
            if word not in _LATER and path not in modules:
                modules[path] = None
                waiting.append(path)
    return sorted(modules)
