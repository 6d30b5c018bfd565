"""Logits through shared prompts, one allocation and compaction are those of Hugging Face."""

import pytest
import torch
from transformers import Cache, Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

from analyses.lab.model.decoder import ATTENTION, Lane, Prompts, forward

SMALL = {
    "vocab_size": 40,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}


def llama():
    return LlamaForCausalLM(LlamaConfig(**SMALL))


def gemma():
    # Soft caps small enough to bend, a window smaller than the texts.
    return Gemma2ForCausalLM(
        Gemma2Config(
            **SMALL, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=3.0
        )
    )


@pytest.fixture(params=[llama, gemma], ids=["llama", "gemma"])
def network(request):
    torch.manual_seed(0)
    model = request.param().eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.mul_(8)  # random weights are so small that nothing would matter
    return model


def reference(network, texts):
    network.set_attn_implementation("eager")
    logits = [network(torch.tensor([text])).logits[0] for text in texts]
    network.set_attn_implementation(ATTENTION)
    return logits


def test_prompts_of_unequal_length(network):
    texts = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7], [4, 4, 4, 5, 5, 5, 6]]
    expected = reference(network, texts)
    logits = Prompts(network, texts).run(last_only=False)
    for row, text in enumerate(texts):
        torch.testing.assert_close(logits[row, -len(text) :], expected[row], atol=1e-5, rtol=0)


def test_rows_continue_shared_prompts_and_leave(network):
    prompts = [[1, 2, 3, 4, 5, 6, 7], [9, 8, 7]]
    tails = [[11, 12, 13, 14, 15], [21, 22, 23, 24, 25], [31, 32, 33, 34, 35]]
    which = torch.tensor([1, 0, 1])
    texts = [prompts[i] + tail for i, tail in zip(which.tolist(), tails, strict=True)]
    expected = reference(network, texts)
    shared = Prompts(network, prompts)
    shared.run(last_only=True)
    cache, pads = shared.rows(which, 5)
    tokens = torch.tensor(tails)
    several = forward(network, tokens[:, :2], cache, pads)
    kept = torch.tensor([0, 2])
    for lane in cache.layers:
        lane.keep(kept)
    rest = [forward(network, tokens[kept, i : i + 1], cache, pads[kept]) for i in (2, 3, 4)]
    for row in range(3):
        start = len(texts[row]) - 5
        torch.testing.assert_close(
            several[row], expected[row][start : start + 2], atol=1e-5, rtol=0
        )
    for place, row in enumerate(kept.tolist()):
        found = torch.cat([step[place] for step in rest])
        torch.testing.assert_close(found, expected[row][-3:], atol=1e-5, rtol=0)


def test_keys_and_values_are_allocated_once():
    lane = Lane(6)
    keys = torch.arange(2 * 3 * 4 * 1.0).view(2, 3, 4, 1)
    lane.update(keys, keys)
    memory = lane.keys.data_ptr()
    seen, _ = lane.update(keys[:, :, :2], keys[:, :, :2])
    assert seen.data_ptr() == memory
    assert lane.get_seq_length() == lane.get_max_length() == 6
    lane.keep(torch.tensor([1]))
    assert lane.keys.data_ptr() == memory
    assert lane.keys.shape == (1, 3, 6, 1)
    assert torch.equal(lane.keys[0, :, :4], keys[1])


def test_a_lane_of_repeated_rows_has_its_own_memory():
    lane = Lane(2)
    keys = torch.arange(4.0).view(2, 1, 2, 1)
    lane.update(keys, keys)
    more = lane.take(torch.tensor([1, 1, 0]), 3)
    more.update(torch.full((3, 1, 1, 1), 9.0), torch.full((3, 1, 1, 1), 9.0))
    assert more.keys[:, 0, :, 0].tolist() == [[2, 3, 9], [2, 3, 9], [0, 1, 9]]
    assert lane.keys[:, 0, :, 0].tolist() == [[0, 1], [2, 3]]
    assert isinstance(Cache(layers=[more]).get_seq_length(), int)
