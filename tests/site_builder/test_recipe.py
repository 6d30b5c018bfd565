"""A recipe may come from anybody, and be sealed: each field is held against its type."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from site_builder.core import digests
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results import parquet
from site_builder.results.maintenance import check
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build

NUMBERS = ResultId("toy", "numbers", "small")
SCRIPT = '9"><script>document.title="run"</script>'


def reseal(path: Path, change: dict[str, Any]) -> None:
    """Change a result's recipe, and seal it again as anybody can."""
    table = pq.read_table(path, partitioning=None)
    body = json.loads(pq.read_metadata(path).metadata[b"recipe"]) | change
    del body["seal"]
    body["seal"] = digests.digest(json.loads(json.dumps(body)))
    with pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=9) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": json.dumps(body)})


def put_bytes(path: Path, table: pa.Table) -> None:
    """Put another table behind the recipe that is there."""
    body = pq.read_metadata(path).metadata[b"recipe"]
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": body})


DEEP: Any = 1
for _ in range(30):
    DEEP = [DEEP]

NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"made_at": SCRIPT}, "`made_at` of its recipe is no time"),
    ({"made_at": 5}, "`made_at` of its recipe is no time"),
    ({"made_at": "2026-13-45T00:00:00+00:00"}, "`made_at` of its recipe is no time"),
    ({"made_at": ""}, "`made_at` of its recipe is no time"),
    ({"seconds": "x"}, "`seconds` of its recipe is no number of seconds"),
    ({"seconds": float("nan")}, "`seconds` of its recipe is no number of seconds"),
    ({"seconds": -1}, "`seconds` of its recipe is no number of seconds"),
    ({"seconds": True}, "`seconds` of its recipe is no number of seconds"),
    ({"labels": []}, "`labels` of its recipe is no table of texts, with one of units"),
    ({"labels": {"n": []}}, "`labels` of its recipe is no table of texts, with one of units"),
    ({"labels": {"units": "x"}}, "`labels` of its recipe is no table of texts, with one of units"),
    ({"settings": [1]}, "`settings` of its recipe is no table of settings"),
    ({"settings": {"x": 10**400}}, "`settings` of its recipe is no table of settings"),
    ({"settings": {"\x1b[2J": 1}}, "`settings` of its recipe is no table of settings"),
    ({"code": {"x": 1}}, "`code` of its recipe is no table of digests"),
    ({"code": {"x\u202ey": "1"}}, "`code` of its recipe is no table of digests"),
    ({"weights": {"m": "<b>"}}, "`weights` of its recipe is no table of digests"),
    ({"weights": {"m" * 301: "1"}}, "`weights` of its recipe is no table of digests"),
    ({"inputs": {"../../x": "1"}}, "`inputs` of its recipe is no table of digests by result"),
    ({"inputs": {"a b c": "1"}}, "`inputs` of its recipe is no table of digests by result"),
    *(
        ({"files": {name: "1"}}, "`files` of its recipe is no table of digests by file below the project")
        for name in ("/etc/passwd", "../x", "raw/../../x", "C:/x", "C:\\x", "")
    ),
    ({"made_with": {"device": []}}, "`made_with` of its recipe is no table of texts and numbers"),
    ({"accepted": [{"at": "x", "reasons": []}]}, "`accepted` of its recipe is no list of restamps"),
    ({"accepted": [1]}, "`accepted` of its recipe is no list of restamps"),
    ({"accepted": {}}, "`accepted` of its recipe is no list of restamps"),
    ({"meaning": None}, "`meaning` of its recipe is no digest"),
    ({"content": 3}, "`content` of its recipe is no digest"),
    ({"study": "<i>"}, "`study` of its recipe is no name"),
    ({"variant": "../x"}, "`variant` of its recipe is no name"),
    ({"format": 3.0}, "`format` of its recipe is no number"),
    ({"settings": {"x": DEEP}}, "its recipe has lists in lists in lists, too deep"),
    ({"labels": {"n": "x" * 2_000_000}}, "its recipe is longer than 2 MB"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "why"), NONSENSE, ids=[str(i) for i in range(len(NONSENSE))])
def test_sealed_nonsense_is_a_line_and_verify_finds_it(
    shelves: Project, change: dict[str, Any], why: str
) -> None:
    reseal(Store(shelves).path(NUMBERS), change)
    told = (
        f"data/toy/numbers/small.parquet: cannot be used: {why}; run: build-site run numbers small"
    )

    assert [*map(str, check(Store(shelves)))] == [told]
    with pytest.raises(BuildError, match="cannot be used"):
        Store(shelves).why_stale(NUMBERS)


def test_half_a_character_is_told(shelves: Project) -> None:
    path = Store(shelves).path(NUMBERS)
    table, body = pq.read_table(path), json.loads(pq.read_metadata(path).metadata[b"recipe"])
    body["labels"]["n"] = "\ud800"
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"recipe": json.dumps(body)})

    (problem,) = check(Store(shelves))
    assert problem.what == "cannot be used: its recipe has half a character"


def test_all_that_is_wrong_is_told_at_once(shelves: Project) -> None:
    reseal(Store(shelves).path(NUMBERS), {"seconds": "x", "made_at": 5, "labels": []})

    assert [
        problem.what.partition("`")[2].partition("`")[0] for problem in check(Store(shelves))
    ] == [
        "labels",
        "made_at",
        "seconds",
    ]


@pytest.mark.parametrize(
    ("limit", "value", "why"),
    [
        ("MOST_VALUES", 14, "it has 15 values, more than 14"),
        ("MOST_BYTES", 100, "its table has "),
        ("MOST_FOOTER", 100, "its footer is larger than 0 MB"),
    ],
)
def test_what_would_fill_the_memory_is_refused_by_its_footer(
    shelves: Project, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, why: str
) -> None:
    def decoded(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(parquet, limit, value)
    monkeypatch.setattr(pq, "read_table", decoded)
    problems = {p.where: p.what for p in check(Store(shelves))}

    assert problems["data/toy/numbers/small.parquet"].startswith(f"cannot be used: {why}")


def test_a_billion_rows_in_a_small_file_are_refused(shelves: Project) -> None:
    path = Store(shelves).path(NUMBERS)
    body = pq.read_metadata(path).metadata[b"recipe"]
    part = pa.table({"x": pa.array([0] * 1_000_000, pa.int8())})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(51):
            writer.write_table(part)
        writer.add_key_value_metadata({"recipe": body})

    (problem,) = check(Store(shelves))
    assert path.stat().st_size < 300_000
    assert problem.what == "cannot be used: it has 51,000,000 values, more than 50,000,000"


def not_text() -> pa.Table:
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    return pa.table({"x": bad})


def far_away() -> pa.Array:
    return pa.array([2**62], pa.int64()).cast(pa.timestamp("us"))


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (not_text, "UTF"),
        (lambda: pa.table({"x": pa.array([2**31 - 1], pa.int32()).cast(pa.date32())}), "a time past"),
        (lambda: pa.table({"x": far_away()}), 'its column "x" has a time past all calendars'),
        (lambda: pa.table({"x": pa.ListArray.from_arrays([0, 1], far_away())}), "a time past"),
    ],
)  # fmt: skip
def test_what_python_cannot_hold_is_a_line(
    shelves: Project, table: Callable[[], pa.Table], why: str
) -> None:
    put_bytes(Store(shelves).path(NUMBERS), table())

    (problem,) = check(Store(shelves))
    assert problem.what.startswith("cannot be used: ")
    assert why in problem.what


@pytest.mark.builds
def test_what_a_recipe_says_is_text_on_every_page(project: Project) -> None:
    (project.content / "provenance.md").write_text(
        "# Provenance\n\n<< page: provenance results >>\n"
    )
    path = Store(project).path(NUMBERS)
    body = json.loads(pq.read_metadata(path).metadata[b"recipe"])
    change = {
        "labels": {"n": SCRIPT, "interval": SCRIPT, "note": SCRIPT},
        "made_with": {"device": SCRIPT, "machine": SCRIPT, SCRIPT: SCRIPT},
        "settings": {SCRIPT: SCRIPT},
        "weights": {SCRIPT: "0"},
        "code": body["code"] | {SCRIPT: "0"},
        "accepted": [{"at": body["made_at"], "reasons": [SCRIPT], "because": SCRIPT}],
    }
    reseal(path, change)

    build(project, run="never", say=print)

    pages = [path.read_text("utf-8") for path in project.site.rglob("*.html")]
    assert any("&lt;script&gt;" in page for page in pages)
    assert not any("<script>document" in page for page in pages)


@pytest.mark.builds
def test_an_override_of_the_theme_escapes_what_it_shows(project: Project) -> None:
    extra = "{% block announce %}<i id=it>{{ config.extra.it }}</i>{{ super() }}{% endblock %}"
    main = project.templates / "main.html"
    main.write_text(main.read_text("utf-8") + extra, "utf-8")
    with (project.root / "mkdocs.yml").open("a", encoding="utf-8") as file:
        file.write("\nextra:\n  it: '<script>x()</script> & more'\n")

    build(project, run="never", say=print)

    page = (project.site / "index.html").read_text("utf-8")
    assert "<i id=it>&lt;script&gt;x()&lt;/script&gt; &amp; more</i>" in page
    assert "Text and figures under CC BY 4.0" in page
