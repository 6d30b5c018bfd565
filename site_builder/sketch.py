"""What makes a figure's charts live, as fast as it can be had, for who is editing it.

Nothing is validated or folded, no picture is drawn, and of an edit that changes rows alone nothing
is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import vl_convert

from site_builder.chart import Spec, vega_lite
from site_builder.compact import plain
from site_builder.drawing import Chart, Choices
from site_builder.embed import picks, written


def sketch(panels: Sequence[Chart], choices: Choices | None, stem: str) -> dict[str, bytes]:
    """The files that make a drawing's charts live, by name."""
    compiled = [_with_rows(vega_lite(chart)) for chart in panels]
    return {f"{stem}.chart.json": written(plain(compiled))} | picks(choices, stem)


def _with_rows(spec: Spec) -> Spec:
    """Compile a chart without its rows, which the compiler does not look at, and put them back.

    They are most of what it would read and write, and without them most edits leave it nothing to
    do. Data sets get short names, as in what is published: Altair's change with the rows.
    """
    rows = spec.get("datasets", {})
    names = {name: f"rows-{number}" for number, name in enumerate(rows)}
    text = written(spec | {"datasets": {name: [] for name in rows}}).decode()
    for name, short in names.items():
        text = text.replace(f'"{name}"', f'"{short}"')
    compiled: Spec = json.loads(_skeleton(text))
    own = {names[name]: values for name, values in rows.items()}
    for data in compiled.get("data", []):
        if data["name"] in own:
            data["values"] = own[data["name"]]
    return compiled


@lru_cache(maxsize=256)
def _skeleton(text: str) -> str:
    return json.dumps(vl_convert.vegalite_to_vega(json.loads(text)))
