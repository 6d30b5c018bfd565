"""Clean and corrupted prompts side by side: what is swapped, and that nothing else is.

Two pairs: the study's templates, which differ in one token, and the emphatic wordings, a paraphrase
of equal token length. One topic is shown; that the swap is what it says is checked for all.

Returns one row a token position: pair, topic, position, role, clean_token, corrupted_token and
swapped.

Raises LabError when a pair is not of equal length, or the templates differ in more than one token.
"""

from __future__ import annotations

import pyarrow as pa

from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

SCHEMA = {
    "pair": pa.string(),
    "topic": pa.string(),
    "position": pa.int32(),
    "role": pa.string(),
    "clean_token": pa.string(),
    "corrupted_token": pa.string(),
    "swapped": pa.bool_(),
}


def run(lab: Lab) -> pa.Table:
    """Render both pairs for every topic; return the first topic's."""
    model, prompt, topics = lab.model, lab.study.prompt, lab.study.topics.names
    from analyses.instruments.pairs import pair

    rows = []
    for name, wordings in (("short/long", prompt.templates), ("emphatic", prompt.emphatic)):
        checked = [pair(model, prompt, wordings, "short", topic) for topic in topics]
        clean, corrupted = checked[0]
        for position, role in enumerate(clean.roles):
            rows.append(
                {
                    "pair": name,
                    "topic": topics[0],
                    "position": position,
                    "role": role,
                    "clean_token": clean.pieces[position],
                    "corrupted_token": corrupted.pieces[position],
                    "swapped": clean.ids[position] != corrupted.ids[position],
                }
            )
    return labelled(table_of(rows, SCHEMA), n=f"{len(topics)} topics checked, one shown")
