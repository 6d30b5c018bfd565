"""What each field of a recipe may hold: dates are dates, numbers numbers, names names.

A recipe may come from anybody, under a seal that anybody can make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

MOST_TEXT = 10_000
MOST_NAME = 300
MOST_DEPTH = 12
"""Of a text, of a name, of lists in lists."""


def is_deep(value: Any) -> bool:
    """Whether lists and objects stand in each other deeper than a recipe needs."""
    depth, level = 0, [value]
    while level and depth <= MOST_DEPTH:
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for one in chain(*inside) if isinstance(one, dict | list)]
        depth += 1
    return depth > MOST_DEPTH


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain(value, *map(_texts, value.values()))
    elif isinstance(value, list):
        yield from chain(*map(_texts, value))


def encodes(value: Any) -> bool:
    """Whether every text in a JSON value is whole: JSON can hold one half of a pair alone."""
    return not any("\ud800" <= one <= "\udfff" for text in _texts(value) for one in text)


_NAME = re.compile(r"[^\W_][\w.-]*")
_RESULT = re.compile(r"[^\W_][\w-]*( [\w-]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_NAME and bool(_NAME.fullmatch(value))


def _is_variant(value: Any) -> bool:
    return value == "" or _is_name(value)


def _is_result(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_NAME and bool(_RESULT.fullmatch(value))


def _is_digest(value: Any) -> bool:
    """Whether a value is a word, as digests are, or nothing."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w:.-]{0,128}", value))


def _is_called(value: Any) -> bool:
    """Whether a value is a name of whatever kind, to be shown on a line."""
    is_short = isinstance(value, str) and len(value) <= MOST_NAME
    return is_short and not _CONTROL.search(value)


def _is_file(value: Any) -> bool:
    """Whether a value names a file below the project."""
    parts = value.replace("\\", "/").split("/") if _is_called(value) else [""]
    return not {"", ".", ".."} & {*parts} and ":" not in parts[0]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_TEXT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_setting(value: Any) -> bool:
    """Whether a value is JSON that Python can count with, as it is in a study's file."""
    if isinstance(value, list):
        return all(map(_is_setting, value))
    if isinstance(value, dict):
        return all(map(_is_called, value)) and all(map(_is_setting, value.values()))
    return value is None or isinstance(value, bool) or _is_text(value) or _is_short_number(value)


def _is_short_number(value: Any) -> bool:
    """Whether a value is a number that is no text of four hundred digits."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 1 << 64)


def _are_labels(value: Any) -> bool:
    """Whether a value is a table of texts and, of the units of columns, a table of such."""
    if not isinstance(value, dict):
        return False
    texts = {key: one for key, one in value.items() if key != "units"}
    return _NOTES(texts) and _UNITS(value.get("units", {}))


def _is_acceptance(value: Any) -> bool:
    """Whether a value is a restamp by hand."""
    return (
        isinstance(value, dict)
        and value.keys() | {"because"} == {"at", "reasons", "because"}
        and _is_time(value["at"])
        and isinstance(value["reasons"], list)
        and all(map(_is_text, value["reasons"]))
        and _is_text(value.get("because", ""))
    )


def _each(is_key: Callable[[Any], bool], is_value: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def is_right(value: Any) -> bool:
        is_table = isinstance(value, dict)
        return is_table and all(is_key(key) and is_value(one) for key, one in value.items())

    return is_right


_UNITS = _each(_is_called, _is_text)
_NOTES = _each(_is_called, lambda one: one is None or _is_text(one) or _is_number(one))

KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "study": (_is_name, "name"),
    "analysis": (_is_name, "name"),
    "variant": (_is_variant, "name"),
    "meaning": (_is_digest, "digest"),
    "code": (_each(_is_called, _is_digest), "table of digests"),
    "settings": (_each(_is_called, _is_setting), "table of settings"),
    "weights": (_each(_is_called, _is_digest), "table of digests"),
    "inputs": (_each(_is_result, _is_digest), "table of digests by result"),
    "labels": (_are_labels, "table of texts, with one of units"),
    "made_with": (
        _each(_is_called, lambda one: _is_text(one) or _is_number(one)),
        "table of texts and numbers",
    ),
    "made_at": (_is_time, "time"),
    "seconds": (lambda one: _is_number(one) and one >= 0, "number of seconds"),
    "content": (_is_digest, "digest"),
    "accepted": (
        lambda all_of: isinstance(all_of, list) and all(map(_is_acceptance, all_of)),
        "list of restamps",
    ),
    "format": (lambda one: type(one) is int, "number"),
    "files": (_each(_is_file, _is_digest), "table of digests by file below the project"),
}
"""Of each field: what it may be, and what that is called."""
