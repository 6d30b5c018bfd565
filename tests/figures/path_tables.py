"""Paths of heads and baselines of a feature made by hand, as their measurements write them."""

import pyarrow as pa

STAGES = {"early": ("2.3", "11.7"), "middle": ("13.7",), "late": ("19.4", "20.4")}
TEXTS = ("part", "direction", "topics", "sender", "other", "receiver", "inputs", "mlps", "place")
PATHS = pa.schema(
    [
        *((name, pa.string()) for name in (*TEXTS, "edges", "stage")),
        *((name, pa.int32()) for name in ("layer", "head", "relays")),
        *((name, pa.float32()) for name in ("estimate", "low", "high", "raw")),
        ("n", pa.int32()),
    ]
)


def path_patching(stages: dict[str, tuple[str, ...]] = STAGES, relays: int = 3) -> pa.Table:
    """A path of some heads; each edge carries a little less than the one before."""
    rows: list[dict] = []
    present = [heads for heads in stages.values() if heads]
    heads = [head for ones in present for head in ones]
    middle = stages["middle"][0]

    def add(part: str, value: float, n: int = 23, **more: object) -> None:
        rows.append(
            {"part": part, "estimate": value, "low": value - 0.02, "high": value + 0.02,
             "raw": 1.4 * value, "n": n, **more}
        )  # fmt: skip

    for topics in ("all", "held-out"):
        for direction, base in (("denoising", 0.0), ("noising", 1.0)):
            of = {"direction": direction, "topics": topics}
            sign = -1 if base else 1
            for stage, ones in stages.items():
                for i, head in enumerate(ones):
                    layer, number = map(int, head.split("."))
                    own = {"stage": stage, "layer": layer, "head": number, "sender": head}
                    add("set", base + sign * (0.3 - 0.05 * i), **own, **of)
            for group, value in ((heads, 0.86), (present[0], 0.6)):
                add("set", base + sign * value, sender=" + ".join(group), **of)
            follow = {"mlps": "follow", "inputs": "qkv"}
            for i, ones in enumerate(present):
                path = {"sender": " + ".join(ones), "receiver": "decision", "edges": "stages"}
                add("path", base + sign * (0.03 + 0.1 * i), **path, **follow, **of)
            web = {"sender": " + ".join(present[0]), "receiver": "decision", "edges": "web"}
            add("path", base + sign * 0.04, **web, **follow, **of)
            ends = [*present[1:], ("decision",)]
            pairs = [
                (one, other)
                for here, there in zip(present, ends, strict=True)
                for one in here
                for other in there
            ]
            for i, (one, other) in enumerate(pairs):
                edge = {"sender": one, "receiver": other, **of}
                add("edge", base + sign * (0.16 - 0.03 * i), **edge, **follow)
                if direction == "denoising" and other != "decision":
                    for inputs in "qkv":
                        add("edge", 0.05, **edge, mlps="follow", inputs=inputs)
                    add("edge", 0.02, **edge, mlps="held", inputs="qkv")
                    add("edge", 0.01, **edge, **follow, place="prompt")
            if direction == "denoising":
                add("edge", -0.008, sender=heads[0], receiver=heads[-1], **follow, **of)
                for starts in (present[0], (middle,)):
                    for count in range(relays + 1):
                        name = {"sender": " + ".join(starts), "receiver": "decision"}
                        add("relay", 0.2 * count, relays=count, **name, **follow, **of)
                for i in range(14):
                    name = {"sender": middle, "receiver": f"14.{i}"}
                    add("edge", 0.1 * (-1) ** i / (i + 1), n=8, **name, **follow, **of)
    return pa.Table.from_pylist(rows, schema=PATHS)


BASELINES = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "name", "change", "other", "topics", "topic")),
        *((name, pa.bool_()) for name in ("strongest", "held_out")),
        *((name, pa.float64()) for name in ("estimate", "low", "high", "raw", "span")),
        *((name, pa.float64()) for name in ("before", "after")),
        ("n", pa.int32()),
    ]
)
CHANGES = {
    "exchanged": 0.85, "removed": 1.4, "other mean": 0.1, "own mean": -0.02,
    "along feature": 0.7, "mean direction": 0.9, "random": 0.1, "stream": 1.0,
}  # fmt: skip


def feature_baselines(names: tuple[str, ...] = ("26/1894", "28/1147")) -> pa.Table:
    """Some features, the last of them the strongest."""
    rows = []
    for i, name in enumerate(names):
        for topics in ("all", "held-out"):
            for change, share in CHANGES.items():
                value = share * (i + 1) / len(names)
                rows.append(
                    {"part": "share", "name": name, "strongest": name == names[-1],
                     "change": change, "topics": topics, "estimate": value, "low": value - 0.1,
                     "high": value + 0.1, "raw": 1.3 * value, "before": 40.0,
                     "after": 30.0 if change in ("exchanged", "other mean") else None, "n": 8}
                )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=BASELINES)
