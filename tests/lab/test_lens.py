"""The lens ends where the model does."""

import pytest
import torch

from analyses.lab.model.lens import lens
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime.lab import Lab
from tests.lab.pairs import case


@pytest.mark.parametrize("name", ["tiny", "smollm2"])
def test_last_layer_is_the_models_own_difference(name: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(name)
    run = case(lab, " Apple\n- Pear")
    other = (run.contrast[1], 7)
    places = [len(run.clean) - 1, len(run.clean) - 3]
    network = lab.model.network
    found = lens(Blocks(network), [run.clean, run.corrupted], places, [run.contrast, other])
    assert found.shape == (2, len(network.model.layers) + 1, 2, 2)
    with torch.inference_mode():
        logits = lab.model.bridge(torch.tensor([run.clean, run.corrupted]))[:, places]
    for i, (plus, minus) in enumerate((run.contrast, other)):
        own = logits[..., plus] - logits[..., minus]
        assert found[:, -1, :, i] == pytest.approx(own.numpy(), abs=1e-4)


def test_first_layer_sees_only_the_token(tiny: Lab) -> None:
    run = case(tiny, " Apple\n- Apple")
    places = [len(run.clean) - 1, len(run.clean) - 4]
    found = lens(Blocks(tiny.model.network), [run.clean, run.corrupted], places, [run.contrast])
    assert found[:, 0].std() == pytest.approx(0, abs=1e-6)
