import shutil
from dataclasses import replace

import pytest
import torch

from analyses.instruments.pairs import pair
from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core.errors import LabError
from analyses.lab.core.study_file import load_study
from analyses.lab.model.model import _device, check_parity
from tests.lab.conftest import ROOT


def test_the_bridge_computes_what_hugging_face_computes(tiny):
    model = tiny.model
    asked = prompt_tokens(
        model, tiny.study.prompt, tiny.study.prompt.templates["none"], None, "Colors"
    )
    tokens = torch.tensor([asked.ids])
    with torch.inference_mode():
        found, expected = model.bridge(tokens), model.network(tokens, attention_mask=_seen(tokens))
    torch.testing.assert_close(found, expected.logits, atol=1e-4, rtol=0)


def _seen(tokens):
    size = tokens.shape[1]
    return torch.ones(size, size, dtype=torch.bool).tril()[None, None]


def test_both_views_share_their_memory(tiny):
    bridge = {tensor.data_ptr() for tensor in tiny.model.bridge.original_model.parameters()}
    network = {tensor.data_ptr() for tensor in tiny.model.network.parameters()}
    assert network <= bridge


def test_another_function_is_refused():
    logits = torch.zeros(1, 2, 3)
    check_parity(logits, logits + 5e-4, 1e-3, "m")
    for wrong in (logits + 0.01, logits * torch.nan):
        with pytest.raises(LabError, match="differ from Hugging Face's"):
            check_parity(logits, wrong, 1e-3, "m")


def test_a_bridge_that_is_off_is_refused_when_it_is_asked_for(tiny, monkeypatch):
    from transformer_lens.model_bridge import TransformerBridge

    from analyses.lab.model.model import open_model

    boot = TransformerBridge.boot_transformers

    def broken(*args, **options):
        bridge = boot(*args, **options)
        bridge.unembed.weight.data.mul_(1.01)
        return bridge

    monkeypatch.setattr(TransformerBridge, "boot_transformers", broken)
    # The parameters are shared: this model is thrown away with its weights.
    with pytest.raises(LabError, match="use the library versions"):
        _ = open_model(tiny.study, tiny.model.weights).bridge


def test_a_foreign_or_incomplete_model_is_refused(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    from analyses.lab.model.model import open_model
    from analyses.lab.model.weights import Weights

    folder = tmp_path / "model"
    shutil.copytree(tiny.model.weights.folder, folder)
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(LabError, match=r"1 weights missing, first model.norm.weight"):
        open_model(tiny.study, Weights(folder, {}))
    (folder / "model.safetensors").write_bytes(b"no such thing")
    with pytest.raises(LabError, match="not a model"):
        open_model(tiny.study, Weights(folder, {}))


def test_a_token_must_be_one_token(tiny):
    assert tiny.model.pieces([tiny.model.token("\n")]) == ["\n"]
    assert tiny.model.pieces([tiny.model.token(" ")]) == [" "]
    with pytest.raises(LabError, match="the tokenizer makes 3 tokens"):
        tiny.model.token("- \n")


def test_prompts_carry_their_roles(tiny):
    wordings = tiny.study.prompt.templates
    asked = prompt_tokens(
        tiny.model, tiny.study.prompt, wordings["short"], wordings["long"], "Capital Cities"
    )
    of = {
        role: [p for p, r in zip(asked.pieces, asked.roles, strict=True) if r == role]
        for role in dict.fromkeys(asked.roles)
    }
    assert list(of) == ["bos", "turn", "prompt", "length", "topic", "hyphen"]
    assert of["bos"] == ["<bos>"]
    assert of["length"] == [" short"]
    assert of["topic"] == [" Capital", " Cities"]
    assert of["hyphen"] == ["-"]
    assert of["turn"] == [
        "<start_of_turn>", "user", "\n", "<end_of_turn>", "\n", "<start_of_turn>", "model", "\n",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "topic", ["</script>", "{{ 7*7 }}", "{% raw %}", "<< figure: x >>", "{topic}", "a {0} b"]
)
def test_hostile_topics_travel_as_text(tiny, topic):
    wording = tiny.study.prompt.templates["short"]
    asked = prompt_tokens(tiny.model, tiny.study.prompt, wording, None, topic)
    assert f"list of {topic}. Just" in "".join(asked.pieces)
    said = "".join(p for p, r in zip(asked.pieces, asked.roles, strict=True) if r == "topic")
    assert said.strip() == topic


def test_a_pair_swaps_one_token_and_nothing_else(tiny):
    prompt = tiny.study.prompt
    for topic in tiny.study.topics.names:
        clean, corrupted = pair(tiny.model, prompt, prompt.templates, "long", topic)
        differing = [
            i for i, (a, b) in enumerate(zip(clean.ids, corrupted.ids, strict=True)) if a != b
        ]
        assert [clean.roles[i] for i in differing] == ["length"]
        clean, corrupted = pair(tiny.model, prompt, prompt.emphatic, "short", topic)
        assert len(clean.ids) == len(corrupted.ids)
        assert clean.roles == corrupted.roles


def test_pairs_that_do_not_line_up_are_refused(tiny):
    prompt = tiny.study.prompt
    for long in ("a very long list of {topic}", "a longish list of {topic}"):
        uneven = {"short": "a short list of {topic}", "long": long}
        with pytest.raises(LabError, match="choose wordings of equal length"):
            pair(tiny.model, prompt, uneven, "short", "Fruits")
    several = replace(
        prompt, templates={"short": "Just a short {topic}", "long": "Just the long {topic}"}
    )
    with pytest.raises(LabError, match="differ in 2 tokens for Fruits; swap one word"):
        pair(tiny.model, several, several.templates, "short", "Fruits")


@pytest.mark.weights
def test_the_embedded_model_reads_its_template(smollm2):
    prompt = smollm2.study.prompt
    clean, corrupted = pair(smollm2.model, prompt, prompt.templates, "short", "City Names")
    assert clean.roles[:3] == ["bos", "turn", "turn"]
    assert [p for p, r in zip(clean.pieces, clean.roles, strict=True) if r == "topic"] == [
        " City", " Names",
    ]  # fmt: skip
    assert "".join(corrupted.pieces).endswith("<|im_start|>assistant\n-")
    for topic in smollm2.study.topics.names:
        pair(smollm2.model, prompt, prompt.emphatic, "short", topic)


@pytest.mark.parametrize("there", [True, False])
def test_gemma_runs_on_cuda_when_there_is_one(there, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    wanted = load_study("gemma-2-2b-it", root=ROOT).model.device
    assert _device(wanted) == ("cuda" if there else "cpu")


def test_tiny_has_what_makes_gemma_2_awkward(tiny):
    config = tiny.model.network.config
    assert (config.model_type, config.num_hidden_layers) == ("gemma2", 2)
    assert config.attn_logit_softcapping
    assert config.final_logit_softcapping
    assert config.num_key_value_heads < config.num_attention_heads
    assert config.sliding_window < tiny.study.sampling.max_new_tokens
    assert "sliding_attention" in config.layer_types
