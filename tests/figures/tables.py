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
