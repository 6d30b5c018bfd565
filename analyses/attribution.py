"""Which features of every layer with an autoencoder make the model end its list.

Each list is cut at the deciding token (`instruments.paired_lists`); one forward and one backward
pass give every feature's effect on a metric there, a · (W_dec · ∂m/∂x), errors kept as constants,
one autoencoder in memory at a time (`lab.saes.attribution`: Marks et al. 2024, arXiv:2403.19647;
Kramár et al. 2024, arXiv:2403.00745). Variants: `logit-difference`, the study's primary proxy, in
logits; `log-prob`, −ln p of the token that the model wrote there, in nats, so that a positive
effect makes it less likely; `cross-layer`, see `instruments.features.links`: the metric is the
pre-activation of a later feature, which stands in `to_site`, `to_layer`, `to_role`, `to_k_end`,
`to_feature`, in its units.

`against` says what a feature's activation is compared with: `zero`, or the same list under the
`corrupted` prompt (attribution patching). Roles are those of `patching`, and `start`: before the
length word. A cell is a feature and a role, its effect the sum over the role's tokens, 0 where it
is silent. Rows by `part`:
- `pair`: a list; `clean` and `corrupted` are the metric under both prompts.
- `feature`: the cells of the largest mean effect of a layer, chosen by `rank` on topics that are
  not held out; `topics` is `other` (those) or `held-out` (where the effect is to be believed).
  `share` is its part of Σ|effect| over all cells of the layer, `activation` its mean (against
  `corrupted`: its mean change), `fires` in how many of the n topics it acts. In `cross-layer`,
  those without `to_feature` are the later features, by their effect on the decision.
- `sum`: `quantity` is features, error, bias (b_dec) or whole (x, or its change, · ∂m/∂x): the
  first three make up the last. Role null: all tokens but the first. Against `zero` the whole is not
  the metric: what comes later divides the stream by its length, so that x · ∂m/∂x is about minus
  what later blocks add. Against `corrupted` it is, to first order, what the prompts differ by.
- `check`: `group` top or random cells that are really ablated in the held-out lists (`measured`,
  the metric as it is − without); `integrated`: by integrated gradients, at one layer.
- `agreement`: `quantity` pearson or slope (measured per estimated) over topics and cells, by
  `method` (`gradient`; `integrated`, one layer), `group` (or `all`) and layer (null: all).
- `integrated`: a held-out list, sums over all features and errors (`estimate` by gradient), and
  what giving the layer the corrupted run's x really changes (`measured`), which integrated
  gradients reach with enough steps.
`estimate`, `low`, `high` are means over topics with 95 % intervals.

Raises LabError when the study has no SAEs, or one of them cannot be had or does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analyses.lab.core import statistics
from analyses.lab.core.table import labelled, table_of
from analyses.lab.runtime.lab import Lab

if TYPE_CHECKING:
    from analyses.instruments.features.cells import Cells
    from analyses.instruments.features.checks import Checked
    from analyses.instruments.features.decisions import Decision

VARIANTS = ("logit-difference", "log-prob", "cross-layer")
TEMPLATES = ("short", "long")
TOP = 50  # cells of a layer, template and comparison
CHECKED = 12  # of them that are ablated, and as many random ones
TARGETS = 3  # later features of a layer whose causes are looked for
CAUSES = 12  # cells of an earlier layer that are shown for each
TESTED = 4  # of them that are ablated, and as many random ones
PLACE = {"layer": pa.int32(), "role": pa.string(), "k_end": pa.int32(), "feature": pa.int32()}
SCHEMA = {
    **dict.fromkeys(("part", "template", "against", "topics", "topic", "site"), pa.string()),
    **PLACE,
    **{"to_site": pa.string()},
    **{f"to_{name}": kind for name, kind in PLACE.items()},
    **dict.fromkeys(("group", "quantity", "method"), pa.string()),
    **{"rank": pa.int32(), "held_out": pa.bool_(), "sample": pa.int32()},
    **dict.fromkeys(("estimate", "low", "high", "activation", "share"), pa.float32()),
    **dict.fromkeys(("measured", "integrated", "clean", "corrupted"), pa.float32()),
    **{"fires": pa.int32(), "n": pa.int32()},
}
BOUNDS, SIZES = ("estimate", "low", "high"), ("activation", "share")
UNITS = {"logit-difference": "logits", "log-prob": "nats", "cross-layer": "activation"}
Row = dict[str, Any]


def run(lab: Lab, list_samples: pa.Table, *, variant: str) -> pa.Table:
    """Attribute the decision, or later features, to the features of every SAE of the study."""
    _ = lab.model
    from analyses.instruments.features.decisions import decisions
    from analyses.instruments.lists import read_lists
    from analyses.lab.saes.saes import open_saes

    # Each is opened once before the long passes: what is wrong with them is said at the start.
    places = [(sae.site, sae.layer) for sae in open_saes(lab)]
    lists = read_lists(list_samples, lab.study.prompt)
    cross = variant == "cross-layer"
    found = {
        template: decisions(lab, lists, template, places, log_prob=variant == "log-prob")
        for template in TEMPLATES[: 1 if cross else 2]
    }
    rows = [row for ones in found.values() for row in _pair_rows(ones)]
    rows += _cross(lab, found["short"]) if cross else _decision(lab, found, places)
    return _labelled(lab, variant, rows)


def _decision(
    lab: Lab, found: Mapping[str, Sequence[Decision]], places: Sequence[tuple[str, int]]
) -> Iterator[Row]:
    """Every autoencoder's part in the decision."""
    from analyses.instruments.features.checks import check, integrals
    from analyses.instruments.features.decisions import AGAINST, cells_of
    from analyses.lab.saes.saes import open_saes

    checked: list[Checked] = []
    # Where most of the network is still to come, a gradient is most likely to mislead.
    farthest = min(places, key=lambda place: place[1])
    held_out = [one for one in found[TEMPLATES[0]] if one.paired.held_out]
    for sae in lab.progress(open_saes(lab), total=len(places), label="autoencoders"):
        for template, against in product(TEMPLATES, AGAINST):
            of = {"template": template, "against": against, "site": sae.site, "layer": sae.layer}
            cells = cells_of(sae, found[template], against)
            top = cells.strongest(TOP)
            rows = [*_feature_rows(cells, top), *_sum_rows(cells)]
            if template == TEMPLATES[0]:
                whole = against == "corrupted" and (sae.site, sae.layer) == farthest
                lines = integrals(lab, sae, held_out) if whole else []
                groups = _groups(lab, cells, top, CHECKED)
                done = check(lab, sae, held_out, groups, against, lines)
                checked += done
                rows += [row for one in done for row in _check_rows(cells, one)]
                topics = [one.paired.topic for one in held_out]
                for topic, line in zip(topics, lines, strict=bool(lines)):
                    rows.append({"part": "integrated", "topic": topic, **line.sums, "n": 1})
            yield from ({**of, **row} for row in rows)
    for against in AGAINST:
        ones = [one for one in checked if one.against == against]
        of = {"template": TEMPLATES[0], "against": against}
        yield from ({**of, **row} for row in _agreement_rows(ones))


def _cross(lab: Lab, found: Sequence[Decision]) -> Iterator[Row]:
    """Every earlier autoencoder's part in the strongest features of each later one."""
    from analyses.instruments.features.checks import check
    from analyses.instruments.features.decisions import cells_of
    from analyses.instruments.features.links import links

    checked: dict[tuple[str, int], list[Checked]] = {}
    shown: set[tuple[str, int]] = set()
    all_of = {"template": TEMPLATES[0], "against": "zero"}
    for sae, targets in links(lab, found, TARGETS):
        for target in targets:
            to = {"to_site": target.place[0], "to_layer": target.place[1]}
            if target.place not in shown:
                shown.add(target.place)
                keys = [one.key for one in targets]
                at = {**all_of, "site": target.place[0], "layer": target.place[1]}
                yield from ({**at, **row} for row in _feature_rows(target.cells, keys))
            of = {**all_of, "site": sae.site, "layer": sae.layer, **to}
            of |= _cell(target.cells, target.key, "to_")
            cells = cells_of(sae, target.decisions, "zero")
            top = cells.strongest(CAUSES)
            held_out = [one for one in target.decisions if one.paired.held_out]
            done = check(lab, sae, held_out, _groups(lab, cells, top, TESTED), "zero")
            checked.setdefault(target.place, []).extend(done)
            rows = [*_feature_rows(cells, top), *_sum_rows(cells, by_role=False)]
            rows += [row for one in done for row in _check_rows(cells, one)]
            yield from ({**of, **row} for row in rows)
    for (site, layer), ones in checked.items():
        of = {**all_of, "to_site": site, "to_layer": layer}
        yield from ({**of, **row} for row in _agreement_rows(ones))


def _groups(lab: Lab, cells: Cells, top: Sequence[int], count: int) -> dict[str, list[int]]:
    """The first of the top cells, and as many that fire, drawn by chance."""
    seed = lab.study.bootstrap.seed
    return {"top": list(top[:count]), "random": cells.drawn(count, leave=top, seed=seed)}


def _pair_rows(found: Sequence[Decision]) -> Iterator[Row]:
    for one in found:
        names = ("template", "topic", "held_out", "sample")
        sides = {"clean": one.trace, "corrupted": one.other}
        metrics = {name: side and side.metric for name, side in sides.items()}
        yield {**{name: getattr(one.paired, name) for name in names}, **metrics, "part": "pair"}


def _cell(cells: Cells, key: int, prefix: str = "") -> Row:
    role, k_end = cells.role(key)
    named = {"role": role, "k_end": k_end, "feature": key % cells.width}
    return {prefix + name: value for name, value in named.items()}


def _feature_rows(cells: Cells, keys: Sequence[int]) -> Iterator[Row]:
    for topics in ("other", "held-out"):
        if not keys or not cells.rows(topics):
            continue
        found = cells.means(keys, topics)
        for i, key in enumerate(keys):
            yield {
                **{"part": "feature", "topics": topics, "rank": i + 1, **_cell(cells, key)},
                **{name: float(getattr(found, name)[i]) for name in (*BOUNDS, *SIZES)},
                **{"fires": int(found.fires[i]), "n": found.n},
            }


def _sum_rows(cells: Cells, *, by_role: bool = True) -> Iterator[Row]:
    from analyses.instruments.features.cells import PARTS, ROLES

    bounds = cells.sums()
    at = {"part": "sum", "topics": "all", "n": len(cells.pairs)}
    for part, quantity in enumerate(PARTS):
        for number, (role, k_end) in enumerate([*ROLES, (None, None)]):
            if by_role or role is None:
                found = (float(values[part, number]) for values in bounds)
                values = dict(zip(BOUNDS, found, strict=True))
                yield {**at, "quantity": quantity, "role": role, "k_end": k_end, **values}


def _check_rows(cells: Cells, one: Checked) -> Iterator[Row]:
    """Means over the held-out lists of what was estimated and what was measured."""
    for i, key in enumerate(one.keys):
        yield {
            **{"part": "check", "topics": "held-out", "group": one.group, **_cell(cells, key)},
            **{"estimate": one.gradient[:, i].mean(), "measured": one.measured[:, i].mean()},
            "integrated": None if one.integrated is None else one.integrated[:, i].mean(),
            **{"fires": int((one.gradient[:, i] != 0).sum()), "n": len(one.gradient)},
        }


def _agreement_rows(checked: Sequence[Checked]) -> Iterator[Row]:
    """Over all layers and for each."""
    from analyses.instruments.features.checks import agreements

    for place in (None, *dict.fromkeys(one.place for one in checked)):
        site, layer = place or (None, None)
        ones = [one for one in checked if place in (None, one.place)]
        at = {"part": "agreement", "topics": "held-out", "site": site, "layer": layer}
        for which, n, value in agreements(ones):
            if place is None and which["method"] == "integrated":
                continue  # one layer only, which has a row of its own
            bounds = dict(zip(BOUNDS, (value.value, value.low, value.high), strict=True))
            yield {**at, **which, **bounds, "n": n}


def _labelled(lab: Lab, variant: str, rows: Sequence[Row]) -> pa.Table:
    pairs = [row for row in rows if row["part"] == "pair"]
    proxy = getattr(lab.study.decision, lab.study.decision.primary)
    explained = {
        "logit-difference": f"logit({proxy.plus!r}) − logit({proxy.minus!r}) at the deciding token",
        "log-prob": "−ln p of the token that the model wrote at the deciding place",
        "cross-layer": f"the pre-activations of the {TARGETS} strongest features of each layer",
    }[variant]
    return labelled(
        table_of(rows, SCHEMA),
        n=f"{len(pairs)} lists, {len({row['topic'] for row in pairs})} topics",
        interval=statistics.said("topics"),
        units={
            "estimate": UNITS[variant],
            "measured": UNITS[variant],
            "integrated": UNITS[variant],
        },
        note=f"Explained: {explained}. Features are chosen on topics that are not held out; the "
        "first position is not counted.",
    )
