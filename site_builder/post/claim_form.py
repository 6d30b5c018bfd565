"""Whether an entry of a claims file has the form of a claim, before any result is opened."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from site_builder.core.errors import nearest
from site_builder.post import expression, values

FOR, BORN, STUDY, EVERYWHERE = "reported_for", "written", "study", "everywhere"
OF_FILE = (FOR, BORN, STUDY, EVERYWHERE)
"""Keys that the head of a file may give to all of its claims."""

WRITTEN = BEFORE, AFTER = ("before", "after")
"""When a claim was written: before its data were there, or after."""

NUMBERS = ("within", "around", "predicted")
_NEEDED = ("says", "result")
_TABLES = ("row", "other")
_COLUMNS = ("every", "paired", "over")
_PREDICTION = ("predicted", "size", "first")
_TEXTS = ("holds", "inside", "show", "format", "unit", "reported", "no_interval", "first")
KNOWN = (*_NEEDED, *_TABLES, *_COLUMNS, *_TEXTS, *NUMBERS, "size", *OF_FILE)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LONGEST_REASON = 120


def wrong_with(name: str, body: Any) -> list[tuple[str, str]]:
    """What keeps an entry of the file from being a claim, each with its cure."""
    if not isinstance(body, dict) or not _ID.fullmatch(name):
        return [(f'"{name}" is not a claim', "write [an-id] and its keys below")]
    needed = _NEEDED if "within" in body else (*_NEEDED, "holds")
    wrong = [
        (f'claim "{name}" has no `{key}`', f"add {key} = …") for key in needed if key not in body
    ]
    for key, value in body.items():
        if key not in KNOWN:
            wrong.append((f'unknown key "{key}"', nearest(key, KNOWN)))
        elif not _is(key, value):
            wrong.append((f"`{key}` is not {_kind(key)}", "see site_builder/post/claims.py"))
    return wrong or [
        *_rows(body), *_units(body), *_test(body), *_words(body), *_prediction(body)
    ]  # fmt: skip


def listed(value: Any) -> Iterable[Any]:
    """The values that a row may have in a column."""
    return value if isinstance(value, list) else [value]


def _kind(key: str) -> str:
    if key in NUMBERS:
        return "a number"
    if key == EVERYWHERE:
        return "true or false"
    return "a table" if key in _TABLES else "a list" if key in (*_COLUMNS, "size") else "a text"


def _is(key: str, value: Any) -> bool:
    if key in NUMBERS:
        return _is_number(value)
    if key == "size":
        return isinstance(value, list) and all(map(_is_number, value))
    if key == EVERYWHERE:
        return isinstance(value, bool)
    return isinstance(value, dict if key in _TABLES else list if key in _COLUMNS else str)


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < values.PLAIN and math.isfinite(value)


def _rows(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with how rows are picked."""
    for key in _TABLES:
        for column, value in body.get(key, {}).items():
            if value == [] or any(isinstance(one, dict | list) for one in listed(value)):
                what = f"`{key}`: {column} is no value"
                yield what, "write a text, a number, or a list of some"
    for key in _COLUMNS:
        if not all(isinstance(column, str) for column in body.get(key, ())):
            yield f"`{key}` is not a list of columns", 'write such as ["k"]'


def _units(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with the columns that tell units apart."""
    if "paired" in body and "over" in body:
        yield "`paired` and `over`", "keep `paired` for differences, `over` for a mean"
    for key in ("paired", "over"):
        columns = body.get(key, ())
        if key in body and not columns:
            yield f"`{key}` names no column", f'write such as {key} = ["author", "text"]'
        for column in columns:
            if isinstance(column, str) and column in body.get("every", ()):
                yield f'`{key}` and `every` both name "{column}"', "keep it in one of them"
    if "paired" in body and not body.get("other"):
        yield "`paired`, and no other row", "add other = {…}, or write `over`"
    if "over" in body and "other" in body:
        yield "`over`, and another row", "write `paired` for differences, or leave `other` out"


def _test(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with the test."""
    if "holds" in body and "within" in body:
        yield "`holds` and `within`", "keep one test, and make the other a claim of its own"
    elif "within" in body and body["within"] <= 0:
        yield f"`within` is {body['within']:g}", "write a margin above 0"
    elif "around" in body and "within" not in body:
        yield "`around`, and no `within`", "add within = …"
    elif "holds" in body and not expression.is_test(body["holds"]):
        cure = 'compare columns and numbers, such as "low > 0"'
        yield f'cannot read the test "{body["holds"]}"', cure


def _words(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with what is said beside the test."""
    if "reported" in body and not body.get(FOR):
        yield "`reported`, and not for what", f'add {FOR} = "…", or at the file\'s head'
    if not values.fits(body.get("format", "")):
        yield f'format "{body["format"]}" does not fit', 'write ".1f" or ".0%"'
    if body.get(BORN, AFTER) not in WRITTEN:
        yield f'`{BORN}` is "{body[BORN]}"', 'write "before" its data, or "after"'
    if body.get(EVERYWHERE) and STUDY in body:
        yield (
            f"`{EVERYWHERE}`, and `{STUDY}`",
            "keep one: it is tested on that study alone, or on all",
        )
    reason = body.get("no_interval")
    if reason is not None and not 0 < len(reason.strip()) <= _LONGEST_REASON:
        what = f"`no_interval` has {len(reason.strip())} characters"
        yield what, f"say why in 1 to {_LONGEST_REASON}"


def _prediction(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with what is predicted of another study."""
    given = [key for key in _PREDICTION if key in body]
    if not given:
        return
    if lacking := [key for key in ("predicted", "size", STUDY) if key not in body]:
        yield f"`{given[0]}`, and no `{lacking[0]}`", f"add {lacking[0]} = …"
        return
    ends = body["size"]
    if len(ends) != 2 or not ends[0] <= body["predicted"] <= ends[1]:
        yield "`size` does not hold `predicted`", "write the two ends around it: size = [0.5, 0.9]"
    if body.get(BORN, AFTER) != BEFORE:
        yield "`predicted`, and not written before", 'write written = "before"'
