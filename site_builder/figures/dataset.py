"""Table of all sampled lists: how many there are, how many ended by themselves, what was wrong."""

import pyarrow as pa

from site_builder.charts import theme
from site_builder.charts.drawing import Drawing
from site_builder.figures import prompts


def draw(table: pa.Table, *, variant: str = "") -> Drawing:
    """Draw a row for each template and temperature, the compared ones first."""
    theme.choose(variant, [""], "variant")
    records = theme.rows(
        table, "template", "temperature", "lists", "kept", "capped", "malformed",
        "malformed_reasons", "ended_share", "low", "high",
    )  # fmt: skip
    sizes = [row["lists"] for row in records]
    # The comparison of templates has the most lists a row; the temperature sweep follows.
    records.sort(
        key=lambda row: (
            -row["lists"] if max(sizes) != min(sizes) else 0,
            prompts.TEMPLATES.index(row["template"]),
            row["temperature"],
        )
    )
    total = {name: sum(row[name] for row in records) for name in _COUNTS}
    return Drawing(
        theme.markup("dataset.html.j2", records=records, total=total),
        "All lists that were sampled. A list is well-formed if every line is a hyphen and an item "
        "and it ends by itself; lists cut at the token limit stay in the analysis as censored.",
        "A table with one row for each length word and temperature: lists, the share that ended "
        "by itself with its interval, and how many were well-formed, cut or malformed.",
    )


_COUNTS = ("lists", "kept", "capped", "malformed")
