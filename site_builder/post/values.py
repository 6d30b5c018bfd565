"""Numbers in the prose: `<< value: timings small show=estimate run=2 >>`.

`show` names a column (default `estimate`; `interval` prints low to high, `change-interval`
change_low to change_high), `format` is Python's (`.1f`, `.0%`); every other option picks rows by a
column's value (`null` where it has none) until exactly one is left.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.post.directive import Directive

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "not measured"
"""What the prose prints where a result has no number."""

PLAIN = 1e15
"""Below this a number is printed in full, whole from a thousand on; above, as 1.23e+15."""

RESERVED = ("show", "format", "study")
# Such as ".1f", "+.0%", ",d": a width of millions would be as long a text.
_SPEC = re.compile(r"[+ ]?,?(\.\d{1,2})?[defg%]?")
_NO_LESS = re.compile(r"-0(\.0*)?%?")  # what rounds to zero has no sign


@dataclass(frozen=True)
class Value:
    """A number as the prose shows it, and what a reader sees who asks for more."""

    text: str
    title: str


def read(table: pa.Table, directive: Directive) -> Value:
    """The one value that `directive` asks of `table`.

    Raises `BuildError` for unknown columns and formats, and when not exactly one row is left.
    """
    show = directive.options.get("show", "estimate")
    filters = {k: v for k, v in directive.options.items() if k not in RESERVED}
    limits = bounds(table.column_names, show)
    of_interval = show.endswith("interval")
    for name in (*filters, *(limits if of_interval else (show,))):
        if name not in table.column_names:
            what = f"{directive.name} {directive.variant}".strip() + f' has no column "{name}"'
            raise _wrong(directive, what, nearest(name, table.column_names))
    if wrong := refused(table, [name for name, wanted in filters.items() if wanted != "null"]):
        raise _wrong(directive, *wrong)
    kept = keep(table, {name: [wanted] for name, wanted in filters.items()})
    if kept.num_rows != 1:
        what = f"{kept.num_rows} rows match"
        raise _wrong(directive, what, how_to_choose(table, filters, kept))
    row = kept.to_pylist()[0]
    spec = directive.options.get("format", "")
    try:
        title = _title(row, limits, spec)
        if of_interval:
            low, high = (text(row[name], spec) for name in limits)
            return Value(f"{low} to {high}", title)
        return Value(text(row[show], spec), title)
    except ValueError:
        raise _wrong(
            directive, f'format "{spec}" does not fit', 'write ".1f", "d" or ".0%"'
        ) from None


def keep(table: pa.Table, filters: dict[str, list[str]]) -> pa.Table:
    """The rows whose columns say one of the texts that `filters` names for them."""
    import pyarrow.compute as pc

    for name, texts in filters.items():
        matching = _same(table[name], texts[0])
        for one in texts[1:]:
            matching = pc.or_(matching, _same(table[name], one))
        table = table.filter(matching)
    return table


def _same(column: pa.ChunkedArray, wanted: str) -> pa.ChunkedArray:
    """Where a column says what is wanted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if wanted == "null":
        return pc.is_null(column)
    kind = column.type
    if pa.types.is_integer(kind):
        same = pc.equal(column, _whole(wanted, kind))
    elif pa.types.is_floating(kind):
        try:
            number = float(wanted)
        except ValueError:
            number = math.nan  # equals nothing
        same = pc.equal(column.cast(pa.float64(), safe=False), number)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        same = pc.equal(column.cast(pa.string()), wanted)
    else:  # lists, dates and whatever else a column may hold: what Python writes
        same = pa.chunked_array(
            [[one is not None and str(one) == wanted for one in column.to_pylist()]], pa.bool_()
        )
    return pc.fill_null(same, False)


def _whole(wanted: str, kind: pa.DataType) -> pa.Scalar:
    """A whole number in the type of its column; null, which equals nothing, if it is none."""
    import pyarrow as pa

    try:
        number = Decimal(wanted)
        is_whole = abs(number) < 2**65 and number == int(number)  # no longer one is in a column
        return pa.scalar(int(number) if is_whole else None, kind)
    except (ArithmeticError, ValueError, pa.ArrowInvalid, OverflowError):
        return pa.scalar(None, kind)


def refused(table: pa.Table, names: Iterable[str]) -> tuple[str, str] | None:
    """Why rows cannot be chosen by one of these columns, and the cure; None if they can."""
    for name in names:
        if not _is_plain(table[name].type):
            what = f'rows cannot be chosen by "{name}", a column of {table[name].type}'
            able = (one for one in table.column_names if _is_plain(table[one].type))
            return what, f"choose by one of {', '.join(able)}"
    return None


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a column's cells can be written as text."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    if pa.types.is_nested(kind) or "binary" in str(kind):
        return False
    try:
        pa.nulls(0, kind).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _said(column: pa.ChunkedArray) -> list[str]:
    """The texts by which rows are chosen: what a directive would have to say."""
    if not _is_plain(column.type):  # only whether it is null
        return ["null"] if column.null_count else []
    texts = dict.fromkeys("null" if cell is None else cell for cell in _texts(column))
    return sorted(texts)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        return [None if cell is None else f"{cell:g}" for cell in column.to_pylist()]
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    return texts


def text(value: Any, spec: str) -> str:
    """A number as prose shows it: a true minus sign, and none on what rounds to zero.

    Raises `ValueError` for a format that is none of a number.
    """
    if not _SPEC.fullmatch(spec):
        raise ValueError(spec)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if not spec and isinstance(value, float):
        spec = ".0f" if 999.5 <= abs(value) < PLAIN else ".3g"
    # A hyphen breaks the line and is no sign.
    if not isinstance(value, int | float):
        return str(value)
    text = format(value, spec)
    return (text[1:] if _NO_LESS.fullmatch(text) else text).replace("-", "−")


def fits(spec: str) -> bool:
    """Whether a format can be that of a number with a fraction."""
    try:
        text(1.0, spec)
    except ValueError:
        return False
    return True


def bounds(names: Sequence[str], show: str) -> tuple[str, ...]:
    """The columns of the interval that `show` prints or, if it is a column, that is its own."""
    of = show.removesuffix("-interval")
    if show == "interval" or of == about(names):
        return ("low", "high")
    return (f"{of}_low", f"{of}_high") if show != of or f"{of}_low" in names else ()


def about(names: Sequence[str]) -> str:
    """The column that `low` and `high` are about: the one before them, or `estimate`."""
    return names[names.index("low") - 1] if "low" in names[1:] else "estimate"


def _title(row: dict[str, Any], bounds: tuple[str, ...], spec: str) -> str:
    if not bounds:
        return ""
    parts = []
    low, high = (row.get(name) for name in bounds)
    if low is not None and high is not None:
        parts.append(f"95 % interval {text(low, spec)} to {text(high, spec)}")
    if row.get("n") is not None:
        parts.append(f"n = {row['n']}")
    return ", ".join(parts)


def how_to_choose(table: pa.Table, filters: dict[str, str], kept: pa.Table) -> str:
    """What an author can add who picked no row, or several."""
    if not kept.num_rows:
        for name, wanted in filters.items():
            if not any(_same(table[name], wanted).to_pylist()):
                there = _said(table[name])
                return f'{name} is never "{wanted}": {nearest(wanted, there[:40])}'
        return "no row has all of these together"
    rows = kept.slice(0, 50)
    telling = [
        name
        for name in rows.column_names
        if name not in filters and len({str(v) for v in rows[name].to_pylist()}) > 1
    ]
    return f"choose by {', '.join(telling)}"


def _wrong(directive: Directive, what: str, cure: str) -> BuildError:
    return BuildError([Problem(directive.where, what, cure)])
