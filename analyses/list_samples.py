"""The lists: what the model writes when it is asked for a list.

Every topic × template at the study's temperature, and the sweep of temperatures for one template,
with temperature then top-p as in Hugging Face's `generate`. The model's turn is prefilled with a
hyphen. A list ends when the model ends its turn, or is cut at the token budget: then it is capped,
kept, and counted as censored.

Returns one row a list: template, temperature, topic, held_out, sample, token_ids (new tokens only),
tokens (their texts), text (prefill included), new_tokens, ended.

Raises LabError when the study's tokens are not tokens of its model.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from analyses.lab.model.sampling import Draws

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


def run(lab: Lab) -> pa.Table:
    """Sample all lists of the study."""
    model, study = lab.model, lab.study
    from analyses.lab.model.sampling import Draws, Request

    prompt, settings = study.prompt, study.sampling
    sweep, held_out = settings.sweep, set(study.topics.held_out)
    plan = [(template, settings.temperature, settings.lists) for template in prompt.templates]
    plan += [(sweep.template, temperature, sweep.lists) for temperature in sweep.temperatures]
    rows: list[dict[str, Any]] = [
        {"template": template, "temperature": temperature, "topic": topic, "sample": sample}
        for template, temperature, lists in plan
        for topic in study.topics.names
        for sample in range(lists)
    ]
    requests = [
        Request(
            prompt=prompt_tokens(
                model, prompt, prompt.templates[row["template"]], None, row["topic"]
            ).ids,
            temperature=row["temperature"],
            name=(study.seed, row["template"], row["temperature"], row["topic"], row["sample"]),
        )
        for row in rows
    ]
    ends = model.ends(prompt)
    draws = Draws(
        model.network,
        requests,
        top_p=settings.top_p,
        max_new_tokens=settings.max_new_tokens,
        stop=ends,
        batch=settings.batch,
    )
    for batch in lab.shared(draws.batches, label="batches of lists"):
        for place, ids in zip(batch, _drawn(lab, draws, batch), strict=True):
            ended = ids[-1] in ends
            pieces = model.pieces(ids, after=requests[place].prompt)
            rows[place] |= {
                "held_out": rows[place]["topic"] in held_out,
                "token_ids": ids,
                "tokens": pieces,
                "text": prompt.prefill + "".join(pieces[:-1] if ended else pieces),
                "new_tokens": len(ids),
                "ended": ended,
            }
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(rows):,} lists, {len(study.topics.names)} topics",
        note=f"Cut at {settings.max_new_tokens} new tokens; top-p {settings.top_p:g}.",
    )


def _drawn(lab: Lab, draws: Draws, batch: range) -> list[list[int]]:
    """The new tokens of a batch, drawn once and kept.

    All requests count, as the width of the longest prompt shapes the sums of every batch.
    """
    from analyses.lab.runtime.cached_arrays import kept

    def make() -> NDArray[np.int32]:
        rows = np.full((len(batch), draws.max_new_tokens), -1, np.int32)
        label = f"lists {batch.start + 1:,} to {batch.stop:,} of {len(draws.requests):,}"
        for place, ids in lab.progress(draws.draw(batch), total=len(batch), label=label):
            rows[place - batch.start, : len(ids)] = ids
        return rows

    requests = [asdict(one) for one in draws.requests]
    settings = [draws.top_p, draws.max_new_tokens, draws.stop]
    about = ["lists", requests, batch.start, batch.stop, settings]
    found = kept(lab, about, make)
    return [[int(token) for token in row if token >= 0] for row in found]


def read_external(
    lab: Lab,
    file: Path,
    *,
    tokenizer: Path | None = None,
    template: str = "",
    temperature: float | None = None,
) -> pa.Table:
    """Read lists that were sampled elsewhere, so that what needs no model is shown for them.

    FILE is Parquet (template, temperature, topic, sample, token_ids, tokens), JSON lines
    ({"template", "temperature", "topic", "sample", "text", "ended"}) or PyTorch (topic to tensor
    of token ids).

    Args:
        lab: its study says which lists there are.
        file: the lists.
        tokenizer: The model's tokenizer.json, for files without texts.
        template: The wording of all lists, for files of tensors.
        temperature: Their temperature, for files of tensors.
    """
    from analyses.instruments.recorded.files import Origin
    from analyses.instruments.recorded.lists import read

    return read(file, lab.study, Origin(tokenizer, template, temperature))
