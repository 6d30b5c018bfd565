"""How what a recipe says differs from what is so now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from site_builder.results.reasons import Change, Reason


def plain(value: Any) -> Any:
    """A setting as JSON keeps it, whatever read it."""
    return json.loads(json.dumps(value, default=str))


def weights(named: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Digests of models, and of files in folders that a study names, which have paths."""
    files = {name: digest for name, digest in named.items() if "/" in name}
    return {name: named[name] for name in named if name not in files}, files


def other_model(mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether both name a model's weights, and not the same."""
    models = [weights(one)[0] for one in (mine, theirs)]
    return all(models) and models[0] != models[1]


def settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Reason]:
    """What became of the settings that a recipe names."""
    return [
        Reason("setting", name, plain(was), plain(now.get(name)))
        for name, was in before.items()
        if now.get(name) != was and plain(now.get(name)) != plain(was)
    ]


def files(before: Mapping[str, str], now: Mapping[str, str]) -> list[Reason]:
    """What became of files whose digests a recipe names, and which there are now."""
    return [
        Reason(_change(name in before, name in now), name)
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def code(before: Mapping[str, str], now: Mapping[str, str]) -> list[Reason]:
    """What became of the parts of code that a recipe names; one that only moved is none of it."""
    known, left = Counter(before.values()), Counter(now.values())
    gone = {name: part for name, part in before.items() if now.get(name) == part or not left[part]}
    new = {name: part for name, part in now.items() if before.get(name) == part or not known[part]}
    changed = [
        Reason(_change(name in before, name in now), name)
        for name in sorted(gone.keys() | new.keys())
        if before.get(name) != now.get(name)
    ]
    return changed or [Reason("code")]


def _change(was: bool, is_now: bool) -> Change:
    if was and is_now:
        return "changed"
    return "no longer used" if was else "newly used"
