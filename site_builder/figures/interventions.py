"""What moves the end of a list: a column for each intervention, its list above its hazard.

The lists of a column are drawn with the same random numbers as those beside it, so that one can see
where an intervention begins to tell. The hazards are means over topics, whichever list is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any

import pyarrow as pa

from site_builder.charts import sparklines, tables, theme
from site_builder.charts.drawing import Drawing, DrawingError
from site_builder.charts.sparklines import Estimate
from site_builder.figures import conditions

Row = dict[str, Any]
Columns = Mapping[str, Row]
"""What a column shows, by intervention."""

UNCHANGED = "unchanged"
NAMES = {
    UNCHANGED: ("unchanged", "asked for short"),
    "long prompt": ("long prompt", "asked for long, nothing else"),
    "logit bias": ("biased logit", "that of the end, lowered"),
    "steering": ("steering vector", "added after block {layer}"),
    "top": ("changed features", "layer {layer}, set to their mean under “long”"),
    "own mean": ("own mean", "the same features, their mean under “short”"),
    "random": ("random features", "others of layer {layer}, their mean under “long”"),
}
"""What each intervention is called, and what it does."""

OPEN = 13
"""Rows of a column's list that stand open; the others are in a fold."""

WIDE = 17
"""Letters that fit into a row of a column, about."""

LOWEST = 0.0005
"""Share of decisions at which the scale of hazards may begin: it is a logarithm's."""


def draw(
    table: pa.Table,
    *,
    variant: str = "",
    layer: int = 28,
    topic: str = "",
    sample: int = -1,
    topics: str = "held-out",
) -> Drawing:
    """Draw one list under each intervention; the page can then pick another.

    Args:
        table: Lists under the interventions, and their hazards.
        variant: There is one, "".
        layer: That of the autoencoder whose features are changed, and of the steering vector.
        topic: Topic of the list that stands in the page; any held-out one if empty.
        sample: Its number among the lists of this topic. If negative, a typical one is taken: it
            holds items alone under every intervention and ended without one, and of the lists that
            do it has the median length.
        topics: The topics of the hazards: `held-out`, `other` or `all`.
    """
    theme.choose(variant, [""], "variant")
    columns = (
        *("part", "intervention", "layer", "topic", "held_out", "sample", "lines", "items"),
        *("ended", "topics", "estimate", "low", "high", "change", "change_low", "change_high", "n"),
    )
    records = theme.rows(table, *columns, digits=theme.EXACT)
    layers = [str(row["layer"]) for row in records if row["layer"] is not None]
    theme.choose(str(layer), layers, "layer")
    shown = [row for row in records if row["layer"] in (None, layer)]
    hazards = {
        row["intervention"]: row
        for row in shown
        if row["part"] == "hazard" and row["topics"] == topics
    }
    theme.choose(topics, {row["topics"] for row in shown if row["topics"]}, "topics")
    lists = _lists([row for row in shown if row["part"] == "list"])
    first = _typical(lists, topic, sample)
    names = list(dict.fromkeys(name for name, _ in lists))
    files = {name: f"topic-{number}.json" for number, name in enumerate(names)}
    held = hazards[UNCHANGED]["n"]
    return Drawing(
        theme.markup(
            "interventions.html.j2",
            columns=_columns(lists[first], hazards, layer),
            chosen=first,
            files={name: theme.FILES + file for name, file in files.items()},
            samples=[number for name, number in lists if name == first[0]],
        ),
        f"{_said(hazards)} The lists are an example, drawn with the same random numbers; a list is "
        f"marked from where it is not as unchanged, and cut after {conditions.TOKENS} tokens. The "
        f"points are the share of decisions that end a list, over {held} lists of {topics} topics, "
        "on a scale of powers of ten, and in words also as a ratio to unchanged (dashed).",
        "Seven columns, one for each intervention: a list as it was written, and a dot with its "
        "interval for the share of decisions that end a list, which stands under it as text with "
        "its ratio to the unchanged network.",
        {file: _file(lists, name) for name, file in files.items()},
    )


def _lists(rows: Sequence[Row]) -> dict[tuple[str, int], Columns]:
    """Lists by topic and number, each under every intervention, in the order of `NAMES`."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        found.setdefault((row["topic"], row["sample"]), {})[row["intervention"]] = row
    whole = {key: by for key, by in found.items() if NAMES.keys() <= by.keys()}
    if not whole:
        raise DrawingError("no list was drawn under every intervention", "measure it again")
    return {key: {name: by[name] for name in NAMES} for key, by in whole.items()}


def _typical(lists: Mapping[tuple[str, int], Columns], topic: str, sample: int) -> tuple[str, int]:
    """The list that stands in the page."""
    here = list(lists)
    if topic:
        theme.choose(topic, dict.fromkeys(name for name, _ in lists), "topic")
        here = [key for key in here if key[0] == topic]
    if sample >= 0:
        theme.choose(str(sample), [str(number) for _, number in here], "sample")
        here = [key for key in here if key[1] == sample]
    for wanted in ("held_out", "ended"):
        here = [key for key in here if lists[key][UNCHANGED][wanted]] or here
    here = [key for key in here if _well_formed(lists[key])] or here
    middle = median_low(lists[key][UNCHANGED]["items"] for key in here)
    return next(key for key in here if lists[key][UNCHANGED]["items"] == middle)


def _well_formed(columns: Columns) -> bool:
    return all(line["kind"] != "other" for row in columns.values() for line in row["lines"])


def _columns(lists: Columns, hazards: Columns, layer: int) -> list[Row]:
    """What the template puts into each column."""
    ends = [
        max(end, LOWEST)
        for row in hazards.values()
        for end in (row["estimate"], row["low"], row["high"])
        if end is not None
    ]
    same = [line["text"] for line in lists[UNCHANGED]["lines"]]
    made = []
    for name, (called, what) in NAMES.items():
        row, hazard = lists[name], hazards[name]
        made.append(
            {
                "name": name,
                "called": called,
                "what": what.format(layer=layer),
                "lines": row["lines"],
                "open": opened(row["lines"]),
                "departs": departs(same, [line["text"] for line in row["lines"]]),
                "end": end(row),
                "ended": row["ended"],
                "picture": sparklines.upright(
                    Estimate(hazard["estimate"], hazard["low"], hazard["high"]),
                    hazards[UNCHANGED]["estimate"],
                    (min(ends), max(ends)),
                ),
                "hazard": tables.estimate(hazard, ".1%"),
                "change": None if name == UNCHANGED else tables.estimate(hazard, of="change"),
            }
        )
    return made


def departs(same: Sequence[str], other: Sequence[str]) -> int:
    """Return the first line of a list that is not as in another; their number if none differs."""
    pairs = zip(same, other, strict=False)
    return next(
        (at for at, (one, two) in enumerate(pairs) if one != two), min(len(same), len(other))
    )


def opened(lines: Sequence[Row]) -> int:
    """Return how many lines stand open: one at least, and no fold is made of the last alone."""
    rows = [-(-len(line["text"]) // WIDE) for line in lines]
    fits = sum(sum(rows[: number + 1]) <= OPEN for number in range(len(rows)))
    return max(fits, 1) if fits < len(rows) - 1 else len(rows)


def end(row: Row) -> str:
    """Return how a list came to its end, in words."""
    count = f"{row['items']} item{'' if row['items'] == 1 else 's'}"
    return f"ended after {count}" if row["ended"] else f"cut after {count}"


def _said(hazards: Columns) -> str:
    """Which interventions make a list end less often, beyond their intervals."""
    changed = [name for name in NAMES if name != UNCHANGED]
    fewer = [
        NAMES[name][0]
        for name in changed
        if (high := hazards[name]["change_high"]) is not None and high < 1
    ]
    count = f"{len(fewer) or 'None'} of {len(changed)} interventions"
    names = f": {', '.join(fewer)}" if fewer else ""
    return f"{count} make a list end less often{names}."


def _file(lists: Mapping[tuple[str, int], Columns], topic: str) -> bytes:
    """Return a topic's lists as the page's script reads them: sample → intervention → list."""
    found = {
        str(sample): {
            name: {
                "lines": [[line["text"], line["kind"]] for line in row["lines"]],
                "open": opened(row["lines"]),
                "end": end(row),
                "ended": row["ended"],
            }
            for name, row in columns.items()
        }
        for (name_of, sample), columns in lists.items()
        if name_of == topic
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
