"""Results about features made by hand, as the measurements' columns are; see `tables`."""

from itertools import product

import pyarrow as pa

from tests.figures.tables import TOPICS, _wave

LAYERS = (6, 12, 18, 22, 26, 28)
F = pa.float32()
RUNS = ("clean", "corrupted")
ENDS = ("", "_low", "_high")
PAIR = [(f"{run}{end}", F) for run, end in product(RUNS, ENDS)]


def _struct(*fields: tuple[str, pa.DataType]) -> pa.DataType:
    return pa.list_(pa.struct(list(fields)))


TEXT, INT, YES = pa.string(), pa.int32(), pa.bool_()
CARD = pa.schema(
    [
        ("name", TEXT), ("site", TEXT), ("layer", INT), ("feature", INT), ("width", INT),
        ("rank", INT), ("label", TEXT), ("label_source", TEXT), ("norm", F), ("dashboard", TEXT),
        *((f"{name}{end}", F) for name in ("attributed", "measured") for end in ENDS),
        ("band_low", F), ("band_high", F), ("band_n", INT), ("effect_n", INT), ("decision", F),
        ("by_role", _struct(("role", TEXT), ("k_end", INT), *PAIR, ("n", INT))),
        ("by_item", _struct(("k", INT), *PAIR, ("n", INT))),
        ("firing", _struct(("topic", TEXT), ("held_out", YES), ("tokens", F), ("list_tokens", F),
                           ("lists", F), ("n", INT))),
        ("examples", _struct(
            ("kind", TEXT), ("template", TEXT), ("topic", TEXT), ("held_out", YES),
            ("sample", INT), ("position", INT), ("activation", F), ("before", F), ("start", INT),
            ("tokens", _struct(("text", TEXT), ("role", TEXT), ("activation", F))))),
        *((f"{end}_logits", _struct(("text", TEXT), ("value", F), ("deciding", YES)))
          for end in ("top", "bottom")),
        ("nearest", _struct(("site", TEXT), ("layer", INT), ("feature", INT), ("name", TEXT),
                            ("cosine", F), ("is_card", YES))),
    ]
)  # fmt: skip
ROLES = (
    ("start", None), ("length", None), ("prompt", None), ("topic", None), ("turn", None),
    ("earlier", None),
    *((role, k) for k in (-3, -2, -1) for role in ("hyphen", "item", "break") if (role, k) != ("break", -1)),
    ("deciding", -1),
)  # fmt: skip
WORDS = ("-", " Rome", "\n", "-", " Os", "lo", "\n", "-", " Par", "is", "\n", "-", " Bern", "\n")
KINDS = (*["top"] * 3, *["middle"] * 2, *["low"] * 2, "near miss", "zero")


def names(cards: int, layers: tuple[int, ...] = LAYERS) -> list[tuple[int, int, int]]:
    """Layer, index and rank of `cards` features, spread over the layers."""
    each = -(-cards // len(layers))
    every = [(layer, 37 * rank + layer, rank) for layer in layers for rank in range(1, each + 1)]
    return every[:cards]


def feature(cards: int = 96, topics: int = 23, odd: str = " Par") -> pa.Table:
    """Feature cards; `odd` is a token of each example, a promoted token and part of the label."""
    rows = []
    known = names(cards)
    for layer, index, rank in known:
        size = _wave(layer, rank)
        effect = (1.4 * size - 0.4) / rank**0.5

        def pair(value: float, of: float) -> dict:
            return {
                "clean": value, "clean_low": value * 0.8, "clean_high": value * 1.2,
                "corrupted": value * of, "corrupted_low": value * of * 0.7,
                "corrupted_high": value * of * 1.3, "n": 15,
            }  # fmt: skip

        examples = []
        for place, kind in enumerate(KINDS):
            silent = kind in ("near miss", "zero")
            peak = 0.0 if silent else {"top": 4.0, "middle": 1.5, "low": 0.4}[kind] * (0.5 + size)
            shown = [odd if word == " Par" else word for word in WORDS]
            tokens = [
                {"text": word, "role": "item", "activation":
                 peak if number == 8 else peak * max(0.0, _wave(number, place, rank) - 0.6)}
                for number, word in enumerate(shown)
            ]  # fmt: skip
            examples.append(
                {
                    "kind": kind, "template": "short", "topic": TOPICS[(place + rank) % 23],
                    "held_out": place % 3 == 0, "sample": place, "position": 48, "start": 40,
                    "activation": peak, "before": -0.1 * place if silent else None,
                    "tokens": tokens,
                }
            )  # fmt: skip
        logits = [
            {"text": text, "value": sign * (2.0 - place / 8) * (0.5 + size), "deciding": text[:1] == "<"}
            for sign in (1, -1)
            for place, text in enumerate(
                ("<|im_end|>" if sign > 0 else "<|end|>", odd, "\n", " and", ",", " the", " more", ".")
            )
        ]  # fmt: skip
        near = [one for one in known if one[0] == layer and one[1] != index][:3]
        near += [one for one in known if one[0] != layer and one[2] == 1]
        rows.append(
            {
                "name": f"{layer}/{index}", "site": "resid_post", "layer": layer,
                "feature": index, "width": 2304, "rank": rank,
                "label": f'on "\\n", "{odd}" → "<|im_end|>"',
                "label_source": "automatic: the tokens on which it is strongest and the tokens "
                "that it promotes", "norm": 1.0 + size, "dashboard": None,
                "attributed": effect, "attributed_low": effect - 0.1, "attributed_high": effect + 0.1,
                "measured": effect * 0.9, "measured_low": effect * 0.9 - 0.12,
                "measured_high": effect * 0.9 + 0.12, "band_low": -0.03, "band_high": 0.05,
                "band_n": 20, "effect_n": 8, "decision": 3 * size - 1,
                "by_role": [
                    {"role": role, "k_end": k, **pair(3 * _wave(place, rank), 1 if role == "start" else 0.4)}
                    for place, (role, k) in enumerate(ROLES)
                ],
                "by_item": [{"k": k, **pair(0.2 * k * size, 0.5)} for k in range(1, 16)],
                "firing": [
                    {"topic": topic, "held_out": number % 3 == 0, "tokens": 0.3 * _wave(number, rank),
                     "list_tokens": 0.4 * _wave(number, rank), "lists": _wave(rank, number), "n": 5}
                    for number, topic in enumerate(TOPICS[:topics])
                ],
                "examples": examples, "top_logits": logits[:8], "bottom_logits": logits[8:],
                "nearest": [
                    {"site": "resid_post", "layer": a, "feature": b, "name": f"{a}/{b}",
                     "cosine": 0.9 - 0.1 * place, "is_card": place != 1}
                    for place, (a, b, _) in enumerate(near)
                ],
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CARD)


ACTIVATION = pa.schema(
    [
        ("part", TEXT), ("name", TEXT), ("site", TEXT), ("layer", INT), ("feature", INT),
        ("effect", F), ("rank", INT), ("template", TEXT), ("topic", TEXT), ("held_out", YES),
        ("sample", INT), ("condition", TEXT), ("first", INT), ("start", INT),
        ("tokens", _struct(("text", TEXT), ("role", TEXT), ("k", INT), ("k_end", INT),
                           ("part", TEXT))),
        ("positions", pa.list_(pa.int16())), ("activations", pa.list_(F)),
    ]
)  # fmt: skip
BEFORE = (
    ("<|im_start|>", "bos"), ("Provide", "prompt"), (" short", "length"), (" list", "prompt"),
    (" Fruits", "topic"), ("<|im_end|>", "turn"),
)  # fmt: skip


def feature_activation(
    cards: int = 6, topics: int = 23, samples: int = 3, items: int = 8, odd: str = " Par"
) -> pa.Table:
    """Activations over the tokens of `samples` short lists a topic and one long one."""
    known = names(cards)
    rows: list[dict] = [
        {"part": "card", "name": f"{a}/{b}", "site": "resid_post", "layer": a, "feature": b,
         "effect": 1 / rank, "rank": rank}
        for a, b, rank in known
    ]  # fmt: skip
    lists = [("short", sample) for sample in range(samples)] + [("long", 0)]
    for number, (template, sample) in product(range(topics), lists):
        key = {"template": template, "topic": TOPICS[number], "held_out": number % 3 == 0,
               "sample": sample}  # fmt: skip
        tokens: list[dict] = [{"text": text, "role": role} for text, role in BEFORE]
        last = items + (number + sample) % 4
        for k in range(1, last + 1):
            places = {"k": k, "k_end": k - last - 1}
            tokens += [{"text": "-", "role": "hyphen", **places}, {"text": odd, "role": "item", **places},
                       {"text": "is", "role": "item", **places}]  # fmt: skip
            tokens += [{"text": "\n", "role": "break", **places}] if k < last else []
        rows.append({"part": "list", **key, "tokens": tokens, "first": 2, "start": len(BEFORE)})
        for (a, b, rank), condition in product(known, RUNS):
            waves = {
                position: 4 * _wave(position, rank, number) * (1 if condition == "clean" else 0.5)
                for position in range(1 if condition == "clean" else 2, len(tokens))
                if _wave(rank, position % 4, number) > 0.5
            }
            rows.append(
                {"part": "activation", "name": f"{a}/{b}", "layer": a, "feature": b, **key,
                 "condition": condition, "positions": list(waves), "activations": list(waves.values())}
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ACTIVATION)


PRESENCE = pa.schema(
    [
        ("name", TEXT), ("site", TEXT), ("layer", INT), ("feature", INT), ("order", INT),
        ("topic", TEXT), ("held_out", YES), ("estimate", F), ("n", INT), ("overall", F),
    ]
)  # fmt: skip


def feature_presence(features: int = 40, topics: int = 23) -> pa.Table:
    """Shares of lists, by feature and topic; features of one layer are neighbours."""
    rows = [
        {
            "name": f"{a}/{b}", "site": "resid_post", "layer": a, "feature": b, "order": order,
            "topic": topic, "held_out": number % 3 == 0,
            "estimate": round(5 * _wave(order, number)) / 5, "n": 5, "overall": _wave(order),
        }
        for order, (a, b, _) in enumerate(names(features))
        for number, topic in enumerate(TOPICS[:topics])
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PRESENCE)


OVERLAP = pa.schema(
    [
        ("part", TEXT), ("topic", TEXT), ("held_out", YES), ("other_topic", TEXT),
        ("other_held_out", YES), ("quantity", TEXT), ("estimate", F), ("low", F), ("high", F),
        ("n", INT), ("p", F), ("null_low", F), ("null_high", F), ("null_mean", F),
    ]
)  # fmt: skip


def feature_overlap(topics: int = 23) -> pa.Table:
    """Mean overlaps of every two topics, and their means against shuffled topics."""
    rows: list[dict] = [
        {
            "part": "pair", "topic": TOPICS[a], "held_out": a % 3 == 0, "other_topic": TOPICS[b],
            "other_held_out": b % 3 == 0, "n": 10 if a == b else 25,
            "estimate": 0.5 if a == b else 0.2 + 0.2 * _wave(a + b, a * b),
        }
        for a, b in product(range(topics), repeat=2)
    ]  # fmt: skip
    for quantity, value in (("within", 0.5), ("between", 0.3), ("difference", 0.2)):
        rows.append({"part": "mean", "quantity": quantity, "estimate": value, "low": value - 0.05,
                     "high": value + 0.05, "n": 115})  # fmt: skip
    rows[-1] |= {"p": 0.0005, "null_low": -0.02, "null_high": 0.02, "null_mean": 0.0}
    return pa.Table.from_pylist(rows, schema=OVERLAP)


CLUSTERS = pa.schema(
    [
        ("part", TEXT), ("name", TEXT), ("site", TEXT), ("layer", INT), ("feature", INT),
        ("topic", TEXT), ("held_out", YES), ("sample", INT), ("value", F), ("raw", F),
        ("x", INT), ("y", INT), ("side", TEXT), ("link", INT), ("across", pa.list_(F)),
        ("height", pa.list_(F)), ("estimate", F), ("n", INT),
    ]
)  # fmt: skip


def feature_clusters(features: int = 96, lists: int = 69) -> pa.Table:
    """Cells, and trees that join each leaf to all leaves before it."""
    rows: list[dict] = []
    for (y, (a, b, _)), x in product(enumerate(names(features)), range(lists)):
        value = _wave(y // 8, x // 6) * (0.7 + 0.3 * _wave(x, y))
        rows.append(
            {"part": "cell", "name": f"{a}/{b}", "layer": a, "feature": b, "x": x, "y": y,
             "topic": TOPICS[x // 3 % 23], "held_out": x // 3 % 3 == 0, "sample": x % 3,
             "value": value, "raw": 3 * value}
        )  # fmt: skip
    for side, count in (("lists", lists), ("features", features)):
        at, under = 0.0, 0.0
        for link in range(count - 1):
            height = (link + 1) / count
            rows.append(
                {"part": "link", "side": side, "link": link, "across": [at, at, link + 1, link + 1],
                 "height": [under, height, height, 0]}
            )  # fmt: skip
            at, under = (at + link + 1) / 2, height
        rows.append({"part": "fit", "side": side, "estimate": 0.8, "n": count})
    return pa.Table.from_pylist(rows, schema=CLUSTERS)
