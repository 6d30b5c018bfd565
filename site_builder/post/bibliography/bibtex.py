"""A file of BibTeX or BibLaTeX, as Zotero, Better BibTeX, DBLP, arXiv and ACL write it, read.

bibtexparser splits the file, with the line of every entry, so that a broken one costs itself alone.
Kinds and fields of BibLaTeX get the names that BibTeX has for them.
"""

from __future__ import annotations

import calendar
import logging
import re
from dataclasses import dataclass
from typing import Any

from site_builder.core.errors import Problem, nearest

KINDS = (
    "article",
    "book",
    "booklet",
    "inbook",
    "incollection",
    "inproceedings",
    "manual",
    "mastersthesis",
    "misc",
    "phdthesis",
    "proceedings",
    "techreport",
    "unpublished",
)
_KINDS = {
    "artwork": "misc",
    "audio": "misc",
    "bookinbook": "inbook",
    "collection": "book",
    "conference": "inproceedings",
    "dataset": "misc",
    "electronic": "misc",
    "image": "misc",
    "inreference": "incollection",
    "mvbook": "book",
    "mvcollection": "book",
    "mvproceedings": "proceedings",
    "online": "misc",
    "patent": "misc",
    "periodical": "misc",
    "preprint": "misc",
    "reference": "book",
    "report": "techreport",
    "software": "misc",
    "standard": "misc",
    "suppbook": "inbook",
    "thesis": "phdthesis",
    "video": "misc",
    "webpage": "misc",
    "www": "misc",
}
_FIELDS = {
    "archiveprefix": "eprinttype",
    "issue": "number",
    "journaltitle": "journal",
    "location": "address",
    "shortjournal": "journal",
}
_NAMED = re.compile(r"@\w+\s*[{(]\s*([^\s,{}\"]+)")
_PIECE = re.compile(r'\s*(?:"(?P<quoted>.*?)"|(?P<bare>[^\s"{}#]+)|(?P<brace>\{))\s*', re.DOTALL)


@dataclass
class Entry:
    """One entry; `fields` are LaTeX, under BibTeX's names."""

    key: str
    kind: str
    fields: dict[str, str]
    where: str


def read(source: str, file: str) -> tuple[list[Entry], list[str], list[Problem]]:
    """The entries of a file, the keys of those that cannot be used, and what is wrong with them."""
    from bibtexparser import model
    from bibtexparser.entrypoint import parse_string

    # It warns of what is told here.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    library = parse_string(source, parse_stack=[])
    entries: dict[str, Entry] = {}
    broken: list[str] = []
    problems: list[Problem] = []
    strings = {month[:3].lower(): month for month in calendar.month_name[1:]}

    def lost(where: str, what: str, cure: str, key: str = "") -> None:
        broken.append(key)
        problems.append(Problem(where, what, cure))

    for one in library.strings:
        try:
            strings[one.key.lower()] = _value(one.value, strings)
        except ValueError as error:
            where = f"{file}:{(one.start_line or 0) + 1}"
            lost(where, f'@string "{one.key}" cannot be read: {error}', "mend it")
    for block in library.blocks:
        where = f"{file}:{(block.start_line or 0) + 1}"
        if isinstance(block, model.DuplicateBlockKeyBlock):
            line = (block.previous_block.start_line or 0) + 1
            lost(where, f'"{block.key}" stands in line {line} already', "keep one of them")
        elif isinstance(block, model.ParsingFailedBlock):
            found = _NAMED.match(block.raw or "")
            key = found[1] if found else ""
            cure = "look for a brace or a quote that is not closed, or a comma that is missing"
            if isinstance(block, model.DuplicateFieldKeyBlock):
                why, cure = f"{', '.join(sorted(block.duplicate_keys))} stands twice", "keep one"
            else:
                why = str(getattr(block.error, "abort_reason", block.error)).strip(" .")
            lost(where, f'"{key}" cannot be read: {why}', cure, key)
        elif isinstance(block, model.Entry):
            try:
                entry = _entry(block, where, strings)
            except ValueError as error:
                lost(where, f'"{block.key}" cannot be read: {error}', "mend the entry", block.key)
                continue
            if entry.kind not in KINDS:
                what = f'"{block.key}" is an @{entry.kind}, which is no kind of work'
                lost(where, what, nearest(entry.kind, (*KINDS, *_KINDS)), block.key)
            else:
                entries[entry.key] = entry
    for entry in entries.values():
        _inherit(entry, entries)
    return list(entries.values()), broken, problems


def _entry(block: Any, where: str, strings: dict[str, str]) -> Entry:
    """An entry under BibTeX's names."""
    kind = block.entry_type.lower()
    fields: dict[str, str] = {}
    for field in block.fields:
        name = field.key.lower()
        # What an own name says counts, if both are there.
        fields.setdefault(name, _value(str(field.value), strings, lenient=name == "month"))
    for theirs, ours in _FIELDS.items():
        if theirs in fields:
            fields.setdefault(ours, fields[theirs])
    if kind == "thesis" and re.search("master|mathesis", fields.get("type", ""), re.IGNORECASE):
        kind = "mastersthesis"
    kind = _KINDS.get(kind, kind)
    if kind in ("phdthesis", "mastersthesis") and "institution" in fields:
        fields.setdefault("school", fields["institution"])
    if found := re.match(r"\s*\{?(-?\d{4})(?:-(\d\d))?", fields.get("date", "")):
        fields.setdefault("year", found[1])
        if found[2] and 1 <= int(found[2]) <= 12:
            fields.setdefault("month", calendar.month_name[int(found[2])])
    if re.fullmatch(r"0?[1-9]|1[0-2]", fields.get("month", "")):
        fields["month"] = calendar.month_name[int(fields["month"])]
    for name in ("title", "booktitle"):
        under = fields.get(name.replace("title", "subtitle"), "")
        if under and name in fields:
            fields[name] = f"{fields[name]}: {under}"
    told = {name: " ".join(value.split()) for name, value in fields.items()}
    return Entry(block.key, kind, {name: value for name, value in told.items() if value}, where)


def _inherit(entry: Entry, entries: dict[str, Entry]) -> None:
    """What an entry leaves to the volume that it stands in."""
    parent = entries.get(entry.fields.get("crossref", "").strip())
    if parent is None or parent is entry:
        return
    if entry.kind.startswith("in") and "title" in parent.fields:
        entry.fields.setdefault("booktitle", parent.fields["title"])
    for name, value in parent.fields.items():
        if name not in ("title", "doi", "url", "eprint", "author", "crossref", "pages"):
            entry.fields.setdefault(name, value)


def _value(raw: str, strings: dict[str, str], *, lenient: bool = False) -> str:
    """What a field says: pieces joined by `#`, in braces or quotes, numbers, names of strings."""
    said, position = "", 0
    while position < len(raw):
        found = _PIECE.match(raw, position)
        if found is None:
            raise ValueError(f"cannot read {raw[:40]!r}")
        if found["brace"]:
            end = _closing(raw, found.start("brace"))
            said += raw[found.start("brace") + 1 : end]
            position = end + 1
        elif found["quoted"] is not None:
            end = _quote(raw, found.start("quoted"))
            said += raw[found.start("quoted") : end]
            position = end + 1
        else:
            name = found["bare"]
            if not name.isdigit() and name.lower() not in strings and not lenient:
                raise ValueError(f'no @string is called "{name}"; write {{{name}}} for a text')
            said += strings.get(name.lower(), name)
            position = found.end()
        rest = raw[position:].lstrip()
        if rest and not rest.startswith("#"):
            raise ValueError(f"cannot read {rest[:40]!r}")
        position = len(raw) - len(rest) + 1 if rest else len(raw)
    return said


def _closing(raw: str, start: int) -> int:
    """Where the brace at `start` is closed."""
    depth = 0
    for found in re.finditer(r"\\.|[{}]", raw[start:], re.DOTALL):
        depth += (found[0] == "{") - (found[0] == "}")
        if not depth and found[0] == "}":
            return start + found.start()
    raise ValueError("a brace is not closed")


def _quote(raw: str, start: int) -> int:
    """Where the quote that was opened before `start` is closed: not within braces."""
    depth = 0
    for place, sign in enumerate(raw[start:], start):
        depth += (sign == "{") - (sign == "}")
        if sign == '"' and not depth:
            return place
    raise ValueError("a quote is not closed")
