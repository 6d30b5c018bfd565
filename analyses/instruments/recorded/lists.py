"""Lists that were sampled elsewhere, read into the table that `list_samples` makes.

Files are data of strangers: every value is checked, nothing in them is executed, and a file with
one fault is refused as a whole. Three forms are read:

    .parquet  template, temperature, topic, sample, token_ids, tokens: a row a list, with the prompt
              in front or without it, tokens as the vocabulary spells them
    .jsonl    {"template", "temperature", "topic", "sample", "text", "ended"}: a line a list
    .pt       topic → tensor of token ids, [lists, tokens], or a list of one each; opened with
              weights only

The last two need the model's `tokenizer.json`, the last one a template and a temperature as well.
An answer begins with the study's prefill, or right behind it: as most of the file's first lists do.
It is the first one behind its prompt, and ends at the first token that is no text; without one it
was cut, and is kept as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from analyses.instruments.recorded.files import BATCH, Origin, Row, brief, rows_of
from analyses.instruments.recorded.spelling import is_special
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Study
from analyses.lab.core.table import labelled, table_of
from analyses.lab.core.toml import nearest

if TYPE_CHECKING:
    pass

# As `list_samples` has them; shared code would be keyed, and the sampled lists would become stale.
SCHEMA = {
    "template": pa.string(),
    "temperature": pa.float64(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "token_ids": pa.list_(pa.int32()),
    "tokens": pa.list_(pa.string()),
    "text": pa.string(),
    "new_tokens": pa.int32(),
    "ended": pa.bool_(),
}
MOST_TOKENS = 32_768


@dataclass(frozen=True)
class Wanted:
    """What a study says of its lists, read once: its tables note every reading."""

    templates: Mapping[str, str]
    topics: list[str]
    held_out: frozenset[str]
    prefill: str
    end: str
    turn_open: str

    @classmethod
    def of(cls, study: Study) -> Wanted:
        """What `study` says."""
        prompt, topics = study.prompt, study.topics
        held_out = frozenset(topics.held_out)
        words = prompt.prefill, prompt.end, prompt.turn_open
        return cls(prompt.templates, [*topics.names], held_out, *words)


def read(file: Path, study: Study, origin: Origin) -> pa.Table:
    """The lists of `file`, as a measurement would return them.

    Raises LabError at the first row that is not a list of this study.
    """
    seen: set[tuple[Any, ...]] = set()
    wanted = Wanted.of(study)
    tables: list[pa.Table] = []
    prefilled = False
    rows = rows_of(file, study, origin)
    while batch := list(islice(rows, BATCH)):
        if not tables:
            begun = [_begins(wanted, row) for row in batch]
            prefilled = 2 * sum(begun) > len(begun)
        checked = partial(_checked, wanted, seen, file, prefilled)
        tables.append(table_of(map(checked, batch), SCHEMA))
    if not tables:
        raise LabError(str(file), "has no lists", "record some")
    table = pa.concat_tables(tables)
    topics = len({topic for _, _, topic, _ in seen})
    return labelled(
        table,
        n=f"{table.num_rows:,} lists, {topics} topics",
        note=f"Sampled elsewhere, read from {file.name}.",
    )


def _begins(wanted: Wanted, row: Row) -> bool:
    """Whether the first token that a row has of its answer is the prefilled one."""
    try:
        start = _start(wanted, row, _refuse)
    except (LabError, TypeError, KeyError, AttributeError):  # told when the row is checked
        return False
    return start < len(row.pieces) and str(row.pieces[start]).strip() == wanted.prefill.strip()


def _refuse(what: str, cure: str) -> NoReturn:
    raise LabError("", what, cure)


def _checked(
    wanted: Wanted, seen: set[tuple[Any, ...]], file: Path, prefilled: bool, row: Row
) -> dict[str, Any]:
    """A list's row; what is wrong with it ends the import.

    Args:
        prefilled: whether the file's answers have the prefilled token in front.
    """
    template, temperature, topic, sample = row.key

    def wrong(what: str, cure: str) -> NoReturn:
        raise LabError(f"{file}, {row.where}", what, cure)

    for name, value, known in (
        ("template", template, [*wanted.templates]),
        ("topic", topic, wanted.topics),
    ):
        if value not in known:
            wrong(f"unknown {name} {brief(value)}", nearest(str(value)[:60], known))
    if not isinstance(temperature, float | int) or not 0 <= temperature < 100:
        wrong(f"temperature {brief(temperature)} is no temperature", "write a number from 0 on")
    if not isinstance(sample, int) or not 0 <= sample < 2**31:
        wrong(f"sample {brief(sample)} is no number of a list", "count from 0")
    key = template, float(temperature), topic, sample
    if key in seen:
        wrong(f"the list {key} stands twice", "keep one")
    seen.add(key)
    ids, pieces = row.ids, row.pieces
    if not isinstance(ids, list) or not isinstance(pieces, list) or len(ids) != len(pieces):
        wrong("token_ids and tokens are not of one length", "record an id and a text a token")
    if not {*map(type, pieces)} <= {str}:
        wrong("a token has no text", "record the text of every token")
    if not {*map(type, ids)} <= {int} or (ids and not 0 <= min(ids) <= max(ids) < 2**31):
        wrong("a token id is no id", "record whole numbers from 0 on")
    if len(ids) > MOST_TOKENS:
        wrong(f"{len(ids):,} tokens are no list", f"record at most {MOST_TOKENS:,}")
    start = _start(wanted, row, wrong)
    if prefilled and start < len(pieces):
        if pieces[start].strip() != wanted.prefill.strip():
            what = f"its answer begins with {brief(pieces[start])}, and others with the prefill"
            wrong(what, "leave out what was not prefilled: the study's lists are")
        start += 1
    ends = (i for i in range(start, len(pieces)) if pieces[i] == wanted.end or is_end(pieces[i]))
    stop = next(ends, len(pieces))
    ended = stop < len(pieces)
    if ended and "pad" in pieces[stop].lower():
        wrong("is padded, and has no token that ends the turn", "record that token")
    if row.ended is not None and row.ended is not ended:
        wrong("says that it ended, and has no token that ends the turn", "record that token")
    written = slice(start, stop + ended)
    if start == len(pieces):
        wrong("has no answer", "record what the model wrote")
    return {
        "template": key[0],
        "temperature": key[1],
        "topic": key[2],
        "held_out": key[2] in wanted.held_out,
        "sample": key[3],
        "token_ids": ids[written],
        "tokens": pieces[written],
        "text": wanted.prefill + "".join(pieces[start:stop]),
        "new_tokens": stop + ended - start,
        "ended": ended,
    }


def _start(wanted: Wanted, row: Row, wrong: Any) -> int:
    """Where the answer begins: behind the prompt, if that is in front."""
    pieces = row.pieces
    start = 0
    asked = wanted.templates[row.key[0]].replace("{topic}", row.key[2])
    if wanted.turn_open not in pieces:
        if asked in "".join(pieces):
            what = f"has its prompt in front, but no {wanted.turn_open}"
            wrong(what, "name the study of the model that wrote it")
    else:
        turns = [i for i, piece in enumerate(pieces) if piece == wanted.turn_open]
        behind = (i for i in turns if asked in "".join(pieces[:i]))
        opened = next(behind, -1)  # of the first answer: what follows it was asked later
        if opened < 0:
            wrong(f"its prompt is not that of template {row.key[0]}", "name the right template")
        lines = (i for i in range(opened, len(pieces)) if "\n" in pieces[i])
        start = next(lines, len(pieces) - 1) + 1  # the line that names whose turn it is
    return start


def is_end(piece: str) -> bool:
    """Whether a token ends a turn, or a text: one with a meaning, but for unknown words."""
    return is_special(piece) and "unk" not in piece.lower()
