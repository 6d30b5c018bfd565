"""TOML of studies and claims, held against limits before it is parsed.

Such a file may come from anybody; keys of a hundred thousand parts take a parser minutes.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from site_builder.core.errors import BuildError, Problem

MOST_BYTES = 1_000_000
MOST_DIGITS = 150
MOST_PARTS = 20
MOST_KEY = 300
"""Of a file; of a number; of a dotted key, and of tables in tables; characters of a key."""

_NUMBER = re.compile(rf"(?<!\w)\d[box]?[\da-fA-F_]{{{MOST_DIGITS}}}")
_PART = r"""(?:[\w-]++|"[^"\n]{0,300}"|'[^'\n]{0,300}')"""
_DOTTED = re.compile(rf"(?<![\w.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}}")
_DEEP = re.compile(rf"(?:[\[{{]\s*+(?:{_PART}\s*+=\s*+)?){{{MOST_PARTS + 1}}}")


def read(path: Path, named: str) -> tuple[str, dict[str, Any]]:
    """A file's text and its tables; raises `BuildError`, at its line where there is one."""
    import tomllib

    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise _wrong(named, "is no file", "remove it")
        if state.st_size > MOST_BYTES:
            what = f"has {state.st_size:,} bytes, more than {MOST_BYTES:,}"
            raise _wrong(named, what, "put less into one file")
        text = path.read_text("utf-8")
    except OSError as error:
        raise _wrong(named, f"cannot be read: {error.strerror}", "mend it") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _wrong(f"{named}:{line}", f"not TOML: {error}", "mend it") from None
    for pattern, what in (
        (_NUMBER, f"a number of more than {MOST_DIGITS} digits"),
        (_DOTTED, f"a key of more than {MOST_PARTS} parts"),
        (_DEEP, f"lists in lists, more than {MOST_PARTS} deep"),
    ):
        if found := pattern.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise _wrong(f"{named}:{line}", what, "write it shorter")
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        told = re.search(r"line (\d+)", str(error))
        line = int(told[1]) if told else len(text.splitlines()) or 1
        raise _wrong(f"{named}:{line}", f"not TOML: {error}", "mend it") from None
    if what := _beyond(tree):
        raise _wrong(named, what, "write it shorter")
    return text, tree


def _beyond(tree: dict[str, Any]) -> str:
    """What of a file is longer, or deeper, than it may be; "" if nothing is."""
    level: list[Any] = [tree]
    for _ in range(MOST_PARTS):
        tables = [one for one in level if isinstance(one, dict)]
        if long := [key for table in tables for key in table if len(key) > MOST_KEY]:
            return f'a key of more than {MOST_KEY} characters, "{long[0][:20]}…"'
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for part in inside for one in part if isinstance(one, dict | list)]
        if not level:
            return ""
    return f"tables in tables, more than {MOST_PARTS} deep"


def _wrong(where: str, what: str, cure: str) -> BuildError:
    return BuildError([Problem(where, what, cure)])
