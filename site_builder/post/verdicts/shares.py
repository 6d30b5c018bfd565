"""Rows that are named by a share of a column: "80%" is near four fifths of its largest value.

What is counted from 0 on in one model, such as its blocks, has its like in another one there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from site_builder.post.claims import Claim

if TYPE_CHECKING:
    import pyarrow as pa

_SHARE = re.compile(r"(\d{1,2}(?:\.\d+)?|100)%")


def placed(claim: Claim, table: pa.Table) -> Claim:
    """The claim with the values that its shares name in this table's columns of numbers."""
    row, other = (_placed(texts, table) for texts in (claim.row, claim.other))
    return (
        claim if (row, other) == (claim.row, claim.other) else replace(claim, row=row, other=other)
    )


def _placed(texts: Mapping[str, list[str]], table: pa.Table) -> dict[str, list[str]]:
    return {
        name: [_value(text, name, table) if _SHARE.fullmatch(text) else text for text in some]
        for name, some in texts.items()
    }


def _value(text: str, name: str, table: pa.Table) -> str:
    """The value of the column that lies nearest to a share of the largest; the larger of two."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.column_names:
        return text
    kind = table[name].type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return text
    column = table[name].filter(pc.is_finite(table[name]))  # null where it is null
    found = pc.unique(column).to_pylist()
    if not found:
        return text
    at = float(text.removesuffix("%")) / 100 * max(found)
    return str(min(found, key=lambda one: (abs(one - at), -one)))
