"""How a work stands in the list of references: names, title, where it came out, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import NamedTuple
from urllib.parse import unquote

from site_builder.post.bibliography.bibtex import Entry
from site_builder.post.bibliography.latex import Text, text

NEEDED = {
    "article": ("journal",),
    "book": ("publisher",),
    "inbook": ("publisher",),
    "incollection": ("booktitle",),
    "inproceedings": ("booktitle",),
    "mastersthesis": ("school",),
    "phdthesis": ("school",),
    "techreport": ("institution",),
}
"""Fields without which a kind of work cannot be found, beside title, year and a name."""

_DASHES = re.compile(r"\s*(?:-+|–|—)\s*")
_TYPES = {
    "phdthesis": "PhD thesis",
    "mathesis": "Master's thesis",
    "mastersthesis": "Master's thesis",
    "bathesis": "Bachelor's thesis",
    "candthesis": "Candidate thesis",
    "techreport": "Technical report",
    "resreport": "Research report",
}


def reference(entry: Entry, links: list[tuple[str, str]]) -> str:
    """A work as HTML; `links` are words and checked addresses.

    Raises `ValueError` that says which field of LaTeX cannot be set.
    """
    fields = _Fields(entry)
    people = "author" if "author" in entry.fields else "editor"
    who = Text(_and([escape(name.whole, quote=False) for name in names(entry, people)]))
    if people == "editor" and "editor" in entry.fields:
        who = Text(f"{who.html}, {'editors' if len(names(entry, 'editor')) > 1 else 'editor'}")
    if not who.html:
        who = fields["organization"] or fields["institution"]
    title = fields["title"]
    if entry.kind in ("book", "inbook", "manual", "phdthesis", "proceedings"):
        title = title.tagged("em")
    sentences = [who.html, title.html, *(", ".join(filter(None, one)) for one in _where(entry))]
    sentences += [fields["note"].html]
    sentences += [
        f'{word}: <a href="{escape(address)}">{escape(shown, quote=False)}</a>'
        for word, address, shown in ((word, *_shown(word, address)) for word, address in links)
    ]
    return "\n".join(_ended(sentence.strip()) for sentence in sentences if sentence.strip())


def _shown(word: str, address: str) -> tuple[str, str]:
    shown = re.sub(r"https://[\w.]+/(abs/)?", "", address)
    return address, address if word == "URL" else unquote(shown)


def _ended(sentence: str) -> str:
    return sentence if re.search(r"[.?!](</\w+>|[”’\"'])*\Z", sentence) else f"{sentence}."


def _where(entry: Entry) -> Iterator[list[str]]:
    """The sentences that say where a work came out, each as its parts."""
    fields = _Fields(entry)

    def of(name: str, before: str = "", after: str = "") -> str:
        return f"{before}{fields[name].html}{after}" if fields[name] else ""

    date = " ".join(filter(None, (of("month"), of("year"))))
    pages = _DASHES.sub("–", of("pages"))
    paged = f"pages {pages}" if pages else ""
    edition = of("edition", after="" if "edition" in of("edition").lower() else " edition")
    volume = of("volume", "volume ")
    series = of("series", "of " if volume else "")
    volume = " ".join(filter(None, (volume, series)))
    publisher = [of("publisher"), of("address"), edition]
    match entry.kind:
        case "article":
            number = of("volume") + of("number", "(", ")")
            spot = f"{number}:{pages}" if number and pages else number or paged
            yield [fields["journal"].tagged("em").html, spot, date]
        case "incollection" | "inproceedings":
            editors = _and([escape(name.whole, quote=False) for name in names(entry, "editor")])
            word = "editors" if len(names(entry, "editor")) > 1 else "editor"
            head = f"{editors}, {word}" if editors and "author" in entry.fields else ""
            book = fields["booktitle"].tagged("em").html
            yield [f"In {head}" if head else "", book if head else f"In {book}", volume, paged]
            yield [of("organization"), *publisher, date]
        case "book" | "inbook" | "proceedings":
            yield [of("booktitle", "In <em>", "</em>") if entry.kind == "inbook" else "", volume]
            yield [of("chapter", "chapter "), paged, *publisher, date]
        case "phdthesis" | "mastersthesis":
            given = entry.fields.get("type", entry.kind)
            yield [_TYPES.get(given) or text(given).html, of("school"), of("address"), date]
        case "techreport":
            given = entry.fields.get("type", entry.kind)
            kind = _TYPES.get(given) or text(given).html
            yield [f"{kind} {of('number')}".strip(), of("institution"), of("address"), date]
        case _:
            how = of("howpublished") if "\\url" not in entry.fields.get("howpublished", "") else ""
            yield [how, of("organization") if "author" in entry.fields else "", *publisher, date]


class Name(NamedTuple):
    """A person or a group: all of the name, and the part by which it is called."""

    whole: str
    short: str


def names(entry: Entry, role: str) -> list[Name]:
    """Who wrote or edited a work; "others" is the last of a list that was cut."""
    from bibtexparser.middlewares.names import (
        parse_single_name_into_parts,
        split_multiple_persons_names,
    )

    found = []
    for one in split_multiple_persons_names(entry.fields.get(role, "")):
        parts = parse_single_name_into_parts(one, strict=False)
        last = [*parts.von, *parts.last]
        whole = " ".join([*parts.first, *last]) + "".join(f", {one}" for one in parts.jr)
        found.append(Name(text(whole).plain, text(" ".join(last)).plain))
    return found


def _and(people: list[str]) -> str:
    """Names as a list: "A, B, and C", "A et al."."""
    if people and people[-1] == "others":
        return f"{', '.join(people[:-1])} et al" if people[:-1] else ""
    if len(people) < 3:
        return " and ".join(people)
    return f"{', '.join(people[:-1])}, and {people[-1]}"


class _Fields:
    """The fields of an entry as text; one that cannot be set is told by its name."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __getitem__(self, name: str) -> Text:
        try:
            return text(self.entry.fields.get(name, ""))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
