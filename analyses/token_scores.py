"""Every list token by token: role, probability, entropy, and both proxies of ending.

Each list is scored under the prompt it was sampled with (`clean`) and, for short and long at the
study's temperature, under the other length word with the list kept token by token (`corrupted`).
`probability` is that of the token given what is before it; `entropy` (nats), `varentropy` (nats²)
and the proxies (logit differences of the study's decision) describe the next-token distribution at
temperature 1 *after* the token.

Returns one row a token, prompt included; `position` counts from 0, `k` and `k_end` number the items
from the start and, where the list ended, from the end. Values are rounded to 4 decimals
(probability: 5), which keeps the file small.

Raises LabError when the two prompts differ in more than one token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.lists import KEY, WrittenList, read_lists
from analyses.instruments.prompts import prompt_tokens
from analyses.instruments.roles import Token
from analyses.lab.core.table import labelled
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyses.lab.model.scores import Scoring

DIGITS = {"probability": 5, "entropy": 4, "varentropy": 4, "proxy_a": 4, "proxy_b": 4}
SCHEMA = {
    "template": pa.string(),
    "temperature": pa.float64(),
    "topic": pa.string(),
    "held_out": pa.bool_(),
    "sample": pa.int32(),
    "condition": pa.string(),
    "position": pa.int32(),
    "token": pa.string(),
    "token_id": pa.int32(),
    "role": pa.string(),
    "k": pa.int32(),
    "k_end": pa.int32(),
    "part": pa.string(),
    **dict.fromkeys(DIGITS, pa.float32()),
}


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Score all lists."""
    model, study = lab.model, lab.study
    from analyses.instruments.pairs import OTHER, pair
    from analyses.lab.model.scores import Scoring, Text

    prompt, usual = study.prompt, study.sampling.temperature
    jobs: list[tuple[WrittenList, str, Any]] = []
    for one in read_lists(list_samples, prompt):
        template, topic = one.key["template"], one.key["topic"]
        if template not in OTHER:
            wording = prompt.templates[template]
            jobs.append((one, "clean", prompt_tokens(model, prompt, wording, None, topic)))
            continue
        clean, corrupted = pair(model, prompt, prompt.templates, template, topic)
        jobs.append((one, "clean", clean))
        if one.key["temperature"] == usual:
            jobs.append((one, "corrupted", corrupted))
    proxies = [study.decision.proxy_a, study.decision.proxy_b]
    contrasts = [(model.token(proxy.plus), model.token(proxy.minus)) for proxy in proxies]
    texts = [Text(asked.ids, tuple(one.token_ids)) for one, _, asked in jobs]
    scoring = Scoring(model.network, texts, contrasts)
    found: dict[int, NDArray[np.float32]] = {}
    batches = scoring.batches
    for batch in lab.shared(batches, label="scoring lists, batches"):
        found |= zip(batch, _scored(lab, scoring, batch), strict=True)
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA}
    for place, (one, condition, asked) in enumerate(jobs):
        places = [Token(role) for role in asked.roles[:-1]] + one.roles.tokens
        size = len(places)
        for name in KEY:
            columns[name] += [one.key[name]] * size
        columns["condition"] += [condition] * size
        columns["position"] += range(size)
        columns["token"] += asked.pieces + one.pieces[1:]
        columns["token_id"] += [*asked.ids, *one.token_ids]
        for name in ("role", "k", "k_end", "part"):
            columns[name] += [getattr(token, name) for token in places]
        for (name, digits), column in zip(DIGITS.items(), found[place], strict=True):
            columns[name].append(np.round(column.astype(np.float64), digits))
    for name in DIGITS:
        columns[name] = np.concatenate(columns[name]).astype(np.float32)  # type: ignore[assignment]
    table = pa.table(
        {
            name: pa.array(column, type=SCHEMA[name], from_pandas=name in DIGITS)
            for name, column in columns.items()
        }
    )
    said = ", ".join(f"{proxy.plus!r} − {proxy.minus!r}" for proxy in proxies)
    return labelled(
        table,
        n=f"{len(texts):,} scored lists, {table.num_rows:,} tokens",
        units={
            "entropy": "nats",
            "varentropy": "nats²",
            "proxy_a": "logits",
            "proxy_b": "logits",
        },
        note=f"Proxies: {said}.",
    )


def _scored(lab: Lab, scoring: Scoring, batch: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    """The columns of `DIGITS` of each text of a batch, scored once and kept.

    All prompts count, as the width of the longest shapes the sums of every batch.
    """
    from analyses.lab.runtime.cached_arrays import kept

    def make() -> NDArray[np.float32]:
        rows = [
            [one.probability, one.entropy, one.varentropy, *one.contrasts]
            for one in scoring.score(batch)
        ]
        return np.concatenate(rows, 1)

    texts = [scoring.texts[i] for i in batch]
    about = ["scores", scoring.prompts, [asdict(one) for one in texts], scoring.contrasts]
    found = kept(lab, about, make)
    ends = np.cumsum([len(one.prompt) + len(one.tokens) for one in texts])
    yield from np.split(found, ends[:-1], 1)
