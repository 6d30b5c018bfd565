"""What it takes to ask the model again: prompts, tokens, settings, and the lists to compare with.

A reader's browser can run the model. To ask it as the study did, it needs what stands around a
topic in each prompt, chat template and prefill included; the ids of the tokens by which lists are
read (`analyses.instruments.roles`: hyphen, breaks, blanks, ends, and both sides of the primary
proxy); how lists were drawn; and the lists as they were drawn, each with the key of its random
numbers (`analyses.lab.model.sampling.uniforms`).

Part `prompt`, one row per template: before, after. Part `tokens`: ids, by name. Part `setting`:
value, by name. Part `list`, one row per list of the study's temperature that is not malformed:
template, topic, sample, ended, key (hexadecimal), ids (new tokens). Part `mean`, from `ending`:
P(end) at item k of the lists of a template, by prompt, with its interval.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from analyses.instruments.lists import read_lists
from analyses.lab.core import statistics
from analyses.lab.core.study import Study
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.lab.model.model import Model

TOPIC = "{topic}"
SCHEMA = {
    "part": pa.string(),
    "name": pa.string(),
    **dict.fromkeys(("before", "after"), pa.string()),
    "ids": pa.list_(pa.int32()),
    "value": pa.float64(),
    **dict.fromkeys(("template", "topic"), pa.string()),
    "sample": pa.int32(),
    "ended": pa.bool_(),
    "key": pa.string(),
    "k": pa.int32(),
    "prompt": pa.string(),
    **dict.fromkeys(("estimate", "low", "high"), pa.float32()),
}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, ending: pa.Table) -> pa.Table:
    """Gather it; of the model only the tokenizer is asked."""
    model, study = lab.model, lab.study
    lists = [*_lists(study, list_samples)]
    rows = [*_prompts(model, study), *_tokens(model, study), *_settings(study), *lists]
    columns = ("template", "prompt", "k", "estimate", "low", "high")
    for row in ending.filter(pc.field("place") == "item").to_pylist():
        rows.append({"part": "mean", **{name: row[name] for name in columns}})
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(lists):,} lists, {len(study.topics.names)} topics",
        interval=statistics.said("topics"),
        units=dict.fromkeys(("estimate", "low", "high"), "probability"),
        note=f"Lists of temperature {study.sampling.temperature:g}; malformed ones are left out.",
    )


def _prompts(model: Model, study: Study) -> Iterator[Row]:
    """What stands before and after a topic, as the model reads it."""
    for name, wording in study.prompt.templates.items():
        text = model.chat(wording).text + study.prompt.prefill
        before, after = text.split(TOPIC)
        yield {"part": "prompt", "name": name, "before": before, "after": after}


def _tokens(model: Model, study: Study) -> Iterator[Row]:
    """The ids by which a list is read."""
    primary = getattr(study.decision, study.decision.primary)
    texts = {id: model.piece(id) for id in range(len(model.tokenizer))}
    white = [(id, text) for id, text in texts.items() if text and not text.strip()]
    found = {
        "plus": [model.token(primary.plus)],
        "minus": [model.token(primary.minus)],
        "breaks": [id for id, text in white if "\n" in text],
        "blanks": [id for id, text in white if "\n" not in text],
        "hyphen": [model.token(study.prompt.hyphen)],
        "ends": model.ends(study.prompt),
    }
    for name, ids in found.items():
        yield {"part": "tokens", "name": name, "ids": ids}


def _settings(study: Study) -> Iterator[Row]:
    sampling = study.sampling
    for name in ("temperature", "top_p", "max_new_tokens"):
        yield {"part": "setting", "name": name, "value": getattr(sampling, name)}


def _lists(study: Study, list_samples: pa.Table) -> Iterator[Row]:
    usual = list_samples.filter(pc.field("temperature") == study.sampling.temperature)
    for one in read_lists(usual, study.prompt):
        if one.malformed:
            continue
        template, topic, sample = (one.key[name] for name in ("template", "topic", "sample"))
        # The name under which `list_samples` draws a list.
        name = (study.seed, template, study.sampling.temperature, topic, sample)
        digest = hashlib.blake2b(repr(name).encode(), digest_size=16).digest()
        yield {
            **{"part": "list", "template": template, "topic": topic, "sample": sample},
            **{"ended": one.roles.ended, "ids": one.token_ids},
            "key": f"{int.from_bytes(digest, 'little'):032x}",
        }
