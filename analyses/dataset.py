"""The data set: how many lists of each kind, how many end by themselves, what is wrong with others.

A list is well-formed (`kept`) if every line is a hyphen item and it ends by itself within the token
budget. `capped` ones are lists so far but were cut; `malformed` ones hold something else, and
`malformed_reasons` counts what. Capped lists stay in every analysis as censored; malformed ones are
left out of the statistics of items and counted here.

Returns one row a template and temperature: its settings (`budget` is in new tokens), the counts,
and the share that ended by itself with its interval.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from analyses.instruments.lists import WrittenList, read_lists
from analyses.instruments.roles import CAPPED
from analyses.lab.core import statistics
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    "template": pa.string(),
    "temperature": pa.float64(),
    "top_p": pa.float64(),
    "budget": pa.int32(),
    "topics": pa.int32(),
    "held_out": pa.int32(),
    "lists": pa.int32(),
    "kept": pa.int32(),
    "capped": pa.int32(),
    "malformed": pa.int32(),
    "malformed_reasons": pa.string(),
    "ended_share": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
}


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Count the lists."""
    topics = list(lab.study.topics.names)
    lists = read_lists(list_samples, lab.study.prompt)
    groups: dict[tuple[str, float], list[WrittenList]] = {}
    for one in lists:
        groups.setdefault(one.group, []).append(one)
    rows = []
    for (template, temperature), chosen in groups.items():
        reasons = Counter(one.roles.reason for one in chosen if one.malformed)
        places = [topics.index(one.key["topic"]) for one in chosen]
        completed = [float(one.roles.ended) for one in chosen]
        ended = statistics.mean(completed, places, len(topics), statistics.SHARE)
        rows.append(
            {
                "template": template,
                "temperature": temperature,
                "top_p": lab.study.sampling.top_p,
                "budget": lab.study.sampling.max_new_tokens,
                "topics": len(set(places)),
                "held_out": len(lab.study.topics.held_out),
                "lists": len(chosen),
                "kept": sum(not one.roles.reason for one in chosen),
                "capped": sum(one.roles.reason == CAPPED for one in chosen),
                "malformed": reasons.total(),
                "malformed_reasons": ", ".join(
                    f"{reason.removeprefix('malformed: ')}: {count}"
                    for reason, count in reasons.most_common()
                ),
                "ended_share": ended.value,
                "low": ended.low,
                "high": ended.high,
            }
        )
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(lists):,} lists, {len(topics)} topics",
        interval=statistics.said("topics"),
        note=f"Lists are cut at {lab.study.sampling.max_new_tokens} new tokens.",
    )
