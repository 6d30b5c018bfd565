"""Tables of a TOML file as typed dataclasses, with all that is wrong with them said at once."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints


def build(kind: Any, raw: Any, problems: list[str], prefix: str = "", *, free: bool = False) -> Any:
    """`raw` as an instance of the dataclass `kind`, or None with what is wrong in `problems`.

    Args:
        prefix: where the table stands in its file, "group." or empty.
        free: whether the table may have further keys, which are left alone.
    """
    if not isinstance(raw, dict):
        problems.append(f"{prefix.rstrip('.')} must be a table")
        return None
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    before = len(problems)
    for key in () if free else sorted(raw.keys() - fields.keys()):
        problems.append(f"unknown key {prefix}{key} ({nearest(key, sorted(fields))})")
    values = {}
    for key, field in fields.items():
        if key in raw:
            values[key] = _convert(hints[key], raw[key], prefix + key, problems)
        elif field.default is dataclasses.MISSING:
            problems.append(f"missing key {prefix}{key}")
    return kind(**values) if len(problems) == before else None


def _convert(hint: Any, raw: Any, key: str, problems: list[str]) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(hint, raw, problems, key + ".")
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert(inner[0], raw, key, problems)
    if origin is tuple and isinstance(raw, list):
        return tuple(_convert(inner[0], one, f"{key}[{i}]", problems) for i, one in enumerate(raw))
    if origin is Mapping and isinstance(raw, dict):
        table = {k: _convert(inner[1], v, f"{key}.{k}", problems) for k, v in raw.items()}
        return types.MappingProxyType(table)
    if hint is float and type(raw) in (int, float):
        return float(raw)
    if hint in (str, int) and type(raw) is hint:
        return raw
    word = {str: "a string", int: "an integer", float: "a number", tuple: "a list"}
    problems.append(f"{key} must be {word.get(origin or hint, 'a table')}")
    return None


def nearest(name: str, names: list[str]) -> str:
    """A cure for a misspelt name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"
