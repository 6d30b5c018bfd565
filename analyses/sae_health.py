"""How much of the stream the sparse autoencoders keep, on the post's own lists and on other text.

Each text is run twice: as it is, and with what stands at the SAE's place replaced by what its
features make of it, at every position but the first (`lab.saes.splice`, error left out). Lists are
those of the study's own temperature, short and long, `LISTS` a topic. Groups: lists on `held-out`
topics, on `other` topics, and `training` text, of the kind that the study's own SAEs are trained on
(its topics are not the post's). Places are the positions before each `written` token and, of lists,
the `deciding` ones: where they could have ended, as the study says of its primary proxy.

One row a SAE × group × places × quantity:
- `variance_explained`: 1 − Σ|x − x̂|² / Σ|x − mean|², mean over the group's positions;
- `features`: that fire at a position, the mean (L0); `dead`: share of features that fire at none;
- `loss`: −ln p of the token that follows, the model as it is; `loss_change`: through the SAE, minus
  that (spliced ΔCE, Bricken et al. 2023); nats;
- `contrast_change`, `contrast_distance`: the primary proxy through the SAE minus the model's own,
  the mean of it and of its absolute value; logits; deciding places only.
Columns: site, layer, width (features of the SAE), group, places, quantity, estimate, low, high
(over topics; over texts for training text; none for `dead`), n (positions).

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import deciding_places
from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core import statistics
from analyses.lab.core.statistics import Floats
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.lab.model.scores import Text
    from analyses.lab.saes.reconstruction import Expected, Rebuilt

LISTS = 1  # a topic and template
EVERY = 50  # one of so many texts of the training plan
SCHEMA = {
    **{"site": pa.string(), "layer": pa.int32(), "width": pa.int32()},
    **dict.fromkeys(("group", "places", "quantity"), pa.string()),
    **dict.fromkeys(("estimate", "low", "high"), pa.float64()),
    "n": pa.int32(),
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Passage:
    """A text of a group; `topic` is the unit that intervals resample."""

    group: str
    topic: str
    text: Text
    deciding: tuple[int, ...]  # which of its tokens were written where the list could have ended


def run(lab: Lab, list_samples: pa.Table) -> pa.Table:
    """Splice every SAE of the study into the runs on its lists and on other text."""
    model, study = lab.model, lab.study
    from analyses.lab.saes import reconstruction
    from analyses.lab.saes.saes import open_saes

    primary = getattr(study.decision, study.decision.primary)
    contrast = (model.token(primary.plus), model.token(primary.minus))
    passages = [*_lists(lab, list_samples, primary.at), *_training(lab)]
    texts = [one.text for one in passages]
    own: dict[int, Expected] = {}
    rows: list[Row] = []
    for sae in open_saes(lab):
        if not own:  # once for all SAEs, and not when there are none
            found = reconstruction.expect(model.network, texts, contrast)
            own = dict(lab.progress(found, total=len(texts), label="reading texts"))
        rebuilt = reconstruction.rebuild(model.network, sae, texts, contrast)
        label = f"reading texts through {sae.name}"
        sums = _Sums(passages, sae.width)
        for i, one in lab.progress(rebuilt, total=len(texts), label=label):
            sums.add(i, own[i], one)
        about = {"site": sae.site, "layer": sae.layer, "width": sae.width}
        rows += [{**about, **row} for row in sums.rows()]
    counts = {name: sum(one.group == name for one in passages) for name in _groups(passages)}
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(passages)} texts ({said})",
        interval=statistics.said("topics"),
        units={"estimate": "nats for losses, logits for contrasts"},
        note=f"Contrast: {primary.plus!r} − {primary.minus!r}. First positions are not counted.",
    )


def _lists(lab: Lab, list_samples: pa.Table, at: str) -> Iterator[Passage]:
    """The first well-formed lists of each topic, short and long, capped ones included."""
    from analyses.lab.model.scores import Text

    prompt, usual = lab.study.prompt, lab.study.sampling.temperature
    taken: dict[tuple[str, str], int] = {}
    for one in read_lists(list_samples, prompt):
        template, topic = one.key["template"], one.key["topic"]
        key = (template, topic)
        wanted = template in ("short", "long") and one.key["temperature"] == usual
        if not wanted or one.malformed or taken.get(key, 0) == LISTS:
            continue
        taken[key] = taken.get(key, 0) + 1
        asked = prompt_tokens(lab.model, prompt, prompt.templates[template], None, topic)
        # Place i among the list's roles, hyphen included, is before its written token i.
        places = deciding_places(one.roles.tokens, at).values()
        deciding = tuple(i for i in places if i < len(one.token_ids))
        group = "held-out" if one.key["held_out"] else "other"
        yield Passage(group, topic, Text(asked.ids, tuple(one.token_ids)), deciding)


def _training(lab: Lab) -> Iterator[Passage]:
    """Some texts of the plan, the same ones whenever they are drawn."""
    from analyses.instruments.sae_training import text as sae_text

    chunks = sae_text.written(lab, sae_text.plan(lab)[::EVERY])
    for i, text in enumerate(text for chunk in chunks for text in chunk):
        yield Passage("training", str(i), text, ())


def _groups(passages: Sequence[Passage]) -> list[str]:
    return list(dict.fromkeys(one.group for one in passages))


class _Sums:
    """Sums by topic, for each group and its places."""

    def __init__(self, passages: Sequence[Passage], width: int) -> None:
        self.passages = passages
        self.topics: dict[str, list[str]] = {
            group: list(dict.fromkeys(one.topic for one in passages if one.group == group))
            for group in _groups(passages)
        }
        self.width = width
        self.sums: dict[tuple[str, str], dict[str, Floats]] = {}
        self.alive: dict[tuple[str, str], NDArray[np.bool_]] = {}

    def add(self, i: int, own: Expected, found: Rebuilt) -> None:
        """Add one text."""
        one = self.passages[i]
        change = found.expected.contrast - own.contrast
        by_token = {
            "n": np.ones(len(own.loss)),
            "stream": found.stream,
            "square": (found.stream.astype(np.float64) ** 2).sum(1),
            "missed": found.missed,
            "features": found.fired.sum(1),
            "loss": own.loss,
            "loss_change": found.expected.loss - own.loss,
            "contrast_change": change,
            "contrast_distance": np.abs(change),
        }
        everywhere = list(range(len(own.loss)))
        for places, chosen in (("written", everywhere), ("deciding", list(one.deciding))):
            key = (one.group, places)
            if not chosen:
                continue
            sums = self.sums.setdefault(key, {})
            count, row = len(self.topics[one.group]), self.topics[one.group].index(one.topic)
            for name, values in by_token.items():
                total = sums.setdefault(name, np.zeros((count, *values.shape[1:])))
                total[row] += values[chosen].sum(0, dtype=np.float64)
            alive = self.alive.setdefault(key, np.zeros(self.width, dtype=bool))
            alive |= found.fired[chosen].any(0)

    def rows(self) -> Iterator[Row]:
        """All quantities, with intervals."""
        for (group, places), sums in self.sums.items():
            about = {"group": group, "places": places, "n": int(sums["n"].sum())}
            lost = statistics.ratio(sums["missed"], _spread(sums))
            value, low, high = (1 - float(part) for part in (lost[0], lost[2], lost[1]))
            yield {**about, "quantity": "variance_explained", **_bounds(value, low, high)}
            names = ["features", "loss", "loss_change"]
            names += ["contrast_change", "contrast_distance"] * (places == "deciding")
            for name in names:
                found = statistics.ratio(sums[name], sums["n"])
                yield {**about, "quantity": name, **_bounds(*map(float, found))}
            dead = 1 - float(self.alive[group, places].mean())
            yield {**about, "quantity": "dead", "estimate": dead}


def _spread(sums: Mapping[str, Floats]) -> Floats:
    """Σ|x − mean|² by topic, the mean being that of all positions of the group."""
    mean = sums["stream"].sum(0) / sums["n"].sum()
    spread: Floats = sums["square"] - 2 * sums["stream"] @ mean + sums["n"] * (mean @ mean)
    return spread


def _bounds(value: float, low: float, high: float) -> Row:
    return {"estimate": value, "low": low, "high": high}
