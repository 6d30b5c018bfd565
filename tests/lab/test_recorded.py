"""Lists from elsewhere: what was sampled here comes back the same, and nothing else is let in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analyses import list_samples
from analyses.instruments.items import list_items, read_items
from analyses.instruments.lists import read_lists
from analyses.instruments.recorded.files import Origin
from analyses.instruments.recorded.lists import SCHEMA, read
from analyses.instruments.recorded.spelling import reader
from analyses.instruments.roles import list_roles
from analyses.lab.core.errors import LabError
from analyses.lab.runtime.lab import Lab
from tests.lab.conftest import ROOT


@pytest.fixture(scope="module")
def sampled(tiny: Lab) -> pa.Table:
    return list_samples.run(tiny)


@pytest.fixture(scope="module")
def tokenizer(tiny: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny.model.tokenizer.backend_tokenizer.save(str(path))
    return path


def write(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def rows_of(table: pa.Table) -> list[dict]:
    return table.to_pylist()


def test_the_tables_columns_are_those_of_a_measurement():
    assert list_samples.SCHEMA == SCHEMA


def test_lists_that_were_sampled_here_come_back_the_same(tiny, sampled, tmp_path):
    found = read(write(tmp_path / "lists.parquet", sampled), tiny.study, Origin())
    # The text is told by the tokens, of which bytes alone make no character.
    assert rows_of(found.drop(["text"])) == rows_of(sampled.drop(["text"]))
    assert found.schema.equals(sampled.schema)


def test_a_prompt_in_front_is_left_out(tiny, sampled, tmp_path):
    """As sampling libraries return it: prompt, prefill, answer, and padding behind the end."""
    prompt, rows = tiny.study.prompt, rows_of(sampled)
    for row in rows:
        asked = prompt.templates[row["template"]].replace("{topic}", row["topic"])
        front = ["<bos>", prompt.turn_open, "user", "\n", asked, prompt.turn_close, "\n"]
        front += [prompt.turn_open, "model", "\n", prompt.prefill]
        row["tokens"] = [*front, *row["tokens"], *(["<eos>", "<pad>"] if row["ended"] else [])]
        row["token_ids"] = [0] * len(front) + row["token_ids"] + [0] * (2 * row["ended"])
    found = read(write(tmp_path / "l.parquet", pa.Table.from_pylist(rows)), tiny.study, Origin())
    assert rows_of(found.drop(["text"])) == rows_of(sampled.drop(["text"]))


def test_texts_come_back_with_the_models_tokenizer(tiny, sampled, tokenizer, tmp_path):
    path = tmp_path / "lists.jsonl"
    keys = ("template", "temperature", "topic", "sample", "text", "ended")
    with path.open("w") as file:
        for row in rows_of(sampled):
            print(json.dumps({key: row[key] for key in keys}), file=file)
    found = read(path, tiny.study, Origin(tokenizer=tokenizer))
    assert found["ended"].equals(sampled["ended"])
    for one, other in zip(
        *(read_lists(t, tiny.study.prompt) for t in (found, sampled)), strict=True
    ):
        assert one.text == other.text
        assert [item.text for item in one.items] == [item.text for item in other.items]


def test_tensors_come_back_with_the_models_tokenizer(tiny, sampled, tokenizer, tmp_path):
    chosen = [row for row in rows_of(sampled) if row["template"] == "long"]
    pad = tiny.model.tokenizer.pad_token_id
    longest = max(len(row["token_ids"]) for row in chosen)
    tensors = {
        topic: torch.tensor(
            [
                row["token_ids"] + [pad] * (longest - len(row["token_ids"]))
                for row in chosen
                if row["topic"] == topic and row["ended"]
            ],
            dtype=torch.long,
        ).reshape(-1, longest)
        for topic in tiny.study.topics.names
    }
    path = tmp_path / "lists.pt"
    torch.save(tensors, path)
    found = read(path, tiny.study, Origin(tokenizer, "long", 0.8))
    ended = [row["token_ids"] for topic in tensors for row in chosen
             if row["topic"] == topic and row["ended"]]  # fmt: skip
    assert found["token_ids"].to_pylist() == ended
    assert set(found["ended"].to_pylist()) <= {True}


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_nothing_in_a_file_is_executed(tiny, tokenizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"Fruits": Hostile()}, tmp_path / "lists.pt")
    with pytest.raises(LabError, match="cannot be read with weights only"):
        read(tmp_path / "lists.pt", tiny.study, Origin(tokenizer, "long", 0.8))
    assert not (tmp_path / "executed").exists()


def good(**changed) -> dict:
    return {
        "template": "short",
        "temperature": 0.8,
        "topic": "Fruits",
        "sample": 0,
        "token_ids": [5, 6, 7],
        "tokens": [" Fig", "\n", "<end_of_turn>"],
    } | changed


FAULTS = {
    "unknown template": [good(template="brief")],
    "unknown topic": [good(topic="Rivers of Mars")],
    "is no temperature": [good(temperature=-1.0)],
    "is no number of a list": [good(sample=-3)],
    "stands twice": [good(), good()],
    "not of one length": [good(token_ids=[5, 6])],
    "a token has no text": [good(tokens=[" Fig", None, "<end_of_turn>"])],
    "a token id is no id": [good(token_ids=[5, -6, 7])],
    "tokens are no list": [good(token_ids=[1] * 40_000, tokens=["a"] * 40_000)],
    "has no answer": [good(token_ids=[], tokens=[])],
    "is padded, and has no token": [good(token_ids=[5, 0], tokens=[" Fig", "<pad>"])],
    "its prompt in front, but no <start_of_turn>": [
        good(
            token_ids=[1, 2, 3, 4],
            tokens=[
                "<|im_start|>",
                "Provide me with a short list of Fruits. Just provide the names, no need "
                "for any other information.",
                "-",
                " Fig",
            ],
        )
    ],
    "its prompt is not that": [good(tokens=["<start_of_turn>", "\n", "<end_of_turn>"])],
}


@pytest.mark.parametrize("what", FAULTS)
def test_one_faulty_list_refuses_the_file(tiny, tmp_path, what):
    rows = [good(sample=7), *FAULTS[what]]
    path = write(tmp_path / "lists.parquet", pa.Table.from_pylist(rows))
    with pytest.raises(LabError, match=what) as caught:
        read(path, tiny.study, Origin())
    assert f"row {len(rows)}" in caught.value.where
    assert caught.value.cure


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lists.parquet", b"PAR1 and no more"),
        ("lists.parquet", b""),
        ("lists.jsonl", b'{"template": '),
        ("lists.jsonl", b'["short"]\n'),
        ("lists.jsonl", b'{"text": "- Fig", "template": [], "ended": true}\n'),
        ("lists.jsonl", b"[" * 100_000),
        ("lists.jsonl", b"\xff\xfe"),
        ("lists.jsonl", b"\n\n"),
        ("lists.pt", b"no archive"),
        ("lists.csv", b"template,topic"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_line(tiny, tokenizer, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LabError) as caught:
        read(path, tiny.study, Origin(tokenizer, "long", 0.8))
    assert str(caught.value).count("\n") == 0
    assert name in caught.value.where


def test_tokens_are_read_as_their_vocabulary_spells_them():
    sentencepiece = ["\u2581New", "\u2581", "<0x0A>", "<end_of_turn>", "<0xE2>"]
    assert reader(sentencepiece)(sentencepiece) == [" New", " ", "\n", "<end_of_turn>", "\ufffd"]
    bytelevel = ["\u0120New", "\u010a", "caf\u00c3\u00a9", "<|im_end|>"]
    assert reader(bytelevel)(bytelevel) == [" New", "\n", "caf\u00e9", "<|im_end|>"]
    texts = [" New", "\n", "\u0120"]
    assert reader(texts)(texts) == texts


def test_characters_of_several_tokens_are_whole_in_the_last_of_them():
    sentencepiece = ["\u2581", *(f"<0x{byte:02X}>" for byte in "龘".encode()), "<0x0A>"]
    assert reader(sentencepiece)(sentencepiece) == [" ", "", "", "龘", "\n"]
    fox = "ðŁ¦Ĭ"  # as byte-level vocabularies spell 🦊
    bytelevel = ["\u0120New", *fox, "\u010a"]
    assert reader(bytelevel)(bytelevel) == [" New", "", "", "", "🦊", "\n"]


def test_a_blank_of_sentencepiece_in_a_token_with_a_meaning_is_none():
    deepseek = ["\u0120New", "\u010a", "<｜end\u2581of\u2581sentence｜>"]
    assert reader(deepseek)(deepseek) == [" New", "\n", deepseek[-1]]


def imported(tiny, tmp_path, *rows):
    return read(write(tmp_path / "l.parquet", pa.Table.from_pylist([*rows])), tiny.study, Origin())


FRONT = ["<bos>", "<start_of_turn>", "user", "\n",
         "Provide me with a short list of Fruits. Just provide the names, no need for any other "
         "information.", "<end_of_turn>", "\n", "<start_of_turn>", "model", "\n"]  # fmt: skip


def test_the_first_answer_behind_the_prompt_is_the_list(tiny, tmp_path):
    tokens = [*FRONT, "-", " Fig", "\n", "<end_of_turn>", "\n", "<start_of_turn>", "user", "\n",
              "Thanks", "<end_of_turn>", "\n", "<start_of_turn>", "model", "\n", "Bye"]  # fmt: skip
    found = imported(tiny, tmp_path, good(tokens=tokens, token_ids=[*range(len(tokens))]))
    assert found["tokens"].to_pylist() == [[" Fig", "\n", "<end_of_turn>"]]
    assert found["token_ids"].to_pylist() == [[11, 12, 13]]


@pytest.mark.parametrize(
    "behind", [["<eos>", "<pad>", "<pad>"], ["<eos>", "<eos>"], ["<|eot_id|>"], ["</s>", "[PAD]"]]
)
def test_padding_behind_an_end_is_no_text(tiny, tmp_path, behind):
    tokens = [" Fig", "\n", *behind]
    found = imported(tiny, tmp_path, good(tokens=tokens, token_ids=[*range(len(tokens))]))
    assert found["tokens"].to_pylist() == [tokens[:3]]
    assert (found["ended"].to_pylist(), found["new_tokens"].to_pylist()) == ([True], [3])
    assert found["text"].to_pylist() == ["- Fig\n"]


def test_a_hyphen_that_the_model_wrote_is_kept(tiny, tmp_path):
    rows = [good(sample=i) for i in range(3)]
    hyphen = good(sample=9, tokens=[" -", " Kiwi", "<end_of_turn>"])
    assert imported(tiny, tmp_path, *rows, hyphen)["text"].to_pylist()[-1] == "- - Kiwi"
    front = [good(sample=i, tokens=["-", " Fig", "<end_of_turn>"]) for i in range(3)]
    hyphen = good(sample=9, tokens=["-", " -", " Kiwi"])
    assert imported(tiny, tmp_path, *front, hyphen)["text"].to_pylist()[-1] == "- - Kiwi"


def test_an_answer_that_was_not_prefilled_is_told(tiny, tmp_path):
    front = [good(sample=i, tokens=["-", " Fig", "<end_of_turn>"]) for i in range(3)]
    refusal = good(sample=9, tokens=["I", " cannot", "<end_of_turn>"])
    with pytest.raises(LabError, match="its answer begins with 'I', and others with the prefill"):
        imported(tiny, tmp_path, *front, refusal)


@pytest.mark.parametrize("shape", [lambda ids: torch.tensor([ids]), torch.tensor])
def test_lists_of_unequal_length_are_a_tensor_each(tiny, sampled, tokenizer, tmp_path, shape):
    chosen = [
        row for row in rows_of(sampled) if (row["template"], row["topic"]) == ("long", "Fruits")
    ]
    lists = [row["token_ids"] for row in chosen]
    assert len({len(ids) for ids in lists}) > 1
    torch.save({"Fruits": [shape(ids) for ids in lists]}, tmp_path / "lists.pt")
    found = read(tmp_path / "lists.pt", tiny.study, Origin(tokenizer, "long", 0.8))
    assert found["token_ids"].to_pylist() == lists


PIECES = st.lists(st.sampled_from(["-", " -", " a", "b", " ", "\n", "\n\n", " x\n", "<end>", "  "]))


@given(PIECES)
def test_items_are_those_of_the_roles(pieces):
    whole = list_roles(["-", *pieces], hyphen="-", end=["<end>"])
    alone = list_items(["-", *pieces], hyphen="-", end=["<end>"])
    assert (alone.items, alone.ended, alone.reason) == (whole.items, whole.ended, whole.reason)


def test_items_of_the_published_lists_are_those_of_their_roles(smollm2):
    table = pq.read_table(ROOT / "data" / "smollm2-135m-instruct" / "list_samples.parquet")
    prompt = smollm2.study.prompt
    for one, other in zip(read_items(table, prompt), read_lists(table, prompt), strict=True):
        assert (one.key, one.roles.reason) == (other.key, other.roles.reason)
        assert one.roles.items == other.roles.items


LISTS = int(os.environ.get("LISTS", "10000"))
"""How many are read; the long tests read a hundred thousand."""

SUMMARISE = r"""
import re, sys
from pathlib import Path
from analyses import list_statistics
from analyses.lab.runtime.lab import Lab
from analyses.instruments.recorded.files import Origin
from analyses.instruments.recorded.lists import read
def peak():  # not `ru_maxrss`, which begins with that of the process that started this one
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e6
lab = Lab.open("gemma-2-2b-it", root=Path(sys.argv[1]), quiet=True)
for file in sys.argv[2:]:
    table = read(Path(file), lab.study, Origin())
    list_statistics.run(lab, table, variant="items")
    print(peak())
"""


def test_a_hundred_thousand_lists_take_less_than_two_gigabytes(tmp_path):
    """Lists as long as those that a model wrote: these are, with topics and templates of Gemma's.

    Memory grows with their number, so that ten thousand tell what a hundred thousand take.
    """
    table = pq.read_table(ROOT / "data" / "smollm2-135m-instruct" / "list_samples.parquet")
    some = table.filter(pa.compute.equal(table["temperature"], 0.8))
    some = some.filter(pa.compute.not_equal(some["template"], "none"))
    topics = {name: place for place, name in enumerate(dict.fromkeys(some["topic"].to_pylist()))}
    theirs = Lab.open("gemma-2-2b-it", root=ROOT, quiet=True).study.topics.names
    rounds = []
    for number in range(LISTS // some.num_rows + 1):
        sample = pa.compute.add(some["sample"], 10 * number)
        rounds.append(some.set_column(some.column_names.index("sample"), "sample", sample))
    whole = pa.concat_tables(rounds).slice(0, LISTS)
    names = [theirs[topics[name] % len(theirs)] for name in whole["topic"].to_pylist()]
    whole = whole.set_column(whole.column_names.index("topic"), "topic", pa.array(names))
    files = [write(tmp_path / f"{n}.parquet", whole.slice(0, n)) for n in (LISTS // 5, LISTS)]
    done = subprocess.run(
        [sys.executable, "-c", SUMMARISE, ROOT, *files], capture_output=True, text=True, check=True
    )
    some, all_ = map(float, done.stdout.split())
    per_list = (all_ - some) / (LISTS - LISTS // 5)
    assert all_ + per_list * max(0, 100_000 - LISTS) < 2
