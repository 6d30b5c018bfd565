"""How what a recipe says differs from what is so now, in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A setting as JSON keeps it, whatever read it."""
    return json.loads(json.dumps(value, default=str))


def brief(value: Any) -> str:
    """A setting, short enough for a line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"


def weights(named: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Digests of models, and of files in folders that a study names, which have paths."""
    files = {name: digest for name, digest in named.items() if "/" in name}
    return {name: named[name] for name in named if name not in files}, files


def other_model(mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether both name a model's weights, and not the same."""
    models = [weights(one)[0] for one in (mine, theirs)]
    return all(models) and models[0] != models[1]


def files(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What became of files whose digests a recipe names, and which there are now."""
    return [
        f"{name} {_changed(name in before, name in now)}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def code(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What became of the parts of code that a recipe names; one that only moved is none of it."""
    known, left = Counter(before.values()), Counter(now.values())
    gone = {name: part for name, part in before.items() if now.get(name) == part or not left[part]}
    new = {name: part for name, part in now.items() if before.get(name) == part or not known[part]}
    told = [
        f"{name} {_changed(name in before, name in now)}"
        for name in sorted(gone.keys() | new.keys())
        if before.get(name) != now.get(name)
    ]
    return told or ["its code is put together otherwise"]


def _changed(was: bool, is_now: bool) -> str:
    if was and is_now:
        return "changed"
    return "is no longer used" if was else "is newly used"
