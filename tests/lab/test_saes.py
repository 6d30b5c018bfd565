"""Opening the SAEs of a study, taking streams apart, and running the network through them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core.errors import LabError
from analyses.lab.model import sampling
from analyses.lab.model.decoder import Prompts
from analyses.lab.model.hooks import tapped, width_of
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes.saes import Sae, open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.lab.saes import LOCAL, perfect_sae, random_sae, silent_sae, study_with

Z = 'site = "z"\nlayers = [1]\nfolder = "z/{layer}"'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    root = tmp_path_factory.mktemp("project")
    for layer in (0, 1):
        random_sae(root / "saes" / str(layer), seed=layer)
    random_sae(root / "z" / "1", d=64, threshold=0.01)
    return study_with(root, LOCAL, Z)


def texts(lab: Lab) -> list[list[int]]:
    """Two prompts of unequal length, the first with an answer."""
    model, prompt = lab.model, lab.study.prompt
    asked = [
        prompt_tokens(model, prompt, prompt.templates[name], None, topic).ids
        for name, topic in (("short", "Fruits"), ("none", "Colors"))
    ]
    answer = model.tokenizer.encode(" Apple\n- Pear \n- Fig\n", add_special_tokens=False)
    return [[*asked[0], *answer], list(asked[1])]


def streams(lab: Lab, sae: Sae, rows: list[list[int]], **options) -> tuple[torch.Tensor, ...]:
    """What stands at the SAE's place before and after it, the logits, and where padding ends."""
    seen: list[torch.Tensor] = []
    network = lab.model.network
    with (
        torch.inference_mode(),
        tapped(network, sae.site, sae.layer, seen.append),
        spliced(network, sae, **options),
        tapped(network, sae.site, sae.layer, seen.append),
    ):
        prompts = Prompts(network, rows)
        logits = prompts.run(last_only=False)
    return seen[0], seen[1], logits, prompts.pads


def test_they_come_one_at_a_time_and_close_behind(lab: Lab) -> None:
    met: list[Sae] = []
    for sae in open_saes(lab):
        for before in met:
            with pytest.raises(RuntimeError, match="closed"):
                before.encode(torch.zeros(1, 256))
        assert sae.directions.shape == (40, width_of(lab.model.network, sae.site))
        assert sae.directions.dtype == torch.float32
        met.append(sae)
    assert [sae.name for sae in met] == ["resid_post-0", "resid_post-1", "z-1"]
    assert [sae.name for sae in open_saes(lab, site="resid_post", layers=[1])] == ["resid_post-1"]
    assert all(len(digest) == 64 for sae in met for digest in sae.digests.values())
    assert set(met[0].digests) == {"saes/0/cfg.json", "saes/0/sae_weights.safetensors"}
    assert len({tuple(sae.digests.values()) for sae in met}) == 3


def test_features_and_error_make_up_the_stream(lab: Lab) -> None:
    x = torch.randn(2, 3, 256)
    counted = torch.tensor([[False, True, True], [False, False, True]])
    for sae in open_saes(lab, site="resid_post"):
        features = sae.encode(x, counted)
        assert (features[~counted] == 0).all()
        assert (features[counted] > 1).any()
        assert ((features == 0) | (features > 1)).all()  # the threshold that was written
        torch.testing.assert_close(sae.decode(features) + sae.error(x, features), x)
        by_hand = features @ sae.directions + sae.decode(torch.zeros(40))
        torch.testing.assert_close(sae.decode(features), by_hand)


@pytest.mark.parametrize("name", ["resid_post-0", "resid_post-1", "z-1"])
def test_taking_a_feature_away_changes_the_stream_by_its_direction(lab: Lab, name: str) -> None:
    rows = texts(lab)
    for sae in (one for one in open_saes(lab) if one.name == name):
        before, after, logits, pads = streams(lab, sae, rows)
        assert torch.equal(before, after)
        own = Prompts(lab.model.network, rows).run(last_only=False)
        for row, pad in enumerate(pads):
            torch.testing.assert_close(logits[row, pad:], own[row, pad:], atol=1e-5, rtol=0)
        activations = sae.encode(before)
        feature = int((activations[0, -3:] > 0).sum(0).argmax())
        where = torch.zeros(before.shape[:2], dtype=torch.bool)
        where[0, -3:] = True
        _, changed, moved, _ = streams(lab, sae, rows, edit=setting([feature], 0.0, where))
        expected = -activations[0, -3:, feature, None] * sae.directions[feature]
        assert expected.abs().max() > 0.01
        torch.testing.assert_close(changed[0, -3:] - before[0, -3:], expected, atol=1e-5, rtol=1e-4)
        assert torch.equal(changed[~where], before[~where])
        assert not torch.equal(moved[0, -1], logits[0, -1])
        assert torch.equal(moved[1, -1], logits[1, -1])


def test_a_decoder_whose_lengths_are_divided_out_adds_its_directions_too(tmp_path: Path) -> None:
    torch.manual_seed(1)
    made = TopKSAE(TopKSAEConfig(d_in=256, d_sae=40, k=4, rescale_acts_by_decoder_norm=True))
    made.W_dec.data *= torch.linspace(0.5, 3, 40)[:, None]
    made.save_model(tmp_path / "saes" / "0")
    x = torch.randn(5, 256)
    with torch.no_grad():
        asked = made(x)
    for sae in open_saes(study_with(tmp_path, LOCAL.replace("[0, 1]", "[0]"))):
        features = sae.encode(x)
        rebuilt = features @ sae.directions + sae.decode(torch.zeros(1, 40))
    assert (features > 0).sum() == 20
    torch.testing.assert_close(rebuilt, asked, atol=1e-4, rtol=1e-5)


def test_features_are_set_to_given_values(lab: Lab) -> None:
    for sae in open_saes(lab, site="resid_post", layers=[0]):
        edit = setting([3, 7], torch.tensor([2.5, 0.5]))
        before, after, _, pads = streams(lab, sae, texts(lab), edit=edit)
        features = sae.encode(before)
        step = (2.5 - features[..., 3, None]) * sae.directions[3]
        step = step + (0.5 - features[..., 7, None]) * sae.directions[7]
        for row, pad in enumerate(pads):
            torch.testing.assert_close(
                (after - before)[row, pad + 1 :], step[row, pad + 1 :], atol=1e-4, rtol=1e-4
            )


def test_the_first_position_and_padding_stay_as_they_are(lab: Lab) -> None:
    rows = texts(lab)
    for sae in open_saes(lab, site="resid_post"):
        for options in ({"edit": setting(range(40), 9.0)}, {"keep_error": False}):
            before, after, _, pads = streams(lab, sae, rows, **options)
            for row, pad in enumerate(pads):
                assert rows[row][0] == lab.model.tokenizer.bos_token_id
                assert torch.equal(after[row, : pad + 1], before[row, : pad + 1])
                assert (after[row, pad + 1 :] != before[row, pad + 1 :]).any(-1).all()


def test_the_sampler_runs_through_it(lab: Lab) -> None:
    requests = [sampling.Request(tuple(texts(lab)[1]), 0.8, ("row", i)) for i in range(6)]
    end = lab.model.token(lab.study.prompt.end)
    settings = {"top_p": 0.9, "max_new_tokens": 20, "stop": [end], "batch": 4}

    def drawn() -> dict[int, list[int]]:
        return dict(sampling.sample(lab.model.network, requests, **settings))

    own = drawn()
    for sae in open_saes(lab, site="resid_post", layers=[1]):
        with spliced(lab.model.network, sae):
            assert drawn() == own
        with spliced(lab.model.network, sae, setting(range(40), 30.0)):
            assert drawn() != own
    assert drawn() == own


LAYER_9 = LOCAL.replace("1]", "9]")
MISSING = LOCAL.replace("saes/", "nowhere/")


@pytest.mark.parametrize(
    ("saes", "message"),
    [
        ((), "tiny.toml: no sparse autoencoders in this study; add"),
        ((LAYER_9,), "there is no layer 9: the model has 2, counted from 0; correct saes.layers"),
        ((MISSING,), "nowhere/0: no cfg.json of layer 0 here; train autoencoders and save them"),
        ((LOCAL.replace("resid_post", "z"),), "reads 256 numbers, and z of this model has 64"),
        ((LOCAL.replace("saes/", "broken/"),), "broken/0: not an autoencoder of sae_lens"),
        (
            ('site = "z"\nlayers = [0]\nrelease = "gemma-scope"\nid = "layer_{layer}/x"',),
            "gemma-scope layer_0/x: could not be had: Release gemma-scope not found",
        ),
    ],
)
def test_what_cannot_be_opened_is_an_error_of_one_line(
    tmp_path: Path, saes: tuple[str, ...], message: str
) -> None:
    perfect_sae(tmp_path / "saes" / "0")
    silent_sae(tmp_path / "broken" / "0")
    (tmp_path / "broken" / "0" / "cfg.json").write_text("{")
    with pytest.raises(LabError) as caught:
        list(open_saes(study_with(tmp_path, *saes)))
    assert message in str(caught.value)
    assert caught.value.cure


@pytest.mark.parametrize(("site", "kind", "d"), [("resid_post", "res", 256), ("z", "att", 64)])
def test_gemma_scope_is_read_from_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str, kind: str, d: int
) -> None:
    """Through sae_lens's loader of the published release, its files written here."""
    from sae_lens.loading import pretrained_sae_loaders
    from sae_lens.saes import sae as module

    width, asked = 24, []
    rng = np.random.default_rng(0)
    params = {
        "W_enc": rng.standard_normal((d, width)), "W_dec": rng.standard_normal((width, d)),
        "b_enc": rng.standard_normal(width), "b_dec": rng.standard_normal(d),
        "threshold": np.full(width, 0.5),
    }  # fmt: skip
    params = {name: value.astype(np.float32) for name, value in params.items()}
    np.savez(tmp_path / "params.npz", **params)

    def download(repo_id: str, filename: str, subfolder: str, **_: object) -> str:
        asked.append((repo_id, subfolder, filename))
        return str(tmp_path / filename)

    monkeypatch.setattr(pretrained_sae_loaders, "hf_hub_download", download)
    sizes = {"d_in": d, "d_sae": width}  # in place of 2,304 and 16,384
    monkeypatch.setattr(module, "get_config_overrides", lambda *_: dict(sizes))
    source = f'site = "{site}"\nlayers = [1]\nrelease = "gemma-scope-2b-pt-{kind}-canonical"\n'
    study_with(tmp_path, source + 'id = "layer_{layer}/width_16k/canonical"')
    file = tmp_path / "analyses/studies/tiny.toml"
    named = file.read_text("utf-8").replace('repo = "tiny"', 'repo = "google/gemma-2-2b-it"')
    file.write_text(named, "utf-8")
    lab = Lab.open("tiny", root=tmp_path, quiet=True)
    for sae in open_saes(lab):
        assert asked[0][0] == f"google/gemma-scope-2b-pt-{kind}"
        assert asked[0][1].startswith("layer_1/width_16k/")
        assert list(sae.digests) == [
            f"gemma-scope-2b-pt-{kind}-canonical/layer_1/width_16k/canonical"
        ]
        x = rng.standard_normal((5, d)).astype(np.float32)
        before = x @ params["W_enc"] + params["b_enc"]  # its b_dec is not taken off the input
        by_hand = before * (before > 0.5)
        features = sae.encode(torch.from_numpy(x))
        assert features.numpy() == pytest.approx(by_hand, abs=1e-4)
        made = by_hand @ params["W_dec"] + params["b_dec"]
        assert sae.decode(features).numpy() == pytest.approx(made, abs=1e-3)
        seen, after, _, _ = streams(lab, sae, texts(lab))
        assert seen.shape[-1] == d
        assert torch.equal(seen, after)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"hook_name": "blocks.1.hook_resid_post"}, "which is not resid_post of layer 0"),
        ({"hook_name": "blocks.0.attn.hook_z"}, "which is not resid_post of layer 0"),
        ({"hook_name": "blocks.0.hook_mlp_out"}, "which is not resid_post of layer 0"),
        ({"hook_name": "blocks.0.hook_resid_pre"}, "which is not resid_post of layer 0"),
        ({"model_name": "gpt2-small"}, "was trained on gpt2-small, and the study's model is"),
    ],
)
def test_a_dictionary_of_another_place_or_model_is_refused(
    metadata: dict[str, str], said: str, tmp_path: Path
) -> None:
    lab = study_with(tmp_path, 'site = "resid_post"\nlayers = [0]\nfolder = "sae"')
    random_sae(tmp_path / "sae")
    say(tmp_path / "sae", metadata)
    with pytest.raises(LabError, match=f"^sae: .*{said}"):
        next(open_saes(lab))


def test_one_of_this_place_and_model_is_opened_by_any_of_their_names(tmp_path: Path) -> None:
    lab = study_with(tmp_path, 'site = "resid_post"\nlayers = [0]\nfolder = "sae"')
    random_sae(tmp_path / "sae")
    repo = lab.study.model.repo
    for hook in ("blocks.0.hook_resid_post", "blocks.1.hook_resid_pre"):
        for name in (repo, repo.rpartition("/")[2].upper(), f"{repo}-it", ""):
            say(tmp_path / "sae", {"hook_name": hook, "model_name": name})
            assert next(open_saes(lab)).width == 40


def test_a_transcoder_is_refused(tmp_path: Path) -> None:
    from sae_lens import Transcoder, TranscoderConfig

    lab = study_with(tmp_path, 'site = "resid_post"\nlayers = [0]\nfolder = "sae"')
    config = TranscoderConfig(d_in=256, d_out=256, d_sae=40, apply_b_dec_to_input=False)
    Transcoder(config).save_model(tmp_path / "sae")
    with pytest.raises(LabError, match="sae: is a transcoder: it does not reconstruct"):
        next(open_saes(lab))


def say(folder: Path, metadata: dict[str, str]) -> None:
    """Let a saved autoencoder say what it was trained on."""
    config = json.loads((folder / "cfg.json").read_text("utf-8"))
    config["metadata"] |= metadata
    (folder / "cfg.json").write_text(json.dumps(config), "utf-8")
