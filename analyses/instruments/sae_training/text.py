"""Text to train sparse autoencoders on: what the model itself writes, mostly lists.

Features for lists need lists, on many more topics than the post has, so that what is seen on the
post's topics is not what was learnt by heart: `sae_topics.txt` shares none with it. Lists are asked
for in the study's own wordings and drawn as the study draws them, some of them warmer; a quarter of
the tokens are answers to requests of other kinds (`sae_prompts.txt`), without a prefilled start.

A text is drawn once and kept, in chunks, so that a stopped run goes on; the random numbers belong
to the name of each request, so a text is the same alone and among others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.model import sampling
from analyses.lab.model.sampling import Request
from analyses.lab.model.scores import Text
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import Lab

WARM = 1.0  # temperature of the lists and answers that stray farther
ANSWERS = 4  # to each request that asks for no list, the last of them warm
ABSENT = -1  # fills the rows of a kept chunk


def topics() -> list[str]:
    """What the lists are about."""
    return _lines("sae_topics.txt")


def free_prompts() -> list[str]:
    """Requests that ask for something else."""
    return _lines("sae_prompts.txt")


def plan(lab: Lab) -> list[Request]:
    """All texts to draw: by wording, then by topic, then the other requests."""
    model, prompt = lab.model, lab.study.prompt
    seed, usual = lab.study.seed, lab.study.sampling.temperature
    wordings = [*prompt.templates.items()]
    wordings += [(f"emphatic {name}", text) for name, text in prompt.emphatic.items()]
    drawn = [
        (name, text, temperature)
        for name, text in wordings
        for temperature in ((usual, WARM) if name == "short" else (usual,))
    ]
    requests = [
        Request(
            prompt=prompt_tokens(model, prompt, text, None, topic).ids,
            temperature=temperature,
            name=(seed, "sae", name, temperature, topic),
        )
        for name, text, temperature in drawn
        for topic in topics()
    ]
    free = dataclasses.replace(prompt, prefill="")
    return requests + [
        Request(
            prompt=prompt_tokens(model, free, "{topic}", None, asked).ids,
            temperature=WARM if answer == ANSWERS - 1 else usual,
            name=(seed, "sae", "free", asked, answer),
        )
        for asked in free_prompts()
        for answer in range(ANSWERS)
    ]


def written(lab: Lab, requests: Sequence[Request]) -> Iterator[list[Text]]:
    """The texts of `requests`, chunk by chunk: each prompt and what the model wrote after it."""
    size = lab.study.sampling.batch
    starts = range(0, len(requests), size)
    for start in lab.progress(starts, total=len(starts), label="writing text, chunks"):
        chunk = requests[start : start + size]
        about = [
            "sae text",
            [[list(one.prompt), one.temperature, repr(one.name)] for one in chunk],
            [lab.study.sampling.top_p, lab.study.sampling.max_new_tokens],
        ]
        rows = kept(lab, about, partial(_draw, lab, chunk))
        yield [
            Text(one.prompt, tuple(int(token) for token in row[row != ABSENT]))
            for one, row in zip(chunk, rows, strict=True)
        ]


def _draw(lab: Lab, chunk: Sequence[Request]) -> NDArray[Any]:
    """New tokens [requests, longest], filled up with `ABSENT`."""
    settings = lab.study.sampling
    rows = np.full((len(chunk), settings.max_new_tokens), ABSENT, dtype=np.int32)
    for place, tokens in sampling.sample(
        lab.model.network,
        chunk,
        top_p=settings.top_p,
        max_new_tokens=settings.max_new_tokens,
        stop=lab.model.ends(lab.study.prompt),
        batch=settings.batch,
    ):
        rows[place, : len(tokens)] = tokens
    return rows


def _lines(name: str) -> list[str]:
    return Path(__file__).with_name(name).read_text("utf-8").splitlines()
