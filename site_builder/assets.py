"""Style sheets and scripts under names that change with their content, so that caches never lie."""

from __future__ import annotations

import re
from pathlib import Path

from site_builder.errors import BuildError, Problem, nearest
from site_builder.fingerprint import sha256

_IMPORTED = re.compile(r"""\b(from|import|import\()\s*(["'])\./([\w.-]+)\2""")


def hashed(folder: Path) -> dict[str, bytes]:
    """Every style sheet and script directly in `folder`: `assets/post.1a2b3c4d.css` → content.

    Scripts import each other by the names that they have in the folder, `./address.js`; what is
    published imports by the hashed names, so that a script's name changes with all that it imports.

    Raises `BuildError` when a script imports one that is not there, or itself in a roundabout way.
    """
    names: dict[str, str] = {}
    files: dict[str, bytes] = {}

    def add(path: Path, above: tuple[str, ...]) -> str:
        """The hashed name of a file, after those of the files that it imports."""
        if path.name in above:
            way = " → ".join((*above[above.index(path.name) :], path.name))
            raise BuildError([Problem(f"assets/{path.name}", f"imports itself: {way}", "cut it")])
        if path.name not in names:
            data = path.read_bytes()
            if path.suffix == ".js" and b"./" in data:
                data = _IMPORTED.sub(
                    lambda found: _renamed(found, path, (*above, path.name)), data.decode()
                ).encode()
            name = stamped(path.name, data)
            names[path.name] = name.removeprefix("assets/")
            files[name] = data
        return names[path.name]

    def _renamed(found: re.Match[str], path: Path, above: tuple[str, ...]) -> str:
        name = found[3]
        target = path.with_name(name)
        if not target.is_file():
            known = (entry.name for entry in folder.glob("*.js"))
            what = f'imports "./{name}", which is not there'
            raise BuildError([Problem(f"assets/{path.name}", what, nearest(name, known))])
        return found[0].replace(f"./{name}", f"./{add(target, above)}")

    for path in sorted(folder.glob("*")):
        if path.suffix in (".css", ".js"):
            add(path, ())
    return files


def stamped(name: str, data: bytes) -> str:
    """Where a file with this content is published: `assets/card.1a2b3c4d.png`."""
    stem, _, suffix = name.rpartition(".")
    return f"assets/{stem}.{sha256(data)[:8]}.{suffix}"


def named(files: dict[str, bytes], name: str) -> str:
    """The hashed name of `name` ("post.js"), or "" when there is no such asset."""
    stem, _, suffix = name.rpartition(".")
    found = (path for path in files if path.startswith(f"assets/{stem}.") and path.endswith(suffix))
    return next(found, "")


def needed(files: dict[str, bytes], script: str) -> list[str]:
    """The hashed names of all that `script`, a hashed name, imports before it can run.

    What it imports on demand is not among them.
    """
    found: dict[str, None] = {}
    waiting = [script]
    while waiting:
        for word, _, name in _IMPORTED.findall(files.get(waiting.pop(), b"").decode()):
            path = f"assets/{name}"
            if word != "import(" and path not in found:
                found[path] = None
                waiting.append(path)
    return sorted(found)
