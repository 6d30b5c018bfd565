"""Whatever strangers write ends in a message of ours, and in nothing else: see tests/fuzzing.py."""

import json
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analyses.instruments.recorded.files import Origin
from analyses.instruments.recorded.lists import read
from analyses.lab.core.study_file import load_study
from analyses.lab.runtime.lab import Lab
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post.claims import load as load_claims
from site_builder.post.directives import scan
from site_builder.post.verdicts.verdict import verdict
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.fuzzing import LIMIT, fuzz
from tests.site_builder.conftest import put, shelves

REPO = Path(__file__).parents[1]
pytestmark = LIMIT


def test_directives() -> None:
    sound = [path.read_bytes() for path in (REPO / "content" / "sections").glob("*.md")]
    pieces = [b"\n".join(text.splitlines()[start : start + 12]) for text in sound
              for start in range(0, text.count(b"\n"), 12)]  # fmt: skip

    def attempt(data: bytes) -> None:
        text = data.decode(errors="replace")
        directives, problems = scan(text, "content/x.md")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for one in directives:
            assert lines[one.line][one.start : one.end].startswith("<<")
        assert all("\n" not in str(problem) for problem in problems)

    fuzz("directives", pieces, attempt)


PAIRED = """[paired]
says = "It is so."
result = "entropy short-clean"
row = {part = "list", k_end = -2}
other = {k_end = [-8, -3]}
every = ["held_out"]
paired = ["topic", "sample"]
show = "entropy"
within = 0.5
around = 0.1
no_interval = "a count"
written = "before"
"""


def test_claims(tmp_path: Path) -> None:
    project = Project(REPO)
    store = Store(project)
    sound = [path.read_bytes() for path in (project.content / "claims").glob("*.toml")]
    pieces = [b"[" + piece for text in sound for piece in text.split(b"\n[")[1:]]
    pieces += [PAIRED.encode()] * (len(pieces) // 4)
    folder, tables = tmp_path / "content" / "claims", dict[ResultId, pa.Table]()
    folder.mkdir(parents=True)

    def attempt(data: bytes) -> None:
        (folder / "x.toml").write_bytes(data)
        found, problems = load_claims(Project(tmp_path))
        for claim in found.values():
            id = ResultId(project.study, claim.analysis, claim.variant)
            if id not in tables and id in results:
                tables[id] = store.load(id).table
            if id in tables:
                verdict(claim, tables[id])
        if problems:
            raise BuildError(problems)

    results = {id for id in store.results() if store.path(id).stat().st_size < 200_000}
    fuzz("claims", pieces, attempt)


def test_studies(tmp_path: Path) -> None:
    folder = tmp_path / "analyses" / "studies"
    folder.mkdir(parents=True)
    sound = [path.read_bytes() for path in (REPO / "analyses" / "studies").glob("*.toml")]

    def attempt(data: bytes) -> None:
        (folder / "x.toml").write_bytes(data)
        Project(tmp_path).settings("x")  # as every command does before it opens the lab
        load_study("x", root=tmp_path, note=lambda _key: None)

    fuzz("studies", sound, attempt)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "tokenizer.json"
    lab = Lab.open("tiny", root=REPO, quiet=True)
    lab.model.tokenizer.backend_tokenizer.save(str(path))
    return path


def test_recorded_lists(tmp_path: Path, tokenizer: Path) -> None:
    study = Lab.open("tiny", root=REPO, quiet=True).study
    key = {"template": "short", "temperature": 0.8, "topic": "Fruits"}
    tokens = [" Fig", "\n", "-", " Pear", "<end_of_turn>"]
    rows = [key | {"sample": i, "token_ids": [3, 4, 5, 6, 7], "tokens": tokens} for i in range(3)]
    table, path = pa.Table.from_pylist(rows), tmp_path / "x.parquet"
    pq.write_table(table, path)
    lines = [key | {"sample": i, "text": "- Fig\n- Pear", "ended": bool(i)} for i in range(3)]
    sound = {
        ".parquet": path.read_bytes(),
        ".jsonl": "\n".join(map(json.dumps, lines)).encode(),
    }

    def attempt(data: bytes) -> None:
        form = ".parquet" if data[:2] in (b"PA", b"AR") else ".jsonl"
        file = tmp_path / f"fuzzed{form}"
        file.write_bytes(data)
        found = read(file, study, Origin(tokenizer))
        assert set(found["topic"].to_pylist()) <= set(study.topics.names)

    fuzz("recorded", [*sound.values()], attempt)


def test_footers(tmp_path: Path) -> None:
    """A store's file, and a recipe that is sealed and nonsense."""
    project = shelves.__wrapped__(tmp_path)  # type: ignore[attr-defined]
    id = ResultId("toy", "numbers", "small")
    store = Store(project)
    put(store, id)
    path = store.path(id)
    whole, table = path.read_bytes(), pq.read_table(path)
    recipe = pq.read_metadata(path).metadata[b"recipe"]

    def attempt(data: bytes) -> None:
        if data.startswith(b"PAR1") or not data.startswith(b"{"):
            path.write_bytes(data)
        else:
            with pq.ParquetWriter(path, table.schema) as writer:
                writer.write_table(table)
                writer.add_key_value_metadata({"recipe": data})
        fresh = Store(Project(tmp_path))
        with suppress(BuildError):
            fresh.load(id)
        fresh.why_stale(id)

    fuzz("footers", [whole, recipe], attempt)
