"""Edits of each kind that an author makes, each other than the last: what they write, and where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

Write = Callable[[], object]

SECTION = "content/sections/03-5-entropy.md"
FIGURE, PANELS = "logit-difference-mean", 4
DRAWING = "site_builder/figures/logit_difference.py"
RESULT = ResultId("smollm2-135m-instruct", "logit_difference", "mean")


def sentence(path: Path, number: int) -> tuple[str, Write]:
    """A sentence in the first paragraph behind a heading; returns it, and what saves it."""
    text = re.sub(r"Edited \d+ times\. ", "", path.read_text("utf-8"))
    words = f"Edited {number} times."
    first = text.index("\n\n", text.index("##")) + 2
    return words, lambda: path.write_text(f"{text[:first]}{words} {text[first:]}", "utf-8")


def drawing(root: Path, number: int) -> Write:
    """The panels of `FIGURE` have other titles."""
    return title(root / DRAWING, number)[1]


def title(path: Path, number: int) -> tuple[str, Write]:
    """Other titles, in whatever file draws `FIGURE`; returns what they say, and what saves it."""
    words = f", {number} from the"
    text = re.sub(r", (\d+ )?from the", words, path.read_text("utf-8"))
    return words, lambda: path.write_text(text, "utf-8")


def template(root: Path, number: int) -> Write:
    """Every block says one thing more."""
    path = root / "templates" / "figure.html.j2"
    text = re.sub(r"<!-- \d+ -->\n", "", path.read_text("utf-8"))
    return lambda: path.write_text(f"{text}<!-- {number} -->\n", "utf-8")


def style(root: Path, number: int) -> Write:
    """A style sheet is longer."""
    path = root / "assets" / "post.css"
    text = path.read_text("utf-8")
    return lambda: path.write_text(f"{text}/* {number} */\n", "utf-8")


def result(root: Path, number: int) -> Write:
    """The estimates that `FIGURE` shows are a little higher."""
    store = Store(Project(root))
    found = store.load(RESULT)
    moved = pc.add(found.table["estimate"], 0.001 * (number + 1))
    place = found.table.column_names.index("estimate")
    changed = found.table.set_column(place, found.table.schema.field("estimate"), moved)
    return lambda: store.save(RESULT, changed, found.recipe)
