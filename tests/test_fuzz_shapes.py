"""Inputs of the readers' own shapes: what a byte here and there would never make."""

import asyncio
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from site_builder.core import digests
from site_builder.core.project import Project
from site_builder.post import values
from site_builder.post.claims import Claim
from site_builder.post.directives import scan
from site_builder.post.verdicts.verdict import verdict
from site_builder.preview.server import Preview, app
from site_builder.results import lineage, tabular
from site_builder.results.maintenance import check
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.fuzzing import COUNT, LIMIT, fuzz
from tests.site_builder.conftest import project, shelves  # noqa: F401 (fixtures)

NUMBERS = ResultId("toy", "numbers", "small")
pytestmark = LIMIT

ODD: list[Any] = [
    None, True, 0, -1, 5, 1.5, 10**18, 10**400, float("nan"), float("inf"), "", "x", "../../x", "/etc", "\0",
    "\x1b[2J", "\ud800", "\u202e", "<script>", "2026-11-23T03:18:00+00:00", "9" * 400, "a" * 11_000, [], [1],
    [[[]]], {}, {"": ""}, {"x": 1}, {"x": [None]}, {"at": "x"}, {"a": {"b": {"c": "d"}}},
]  # fmt: skip


def replaced(chance: random.Random, value: Any) -> Any:
    """A JSON value with something odd in one to three places."""
    value = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 3)):
        place = value
        while True:
            keys = [*place] if isinstance(place, dict) else [*range(len(place))]
            key = chance.choice(keys) if keys else "new"
            inside = place[key] if keys else None
            if isinstance(inside, dict | list) and inside and chance.random() < 0.6:
                place = inside
                continue
            odd = chance.choice(ODD)
            if isinstance(place, list):
                place.append(odd)
            elif chance.random() < 0.2:
                place[odd if isinstance(odd, str) else "new"] = chance.choice(ODD)
            elif chance.random() < 0.1:
                place.pop(key, None)
            else:
                place[key] = odd
            break
    return value


def test_recipes_sealed_after_they_were_changed(tmp_path: Path) -> None:
    project = shelves.__wrapped__(tmp_path)  # type: ignore[attr-defined]  # noqa: F811
    store = Store(project)
    path = store.path(NUMBERS)
    table = pq.read_table(path)
    sound = json.loads(pq.read_metadata(path).metadata[b"recipe"])
    del sound["seal"]
    accepted = {"at": sound["made_at"], "reasons": ["x"], "because": "y"}
    sound |= {"accepted": [accepted], "weights": {"m": "0", "a/b": "1"}, "files": {"raw/x": "2"},
              "inputs": {"base": "0"}, "settings": {"saes": [], "seed": 1, "sampling.top_p": 0.5}}  # fmt: skip

    def attempt(body: dict[str, Any]) -> None:
        try:
            seal = digests.digest(body)
        except UnicodeEncodeError:
            seal = ""
        with pq.ParquetWriter(path, table.schema) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({"recipe": json.dumps(body | {"seal": seal})})
        fresh = Store(Project(tmp_path))
        problems = [problem for problem in check(fresh) if "small" in problem.where]
        try:
            fresh.load(NUMBERS)
            fresh.why_stale(NUMBERS)
            recipes = lineage.results(fresh, [NUMBERS])
            assert lineage.rows(lineage.origins(recipes))
        finally:
            # What cannot be used is found by `verify`, and the other way round.
            spoiled = any("cannot be used" in problem.what for problem in problems)
            assert spoiled == _is_spoiled(fresh)

    def _is_spoiled(store: Store) -> bool:
        try:
            store.load(NUMBERS)
        except Exception:
            return True
        return False

    fuzz("recipes", [sound], attempt, replaced, COUNT // 8)


def odd_table(chance: random.Random) -> pa.Table:
    """A table of three rows with columns of whatever kind."""
    kinds: list[tuple[Any, list[Any]]] = [
        (pa.float64(), [1.5, float("nan"), None, float("inf"), -0.0]),
        (pa.int64(), [1, 2**62, None, -1]),
        (pa.uint8(), [1, 2, 255]),
        (pa.string(), ["a", "=b", None, "\0", "1", "true", "\u2028", "null"]),
        (pa.large_string(), ["a", "b"]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "\r", None]),
        (pa.bool_(), [True, False, None]),
        (pa.list_(pa.float64()), [[1.0], [], None, [None]]),
        (pa.list_(pa.string()), [["a", "\0"], None]),
        (pa.large_list(pa.int64()), [[1], []]),
        (pa.struct({"x": pa.int64(), "k": pa.string()}), [{"x": 1, "k": "a"}, None, {"x": None, "k": "\x01"}]),
        (pa.list_(pa.struct({"x": pa.int64(), "estimate": pa.float64()})),
         [[{"x": 1, "estimate": 0.5}], [None], [], None, [{"x": None, "estimate": None}]]),
        (pa.map_(pa.string(), pa.int64()), [[("a", 1)], [], None]),
        (pa.binary(), [b"a", b"\xff", None]),
        (pa.timestamp("us"), [datetime(2026, 1, 1), None]),
        (pa.date32(), [date(2026, 1, 1), None]),
        (pa.decimal128(10, 2), [Decimal("1.50"), None]),
        (pa.null(), [None]),
    ]  # fmt: skip
    names = ["estimate", "low", "high", "n", "x", "k", "other", "items", "groups"]
    chance.shuffle(names)
    columns = {}
    size = chance.choice((0, 1, 3))
    for name in names[: chance.randint(1, len(names))]:
        kind, some = chance.choice(kinds[:7] if chance.random() < 0.5 else kinds)
        columns[name] = pa.array([chance.choice(some) for _ in range(size)], kind)
    return pa.table(columns)


def test_values_and_claims_over_any_columns() -> None:
    texts = ["1", "a", "null", "nan", "true", "", "[1.0]", "9" * 400, "1e999"]
    tests = [
        "low > 0",
        "estimate < other.estimate",
        "x * n / k > 1 and low < high",
        "abs(items) >= 0.5",
    ]
    names = ["estimate", "low", "high", "n", "x", "k", "other", "items", "gone"]

    def attempt(seed: int) -> None:
        chance = random.Random(seed)
        table = odd_table(chance)
        seen = tabular.seen(table)
        tabular.csv(seen)
        tabular.head(seen, 2)

        def picks() -> dict[str, list[str]]:
            some = chance.sample(names, chance.randint(0, 2))
            return {name: chance.sample(texts, chance.randint(1, 2)) for name in some}

        options = {name: one[0] for name, one in picks().items()} | chance.choice(
            (
                {},
                {"show": chance.choice(names)},
                {"show": "interval"},
                {"format": ".1f"},
                {"format": "d"},
            )
        )
        words = " ".join(f"{k}={v}" for k, v in options.items() if v)
        directives, _ = scan(f"<< value: numbers small {words} >>", "x.md")
        claim = Claim(
            "x", "x.toml:1", "x", "numbers", "small", chance.choice(tests), picks(), picks(),
            chance.sample(names, chance.randint(0, 2)), chance.choice(["", "", "items", "other"]),
            chance.choice(names), chance.choice(["", ".1f", ".0%"]),
        )  # fmt: skip
        units = chance.sample(names, chance.randint(1, 2))
        claim = chance.choice(
            (
                claim,
                replace(claim, paired=units),
                replace(claim, over=units, other={}),
                replace(claim, holds="", within=0.5, around=chance.choice((0.0, 1.0))),
            )
        )
        try:
            verdict(claim, seen)
        finally:
            for one in directives:
                values.read(seen, one)

    fuzz("columns", [0], attempt, lambda chance, _: chance.randrange(10**9))


def test_requests(project: Project) -> None:  # noqa: F811
    preview = Preview(project, "", "never", print)
    preview.site.mkdir(parents=True)
    (preview.site / "index.html").write_text("<head></head>a page")
    preview.built.set()
    served = app(preview, ("named.example",))
    sound = [
        {"method": method, "path": path, "host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "body": body}
        for method, path, body in (
            ("GET", "/", ""), ("GET", "/index.html", ""), ("GET", "/assets/post.css", ""), ("GET", "/figures/x.htm", ""),
            ("POST", "/~/seen", '["a"]'), ("POST", "/~/measure", '"numbers small"'), ("POST", "/~/cancel", "null"),
        )
    ]  # fmt: skip
    pieces = [
        "\0",
        "..",
        "//",
        "/",
        "%00",
        "\ud800",
        "é",
        "[",
        "]",
        ":",
        "@",
        "a" * 5000,
        "evil.example",
        "{",
        "?",
    ]

    def change(chance: random.Random, request: dict[str, str]) -> dict[str, str]:
        request = dict(request)
        for _ in range(chance.randint(1, 3)):
            key = chance.choice(("path", "path", "host", "origin", "body", "method"))
            text, at = request[key], chance.randrange(len(request[key]) + 1)
            request[key] = text[:at] + chance.choice(pieces) + text[at + chance.choice((0, 1, 8)) :]
        return request

    async def ask(request: dict[str, str]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        left = [{"type": "http.request", "body": request["body"].encode("utf-8", "replace")}]

        async def receive() -> dict[str, Any]:
            return left.pop() if left else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        pairs = [(name, request[name].encode("utf-8", "replace")) for name in ("host", "origin")]
        scope = {
            "type": "http", "method": request["method"], "path": request["path"], "raw_path": b"", "query_string": b"",
            "headers": [(name.encode(), value) for name, value in pairs], "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await served(scope, receive, send)  # type: ignore[arg-type]
        return sent

    def attempt(request: dict[str, str]) -> None:
        sent = beside.submit(asyncio.run, ask(request)).result()
        assert sent[0]["status"] < 500
        assert b"root:" not in b"".join(message.get("body", b"") for message in sent)

    with ThreadPoolExecutor(1) as beside:  # a browser's tests leave a loop in this thread
        fuzz("requests", sound, attempt, change, COUNT // 8)
    preview.hand.shutdown()
