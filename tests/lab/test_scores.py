import math

import numpy as np
import pytest
import torch

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.model import scores
from analyses.lab.model.decoder import ATTENTION
from analyses.lab.model.scores import Text, next_token, score


def test_entropies_by_hand():
    # p = (1/2, 1/4, 1/4): H = 3/2 ln 2; −ln p − H = ∓ ln 2 / 2, so varentropy = (ln 2)²/4.
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log() + 3
    probability, entropy, varentropy, contrast = next_token(logits, torch.tensor([2]), [(0, 1)])
    assert probability.item() == pytest.approx(0.25)
    assert entropy.item() == pytest.approx(1.5 * math.log(2), rel=1e-5)
    assert varentropy.item() == pytest.approx(math.log(2) ** 2 / 4, rel=1e-5)
    assert contrast.item() == pytest.approx(math.log(2), rel=1e-5)


def test_a_certain_and_a_uniform_distribution():
    logits = torch.tensor([[100.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    found = next_token(logits, torch.tensor([0, 3]), [])
    assert found[1].tolist() == pytest.approx([0, math.log(4)], abs=1e-6)
    assert found[2].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert found[0].tolist() == pytest.approx([1, 0.25])


def texts_of(lab):
    prompt, model = lab.study.prompt, lab.model
    asked = [
        prompt_tokens(model, prompt, prompt.templates[name], None, topic).ids
        for name, topic in (("short", "Fruits"), ("long", "Types of Trees"), ("none", "Colors"))
    ]
    tails = ["Apple\n- Fig\n", "New York\n", "Dog\n- Cat\n- Paris \n- Oak\n", ""]
    return [
        Text(prompt, tuple(model.tokenizer.encode(tail, add_special_tokens=False)))
        for prompt in asked
        for tail in tails
    ]


def test_scores_are_those_of_each_text_alone(tiny, monkeypatch):
    """Parity with plain forward passes of Hugging Face's model, one text at a time."""
    monkeypatch.setattr(scores, "BATCH_TOKENS", 40)
    model, texts = tiny.model, texts_of(tiny)
    pair = (model.token("-"), model.token("\n"))
    found = dict(score(model.network, texts, [pair]))
    assert sorted(found) == list(range(len(texts)))
    model.network.set_attn_implementation("eager")
    for i, text in enumerate(texts):
        ids = torch.tensor([*text.prompt, *text.tokens])
        with torch.inference_mode():
            logits = model.network(ids[None]).logits[0].double()
        p = logits.softmax(-1).numpy()
        entropy = -(p * np.log(p)).sum(-1)
        varentropy = (p * (-np.log(p) - entropy[:, None]) ** 2).sum(-1)
        one = found[i]
        assert one.entropy.shape == (len(ids),)
        np.testing.assert_allclose(one.entropy, entropy, atol=1e-4)
        np.testing.assert_allclose(one.varentropy, varentropy, atol=1e-3)
        contrast = (logits[:, pair[0]] - logits[:, pair[1]]).numpy()
        np.testing.assert_allclose(one.contrasts[0], contrast, atol=1e-3)
        assert np.isnan(one.probability[0])
        chances = p[np.arange(len(ids) - 1), ids[1:]]
        np.testing.assert_allclose(one.probability[1:], chances, atol=1e-5)
    model.network.set_attn_implementation(ATTENTION)


def test_batches_are_sorted_by_length_and_bounded():
    texts = [Text((1,), (2,) * size) for size in (5, 900, 3, 600, 5, 2000, 0)]
    batches = list(scores._batches(texts))
    assert batches == [[6, 2, 0, 4], [3], [1], [5]]
