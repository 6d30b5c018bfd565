"""What a list was asked for, as figures show it: length word, topic, temperature."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from site_builder.charts import theme
from site_builder.charts.drawing import Choices
from site_builder.charts.marks import Classes, Records

TEMPLATES = ("short", "none", "long")
SHORT, NONE, LONG = theme.colour("1"), theme.colour("3"), theme.colour("2")


def templates(present: Sequence[str]) -> Classes:
    """Return the classes of the prompt's length word; each has one colour on the whole page."""
    looks = {
        "short": (SHORT, [1, 0], "circle"),
        "none": (NONE, [2, 2], "square"),
        "long": (LONG, [5, 3], "triangle-up"),
    }
    names = tuple(name for name in looks if name in present)
    colours, dashes, shapes = zip(*(looks[name] for name in names), strict=True)
    return Classes("template", "length word", names, colours, dashes, shapes, at=("template",))


def temperatures(present: Sequence[float]) -> Classes:
    """Return the classes of the sampling temperature, as an ordered sequence of colours."""
    names = tuple(f"{value:g}" for value in sorted(set(present)))
    step = 5 / max(len(names) - 1, 1)
    colours = tuple(theme.colour(f"s{1 + round(step * place)}") for place in range(len(names)))
    return Classes("at", "temperature", names, colours, at=("temperature",))


def lists_to_pick(options: Mapping[tuple[str, ...], Records], template: str, topic: str) -> Choices:
    """Return lists to pick by length word and topic.

    Args:
        options: length word and topic -> rows.
        template: length word of the list that stands in the page first.
        topic: its topic; the first one if empty.
    """
    theme.choose(template, [word for word, _ in options], "template")
    topics = [name for word, name in options if word == template]
    chosen = template, theme.choose(topic or topics[0], topics, "topic")
    return Choices(("length word", "topic"), options, chosen)


def marked(held_out: Iterable[str], field: str = "topic") -> str:
    """Return the expression of a topic's name with a dagger if it is held out.

    Rows have the name alone: that is what figures have in common, and a topic's name a cell is
    enough.
    """
    names = json.dumps(list(dict.fromkeys(held_out)), ensure_ascii=False)
    return f"datum.{field} + (indexof({names}, datum.{field}) < 0 ? '' : ' †')"
