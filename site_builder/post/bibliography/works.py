"""The works that the prose cites: content/references.bib, each entry checked by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.post.bibliography import bibtex
from site_builder.post.bibliography.bibtex import Entry
from site_builder.post.bibliography.latex import text, url
from site_builder.post.bibliography.style import NEEDED, names, reference

FILE = "content/references.bib"
_ADDRESS = re.compile(r"https?://[\w-]+(?:\.[\w-]+)*(?::\d{1,5})?(?:[/?#][^\s<>\"{}|\\^`]*)?")
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s\"\\{}]+")
_BEFORE_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_ARXIV = re.compile(r"\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?")


@dataclass(frozen=True)
class Work:
    """One entry: `short` is "Lieberum et al., 2024", `html` the reference, `link` its address.

    `anchor` is the id of the reference in its list.
    """

    key: str
    where: str
    short: str
    title: str
    html: str
    link: str
    anchor: str


def load(project: Project) -> tuple[dict[str, Work], list[str], list[Problem]]:
    """Every work by its key, the keys of works that cannot be used, and what is wrong with them."""
    path = project.root / FILE
    if not path.is_file():
        return {}, [], []
    try:
        entries, broken, problems = bibtex.read(path.read_text("utf-8-sig"), FILE)
    except UnicodeDecodeError:
        return {}, [], [Problem(FILE, "not UTF-8", "save it as UTF-8")]
    works: dict[str, Work] = {}
    anchors: set[str] = set()
    for entry in entries:
        try:
            works[entry.key] = work = _work(entry, anchors)
            anchors.add(work.anchor)
        except BuildError as error:
            broken.append(entry.key)
            problems += error.problems
    return works, broken, problems


def _work(entry: Entry, anchors: set[str]) -> Work:
    """A work as it is cited; raises `BuildError` with all that its entry lacks."""
    fields = entry.fields
    missing = [name for name in ("title", "year") if name not in fields]
    missing += [name for name in NEEDED.get(entry.kind, ()) if name not in fields]
    if not {"author", "editor", "organization", "institution"} & fields.keys():
        missing.append("author")
    if missing:
        raise _wrong(entry, f"has no {', '.join(missing)}", "add it")
    links = _links(entry)
    try:
        html, title = reference(entry, links), text(fields["title"]).plain
        short = f"{_called(entry)}, {text(fields['year']).plain}"
    except (ValueError, RecursionError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise _wrong(entry, f"cannot be set: {said}", "write it otherwise") from None
    anchor = base = "ref-" + re.sub(r"[^\w.-]+", "-", entry.key)
    for count in range(2, len(anchors) + 3):
        if anchor not in anchors:
            break
        anchor = f"{base}-{count}"
    return Work(entry.key, entry.where, short, title, html, links[0][1] if links else "", anchor)


def _wrong(entry: Entry, what: str, cure: str) -> BuildError:
    return BuildError([Problem(entry.where, f'"{entry.key}" {what}', cure)])


def _called(entry: Entry) -> str:
    """By whom a work is called: "Lieberum et al."."""
    people = names(entry, "author") or names(entry, "editor")
    short = [name.short for name in people]
    if not short:
        return text(entry.fields.get("organization") or entry.fields["institution"]).plain
    if len(short) > 2 or short[-1] == "others":
        return f"{short[0]} et al."
    return " and ".join(short)


def _links(entry: Entry) -> list[tuple[str, str]]:
    """Words and addresses that lead to a work, the first of them to be followed.

    Addresses are built from parts that are what they say: nothing of a field is copied unseen.
    """
    fields, links = entry.fields, []
    told = [fields[name] for name in ("howpublished", "note") if "\\url" in fields.get(name, "")]
    given = fields.get("url") or "".join(told[:1])
    if "doi" in fields:
        doi = _BEFORE_DOI.sub("", url(fields["doi"]))
        if not _DOI.fullmatch(doi):
            raise _wrong(entry, f'has the doi "{doi}", which is none', "write it as 10.1000/182")
        links.append(("doi", f"https://doi.org/{quote(doi, safe='/:;().,-_~')}"))
    kind = fields.get("eprinttype", "arxiv").lower()
    if "eprint" in fields and kind == "arxiv":
        eprint = re.sub(r"^arxiv:\s*", "", url(fields["eprint"]), flags=re.IGNORECASE)
        if not _ARXIV.fullmatch(eprint):
            what = f'has the eprint "{eprint}", which is no number of arXiv'
            raise _wrong(entry, what, "write it as 2408.00118, or leave it out")
        links.append(("arXiv", f"https://arxiv.org/abs/{eprint}"))
    if given:
        address = url(given)
        if not _ADDRESS.fullmatch(address):
            raise _wrong(entry, f'has the url "{address}", which is no web address', "mend the url")
        if all(address.rstrip("/") != other for _, other in links):
            links.insert(0, ("URL", address))
    return links
