"""A trace made by hand, as its measurement writes it: three blocks, two lists, one by token."""

import pyarrow as pa

TRACE = pa.schema(
    [
        *((name, pa.string()) for name in ("part", "topics", "stage")),
        *((name, pa.int32()) for name in ("step", "depth", "layer", "head")),
        ("role", pa.string()), ("k_end", pa.int32()), ("topic", pa.string()),
        ("held_out", pa.bool_()), ("sample", pa.int32()), ("position", pa.int32()),
        ("token", pa.string()),
        *((name, pa.float32()) for name in ("estimate", "low", "high", "raw")),
        ("n", pa.int32()),
    ]
)  # fmt: skip
HELD = {
    ("length", None): (1.0, 0.6, 0.1, 0.0),
    ("prompt", None): (0.0, 0.4, 0.2, 0.0),
    ("turn", None): (0.0, 0.0, -0.2, 0.0),
    ("earlier", None): (0.0, 0.0, 0.3, 0.0),
    ("hyphen", -1): (0.0, 0.0, 0.1, 0.0),
    ("deciding", -1): (0.0, 0.0, 0.1, 1.0),
}
"""Role -> what it holds after 0, 1, 2 and 3 blocks."""
MOVERS = (
    # step, depth, layer, head, role, share; what it writes; what it reads
    (1, 1, 0, 1, ("prompt", None), 0.4, {("prompt", None): 0.4}, {("length", None): 0.5}),
    (2, 2, 1, 0, ("earlier", None), 0.3,
     {("earlier", None): 0.2, ("hyphen", -1): 0.15, ("turn", None): 0.01}, {("prompt", None): 0.3}),
    (3, 3, 2, 2, ("deciding", -1), 0.2, {("deciding", -1): 0.2}, {}),
    (3, 3, 2, None, ("deciding", -1), 0.7, {("deciding", -1): 0.7}, None),
)  # fmt: skip


def texts(odd: str) -> tuple[tuple[str, str | None, int | None], ...]:
    """A request and a list of two items: token, role, item from the end."""
    return (
        ("Give", None, None), (" a", None, None), (" short", "length", None),
        (" list", "prompt", None), (".", "prompt", None), ("<end>", "turn", None),
        ("\n", "turn", None), ("-", "earlier", None), (f" {odd}", "earlier", None),
        ("\n", "earlier", None), ("-", "hyphen", -1), (" Fig", "deciding", -1),
    )  # fmt: skip


def trace(topics: tuple[str, ...] = ("Fruits", "Animals"), odd: str = "Kiwi") -> pa.Table:
    """The first topic's list is known token by token."""
    rows: list[dict] = []

    def add(part: str, share: float, role: tuple[str, int | None] | None, **more: object) -> None:
        place = dict(zip(("role", "k_end"), role or (None, None), strict=True))
        ends = {"low": share - 0.02, "high": share + 0.02, "raw": 1.4 * share, "n": 23}
        rows.append({"part": part, "estimate": share, **ends, **place, **more})

    for among, less in (("all", 0.0), ("held-out", 0.05)):
        of = {"topics": among}
        for step, depth, layer, head, role, share, writes, reads in MOVERS:
            own = {"layer": layer, "head": head, **of}
            add("mover", share - less, role, step=step, depth=depth, **own)
            for part, shares in (("writes", writes), ("reads", reads or {})):
                for place, value in shares.items():
                    add(part, value, place, **own)
        for role, shares in HELD.items():
            for depth, share in enumerate(shares):
                add("stream", share, role, depth=depth, **of)
        add("path", 0.03, None, **of)
        add("together", 0.87, None, **of)
    for topic in topics:
        name = {"topic": topic, "held_out": False, "sample": 1}
        for position, (token, role, k_end) in enumerate(texts(odd), 20):
            place = {"role": role, "k_end": k_end, "position": position, "token": token}
            rows.append({"part": "list", **name, **place})
    alone = {"topic": topics[0], "sample": 1, "n": 1}
    for position, (_, role, k_end) in enumerate(texts(odd), 20):
        if role is not None:
            for depth, share in enumerate(HELD[role, k_end]):
                at = {"position": position, "depth": depth}
                rows.append({"part": "stream at", "estimate": share / 2, **at, **alone})
            for _, _, layer, head, _, _, writes, reads in MOVERS:
                for part, shares in (("writes at", writes), ("reads at", reads or {})):
                    if shares:
                        share = shares.get((role, k_end), 0.0) / 2
                        at = {"position": position, "layer": layer, "head": head}
                        rows.append({"part": part, "estimate": share, **at, **alone})
    return pa.Table.from_pylist(rows, schema=TRACE)
