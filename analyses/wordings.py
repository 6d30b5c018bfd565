"""Which wording moves a model at all: the same lists, read behind two lengths of each wording.

A study may name wordings to choose from. Each asks for two lengths, behind lists of others that are
headed in the same way; below it stand items that the study gives, the same for every wording. After
each item the study's primary proxy of ending is read where it decides, in logits. Nothing is drawn.

    [wordings.items]  # topic, of those that are not held out → the items of its list
    Fruits = ["Apple", "Banana", "Orange"]
    [wordings.shown]  # what is shown before → its items, of which the first so many stand there
    Metals = ["Iron", "Copper", "Zinc"]

    [[wordings.asked]]
    heading = "A list of {length} {topic}:"
    shown = [2, 3]  # how long the lists are that are shown, in the order of `shown`
    lengths = [1, 3]  # the two that are asked for
    words = {1 = "one", …}  # by length, where it is not written in digits

Rows by `part`: `item`, one a wording, topic and item k, with both proxies (`short` is of the first
length, `long` of the second) and their `difference`; and `mean`, the difference over topics at item
k, or at all items from the first length on where k is null, with its interval.

Raises LabError where a topic is held out or unknown, or the two prompts differ in length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from analyses.instruments.paired_lists import deciding_places
from analyses.instruments.roles import list_roles
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    **dict.fromkeys(("part", "wording", "shown", "topic"), pa.string()),
    "k": pa.int32(),
    **dict.fromkeys(("short", "long", "difference"), pa.float32()),
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
    "n": pa.int32(),
}
Row = dict[str, Any]


def run(lab: Lab) -> pa.Table:
    """Read every list behind every wording."""
    study = lab.study
    items, examples = study["wordings.items"], study["wordings.shown"]
    for topic in items:
        if topic not in study.topics.names or topic in study.topics.held_out:
            what = f"{topic} is held out, or no topic of the study"
            raise LabError("wordings.items", what, "choose on topics that are not held out")
    rows: list[Row] = []
    for wording in study["wordings.asked"]:
        turns = [turn(wording, examples, length) for length in wording["lengths"]]
        shown = ", ".join(map(str, wording["shown"]))
        named = {"wording": _title(wording), "shown": shown, "part": "item"}
        found = [
            {**named, "topic": topic, **cell}
            for topic, written in items.items()
            for cell in _cells(lab, [one.replace("{topic}", topic) for one in turns], written)
        ]
        rows += [*found, *_means(found, [*items], wording["lengths"][0])]
    primary = getattr(study.decision, study.decision.primary)
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(study['wordings.asked'])} wordings, {len(items)} topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("short", "long", "difference", "estimate", "low", "high"), "logits"),
        note=f"Proxy: {primary.plus!r} − {primary.minus!r} after each item of given lists.",
    )


def turn(wording: Mapping[str, Any], examples: Mapping[str, Sequence[str]], length: int) -> str:
    """What is asked, with {topic}: the lists that are shown, and a heading behind them."""
    lists = [
        "\n".join([_heading(wording, count).replace("{topic}", name), *_lines(items[:count])])
        for count, (name, items) in zip(wording["shown"], examples.items(), strict=False)
    ]
    return "\n\n".join([*lists, _heading(wording, length)])


def _lines(items: Sequence[str]) -> list[str]:
    return [f"- {item}" for item in items]


def _heading(wording: Mapping[str, Any], length: int) -> str:
    said: str = wording.get("words", {}).get(str(length), str(length))
    heading: str = wording["heading"]
    return heading.replace("{length}", said)


def _title(wording: Mapping[str, Any]) -> str:
    """The heading with both lengths: "A list of 3 / 9 {topic}:"."""
    words = wording.get("words", {})
    both = " / ".join(words.get(str(one), str(one)) for one in wording["lengths"])
    heading: str = wording["heading"]
    return heading.replace("{length}", both)


def _cells(lab: Lab, turns: Sequence[str], items: Sequence[str]) -> Iterator[Row]:
    """The proxy after each item, behind both turns."""
    from analyses.lab.model.lens import lens

    model, prompt = lab.model, lab.study.prompt
    primary = getattr(lab.study.decision, lab.study.decision.primary)
    contrast = (model.token(primary.plus), model.token(primary.minus))
    asked = [model.chat(one, prompt.prefill) for one in turns]
    if len({len(one.ids) for one in asked}) > 1:
        sizes = " and ".join(str(len(one.ids)) for one in asked)
        what = f"its two lengths make prompts of {sizes} tokens: {turns[0].splitlines()[-1]!r}"
        raise LabError("wordings.asked", what, "choose lengths of equally many tokens")
    # The line break behind the last item tells that it is whole.
    answer = f"\n{prompt.prefill} ".join(items)
    ids = model.tokenizer.encode(f" {answer}{prompt.line_break}", add_special_tokens=False)
    pieces = [prompt.prefill, *model.pieces(ids, after=asked[0].ids)]
    places = deciding_places(list_roles(pieces, hyphen=prompt.hyphen, end=[]).tokens, primary.at)
    start = len(asked[0].ids) - 1  # the prefilled start is the list's first token
    wanted = [start + place for place in places.values()]
    texts = [[*one.ids, *ids] for one in asked]
    found = lens(model.blocks, texts, wanted, [contrast])[:, -1, :, 0].astype(float)
    for place, k in enumerate(places):
        short, long = found[:, place]
        yield {"k": k, "short": short, "long": long, "difference": short - long}


def _means(cells: Sequence[Row], topics: Sequence[str], first: int) -> Iterator[Row]:
    """The difference over topics, item by item, and over all items from `first` on."""
    steps: dict[int | None, list[Row]] = {k: [] for k in sorted({cell["k"] for cell in cells})}
    for cell in cells:
        steps[cell["k"]].append(cell)
    steps[None] = [cell for cell in cells if cell["k"] >= first]
    for k, there in steps.items():
        places = [topics.index(cell["topic"]) for cell in there]
        found = statistics.mean([cell["difference"] for cell in there], places, len(topics))
        of = {name: there[0][name] for name in ("wording", "shown")}
        yield {
            **of,
            "part": "mean",
            "k": k,
            "estimate": found.value,
            "low": found.low,
            "high": found.high,
            "n": len(there),
        }
