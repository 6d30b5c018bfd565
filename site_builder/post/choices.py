"""What a reader chooses once for all figures of a page: the extension's `choices` in mkdocs.yml.

    choices:
      - {name: town, title: home town, note: Some figures have one alone.}

`name` is a field of the figures' rows and the parameter in the page's address; `title` is what
menus are called, which may also be called by the name. A `note` is shown while a value is chosen.
`otherwise` is what holds in figures that neither follow a choice nor mark it: "towns are pooled".
The study is chosen so on every page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from site_builder.core.errors import Problem, nearest
from site_builder.core.project import Project

STUDY = "study"
_KEYS = ("name", "title", "note", "otherwise")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def load(project: Project) -> tuple[list[dict[str, str]], list[Problem]]:
    """Every choice, and what is wrong with them, each once."""
    given = project.choices or []
    choices = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    wrong = [*_wrong(given)]
    if not wrong:
        return choices, []
    lines = (project.root / "mkdocs.yml").read_text("utf-8").splitlines()
    named = (number for number, line in enumerate(lines, 1) if line.strip().startswith("choices:"))
    where = f"mkdocs.yml:{next(named, 1)}"
    return [], [Problem(where, f"choices: {what}", cure) for what, cure in wrong]


def _wrong(given: Any) -> Iterator[tuple[str, str]]:
    """What keeps a list from being one of choices, each with its cure."""
    form = "write - {name: NAME, title: WORDS}"
    if not isinstance(given, list):
        yield f"{given!r} is no list", form
        return
    called = {STUDY: STUDY}
    for one in given:
        if not isinstance(one, dict) or not {"name", "title"} <= one.keys():
            yield f"{one!r} has no name and title", form
            continue
        for key, value in one.items():
            if key not in _KEYS:
                yield f'unknown key "{key}" of {one["name"]}', nearest(str(key), _KEYS)
            elif not isinstance(value, str) or not value.strip():
                yield f"the {key} of {one['name']} is no text", f"write {key}: WORDS"
        name, title = str(one["name"]), str(one["title"])
        if not _NAME.fullmatch(name):
            yield f'"{name}" cannot stand in an address', "write it in small letters, as a column"
        for word in dict.fromkeys((name, title)):
            if word in called:
                cure = "every page has that" if word == STUDY else "keep one"
                yield f'both {called[word]} and {name} are called "{word}"', cure
            called[word] = name
