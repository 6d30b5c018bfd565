"""Claims that say no more than another one: the same test, on rows that the other one tests too."""

from __future__ import annotations

from collections.abc import Mapping

from site_builder.post.claims import Claim
from site_builder.post.verdicts.verdict import Verdict


def repeats(claims: Mapping[str, Claim], verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """By its id, each claim whose rows are all tested so by another one, and that claim's id.

    Of two claims about the same rows the later one is told.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, verdict in verdicts.items():
        if verdict.tested:
            one = claims[name]
            means = f"{one.show} {one.unit_columns}" if one.unit_columns else ""
            key = (one.study, one.result, one.inside, means, verdict.test)
            alike.setdefault(key, []).append(name)
    found: dict[str, str] = {}
    for names in alike.values():
        rows = {name: {*verdicts[name].tested} for name in names}
        for place, name in enumerate(names):
            wider = (one for one in names if rows[name] < rows[one])
            same = (one for one in names[:place] if rows[name] == rows[one])
            if other := next(wider, "") or next(same, ""):
                found[name] = other
    return found
