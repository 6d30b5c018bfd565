from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.model import sampling
from analyses.lab.model.decoder import ATTENTION
from analyses.lab.model.sampling import Request, draw, nucleus, sample, uniforms


def reference(logits, temperature, top_p):
    """Probabilities after Hugging Face's own processors."""
    warp = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(top_p)])
    return warp(torch.zeros(len(logits), 1, dtype=torch.long), logits.clone()).softmax(-1)


def ours(logits, temperature, top_p):
    tokens, weights = nucleus(logits / temperature, top_p)
    full = torch.zeros_like(logits)
    full.scatter_add_(-1, tokens, weights)
    return full / full.sum(-1, keepdim=True)


@pytest.mark.parametrize("spread", [0.05, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("top_p", [0.3, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("temperature", [0.1, 0.8, 1.3])
def test_kept_set_and_probabilities_are_hugging_faces(spread, top_p, temperature):
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(12, 3000, generator=generator) * spread
    expected, found = reference(logits, temperature, top_p), ours(logits, temperature, top_p)
    assert torch.equal(found > 0, expected > 0)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_steep_and_flat_rows_in_one_batch():
    logits = torch.zeros(3, 500)
    logits[0, 7] = 30.0
    logits[2, :3] = 10.0
    expected, found = reference(logits, 1.0, 0.9), ours(logits, 1.0, 0.9)
    assert (found > 0).sum(-1).tolist()[::2] == [1, 3]
    assert torch.equal((found > 0).sum(-1), (expected > 0).sum(-1))


def test_a_vocabulary_smaller_than_the_shortlist():
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    torch.testing.assert_close(ours(logits, 1.0, 0.9), reference(logits, 1.0, 0.9))


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_draws_have_hugging_faces_distribution(spread):
    """χ² at a fixed seed: 40,000 draws of one row, sparse tokens pooled."""
    logits = torch.randn(1, 400, generator=torch.Generator().manual_seed(1)) * spread
    expected = reference(logits, 0.8, 0.9)[0].double().numpy()
    count = 40_000
    numbers = torch.tensor(uniforms(("test", spread), count))
    found = torch.cat(
        [draw(logits.expand(len(part), -1), torch.full((len(part),), 0.8), 0.9, part)
         for part in numbers.split(4000)]
    )  # fmt: skip
    seen = np.bincount(found.numpy(), minlength=400)
    assert (seen[expected == 0] == 0).all()
    order = np.argsort(-expected)
    bins = np.array_split(order[: int((expected > 0).sum())], 40)
    above = [seen[part].sum() for part in bins]
    wanted = np.array([expected[part].sum() for part in bins])
    assert scipy.stats.chisquare(above, wanted / wanted.sum() * count).pvalue > 0.01


def test_the_ends_of_the_unit_interval_stay_in_the_nucleus():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(2, -1)
    chosen = draw(logits, torch.ones(2), 0.9, torch.tensor([0.0, 1.0 - 2**-53]).double())
    assert chosen.tolist() == [0, 2]


def test_numbers_belong_to_the_row():
    one = uniforms((1, "short", 0.8, "Fruits", 0), 50)
    assert (one == uniforms((1, "short", 0.8, "Fruits", 0), 50)).all()
    assert (one[:20] == uniforms((1, "short", 0.8, "Fruits", 0), 20)).all()
    assert (one != uniforms((1, "short", 0.8, "Fruits", 1), 50)).all()
    assert (one != uniforms((2, "short", 0.8, "Fruits", 0), 50)).all()
    assert scipy.stats.kstest(uniforms(("x",), 5000), "uniform").pvalue > 0.01


def requests_of(lab, topics, samples, temperature=0.8):
    prompt, model = lab.study.prompt, lab.model
    return [
        Request(
            prompt_tokens(model, prompt, prompt.templates["short"], None, topic).ids,
            temperature,
            ("test", topic, number),
        )
        for topic in topics
        for number in range(samples)
    ]


def drawn(lab, requests, batch, cap):
    stop = lab.model.ends(lab.study.prompt)
    options = {"top_p": 0.9, "max_new_tokens": cap, "stop": stop, "batch": batch}
    found = dict(sample(lab.model.network, requests, **options))
    return [found[i] for i in range(len(requests))]


def test_the_batch_size_does_not_change_what_is_drawn(tiny):
    requests = requests_of(tiny, ["Fruits", "Types of Trees", "Colors"], 7)
    once = drawn(tiny, requests, 21, 60)
    assert once == drawn(tiny, requests, 21, 60)
    assert once == drawn(tiny, requests, 4, 60)
    assert once == drawn(tiny, requests, 1, 60)
    mixed = list(reversed(requests))
    assert once == list(reversed(drawn(tiny, mixed, 8, 60)))


def test_rows_end_at_the_end_or_at_the_budget(tiny):
    ends = set(tiny.model.ends(tiny.study.prompt))
    lists = drawn(tiny, requests_of(tiny, ["Fruits", "Colors"], 20), 40, 12)
    assert {len(ids) == 12 or ids[-1] in ends for ids in lists} == {True}
    assert any(ids[-1] in ends for ids in lists)
    assert any(ids[-1] not in ends for ids in lists)
    assert all(not ends & set(ids[:-1]) for ids in lists)


def test_finished_rows_leave_the_batch(tiny, monkeypatch):
    sizes = []
    forward = sampling.forward

    def watched(network, tokens, *rest, **options):
        sizes.append(len(tokens))
        return forward(network, tokens, *rest, **options)

    monkeypatch.setattr(sampling, "forward", watched)
    lists = drawn(tiny, requests_of(tiny, ["Fruits", "Colors"], 20), 40, 60)
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 3
    for step, size in enumerate(sizes, 1):
        live = sum(len(ids) > step for ids in lists)
        assert live <= size <= max(live / sampling.LIVE, live)


def test_prompts_are_run_once(tiny, monkeypatch):
    seen = []

    class Watched(sampling.Prompts):
        def __init__(self, network, prompts):
            seen.extend(prompts)
            super().__init__(network, prompts)

    monkeypatch.setattr(sampling, "Prompts", Watched)
    drawn(tiny, requests_of(tiny, ["Fruits", "Colors"], 9), 4, 20)
    assert len(seen) == len(set(seen)) == 2


def test_each_row_has_its_own_temperature(tiny):
    cold = requests_of(tiny, ["Fruits"], 6, temperature=0.01)
    warm = [replace(request, temperature=1.3) for request in cold]
    both = drawn(tiny, [*cold, *warm], 12, 20)
    assert all(ids == both[0] for ids in both[:6])
    assert any(ids != both[0] for ids in both[6:])


def test_first_tokens_have_the_models_distribution(tiny):
    requests = requests_of(tiny, ["Fruits"], 3000)
    first = [ids[0] for ids in drawn(tiny, requests, 1000, 1)]
    with torch.inference_mode():
        tiny.model.network.set_attn_implementation("eager")
        logits = tiny.model.network(torch.tensor([requests[0].prompt])).logits[:, -1]
        tiny.model.network.set_attn_implementation(ATTENTION)
    expected = reference(logits, 0.8, 0.9)[0].double().numpy()
    seen = np.bincount(first, minlength=len(expected))[expected > 0]
    wanted = expected[expected > 0]
    assert seen.sum() == 3000
    assert scipy.stats.chisquare(seen, wanted / wanted.sum() * 3000).pvalue > 0.01


@pytest.mark.weights
def test_the_batch_size_does_not_change_real_lists(smollm2):
    requests = requests_of(smollm2, ["Fruits", "Famous Scientists"], 3)
    once = drawn(smollm2, requests, 6, 30)
    assert once == drawn(smollm2, requests, 4, 30)
    # The model writes a list, from its prefilled hyphen on.
    assert all(smollm2.model.pieces(ids)[0].startswith(" ") for ids in once)
