"""Means of `wordings` by hand: one wording behind two sorts of lists, and another one."""

import pyarrow as pa

ASKED = (
    ("A list of 3 / 9 {topic}:", "3, 9"),
    ("A list of 3 / 9 {topic}:", "4, 8"),
    ("{topic} (short / long list):", "3, 9"),
)


def table() -> pa.Table:
    """Means after items 2 to 9, which fall from 5 − 2 a row; and an item of one topic."""
    rows = [
        {"part": "mean", "wording": wording, "shown": shown, "k": k, "estimate": number,
         "low": number - 0.5, "high": number + 0.5, "n": 5}
        for place, (wording, shown) in enumerate(ASKED)
        for k in range(2, 10)
        for number in (5.0 - 2 * place - 0.5 * k,)
    ]  # fmt: skip
    rows.append({"part": "item", "wording": ASKED[0][0], "shown": "3, 9", "topic": "Fruits",
                 "k": 3, "short": 1.0, "long": -1.0, "difference": 2.0})  # fmt: skip
    strings = dict.fromkeys(("part", "wording", "shown", "topic"), pa.string())
    numbers = dict.fromkeys(
        ("short", "long", "difference", "estimate", "low", "high"), pa.float32()
    )
    schema = pa.schema({**strings, "k": pa.int32(), **numbers, "n": pa.int32()})
    return pa.Table.from_pylist(rows, schema)
