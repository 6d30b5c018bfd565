"""Every sentence of our documents that promises something, and the tests that hold it.

`tests/promises.toml` says of each sentence which tests hold it, or in one word why none is needed.
`python -m tests.promises` shows what is missing there, and writes the table `tests/PROMISES.md`.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "OPERATIONS.md", "SECURITY.md")
DATA, TABLE = "tests/promises.toml", "tests/PROMISES.md"
HOME = "tests/site_builder/"  # where a test stands of which a document names no folder
COMMAND = "python -m tests.promises"

# Why a sentence needs no test.
NONE_NEEDED = {
    "leads": "leads to the code, table or document behind it",
    "instructs": "tells the reader what to do",
    "explains": "says what a word means, or why something is as it is",
    "recorded": "tells what was measured or tried once, or estimates it; nothing recomputes it",
}

# A sentence ends with a stop and a space, unless it goes on in small letters.
_END = re.compile(r"""(?<=[.!?])(?:["')\]*_]*)\s+(?![a-z])""")
_TEST = re.compile(r"([\w/]*\btest_\w+\.py)?::(test_\w+)")


@dataclass(frozen=True)
class Sentence:
    """A sentence, a row of a table, or a command with its remark."""

    document: str
    line: int
    section: str
    text: str

    @property
    def where(self) -> str:
        """The place, as editors open it."""
        return f"{self.document}:{self.line}"

    def names(self) -> list[str]:
        """Return the tests that the sentence itself names, as `path::test`."""
        found, path = [], ""
        for file, test in _TEST.findall(self.text):
            path = (file if "/" in file else HOME + file) if file else path
            found.append(f"{path}::{test}")
        return found


def sentences(document: str, text: str) -> Iterator[Sentence]:
    """Split Markdown: paragraphs and items by sentences, tables by rows, shell by remarks.

    Headings, of tables too, name what follows, and are no sentences; nor is code.
    """
    section, within = "", ""
    cells: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("heading_open", "paragraph_open", "thead_open", "tbody_open"):
            within = token.type.removesuffix("_open")
        elif token.type == "tr_open":
            cells, row = [], line
        elif token.type == "tr_close" and within == "tbody":
            yield Sentence(document, row, section, " | ".join(cells))
        elif token.type == "inline" and within == "heading":
            section = token.content
        elif token.type == "inline" and within == "paragraph":
            for offset, said in _split(token.content):
                yield Sentence(document, line + offset, section, said)
        elif token.type == "inline":
            cells.append(" ".join(token.content.split()))
        elif token.type == "fence" and token.info == "sh":
            for offset, said in _remarks(token):
                yield Sentence(document, line + offset, section, said)


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Sentences of a paragraph, each with the lines before it."""
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        yield text.count("\n", 0, start), " ".join(text[start:end].split())
        start = end


def _remarks(fence: Token) -> Iterator[tuple[int, str]]:
    """Commands that say behind `#` what they do."""
    for offset, line in enumerate(fence.content.splitlines(), start=1):
        if " # " in f" {line}" and not line.startswith("#"):
            yield offset, " ".join(line.split())


@dataclass(frozen=True)
class Promises:
    """What `tests/promises.toml` says of the sentences of one project."""

    root: Path
    said: dict[str, dict[str, str | list[str]]]
    all: tuple[Sentence, ...]

    @classmethod
    def of(cls, root: Path = ROOT) -> Promises:
        """Read documents and data."""
        said = tomllib.loads((root / DATA).read_text("utf-8"))
        texts = ((name, (root / name).read_text("utf-8")) for name in DOCUMENTS)
        return cls(root, said, tuple(one for text in texts for one in sentences(*text)))

    def tests(self, one: Sentence) -> list[str]:
        """Return the tests that hold a sentence."""
        said = self.said.get(one.document, {}).get(one.text, [])
        return [*dict.fromkeys([*one.names(), *([] if isinstance(said, str) else said)])]

    def is_known(self, one: Sentence) -> bool:
        """Tell whether the sentence is held, or said to need no test."""
        return one.text in self.said.get(one.document, {}) or bool(one.names())

    def unknown(self) -> list[Sentence]:
        """Return the sentences of which nothing is said."""
        return [one for one in self.all if not self.is_known(one)]

    def gone(self) -> list[tuple[str, str]]:
        """Return the entries whose sentence no document has."""
        there = {(one.document, one.text) for one in self.all}
        entries = ((document, text) for document, known in self.said.items() for text in known)
        return [entry for entry in entries if entry not in there]

    def problems(self) -> Iterator[str]:
        """Tell all that is wrong, a line each: where, what, cure."""
        for one in self.unknown():
            yield (
                f'{one.where}: no test holds "{one.text}"; '
                f"run {COMMAND}, which shows the line to put into {DATA}"
            )
        for document, text in self.gone():
            yield f'{DATA}: {document} no longer says "{text}"; take it out there'
        for document, known in self.said.items():
            for text, said in known.items():
                if isinstance(said, str) and said not in NONE_NEEDED:
                    what = f'{document}: "{said}" of "{text}" is no reason'
                    yield f"{DATA}: {what}; say {_or(NONE_NEEDED)}"
                elif not said:
                    yield f'{DATA}: {document}: "{text}" has no test; name one or say why not'
        for one in self.all:
            for test in self.tests(one):
                if not exists(self.root, test):
                    yield f'{one.where}: no test "{test}"; correct it here or in {DATA}'


def exists(root: Path, test: str) -> bool:
    """Tell whether a file has a test function; a parametrised one has one name."""
    path, _, name = test.partition("::")
    return name in functions(root / path)


@cache
def functions(path: Path) -> frozenset[str]:
    """Return the names of the tests of a file."""
    if not path.is_file():
        return frozenset()
    body = ast.parse(path.read_text("utf-8")).body
    names = (node.name for node in body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def entry(one: Sentence, known: dict[str, str | list[str]], gone: list[str]) -> str:
    """Return the line of data for a sentence: what was said of its former wording, if it had one."""
    former = difflib.get_close_matches(one.text, gone, n=1, cutoff=0.6)
    said = known[former[0]] if former else ["tests/…::test_…"]
    return f"{quoted(one.text)} = {json.dumps(said, ensure_ascii=False)}"


def quoted(text: str) -> str:
    """Return a key of TOML, as it stands in the document wherever TOML can say it so."""
    return f"'{text}'" if "'" not in text else json.dumps(text, ensure_ascii=False)


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def table(promises: Promises) -> str:
    """Return the table of promises and tests, for readers."""
    lines = [
        "# What the documents promise, and what holds it",
        "",
        f"Made by `{COMMAND}` from the documents and `{DATA}`; do not edit it. A sentence that",
        "promises something stands beside the tests that fail when it is broken. What only explains,",
        "instructs or leads on stands in the data, with the reason why it needs none.",
    ]
    for document in DOCUMENTS:
        held = [one for one in promises.all if one.document == document and promises.tests(one)]
        tests = {test for one in held for test in promises.tests(one)}
        others = sum(one.document == document for one in promises.all) - len(held)
        lines += ["", f"## {document}", ""]
        lines += [f"{len(held)} promises, {len(tests)} tests; {others} sentences promise nothing."]
        section = None
        for one in held:
            if one.section != section:
                section = one.section
                lines += ["", f"### {section}", "", "| promise | held by |", "|---|---|"]
            links = "<br>".join(_link(test) for test in promises.tests(one))
            lines.append(f"| {_cell(_without(one))} | {links} |")
    return "\n".join(lines) + "\n"


def _without(one: Sentence) -> str:
    """The sentence without the tests that it names: they stand beside it."""
    return " | ".join(part for part in one.text.split(" | ") if not _TEST.search(part)) or one.text


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}]({path.removeprefix('tests/')})"


def _cell(text: str) -> str:
    text = re.sub(r"\]\((?!https?:)", "](../", text)
    return text.replace("|", "·")


def main() -> None:
    """Show what the data lacks, and write the table."""
    promises = Promises.of()
    gone = promises.gone()
    for line in promises.problems():
        print(line)
    for document in DOCUMENTS:
        unknown = [one for one in promises.unknown() if one.document == document]
        if unknown:
            print(f'\nput under ["{document}"] in {DATA}, with the tests that hold it or a reason')
            print(f"({_or(NONE_NEEDED)}):\n")
            former = [text for named, text in gone if named == document]
            for one in unknown:
                print(entry(one, promises.said.get(document, {}), former))
    (ROOT / TABLE).write_text(table(promises), "utf-8")
    print(f"wrote {TABLE}")


if __name__ == "__main__":
    main()
