"""Every family's numbers are its own network's, or it is refused by name before there are any."""

import copy

import pytest
import torch

from analyses.lab.core.errors import LabError
from analyses.lab.model import parity
from analyses.lab.model.decoder import ATTENTION
from analyses.lab.model.hooks import SITES, tapped
from analyses.lab.model.lens import lens
from analyses.lab.model.parity import check_decoder, checked_blocks
from analyses.lab.patching.patching import Patch, Sweep
from tests.lab import families

EXACT = 1e-4  # logits
CONTRAST = (5, 9)
CLEAN = [*range(3, 23)]
CORRUPTED = [*range(3, 9), 70, 71, *range(11, 23)]


@pytest.fixture(scope="module", params=families.KNOWN)
def network(request):
    made = families.network(request.param)
    check_decoder(made, "m")
    return made


def plain(network, tokens):
    """Logits as Hugging Face has them."""
    network.set_attn_implementation("eager")
    with torch.inference_mode():
        logits = network(torch.tensor([tokens])).logits[0]
    network.set_attn_implementation(ATTENTION)
    return logits


def standing(network, site, layer, tokens):
    """What stands at a place."""
    taken = []
    with tapped(network, site, layer, lambda x: taken.append(x.clone())):
        plain(network, tokens)
    return taken[0]


def test_patching_equals_hooks_one_by_one(network):
    blocks = checked_blocks(network, "m")
    sweep = Sweep(blocks, base=CORRUPTED, source=CLEAN, contrast=CONTRAST)
    for site in SITES:
        for layer in (0, blocks.last - 1):
            theirs = standing(network, site, layer, CLEAN)
            for positions in ((7,), (6, 15), (19,)):

                def change(x, positions=positions, theirs=theirs):
                    x = x.clone()
                    x[:, list(positions)] = theirs[:, list(positions)]
                    return x

                with tapped(network, site, layer, change):
                    plus, minus = plain(network, CORRUPTED)[-1, list(CONTRAST)].tolist()
                found = sweep.run([Patch(site, layer, positions)]).item()
                assert found == pytest.approx(plus - minus, abs=EXACT)
    assert abs(sweep.source_metric - sweep.base_metric) > 50 * EXACT  # there is something to see


def test_the_lens_ends_where_the_network_does(network):
    found = lens(checked_blocks(network, "m"), [CLEAN], [19, 4], [CONTRAST])[0, -1, :, 0]
    logits = plain(network, CLEAN)[[19, 4]]
    expected = logits[:, CONTRAST[0]] - logits[:, CONTRAST[1]]
    assert found == pytest.approx(expected.numpy(), abs=EXACT)


@pytest.mark.parametrize("family", families.OTHERS)
def test_a_family_of_other_parts_is_refused_by_name(family):
    made = families.network(family)
    with pytest.raises(LabError, match=f"{family}: .*; take a model of a known family") as caught:
        checked_blocks(made, "nobody/model")
    assert str(caught.value).startswith("nobody/model: lens, patching, attribution and ablation")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "why"),
    [("gpt_oss", "off Hugging Face's by"), ("mamba", "made of other"), ("bloom", "made of other")],
)
def test_attention_that_shared_prompts_do_not_know_is_refused(family, why):
    said = f"m: no text can be sampled from it or scored: {family}: .*{why}"
    with pytest.raises(LabError, match=said):
        check_decoder(families.network(family), "m")


@pytest.mark.parametrize(
    ("family", "part"),
    [
        ("qwen3", "self_attn.q_norm"),
        ("gemma3", "self_attn.k_norm"),
        ("gemma2", "post_feedforward_layernorm"),
    ],
)
def test_a_part_that_is_left_out_is_noticed(family, part, monkeypatch):
    """As with a network that has a norm which the stages do not know."""
    made = families.network(family)
    blocks = checked_blocks(made, "m")
    known = copy.deepcopy(made)
    name, _, last = part.rpartition(".")
    for layer in known.model.layers:
        owner = getattr(layer, name) if name else layer
        setattr(owner, last, torch.nn.Identity())
        if last.endswith("_norm"):
            setattr(owner, last, None)
    without = type(blocks)(known)
    monkeypatch.setattr(parity, "Blocks", lambda _network: without)
    with pytest.raises(LabError, match="off Hugging Face's by"):
        checked_blocks(made, "m")


@pytest.mark.parametrize("family", ["mistral", "gemma3", "phi3", "qwen2"])
def test_a_window_that_is_off_by_one_is_noticed(family, monkeypatch):
    from analyses.lab.model import stages

    made = families.network(family)
    kept = {id(one): one.sliding_window for one in made.modules() if hasattr(one, "sliding_window")}
    real = stages.window_of
    monkeypatch.setattr(
        stages, "window_of", lambda *of: (real(*of) or 10**6) - 1 if real(*of) else None
    )
    with pytest.raises(LabError, match=r"off Hugging Face's by .* of block"):
        checked_blocks(made, "m")
    # Windows are those of before, whatever came of it.
    assert kept == {
        id(one): one.sliding_window for one in made.modules() if hasattr(one, "sliding_window")
    }
