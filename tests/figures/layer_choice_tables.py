"""Sets of layers made by hand, as `analyses/layer_choice.py` writes them."""

from itertools import combinations

import pyarrow as pa

COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "budget", "topics", "name", "layers")),
        ("layer_list", pa.list_(pa.int32())),
        *((name, pa.int64()) for name in ("size", "memory", "attribution_memory", "n")),
        *((name, pa.float64()) for name in ("estimate", "low", "high")),
        *((name, pa.float64()) for name in ("regret", "regret_low", "regret_high")),
    ]
)
WORTH = {6: 0.05, 12: 0.1, 18: 0.2, 22: 0.26, 26: 0.31, 28: 0.24}
FACTORS = {"all": 1.0, "top": 0.8, "top-deciding": 0.5}
ORDERS = {
    "best on other topics": (26, 22, 18, 28, 12, 6),
    "lens slope": (22, 18, 26, 28, 12, 6),
    "discounted patching": (12, 18, 6, 22, 26, 28),
    "attribution mass": (28, 26, 22, 18, 12, 6),
    "spliced loss": (6, 12, 18, 22, 26, 28),
    "even spacing": (22, 12, 28, 6, 18, 26),
}


def layer_choice(layers: int = 6, budgets: int = 3) -> pa.Table:
    """The last `layers` layers, each of which adds less beside others."""
    rows: list[dict] = []
    chosen = tuple(WORTH)[-layers:]
    every = [one for size in range(1, layers + 1) for one in combinations(chosen, size)]

    def of(one: tuple[int, ...], budget: str, topics: str) -> dict:
        left = 1.0
        for layer in one:
            left *= 1 - WORTH[layer]
        value = (1 - left) * FACTORS[budget] * (0.9 if topics == "held-out" else 1)
        return {
            "layers": "+".join(map(str, one)), "layer_list": list(one), "size": len(one),
            "memory": 11_000_000 * len(one), "attribution_memory": 11_000_000,
            "estimate": value, "low": value - 0.08, "high": value + 0.07, "n": 8,
        }  # fmt: skip

    for budget in list(FACTORS)[:budgets]:
        for topics in ("other", "held-out"):
            same = {"budget": budget, "topics": topics}
            rows += [{**same, "part": "set", **of(one, budget, topics)} for one in every]
        for size in range(1, layers + 1):
            sets = [of(one, budget, "held-out") for one in every if len(one) == size]
            best = max(sets, key=lambda row: row["estimate"])
            rows.append({**same, "part": "front", **best})
            orders = {
                name: [one for one in order if one in chosen] for name, order in ORDERS.items()
            }
            taken = {
                name: of(tuple(sorted(order[:size])), budget, "held-out")
                for name, order in orders.items()
            }
            mean = sum(row["estimate"] for row in sets) / len(sets)
            taken["random"] = {
                **best, "layers": None, "layer_list": None, "estimate": mean,
                "low": mean - 0.08, "high": mean + 0.07,
            }  # fmt: skip
            for name, row in taken.items():
                regret = best["estimate"] - row["estimate"]
                rows.append(
                    {**same, "part": "heuristic", "name": name, **row, "regret": regret,
                     "regret_low": regret * 0.7, "regret_high": regret * 1.4}
                )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=COLUMNS)
