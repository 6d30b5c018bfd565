"""The works that the prose cites: content/references.bib, read and set by pybtex."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from site_builder.core.errors import Problem
from site_builder.core.project import Project

FILE = "content/references.bib"
_LINK = re.compile(r"https://[\w.-]+\.[a-z]{2,}(/[^\s<>\"{}|\\^`]*)?")


@dataclass(frozen=True)
class Work:
    """One entry: `short` is "Lieberum et al., 2024", `html` the reference, `link` its address."""

    key: str
    where: str
    short: str
    title: str
    html: str
    link: str


def load(project: Project) -> tuple[dict[str, Work], list[Problem]]:
    """Every work by its key, and what is wrong with the file."""
    path = project.root / FILE
    if not path.is_file():
        return {}, []
    from pybtex.database import PybtexError, parse_string
    from pybtex.plugin import find_plugin

    try:
        text = path.read_text("utf-8")
        entries = parse_string(text, "bibtex").entries
    except (PybtexError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        what = f"cannot be read: {error}"
        return {}, [Problem(f"{FILE}:{line[1]}" if line else FILE, what, "mend the entry")]
    lines = {
        heading[1].lower(): number
        for number, line in enumerate(text.splitlines(), start=1)
        if (heading := re.match(r"\s*@\w+\s*\{\s*([^,\s]+)\s*,", line))
    }
    style = find_plugin("pybtex.style.formatting", "unsrt")()
    backend = find_plugin("pybtex.backends", "html")("utf-8")
    works: dict[str, Work] = {}
    problems: list[Problem] = []
    for key, entry in entries.items():
        where = f"{FILE}:{lines.get(key.lower(), 1)}"
        missing = [name for name in ("title", "year", "url") if name not in entry.fields]
        missing += [] if entry.persons.get("author") else ["author"]
        if missing:
            problems.append(Problem(where, f'"{key}" has no {", ".join(missing)}', "add it"))
            continue
        link = entry.fields["url"]
        if not _LINK.fullmatch(link):
            problems.append(Problem(where, f'"{link}" is no https address', "mend the url"))
            continue
        (set_entry,) = style.format_entries([entry])
        works[key] = Work(
            key=key,
            where=where,
            short=_words(f"{_authors(entry)}, {entry.fields['year']}"),
            title=_words(entry.fields["title"]),
            html=set_entry.text.render(backend),
            link=link,
        )
    return works, problems


def _words(latex: str) -> str:
    """What a field says: accents set, braces gone."""
    from pybtex.richtext import Text

    return str(Text.from_latex(latex))


def _authors(entry: Any) -> str:
    names = [
        " ".join(person.prelast_names + person.last_names) for person in entry.persons["author"]
    ]
    if len(names) > 2 or names[-1] == "others":
        return f"{names[0]} et al."
    return " and ".join(names)
