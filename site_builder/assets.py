"""Style sheets and scripts under names that change with their content, so that caches never lie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from site_builder.errors import BuildError, Problem, nearest
from site_builder.fingerprint import sha256

_IMPORTED = re.compile(r"""\b(from|import|import\()\s*(["'])\./([\w.-]+)\2""")
_SLATE = re.compile(r'\[data-md-color-scheme="?slate"?\]')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


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
            if path.suffix == ".js":
                data = _IMPORTED.sub(
                    lambda found: _renamed(found, path, (*above, path.name)), data.decode()
                ).encode()
            name = _hashed(path.name, data)
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


def dark(sheets: Iterable[str]) -> tuple[str, bytes]:
    """The dark rules of style sheets, for a page that is light until a script runs.

    A reader without scripts who prefers dark gets them as one more sheet; returns name and content.
    """
    rules = "\n".join(rule for sheet in sheets for rule in _dark(_COMMENT.sub("", sheet)))
    data = rules.encode()
    return _hashed("dark.css", data), data


def _dark(sheet: str) -> Iterator[str]:
    """Rules that name the dark scheme, naming the light one instead; print has none."""
    for head, body in _rules(sheet):
        if not head.startswith("@"):
            if _SLATE.search(head):
                yield f"{_SLATE.sub('[data-md-color-scheme=default]', head)} {{{body}}}"
        elif head.startswith("@media") and "print" not in head:
            for rule in _dark(body):
                yield f"{head} {{ {rule} }}"


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Heads and bodies of the outermost blocks."""
    depth = start = opened = 0
    for brace in re.finditer("[{}]", sheet):
        if brace[0] == "{":
            depth += 1
            opened = brace.end() if depth == 1 else opened
        else:
            depth -= 1
            if depth == 0:
                head = sheet[start : opened - 1].rpartition(";")[2]
                yield head.strip(), sheet[opened : brace.start()]
                start = brace.end()


def _hashed(name: str, data: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"assets/{stem}.{sha256(data)[:8]}.{suffix}"
