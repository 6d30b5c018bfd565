"""Files of lists that were sampled elsewhere, row by row as they have them: see `recorded`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analyses.instruments.recorded.spelling import reader
from analyses.lab.core.errors import LabError
from analyses.lab.core.study import Study

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KEY = ("template", "temperature", "topic", "sample")
COLUMNS = (*KEY, "token_ids", "tokens")
BATCH = 4096
"""Rows that are Python objects at once: a hundred thousand lists would be gigabytes."""


@dataclass(frozen=True)
class Origin:
    """What a file of token ids does not say of itself."""

    tokenizer: Path | None = None
    template: str = ""
    temperature: float | None = None


@dataclass(frozen=True)
class Row:
    """One list as its file has it; `ended` is None where the tokens tell."""

    where: str
    key: tuple[Any, ...]  # template, temperature, topic, sample
    ids: Any
    pieces: Any
    ended: bool | None = None


def rows_of(file: Path, study: Study, origin: Origin) -> Iterator[Row]:
    """The rows of a file, whatever its form.

    Raises LabError where the file is none of lists.
    """
    forms = {".parquet": _parquet, ".jsonl": _lines, ".pt": _tensors}
    if file.suffix not in forms:
        raise LabError(str(file), "is of no known form", f"use one of {', '.join(forms)}")
    yield from forms[file.suffix](file, study, origin)


def brief(value: object) -> str:
    """A value that is told, short enough for a line."""
    return repr(value)[:60]


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
                    pieces = spelled(pieces)
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
                pieces = texts(ids)
                if text != row["text"]:
                    ids, pieces = [0, *ids], [prompt.prefill, *pieces]  # no column of the result
                yield Row(where, tuple(map(row.get, KEY)), ids, pieces, row["ended"])
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
        for sample, ids in enumerate(_ids(file, topic, tensor)):
            if ids and not 0 <= min(ids) <= max(ids) < size:
                raise LabError(f"{file}, {topic}", "an id is no token", "use its own tokenizer")
            yield Row(
                f"list {sample} of {topic}",
                (origin.template, origin.temperature, topic, sample),
                ids,
                texts(ids),
            )


def _ids(file: Path, topic: Any, value: Any) -> list[list[int]]:
    """The token ids of a topic's lists: a tensor of all, or a list of one each, [1, n] or [n]."""
    import torch

    tensors = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(one, torch.Tensor) and not one.is_floating_point() for one in tensors):
        if tensors is not value and value.ndim == 2:
            return [[int(i) for i in row] for row in value.tolist()]
        if all(one.ndim == 1 or (one.ndim == 2 and len(one) == 1) for one in tensors):
            return [[int(i) for i in one.flatten().tolist()] for one in tensors]
    what = f"{brief(topic)} has no whole numbers of [lists, tokens], nor of a list each"
    raise LabError(str(file), what, "save token ids")


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
    return lambda ids: plain([tokenizer.id_to_token(i) or "" for i in ids])
