"""What makes a figure's charts live, as fast as it can be had, for who is editing it.

Nothing is validated or folded, no picture is drawn, and of an edit that changes rows or titles
alone nothing is compiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import vl_convert

from site_builder.charts.chart import Spec, utc, vega_lite
from site_builder.charts.drawing import Chart, Choices
from site_builder.charts.render import picks, written
from site_builder.charts.vega.compact_spec import plain


def sketch(panels: Sequence[Chart], choices: Choices | None, stem: str) -> dict[str, bytes]:
    """The files that make a drawing's charts live, by name."""
    compiled = [_with_rows(vega_lite(chart)) for chart in panels]
    return {f"{stem}.chart.json": written(plain(compiled))} | picks(choices, stem)


def _with_rows(spec: Spec) -> Spec:
    """Compile a chart without its rows and its titles, and put them back.

    The compiler looks at neither. Rows are most of what it would read and write, and titles are
    edited most: without them most edits leave it nothing to do. Data sets get short names, as in
    what is published: Altair's change with the rows. Titles are values of signals, so that others
    come into the view that is there, as other rows do.
    """
    rows = spec.get("datasets", {})
    names = {name: f"rows-{number}" for number, name in enumerate(rows)}
    words: dict[str, int] = {}
    bare = spec | {"datasets": {name: [] for name in rows}}
    if _MARK not in written(bare).decode():  # else an author's words would be taken for marks
        bare = _without_titles(bare, words)
    text = written(bare).decode()
    for name, short in names.items():
        text = text.replace(f'"{name}"', f'"{short}"')
    text = _skeleton(text)
    if words:
        quoted = [written(word).decode() for word in words]
        text = _ALONE.sub(rf'\1{{"signal": "{WORDS}\2"}}', text)
        text = _MARKED.sub(lambda at: quoted[int(at[1])][1:-1], text)
    compiled: Spec = json.loads(text)
    signals = [{"name": f"{WORDS}{number}", "value": word} for word, number in words.items()]
    compiled["signals"] = [*compiled.get("signals", []), *signals]
    own = {names[name]: values for name, values in rows.items()}
    for data in compiled.get("data", []):
        if data["name"] in own:
            data["values"] = own[data["name"]]
    return compiled


WORDS = "words_"
"""What the name of a signal begins with whose value is a title: see `assets/live.js`."""

_MARK = "⟦"
_MARKED = re.compile(r"⟦(\d+)⟧")
_ALONE = re.compile(r'("(?:title|text|subtitle)": )"⟦(\d+)⟧"')
"""A title that is one mark; one of several lines, or of several layers, is not."""


def _without_titles(value: Any, words: dict[str, int], key: str = "") -> Any:
    """A specification with a mark in place of each title, equal ones with the same mark.

    Equal titles of layers become one, and an empty one none, so those are told apart. What a
    tooltip calls its rows ends in an expression, where it would have to be quoted: it stays.
    """
    if isinstance(value, dict):
        return {
            name: inside if name == "tooltip" else _without_titles(inside, words, _title(name, key))
            for name, inside in value.items()
        }
    if isinstance(value, list):
        return [_without_titles(one, words, key) for one in value]
    if key == "title" and isinstance(value, str) and value:
        return f"{_MARK}{words.setdefault(value, len(words))}⟧"
    return value


def _title(name: str, above: str) -> str:
    """What a key is: "title" also for the lines of one."""
    return above if above == "title" and name in ("text", "subtitle") else name


@lru_cache(maxsize=256)
def _skeleton(text: str) -> str:
    return json.dumps(utc(vl_convert.vegalite_to_vega(json.loads(text))), ensure_ascii=False)
