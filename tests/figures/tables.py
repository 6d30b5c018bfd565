"""Results made by hand, as the measurements' columns are, small enough to read or large to look at.

Numbers come from plain formulas, so that every run and every machine has the same ones.
"""

import math
from itertools import product

import pyarrow as pa

TOPICS = (
    "City Names", "Countries", "Animals", "Types of Trees", "Types of Flowers", "Fruits",
    "Vegetables", "Car Brands", "Sports", "Rivers", "Mountains", "Ocean", "Inventions",
    "Languages", "Capital Cities", "Movies", "Books", "TV Shows", "Famous Scientists",
    "Famous Writers", "Video Games", "Companies", "Colors",
)  # fmt: skip
TEMPLATES = ("short", "long", "none")
SWEEP = (0.1, 0.5, 0.7, 0.9, 1.3)
MEAN_ITEMS = {"short": 8, "long": 17, "none": 12}

STATISTICS = pa.schema(
    [
        ("part", pa.string()), ("template", pa.string()), ("temperature", pa.float64()),
        ("topic", pa.string()), ("held_out", pa.bool_()), ("quantity", pa.string()),
        ("items", pa.int32()), ("k_end", pa.int32()), ("estimate", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int32()),
        ("at_risk", pa.int32()), ("capped", pa.int32()),
    ]
)  # fmt: skip
MEANS = pa.schema(
    [
        ("part", pa.string()), ("condition", pa.string()), ("topic", pa.string()),
        ("held_out", pa.bool_()), ("sample", pa.int32()), ("k", pa.int32()),
        ("k_end", pa.int32()), ("align", pa.string()), ("quantity", pa.string()),
        ("entropy", pa.float64()), ("varentropy", pa.float64()), ("estimate", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int32()),
    ]
)  # fmt: skip


def _wave(*numbers: float) -> float:
    """Return something between 0 and 1 that looks unordered."""
    return abs(math.sin(sum(n * f for n, f in zip(numbers, (12.99, 78.23, 37.72), strict=False))))


def list_statistics(variant: str, topics: int = 23, most: int = 40, runs: int = 8) -> pa.Table:
    """One variant: `topics` topics, curves up to `most`, the first `runs` runs of sampling."""
    every = [(name, 0.8) for name in TEMPLATES] + [("short", t) for t in SWEEP]
    rows: list[dict] = []

    def add(part: str, template: str, temperature: float, estimate: float, **more: object) -> None:
        width = 0.08 * estimate + 0.01
        rows.append(
            {
                "part": part, "template": template, "temperature": temperature,
                "estimate": estimate, "low": max(0.0, estimate - width),
                "high": estimate + width, "n": 10 * topics, **more,
            }
        )  # fmt: skip

    for template, temperature in every[:runs]:
        mean = MEAN_ITEMS[template] * (1.3 - temperature / 3)
        if variant == "items":
            for k in range(1, most + 1):
                share = math.exp(-(((k - 1) / mean) ** 2))
                add("survival", template, temperature, share, items=k,
                    at_risk=round(10 * topics * share) + 4)  # fmt: skip
            for quantity, value in (("mean", mean), ("median", mean - 1)):
                add("summary", template, temperature, value, quantity=quantity,
                    capped=int(mean * topics / 10))  # fmt: skip
        elif variant == "blanks":
            if template == "short":
                add("temperature", template, temperature, 0.004)
            if temperature == 0.8:
                add("overall", template, temperature, 0.002)
                for k in range(-most // 4, 0):
                    add("position", template, temperature, 0.02 / -k, k_end=k)
        quantities = {
            "tokens-per-item": {"tokens_per_item": 1.8, "one_token_share": 0.55},
            "repeats": {
                "repeated_share": 0.2, "repeats": 2.0, "shannon_list": 1.9, "shannon_topic": 3.1,
            },
            "items": {"mean": mean},
            "blanks": {"blanks": 0.003},
        }[variant]  # fmt: skip
        for place, (quantity, value) in enumerate(quantities.items()):
            if variant in ("tokens-per-item", "repeats"):
                add("overall", template, temperature, value * (0.8 + mean / 40), quantity=quantity)
            if temperature == 0.8:
                for number, topic in enumerate(TOPICS[:topics]):
                    add("topic", template, temperature,
                        value * (0.5 + _wave(number, place, mean)), quantity=quantity,
                        topic=topic, held_out=number % 3 == 0)  # fmt: skip
    if variant == "blanks":
        add("spearman", "short", 0.8, 0.03)
    return pa.Table.from_pylist(rows, schema=STATISTICS)


def entropy(variant: str, topics: int = 23, samples: int = 10, longest: int = 0) -> pa.Table:
    """One condition, or the means of all (`compare`), or of the differences (`swap`)."""
    rows: list[dict] = []
    conditions = ("short-clean", "short-corrupted", "long-clean", "long-corrupted", "none-clean")
    compare = variant.startswith(("compare", "swap"))
    if variant.startswith("swap"):
        conditions = ("short", "long")
    for place, condition in enumerate(conditions if compare else [variant]):
        last = longest or MEAN_ITEMS[condition.partition("-")[0]] * 2
        if not compare:
            for number, sample in product(range(topics), range(samples)):
                items = max(2, round(last * _wave(number, sample)))
                rows += [
                    {
                        "part": "list", "topic": TOPICS[number], "held_out": number % 3 == 0,
                        "sample": sample, "k": k,
                        "k_end": None if sample % 4 == 1 else k - items - 1,
                        "entropy": 3 * _wave(number, sample, k) * k / items, "varentropy": 1.0,
                    }
                    for k in range(1, items + 1)
                ]  # fmt: skip
        for align, quantity, k in product(
            ("start", "end"), ("entropy", "varentropy"), range(1, last + 1)
        ):
            estimate = 0.5 + k / last + place / 4 + (quantity == "varentropy")
            if variant.startswith("swap"):
                estimate *= (-1) ** place
            rows.append(
                {
                    "part": "mean", "align": align, "quantity": quantity,
                    "k": k if align == "start" else k - last - 1,
                    "estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1,
                    "n": 10 * topics * samples, "condition": condition if compare else None,
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=MEANS)


def logit_difference(last: int = 3, fewest: int = 12) -> pa.Table:
    """Means of both proxies from either side, short and long, clean and corrupted."""
    rows = [
        {
            "template": template, "condition": condition, "proxy": proxy, "align": align,
            "k": k if align == "start" else k - last - 1,
            "estimate": k - 4.5 - (condition == "corrupted"),
            "low": k - 5.0 - (condition == "corrupted"),
            "high": k - 4.0 - (condition == "corrupted"), "n": fewest - k,
        }
        for proxy, template, condition, align, k in product(
            ("proxy_a", "proxy_b"), ("short", "long"), ("clean", "corrupted"), ("start", "end"),
            range(1, last + 1),
        )
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def dataset() -> pa.Table:
    """Lists of each template and temperature, some cut, some malformed."""
    rows = [
        {
            "template": template, "temperature": temperature, "topics": 23, "lists": lists,
            "kept": lists - capped - 3, "capped": capped, "malformed": 3,
            "malformed_reasons": "text before the first hyphen: 2, empty item: 1",
            "ended_share": 1 - capped / lists, "low": 0.9 - capped / lists,
            "high": min(1.0, 1.05 - capped / lists),
        }
        for template, temperature, lists, capped in (
            ("short", 0.8, 230, 61), ("none", 0.8, 230, 90), ("long", 0.8, 230, 150),
            ("short", 0.1, 115, 40), ("short", 1.3, 115, 8),
        )
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def lists(topics: int = 23, samples: int = 4, odd: str = "") -> pa.Table:
    """Sampled lists to browse; `odd` is put into every item."""
    rows = []
    for template, number, sample in product(TEMPLATES, range(topics), range(samples)):
        items = [f"{TOPICS[number]} {odd}{k}" for k in range(1, 3 + (number + sample) % 5)]
        ended = sample != 1
        rows.append(
            {
                "template": template, "temperature": 0.8, "topic": TOPICS[number],
                "held_out": number % 3 == 0, "sample": sample, "items": items,
                "text": "".join(f"-{item}\n" for item in items), "n_items": len(items),
                "ended": ended, "well_formed": ended, "reason": "" if ended else "capped",
                "repeats": sample % 2,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows)


def prompt_pairs(odd: str = "City Names") -> pa.Table:
    """The two pairs of prompts; `odd` is the topic."""
    rows = []
    words = {
        "short/long": ([" a", " short", " list", " of"], [" a", " long", " list", " of"]),
        "emphatic": (
            [" a", " short", " list", " with", " a", " few"],
            [" a", " long", " list", " with", " a", " many"],
        ),
    }
    for pair, (clean, corrupted) in words.items():
        before = [("<|im_start|>", "bos"), ("user", "turn"), ("\n", "turn"), ("Provide", "prompt")]
        after = [(f" {odd}", "topic"), (".", "prompt"), ("<|im_end|>", "turn"), ("-", "hyphen")]
        tokens = [(token, token, role) for token, role in before]
        tokens += [
            (one, other, "length" if one != other else "prompt")
            for one, other in zip(clean, corrupted, strict=True)
        ]
        tokens += [(token, token, role) for token, role in after]
        rows += [
            {
                "pair": pair, "topic": odd, "position": position, "role": role,
                "clean_token": one, "corrupted_token": other, "swapped": one != other,
            }
            for position, (one, other, role) in enumerate(tokens)
        ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def example(topics: int = 23, samples: int = 3, odd: str = "Paris") -> pa.Table:
    """Lists token by token, under both prompts."""
    rows = []
    for number, template, sample, condition in product(
        range(topics), ("short", "long"), range(samples), ("clean", "corrupted")
    ):
        tokens: list[tuple[str, str, int | None]] = [
            ("<|im_start|>", "bos", None), ("user", "turn", None), ("\n", "turn", None),
            ("Provide", "prompt", None), (f" {template}", "length", None),
            (f" {TOPICS[number]}", "topic", None), ("<|im_end|>", "turn", None),
        ]  # fmt: skip
        items = 4 + (number + sample) % 4
        for k in range(1, items + 1):
            tokens += [("-", "hyphen", k), (odd, "item", k), ("ia", "item", k)]
            tokens += [("\n", "break", k)] if k < items else [("<|im_end|>", "end", None)]
        rows += [
            {
                "template": template, "topic": TOPICS[number], "sample": sample,
                "condition": condition, "position": position, "token": token, "role": role,
                "k": k, "k_end": k - items - 1 if k else None,
                "probability": _wave(position, number) if position else None,
                "entropy": 4 * _wave(position, sample),
                "proxy_a": 12 * _wave(position, k or 0) - 8,
                "proxy_b": 9 * _wave(position, 3) - 5,
            }
            for position, (token, role, k) in enumerate(tokens)
        ]  # fmt: skip
    return pa.Table.from_pylist(rows)


PATCHES = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "template", "wording", "direction")),
        *((name, pa.string()) for name in ("topics", "topic", "token", "role", "site")),
        *((name, pa.string()) for name in ("quantity", "method")),
        *((name, pa.int32()) for name in ("layer", "head", "position", "k_end", "n")),
        *((name, pa.float64()) for name in ("estimate", "low", "high", "raw", "plain")),
        *((name, pa.float64()) for name in ("clean", "corrupted", "measured", "integrated")),
    ]
)
ROLES = (
    ("length", None), ("prompt", None), ("topic", None), ("turn", None), ("earlier", None),
    *((role, k_end) for k_end in (-3, -2, -1) for role in ("hyphen", "item", "blank", "break")),
    ("deciding", -1),
)  # fmt: skip


def _places(site: str, layers: int, heads: int) -> list[tuple[int, int | None]]:
    if site in ("q", "k", "v", "z", "pattern"):
        return list(product(range(layers), range(heads)))
    return [(layer, None) for layer in range(layers + (site == "resid"))]


def patching(
    variant: str, layers: int = 6, heads: int = 3, roles: int = 18, topics: int = 2, odd: str = "a"
) -> pa.Table:
    """One site; lists of three tokens, whose item is `odd`."""
    rows: list[dict] = []
    site, by_head = variant.replace("-", "_"), variant in ("q", "k", "v", "z", "pattern")
    short, long, emphatic = ("short", "length"), ("long", "length"), ("short", "emphatic")
    kinds = [(short, "denoising"), (short, "noising")]
    kinds += [(long, "denoising")] if by_head else []
    kinds += [(long, "denoising"), (emphatic, "denoising")] if variant == "resid" else []
    for part, ((template, wording), direction), among in product(
        ("head", "role") if by_head else ("role",), kinds, ("all", "held-out")
    ):
        cells = (*ROLES[: roles - 1], ROLES[-1]) if part == "role" else [(None, None)]
        for (layer, head), (role, k_end) in product(_places(site, layers, heads), cells):
            share = _wave(layer, head or 0, len(role or "")) / (1 + layer)
            estimate = 1 - share if direction == "noising" else share
            rows.append(
                {
                    "part": part, "template": template, "wording": wording, "topics": among,
                    "direction": direction, "layer": layer, "head": head, "role": role,
                    "k_end": k_end, "estimate": estimate, "low": estimate - 0.1,
                    "high": estimate + 0.1, "raw": 3 * share, "n": 8,
                }
            )  # fmt: skip
    tokens = [(" short", "length", None), (f" {odd}", "item", -1), ("\n", "break", -1)]
    for number, (template, direction) in product(
        range(topics), [(kind[0], direction) for kind, direction in kinds if kind != emphatic]
    ):
        for (layer, head), (position, (token, role, k_end)) in product(
            _places(site, layers, heads), enumerate(tokens)
        ):
            start = float(direction == "noising")
            rows.append(
                {
                    "part": "token", "template": template, "wording": "length",
                    "direction": direction, "topic": TOPICS[number], "layer": layer,
                    "head": head, "position": 40 + position, "token": token, "role": role,
                    "k_end": k_end, "estimate": start + _wave(position, layer), "n": 1,
                }
            )  # fmt: skip
    rows += [
        {
            "part": "pair", "template": template, "wording": wording, "topic": TOPICS[number],
            "clean": 2.0 + number, "corrupted": -1.0,
        }
        for number, (template, wording) in product(range(topics), (short, long, emphatic))
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PATCHES)


def attribution_patching(
    variant: str, layers: int = 6, heads: int = 3, roles: int = 18, topics: int = 2
) -> pa.Table:
    """Estimates and checks of the heads or of the residual stream."""
    rows: list[dict] = []
    sites = {
        "heads": ("q", "k", "v", "z", "pattern"), "residual": ("resid", "attn_out", "mlp_out"),
    }[variant]  # fmt: skip
    named = (*ROLES[: roles - 1], ROLES[-1])
    for place, site in enumerate(sites):
        places = _places(site, layers, heads)
        usual = {"template": "short", "wording": "length", "direction": "denoising", "site": site}
        for template, wording, (layer, head), (role, k_end) in product(
            ("short", "long"), ("length", "emphatic"), places, named
        ):
            estimate = _wave(layer, head or 0, place) - len(role) / 20
            rows.append(
                {
                    **usual, "part": "mean", "template": template, "wording": wording,
                    "layer": layer, "head": head, "role": role, "k_end": k_end,
                    "estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1,
                    "plain": estimate, "n": 8,
                }
            )  # fmt: skip
        whole = [(None, None)] if variant == "heads" else []
        for (layer, head), (role, k_end) in product(places, [*whole, *named]):
            measured = _wave(layer, head or 0, place, len(role or "")) / 4
            rows.append(
                {
                    **usual, "part": "check", "layer": layer, "head": head, "role": role,
                    "k_end": k_end, "estimate": measured * 0.9, "measured": measured,
                    "plain": measured * (0.5 if site in ("q", "k") else 0.9), "n": 8,
                }
            )  # fmt: skip
        for method, layer, quantity in product(
            ("plain", "corrected") if site in ("q", "k") else ("plain",),
            (None, *range(layers)),
            ("pearson", "slope"),
        ):
            estimate = 0.9 if method == "corrected" else 0.8
            rows.append(
                {
                    **usual, "part": "agreement", "layer": layer, "method": method,
                    "quantity": quantity, "estimate": estimate, "low": estimate - 0.1,
                    "high": estimate + 0.1, "n": 100,
                }
            )  # fmt: skip
        if site in ("q", "k"):
            rows += [
                {
                    **usual, "part": "integrated", "topic": TOPICS[number], "layer": layer,
                    "plain": 0.5 * layer, "estimate": 0.9 * layer, "integrated": 1.01 * layer,
                    "measured": 1.0 * layer, "n": 1,
                }
                for number, layer in product(range(topics), range(layers))
            ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PATCHES)


LENS = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "proxy", "template", "condition", "topic")),
        *((name, pa.string()) for name in ("align", "quantity")),
        *((name, pa.int32()) for name in ("layer", "k", "k_end", "n")),
        *((name, pa.float64()) for name in ("temperature", "estimate", "low", "high")),
    ]
)


def logit_lens(variant: str, layers: int = 4, items: int = 4, topics: int = 2) -> pa.Table:
    """One proxy by layer, or both by temperature; items are longer lists in longer templates."""
    rows: list[dict] = []
    conditions = list(product(("short", "long"), ("clean", "corrupted")))

    def add(part: str, layer: int, estimate: float, **more: object) -> None:
        ends = {"low": estimate - 1, "high": estimate + 1} if part != "list" else {}
        rows.append({"part": part, "layer": layer, "estimate": estimate, **ends, **more})

    if variant == "by-temperature":
        for proxy, temperature, layer in product(
            ("proxy_a", "proxy_b"), (0.1, 0.8, 1.3), range(layers + 1)
        ):
            same = {
                "proxy": proxy, "template": "short", "condition": "clean",
                "temperature": temperature, "quantity": "last-earlier",
            }  # fmt: skip
            add("separation", layer, layer - temperature, n=20, **same)
            if temperature != 0.8:
                add("difference", layer, (1 - temperature) * layer, **same)
        return pa.Table.from_pylist(rows, schema=LENS)
    for (template, condition), layer in product(conditions, range(layers + 1)):
        same = {"template": template, "condition": condition}
        for align, k in product(("start", "end"), range(1, items + 1)):
            place = k if align == "start" else -k
            add("mean", layer, 10.0 * layer - k, align=align, k=place, n=13 - k, **same)
        quantities = ("last-earlier", "clean-corrupted")[: 1 + (condition == "corrupted")]
        for quantity in quantities:
            add("separation", layer, 3.0 - layer, quantity=quantity, n=12, **same)
    for (template, condition), number in product(conditions, range(topics)):
        length = items + number + (template == "long")
        for k, layer in product(range(1, length + 1), range(layers + 1)):
            add("list", layer, 5 * _wave(k, layer, number), template=template, k=k,
                condition=condition, topic=TOPICS[number], k_end=k - length - 1)  # fmt: skip
    return pa.Table.from_pylist(rows, schema=LENS)


def logit_difference_example(topics: int = 2, items: int = 3, odd: str = " Paris") -> pa.Table:
    """Both proxies at every token of one list a topic and template; item tokens are `odd`, `ia`."""
    rows = []
    for number, template, condition in product(
        range(topics), ("short", "long"), ("clean", "corrupted")
    ):
        tokens: list[tuple[str, str, int | None]] = [
            ("<|im_start|>", "bos", None), (f" {template}", "length", None), ("\n", "turn", None),
        ]  # fmt: skip
        for k in range(1, items + 1):
            tokens += [("-", "hyphen", k), (odd, "item", k), ("ia", "item", k)]
            tokens += [("\n", "break", k)] if k < items else [("<|im_end|>", "end", k)]
        rows += [
            {
                "template": template, "topic": TOPICS[number], "condition": condition,
                "position": position, "token": token, "role": role, "k": k,
                "k_end": k - items - 1 if k else None, "deciding": token == "ia",
                "proxy_a": position - 8.0 - (condition == "corrupted"),
                "proxy_b": 5 * _wave(position, number) - 3,
            }
            for position, (token, role, k) in enumerate(tokens)
        ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def other_lists(items: int = 3, own: int = 5) -> pa.Table:
    """Means of another author's lists, of `items` items, and of the model's, of `own` items."""
    rows: list[dict] = []
    for quantity, condition in product(
        ("entropy", "proxy_a", "proxy_b", "surprise"), ("clean", "corrupted")
    ):
        same = {"quantity": quantity, "condition": condition}
        level = len(quantity) - 2.0 * (condition == "corrupted")
        for author, most in (("other", items), ("model", own)):
            for align, k in product(("start", "end"), range(1, most + 1)):
                place = k if align == "start" else -k
                rows.append(
                    {**same, "part": "mean", "author": author, "align": align, "k": place,
                     "estimate": level - k, "low": level - k - 1, "high": level - k + 1, "n": 9}
                )  # fmt: skip
            rows += [
                {**same, "part": "place", "author": author, "place": place, "estimate": level,
                 "low": level - 1, "high": level + 1, "n": 9}
                for place in ("earlier", "last")
            ]  # fmt: skip
        rows += [
            {**same, "part": "difference", "author": None, "place": place, "estimate": 0.5,
             "low": -0.5, "high": 1.5, "n": None}
            for place in ("earlier", "last")
        ]  # fmt: skip
    columns = ("part", "author", "condition", "quantity", "align", "place", "k", "estimate")
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in (*columns, "low", "high", "n")} for row in rows]
    )


def ending(topics: int = 3, samples: int = 3, odd: str = "Paris") -> pa.Table:
    """Lists whose chances to end double from item to item; the last one of a topic was cut.

    Sample s of topic t has 2 + s + t items, of which the first is `odd`.
    """
    rows: list[dict] = []
    for template, number, sample in product(("short", "long"), range(topics), range(samples)):
        items = 2 + sample + number
        ended = sample < samples - 1
        of = {"part": "item", "template": template, "topic": TOPICS[number], "held_out": False,
              "sample": sample, "ended": ended}  # fmt: skip
        rows += [
            {**of, "k": k, "k_end": k - items - 1 if ended else None,
             "item": odd if k == 1 else f"item {k}", "p_short": 0.0003 * 2.0 ** (k + number),
             "p_long": 0.0001 * 2.0 ** (k + number)}
            for k in range(1, items + 1)
        ]  # fmt: skip
    for template, place, prompt in product(
        ("short", "long"), ("last", "earlier"), ("short", "long", "difference")
    ):
        value = {"short": 0.4, "long": 0.1, "difference": 0.3}[prompt]
        rows.append(
            {"part": "mean", "template": template, "place": place, "prompt": prompt,
             "estimate": value, "low": value - 0.05, "high": value + 0.05, "n": 7}
        )  # fmt: skip
    columns = ("part", "template", "topic", "held_out", "sample", "k", "k_end", "item", "ended")
    columns += ("p_short", "p_long", "place", "prompt", "estimate", "low", "high", "n")
    return pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows])


def asking(odd: str = "Paris") -> pa.Table:
    """Prompts around a topic, the tokens of a list, its settings, and two lists of a topic each."""
    rows: list[dict] = [
        *({"part": "prompt", "name": name, "before": f"<|im_start|>user\nA {name} list of {odd} ",
           "after": ".<|im_end|>\n-"} for name in ("short", "long", "none")),
        {"part": "tokens", "name": "plus", "ids": [2]},
        {"part": "tokens", "name": "minus", "ids": [198]},
        {"part": "setting", "name": "top_p", "value": 0.9},
        *({"part": "list", "template": "short", "topic": topic, "sample": 0, "ended": True,
           "key": "0f", "ids": [5, 2]} for topic in TOPICS[:2]),
        {"part": "mean", "template": "short", "prompt": "long", "k": 2, "estimate": 0.2, "low": 0.1,
         "high": 0.3},
        {"part": "mean", "template": "short", "prompt": "long", "k": 1, "estimate": 0.1, "low": 0.05,
         "high": 0.2},
    ]  # fmt: skip
    columns = ("part", "name", "before", "after", "ids", "value", "template", "topic", "sample")
    columns += ("ended", "key", "k", "prompt", "estimate", "low", "high")
    return pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows])
