"""Tokens are drawn in the browser as the lab draws them, from the same random numbers."""

import hashlib

import numpy as np
import pytest
import torch

from analyses.lab.model import sampling

NAME = (20260, "short", 0.8, "Fruits", 3)


def test_random_numbers_are_those_of_the_name(live):
    key = int.from_bytes(hashlib.blake2b(repr(NAME).encode(), digest_size=16).digest(), "little")
    found = live("key => live.uniforms(BigInt(key), 50)", f"{key:#x}")

    assert found == sampling.uniforms(NAME, 50).tolist()


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.8, 0.9), (0.1, 0.5), (1.3, 0.99), (1.0, 1.0)]
)
def test_the_token_is_the_one_that_the_lab_draws(live, temperature, top_p):
    rng = np.random.default_rng(0)
    logits = (3 * rng.normal(size=(40, 5000))).astype(np.float32)
    numbers = rng.random(40)
    expected = sampling.draw(
        torch.from_numpy(logits), torch.full((40,), temperature), top_p, torch.from_numpy(numbers)
    )

    found = live(
        """([rows, numbers, how]) => rows.map((row, place) => {
          const logits = Float32Array.from(row);
          const sum = row.reduce((sum, one) => sum + Math.exp(one / how.temperature), 0);
          return live.draw(logits, Math.log(sum), how, numbers[place]);
        })""",
        [logits.tolist(), numbers.tolist(), {"temperature": temperature, "topP": top_p}],
    )
    assert found == expected.tolist()
