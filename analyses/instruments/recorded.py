"""Lists that were sampled elsewhere, read into the table that `list_samples` makes.

Files are data of strangers: every value is checked, nothing in them is executed, and a file with
one fault is refused as a whole. Three forms are read:

    .parquet  template, temperature, topic, sample, token_ids, tokens: a row a list, with the prompt
              in front or without it, tokens as the vocabulary spells them
    .jsonl    {"template", "temperature", "topic", "sample", "text", "ended"}: a line a list
    .pt       topic → tensor of token ids, [lists, tokens]; opened with weights only

The last two need the model's `tokenizer.json`, the last one a template and a temperature as well.
An answer begins with the study's prefill, or right behind it. It ends at the token that ends the
turn; without one it was cut, and is kept as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from analyses.instruments.spelling import reader
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Study
from analyses.lab.core.table import labelled, table_of
from analyses.lab.core.toml import nearest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KEY = ("template", "temperature", "topic", "sample")
COLUMNS = (*KEY, "token_ids", "tokens")
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
BATCH = 4096
"""Rows that are Python objects at once: a hundred thousand lists would be gigabytes."""


@dataclass(frozen=True)
class Origin:
    """What a file of token ids does not say of itself."""

    tokenizer: Path | None = None
    template: str = ""
    temperature: float | None = None


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


@dataclass(frozen=True)
class Row:
    """One list as its file has it; `ended` is None where the tokens tell."""

    where: str
    key: tuple[Any, ...]  # template, temperature, topic, sample
    ids: Any
    pieces: Any
    ended: bool | None = None


def read(file: Path, study: Study, origin: Origin) -> pa.Table:
    """The lists of `file`, as a measurement would return them.

    Raises LabError at the first row that is not a list of this study.
    """
    forms = {".parquet": _parquet, ".jsonl": _lines, ".pt": _tensors}
    if file.suffix not in forms:
        raise LabError(str(file), "is of no known form", f"use one of {', '.join(forms)}")
    seen: set[tuple[Any, ...]] = set()
    wanted = Wanted.of(study)
    tables = []
    rows = iter(forms[file.suffix](file, study, origin))
    while batch := list(islice(rows, BATCH)):
        tables.append(table_of(map(partial(_checked, wanted, seen, file), batch), SCHEMA))
    if not tables:
        raise LabError(str(file), "has no lists", "record some")
    table = pa.concat_tables(tables)
    topics = len({topic for _, _, topic, _ in seen})
    return labelled(
        table,
        n=f"{table.num_rows:,} lists, {topics} topics",
        note=f"Sampled elsewhere, read from {file.name}.",
    )


def _checked(wanted: Wanted, seen: set[tuple[Any, ...]], file: Path, row: Row) -> dict[str, Any]:
    """A list's row; what is wrong with it ends the import."""
    template, temperature, topic, sample = row.key

    def wrong(what: str, cure: str) -> NoReturn:
        raise LabError(f"{file}, {row.where}", what, cure)

    for name, value, known in (
        ("template", template, [*wanted.templates]),
        ("topic", topic, wanted.topics),
    ):
        if value not in known:
            wrong(f"unknown {name} {_brief(value)}", nearest(str(value)[:60], known))
    if not isinstance(temperature, float | int) or not 0 <= temperature < 100:
        wrong(f"temperature {_brief(temperature)} is no temperature", "write a number from 0 on")
    if not isinstance(sample, int) or not 0 <= sample < 2**31:
        wrong(f"sample {_brief(sample)} is no number of a list", "count from 0")
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
    stop = pieces.index(wanted.end, start) if wanted.end in pieces[start:] else len(pieces)
    ended = stop < len(pieces)
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
    """Where the model's own tokens begin: behind the prompt, and the prefilled start."""
    pieces = row.pieces
    start = 0
    asked = wanted.templates[row.key[0]].replace("{topic}", row.key[2])
    if wanted.turn_open not in pieces:
        if asked in "".join(pieces):
            what = f"has its prompt in front, but no {wanted.turn_open}"
            wrong(what, "name the study of the model that wrote it")
    else:
        opened = len(pieces) - 1 - pieces[::-1].index(wanted.turn_open)
        if asked not in "".join(pieces[:opened]):
            wrong(f"its prompt is not that of template {row.key[0]}", "name the right template")
        lines = (i for i in range(opened, len(pieces)) if "\n" in pieces[i])
        start = next(lines, len(pieces) - 1) + 1  # the line that names whose turn it is
    if start < len(pieces) and pieces[start].strip() == wanted.prefill.strip():
        start += 1
    return start


def _parquet(file: Path, _study: Study, _origin: Origin) -> Iterator[Row]:
    try:
        opened = pq.ParquetFile(file)
        missing = [name for name in COLUMNS if name not in opened.schema_arrow.names]
        if missing:
            raise LabError(str(file), f"has no column {missing[0]}", f"has to have {COLUMNS}")
        spelled = None
        number = 0
        for batch in opened.iter_batches(BATCH, columns=list(COLUMNS)):
            rows = batch.to_pylist()
            if spelled is None:
                some = (row["tokens"] for row in rows if isinstance(row["tokens"], list))
                texts = chain.from_iterable(some)
                spelled = reader(text for text in texts if isinstance(text, str))
            for row in rows:
                number += 1
                pieces = row["tokens"]
                if isinstance(pieces, list) and {*map(type, pieces)} <= {str}:
                    pieces = [*map(spelled, pieces)]
                yield Row(f"row {number}", tuple(map(row.get, KEY)), row["token_ids"], pieces)
    except (pa.ArrowException, OSError, ValueError) as error:  # or strings that are no UTF-8
        raise LabError(str(file), f"cannot be read: {error}", "record it again") from None


def _lines(file: Path, study: Study, origin: Origin) -> Iterator[Row]:
    tokenizer, prompt = _tokenizer(file, origin), study.prompt
    texts = _texts(tokenizer)
    end = tokenizer.token_to_id(prompt.end)
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                where = f"line {number}"
                row = json.loads(line)
                if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                    raise LabError(f"{file}, {where}", "has no text", 'write {"text": …}')
                if not isinstance(row.get("ended"), bool):
                    what = "does not say whether the list ended"
                    raise LabError(f"{file}, {where}", what, 'write "ended": true or false')
                text = row["text"].removeprefix(prompt.prefill)
                ids = tokenizer.encode(text, add_special_tokens=False).ids
                ids += [end] if row["ended"] and end is not None and end not in ids else []
                yield Row(where, tuple(map(row.get, KEY)), ids, texts(ids), row["ended"])
    except (ValueError, OSError, RecursionError) as error:
        raise LabError(
            str(file), f"cannot be read: {error}", "write a JSON object a line"
        ) from None


def _tensors(file: Path, _study: Study, origin: Origin) -> Iterator[Row]:
    import torch

    tokenizer = _tokenizer(file, origin)
    texts, size = _texts(tokenizer), tokenizer.get_vocab_size()
    if not origin.template or origin.temperature is None:
        cure = "say --template and --temperature"
        raise LabError(str(file), "does not say how its lists were sampled", cure)
    try:
        loaded = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # a stranger's archive fails in many ways
        what = f"cannot be read with weights only: {type(error).__name__}"
        raise LabError(str(file), what, "save a dictionary of tensors") from None
    if not isinstance(loaded, dict):
        raise LabError(str(file), "is no dictionary of tensors", "save topic → token ids")
    for topic, tensor in loaded.items():
        if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2 or tensor.is_floating_point():
            what = f"{_brief(topic)} has no whole numbers of [lists, tokens]"
            raise LabError(str(file), what, "save token ids")
        for sample, ids in enumerate(tensor.tolist()):
            if ids and not 0 <= min(ids) <= max(ids) < size:
                raise LabError(f"{file}, {topic}", "an id is no token", "use its own tokenizer")
            yield Row(
                f"list {sample} of {topic}",
                (origin.template, origin.temperature, topic, sample),
                ids,
                texts(ids),
            )


def _tokenizer(file: Path, origin: Origin) -> Tokenizer:
    from tokenizers import Tokenizer

    if origin.tokenizer is None:
        raise LabError(str(file), "has no texts of tokens", "say --tokenizer TOKENIZER.json")
    try:
        return Tokenizer.from_file(str(origin.tokenizer))
    except Exception as error:  # the library raises Exception itself
        what = f"is no tokenizer: {error}"
        raise LabError(str(origin.tokenizer), what, "use the model's tokenizer.json") from None


def _texts(tokenizer: Tokenizer) -> Callable[[Sequence[int]], list[str]]:
    """What gives each token's text, from how the vocabulary spells it."""
    plain = reader(tokenizer.get_vocab())
    return lambda ids: [plain(tokenizer.id_to_token(i) or "") for i in ids]


def _brief(value: object) -> str:
    return repr(value)[:60]
