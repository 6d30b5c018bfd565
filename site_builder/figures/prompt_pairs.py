"""The clean and the corrupted prompt, token under token, with the swapped token marked."""

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw each pair as two lines of tokens that line up."""
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "pair", "topic", "position", "role", "clean_token", "corrupted_token", "swapped"
    )
    pairs = []
    for name in theme.unique(table, "pair"):
        tokens = sorted(
            (row for row in records if row["pair"] == name), key=lambda row: row["position"]
        )
        pairs.append(
            {
                "name": name,
                "topic": tokens[0]["topic"],
                "tokens": tokens,
                "swapped": [row for row in tokens if row["swapped"]],
            }
        )
    return Drawing(
        theme.markup(
            "prompt_pairs.html.j2",
            pairs=pairs,
            present={row["role"] for row in records},
            visible=theme.visible,
        ),
        "The prompts of a pair have the same number of tokens and differ only where framed (clean "
        "above, corrupted below), so that every other position can be compared one to one.",
        "For each pair of prompts, its tokens in order, in columns: the clean token above, the "
        "corrupted one below; the swapped ones are framed.",
    )
