"""Streams are those of each text on its own; training goes on where it was stopped."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sae_lens import SAE
from safetensors.torch import load_file

from analyses.instruments.sae_training import text as sae_text
from analyses.instruments.sae_training import train
from analyses.lab.core.errors import LabError
from analyses.lab.model.scores import Text
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime.lab import Lab
from analyses.lab.sae_training import streams, training
from analyses.lab.sae_training.training import Settings
from tests.lab.conftest import ROOT
from tests.lab.saes import LOCAL, study_with

SMALL = Settings(width=320, k=12, first_k=48, passes=6, batch=32)


@pytest.mark.parametrize("name", ["tiny", "smollm2"])
def test_streams_are_those_of_each_text_alone(name: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(name)
    network, blocks = lab.model.network, Blocks(lab.model.network)
    plan = sae_text.plan(lab)
    end = lab.model.token(lab.study.prompt.end)
    short, other = plan[0].prompt, plan[1].prompt
    texts = [Text(short, (9, 8, 7, end)), Text(other, (9,)), Text(other, (5, end))]
    layers = [0, 1]

    def alone(ids: tuple[int, ...]) -> torch.Tensor:
        record = blocks.record(blocks.embed(torch.tensor([ids])))
        return torch.stack([record["resid_post"][layer][0] for layer in layers])

    with torch.inference_mode():
        alike = next(i for i in range(99) if short[i] != other[i])
        parts = [alone(short)[:, 1:], alone(other)[:, alike:]]
        for text in sorted(texts, key=lambda text: len(text.tokens)):
            parts.append(alone((*text.prompt, *text.tokens))[:, len(text.prompt) :])
    found = streams.streams(network, texts, layers)
    assert found.dtype == np.float16
    expected = torch.cat(parts, 1).half().numpy()
    assert found.shape == expected.shape
    assert found == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_what_half_precision_cannot_hold_is_refused(tiny: Lab) -> None:
    text = Text(sae_text.plan(tiny)[0].prompt, (9, 8))
    norm = tiny.model.network.model.layers[0].post_feedforward_layernorm
    before = norm.weight.clone()
    norm.weight.data.fill_(1e6)
    try:
        with pytest.raises(LabError, match="beyond half precision"):
            streams.streams(tiny.model.network, [text], [0])
    finally:
        norm.weight.data.copy_(before)


def test_more_features_at_first() -> None:
    settings = Settings(k=10, first_k=50, annealing=0.5)
    assert [settings.k_at(step, 100) for step in (0, 25, 50, 99)] == [50, 30, 10, 10]


def test_training_finds_the_directions_that_made_the_data(tiny: Lab, tmp_path: Path) -> None:
    """Streams that are sums of few directions, scaled and off centre, come back."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((16, 48))
    features = rng.random((4000, 16)) * (rng.random((4000, 16)) < 0.15)
    data = (100 * features @ directions + 200).astype(np.float16)
    settings = Settings(width=64, k=4, first_k=16, passes=40, batch=64, silence=100)
    folder = tmp_path / "sums"
    sae = training.train(tiny, data, settings, seed=1, label="")
    training.save(sae, folder, {"model_name": "sums"})
    found = training.describe(folder, data, 0)
    assert found["variance_explained"] > 0.9
    assert found["features"] == pytest.approx(4, abs=1.5)
    reloaded = SAE.load_from_disk(folder)
    assert reloaded.cfg.metadata.model_name == "sums"
    x = torch.from_numpy(data[:64]).float()
    missed = (reloaded.decode(reloaded.encode(x)) - x).pow(2).sum()
    assert missed < 0.1 * (x - x.mean(0)).pow(2).sum()


def test_a_finished_layer_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = study_with(tmp_path, LOCAL)
    wanted = train.folders(lab, None)
    assert wanted == {0: tmp_path / "saes/0", 1: tmp_path / "saes/1"}
    (tmp_path / "saes" / "1.part").mkdir(parents=True)  # left behind by a run that was stopped
    train.train_saes(lab, wanted, settings=SMALL, every=100)
    for layer, folder in wanted.items():
        assert {path.name for path in folder.iterdir()} == {
            "cfg.json", "recipe.json", "sae_weights.safetensors"
        }  # fmt: skip
        weights = load_file(folder / "sae_weights.safetensors")
        assert {value.dtype for value in weights.values()} == {torch.float16}
        assert set(weights) == {"W_enc", "W_dec", "b_enc", "b_dec", "threshold"}
        sae = SAE.load_from_disk(folder)
        assert sae.cfg.architecture() == "jumprelu"
        assert sae.W_dec.dtype == torch.float32
        assert sae.W_dec.norm(dim=1).detach().numpy() == pytest.approx(1, abs=1e-2)
        recipe = json.loads((folder / "recipe.json").read_text())
        assert recipe["layer"] == layer
        assert recipe["settings"]["width"] == 320
        assert recipe["text"]["streams"] > recipe["text"]["written"] > 100
        assert recipe["on_training_text"]["variance_explained"] > 0.5
        assert recipe["model"] == lab.model.weights.digests
        assert set(recipe["made_by"]) == set(train.MADE_BY)
    assert not (tmp_path / "saes" / "1.part").exists()

    before = {layer: (folder / "recipe.json").read_bytes() for layer, folder in wanted.items()}
    lab.quiet = False
    train.train_saes(lab, wanted, settings=SMALL, every=100)
    assert capsys.readouterr().err.count("is there; --again trains it anew") == 2
    train.train_saes(lab, wanted, settings=Settings(), every=100)
    assert capsys.readouterr().err.count("is there, trained with other settings; --again") == 2
    assert before == {at: (folder / "recipe.json").read_bytes() for at, folder in wanted.items()}
    weights = (wanted[1] / "sae_weights.safetensors").read_bytes()
    written = (wanted[1] / "recipe.json").stat().st_mtime_ns
    train.train_saes(lab, {1: wanted[1]}, settings=SMALL, every=100, again=True)
    assert (wanted[1] / "recipe.json").stat().st_mtime_ns > written
    assert (wanted[1] / "sae_weights.safetensors").read_bytes() == weights  # the seed is the same


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--study", "tiny"], "names no sparse autoencoders that could be trained; add [[saes]]"),
        (["--study", "tiny", "--layers", "0,x"], "--layers: 0,x is no list of layers; say 18,22"),
        (["--study", "tiny", "--layers", "7"], "there is no layer 7: the model has 2"),
        (["--study", "tinny"], "analyses/studies/tinny.toml: no such study; did you mean tiny?"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    arguments: list[str], message: str, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert train.main([*arguments, "--quiet"]) == 1
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said
