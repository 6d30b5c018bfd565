"""Results about autoencoders made by hand, with the columns of their measurements."""

from itertools import product

import numpy as np
import pyarrow as pa

from tests.figures.tables import ROLES, TOPICS, _wave

LAYERS = (6, 12, 18, 22, 26, 28)


def _bounds(estimate: float, width: float = 0.1) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - width, "high": estimate + width}


def sae_health(losses: tuple[float, ...] = (0.1, 0.38), gap: float = 0.01) -> pa.Table:
    """One autoencoder a loss; the last explains `gap` less of lists than of training text."""
    rows = []
    for number, loss in enumerate(losses):
        of = {"site": "resid_post", "layer": LAYERS[number], "width": 2304}
        apart = gap if number == len(losses) - 1 else 0.0
        for group, places in product(("held-out", "other", "training"), ("written", "deciding")):
            if (group, places) == ("training", "deciding"):
                continue
            kept = 0.95 if group == "training" else 0.95 - apart
            values = {
                "variance_explained": kept, "features": 64.0, "loss": 1.1, "loss_change": loss,
                **({"contrast_change": -0.001, "contrast_distance": 0.4}
                   if places == "deciding" else {}),
            }  # fmt: skip
            for quantity, value in values.items():
                rows.append({**of, "group": group, "places": places, "quantity": quantity,
                             **_bounds(value, 0.02), "n": 500})  # fmt: skip
            rows.append({**of, "group": group, "places": places, "quantity": "dead",
                         "estimate": 0.004, "low": None, "high": None, "n": 500})  # fmt: skip
    return pa.Table.from_pylist(rows)


CELL = (("layer", pa.int32()), ("role", pa.string()), ("k_end", pa.int32()),
        ("feature", pa.int32()))  # fmt: skip
ATTRIBUTION = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "template", "against", "topics", "topic")),
        ("site", pa.string()), *CELL, ("to_site", pa.string()),
        *((f"to_{name}", kind) for name, kind in CELL),
        *((name, pa.string()) for name in ("group", "quantity", "method")),
        *((name, pa.int32()) for name in ("rank", "sample", "fires", "n")),
        ("held_out", pa.bool_()),
        *((name, pa.float32()) for name in ("estimate", "low", "high", "activation", "share")),
        *((name, pa.float32()) for name in ("measured", "integrated", "clean", "corrupted")),
    ]
)  # fmt: skip
PARTS = ("features", "error", "bias", "whole")
SITE = "resid_post"


def attribution(
    variant: str = "logit-difference", layers: int = 6, top: int = 50, roles: int = 20,
    checked: int = 12,
) -> pa.Table:  # fmt: skip
    """Features that decide; at layer 26 they carry most, at the first layer the error does."""
    if variant == "cross-layer":
        return _cross_layer(layers, top, checked)
    rows: list[dict] = []
    named = (("start", None), *ROLES[: roles - 2], ROLES[-1])
    for (template, against), (place, layer) in product(
        product(("short", "long"), ("zero", "corrupted")), enumerate(LAYERS[:layers])
    ):
        of = {"template": template, "against": against, "site": SITE, "layer": layer}
        for rank, topics in product(range(1, top + 1), ("other", "held-out")):
            role, k_end = named[-1 - (rank * 7 + place) % min(4, len(named))]
            effect = (-1) ** (rank % 3) * (1 + place) / (4 * rank)
            rows.append({
                **of, "part": "feature", "topics": topics, "rank": rank, "role": role,
                "k_end": k_end, "feature": 31 * rank + layer,
                **_bounds(effect * (0.8 if topics == "held-out" else 1)), "share": 0.3 / rank,
                "activation": 2.0, "fires": 7, "n": 8 if topics == "held-out" else 15,
            })  # fmt: skip
        for number, quantity in enumerate(PARTS):
            sizes = [
                (_wave(place, at, number) - 0.4) * (1 + place) / (2 if at else 1)
                for at in range(len(named))
            ]
            for (role, k_end), value in zip(
                (*named, (None, None)), (*sizes, sum(sizes)), strict=True
            ):
                rows.append({**of, "part": "sum", "topics": "all", "quantity": quantity,
                             "role": role, "k_end": k_end, **_bounds(value), "n": 23})  # fmt: skip
        if template == "short":
            rows += _checks(of, checked, integrated=place == 0 and against == "corrupted")
            if place == 0 and against == "corrupted":
                rows += [
                    {**of, "part": "integrated", "topic": topic, "estimate": 1.3 * number,
                     "integrated": 1.02 * number, "measured": float(number), "n": 1}
                    for number, topic in enumerate(TOPICS[:8])
                ]  # fmt: skip
    for against in ("zero", "corrupted"):
        of = {"template": "short", "against": against}
        for layer in (None, *LAYERS[:layers]):
            methods = ["gradient"] + ["integrated"] * (against == "corrupted" and layer == 6)
            rows += _agreement({**of, "site": layer and SITE, "layer": layer}, methods)
    return pa.Table.from_pylist(rows, schema=ATTRIBUTION)


def _checks(of: dict, checked: int, *, integrated: bool = False) -> list[dict]:
    rows = []
    for group, number in product(("top", "random"), range(checked)):
        measured = _wave(number, of["layer"]) * (1.5 if group == "top" else 0.1)
        rows.append({
            **of, "part": "check", "topics": "held-out", "group": group, "role": "deciding",
            "k_end": -1, "feature": number, "estimate": measured * 0.9, "measured": measured,
            "integrated": measured if integrated else None, "fires": 6, "n": 8,
        })  # fmt: skip
    return rows


def _agreement(of: dict, methods: list[str]) -> list[dict]:
    return [
        {**of, "part": "agreement", "topics": "held-out", "group": group, "method": method,
         "quantity": quantity, "n": 90,
         **_bounds({"random": 0.3}.get(group, 0.8 if method == "gradient" else 0.98), 0.05)}
        for method, group, quantity in product(
            methods, ("all", "top", "random"), ("pearson", "slope")
        )
    ]  # fmt: skip


def _cross_layer(layers: int, top: int, checked: int) -> pa.Table:
    """Two later features a layer, each with its causes in all earlier ones."""
    rows: list[dict] = []
    all_of = {"template": "short", "against": "zero"}
    for later, number in product(range(1, layers), range(2)):
        to = {
            "to_site": SITE, "to_layer": LAYERS[later], "to_role": "deciding", "to_k_end": -1,
            "to_feature": 100 + number,
        }  # fmt: skip
        at = {**all_of, "site": SITE, "layer": LAYERS[later], "role": "deciding", "k_end": -1}
        rows += [
            {**at, "part": "feature", "topics": topics, "rank": number + 1,
             "feature": 100 + number, **_bounds(1.0), "share": 0.2, "fires": 8, "n": 8}
            for topics in ("other", "held-out")
        ]  # fmt: skip
        for place in range(later):
            of = {**all_of, "site": SITE, "layer": LAYERS[place], **to}
            for rank, topics in product(range(1, min(top, 12) + 1), ("other", "held-out")):
                role, k_end = ROLES[-1 - rank % 3]
                rows.append({
                    **of, "part": "feature", "topics": topics, "rank": rank, "role": role,
                    "k_end": k_end, "feature": 17 * rank + place,
                    **_bounds((1 + place) * (-1) ** rank / rank), "share": 0.2 / rank,
                    "fires": 7, "n": 8,
                })  # fmt: skip
            for index, quantity in enumerate(PARTS):
                value = 2 * _wave(place, later, index) - 0.7
                rows.append({**of, "part": "sum", "topics": "all", "quantity": quantity,
                             **_bounds(value), "n": 23})  # fmt: skip
            rows += _checks(of, checked // 3)
    for later in range(1, layers):
        to = {"to_site": SITE, "to_layer": LAYERS[later]}
        for place in (None, *LAYERS[:later]):
            rows += _agreement({**all_of, **to, "site": place and SITE, "layer": place},
                               ["gradient"])  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ATTRIBUTION)


ABLATION = pa.schema(
    [
        *((name, pa.string()) for name in ("start", "method", "edit", "place", "site")),
        ("layer", pa.int32()), ("features", pa.int32()), ("size", pa.float64()),
        ("topics", pa.string()),
        ("topic", pa.string()), ("held_out", pa.bool_()), ("quantity", pa.string()),
        ("items", pa.int32()),
        *((name, pa.float64()) for name in ("estimate", "low", "high", "change", "change_low")),
        *((name, pa.float64()) for name in ("change_high", "beyond", "beyond_low", "beyond_high")),
        *((name, pa.float64()) for name in ("word", "word_low", "word_high", "detectable")),
        ("against", pa.string()), ("against_layer", pa.int32()),
        *((name, pa.int32()) for name in ("n", "at_risk", "capped")),
    ]
)  # fmt: skip
STARTS = ("prompt", "list minus last item")


def conditions(layers: int = 6) -> list[dict]:
    """The conditions of both starts; `longer` is how many items longer lists get."""
    found = []

    def add(start: str, method: str, longer: float, edit: str | None = None,
            place: str | None = None, layer: int | None = None, features: int = 0) -> None:  # fmt: skip
        site = None if layer is None else SITE
        found.append({"start": start, "method": method, "edit": edit, "place": place, "site": site,
                      "layer": layer, "features": features, "size": 3.0 * features,
                      "longer": longer})  # fmt: skip

    for start in STARTS:
        add(start, "base", 0.0)
        if start == "prompt":
            add(start, "other seeds", 0.2)
        add(start, "long prompt", 5.0)
        add(start, "logit bias", 2.0, place="deciding")
        for place, layer in enumerate(LAYERS[:layers]):
            add(start, "steering", 0.5 * place, place="deciding", layer=layer)
            add(start, "top", 0.8 * place, "mean", "deciding", layer, 20)
            add(start, "random", 0.1 * place, "mean", "deciding", layer, 20)
            if start == "prompt":
                add(start, "top", 0.3 * place, "own mean", "deciding", layer, 20)
                add(start, "keep", 0.4, "mean", "deciding", layer, 2284)
                add(start, "keep random", 4.0, "mean", "deciding", layer, 2284)
                for where in ("deciding", "prompt")[: 2 if place < 4 else 1]:
                    add(start, "top", -2.0, "zero", where, layer, 20)
                    add(start, "random", -1.0, "zero", where, layer, 20)
        if start == "prompt":
            add(start, "top", 3.3, "mean", "deciding", features=20 * layers)
            add(start, "random", 0.6, "mean", "deciding", features=20 * layers)
    return found


def _swapped(sides: dict) -> dict:
    """Low for high, as it has to be when all change their sign."""
    ends = {"_low": "_high", "_high": "_low"}
    return {
        next((name[: -len(a)] + b for a, b in ends.items() if name.endswith(a)), name): value
        for name, value in sides.items()
    }


AGAINST = ("random", "own mean", "steering", "logit bias", "long prompt")


def ablation(variant: str, layers: int = 6, topics: int = 23, most: int = 30) -> pa.Table:
    """Lists of about 9 items; every other condition as much longer as `conditions` says."""
    rows: list[dict] = []
    for one in conditions(layers):
        size = one.pop("longer")
        paired = {"top": 0.9 * size, "keep": size - 4.0}
        sampled = one["start"] == "prompt" and one["layer"] is not None
        changes = {"change": size} if one["method"] != "base" else {}
        if one["method"] in paired and one["edit"] != "own mean":
            changes["beyond"] = paired[one["method"]]
        if (one["method"], one["edit"], one["place"]) == ("top", "mean", "deciding") and sampled:
            changes["word"] = 0.5 * size
        sides = {
            f"{name}{end}": value + width
            for name, value in changes.items()
            for end, width in (("", 0.0), ("_low", -1.0), ("_high", 1.0))
        }
        if variant == "by-layer":
            for group, n in (("all", 115), ("held-out", 40), ("other", 75)):
                values = {
                    "items": 9 + size, "ended": 0.66, "repeated_share": 0.2, "shannon_list": 1.9,
                    "malformed": 0.0, "hazard": 0.1, "distinct": 8 + size,
                }  # fmt: skip
                ratios = {name: np.exp(-value / 4) for name, value in _swapped(sides).items()}
                every = {"items": sides, "distinct": sides, "hazard": ratios}
                for quantity, value in values.items():
                    more = every.get(quantity, {})
                    rows.append({**one, "topics": group, "quantity": quantity,
                                 **_bounds(value), **more, "n": n})  # fmt: skip
        elif variant == "compared":
            edited = (one["method"], one["edit"], one["place"]) == ("top", "mean", "deciding")
            for against, quantity in product(AGAINST, ("hazard", "distinct", "items")):
                if edited:
                    own = one["layer"] if against in ("random", "own mean", "steering") else None
                    rows.append({**one, "topics": "held-out", "quantity": quantity, "n": 40,
                                 **_bounds(0.3 if quantity == "hazard" else size),
                                 "against": against, "against_layer": own,
                                 "detectable": 1.5})  # fmt: skip
        elif variant == "by-topic":
            for number, topic in enumerate(TOPICS[:topics]):
                rows.append({**one, "topic": topic, "held_out": number % 3 == 0,
                             "quantity": "items", "estimate": 9 + size, **changes,
                             "n": 6 if number % 3 == 0 else 2})  # fmt: skip
        else:
            for k in range(1, most + 1):
                share = 2.0 ** (-((k - 1) / (9 + size)))
                rows.append({**one, "topics": "all", "quantity": "survival", "items": k,
                             **_bounds(share, 0.04), "n": 115, "at_risk": 115 - 4 * k,
                             "capped": 30})  # fmt: skip
            rows.append({**one, "topics": "all", "quantity": "median", **_bounds(9 + size),
                         "n": 115, "capped": 30})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ABLATION)


def feature_tests(layers: int = 6, count: int = 40) -> pa.Table:
    """Features of which the first `count` / 4 of the top ones survive, and no random one."""
    rows = []
    for layer, group, rank in product(LAYERS[:layers], ("top", "random"), range(1, count + 1)):
        effect = (1 if rank % 3 else -1) / (rank * (1 if group == "top" else 20))
        survives = group == "top" and rank <= count / 4
        rows.append({
            "site": SITE, "layer": layer, "group": group, "rank": rank, "feature": 7 * rank,
            "effect": effect, "value": 0.5, **_bounds(-0.9 * effect, 0.03), "moved": 8, "n": 8,
            "p": 0.001 if survives else 0.6, "q": 0.01 if survives else 0.8, "survives": survives,
        })  # fmt: skip
    return pa.Table.from_pylist(rows)
