"""Attribution patching against the patches that it estimates."""

from pathlib import Path

import numpy as np
import pytest
import torch

from analyses.lab.core.errors import LabError
from analyses.lab.model.stages import HEADS, SITES, Blocks
from analyses.lab.patching.attribution import attribute, integrate
from analyses.lab.patching.patching import Patch
from analyses.lab.runtime.lab import Lab
from tests.lab.pairs import Case, case, strong_tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny_case() -> Case:
    return strong_tiny(Lab.open("tiny", root=ROOT, quiet=True))


def sides(run: Case) -> dict[str, object]:
    return {"base": run.corrupted, "source": run.clean, "contrast": run.contrast}


@pytest.mark.parametrize("site", SITES)
def test_is_the_slope_of_the_patch(site: str, smollm2: Lab) -> None:
    """In the last layers, where the metric bends little, estimate and patch agree."""
    run = case(smollm2, " Apple\n- Banana\n- Kiwi")
    blocks = Blocks(smollm2.model.network)
    found = attribute(blocks, **sides(run))  # type: ignore[arg-type]
    sweep = run.sweep()
    heads = range(blocks.heads_of(site)) if site in HEADS else [None]
    places = (sweep.first, sweep.tokens - 1)
    patches = [
        Patch(site, layer, (at,), head) for layer in (24, 28) for at in places for head in heads
    ]
    true = (sweep.run(patches) - sweep.base_metric).numpy()
    effect = found.effects[site]
    index = [(p.layer, *(() if p.head is None else (p.head,)), p.positions[0]) for p in patches]
    guess = np.array([float(effect[at]) for at in index])
    if np.ptp(true) > 1e-3:
        assert np.corrcoef(true, guess)[0, 1] > 0.9


def test_before_the_first_difference_is_zero(tiny_case: Case) -> None:
    blocks = Blocks(tiny_case.lab.model.network)
    found = attribute(blocks, **sides(tiny_case))  # type: ignore[arg-type]
    first = tiny_case.sweep().first
    for effect in (*found.effects.values(), *found.corrected.values()):
        assert float(effect[..., :first].abs().max()) < 1e-5


@pytest.mark.parametrize("site", ["q", "k"])
def test_the_pattern_is_exact_where_the_rest_is_linear(site: str, tiny_case: Case) -> None:
    """The corrected estimate of one head is the pattern's change times the pattern's slope."""
    blocks = Blocks(tiny_case.lab.model.network)
    found = attribute(blocks, **sides(tiny_case))  # type: ignore[arg-type]
    base, source = (
        blocks.record(blocks.embed(torch.tensor([tokens])).requires_grad_())
        for tokens in (tiny_case.corrupted, tiny_case.clean)
    )
    metric = blocks.contrast(base["resid_post"][-1][0, -1], tiny_case.contrast)
    (slope,) = torch.autograd.grad(metric, [base["pattern"][1]])
    for head in range(blocks.heads_of(site)):
        for position in (len(tiny_case.clean) - 6, len(tiny_case.clean) - 1):
            changed = base[site][1].clone()
            changed[0, head, position] = source[site][1][0, head, position]
            q, k = (changed if site == name else base[name][1] for name in "qk")
            true = ((blocks.pattern(1, q, k) - base["pattern"][1]) * slope).sum()
            guess = found.corrected[site][1, head, position]
            assert guess.item() == pytest.approx(true.item(), abs=1e-4)


@pytest.mark.parametrize("site", ["q", "k", "v"])
def test_integrated_gradients_are_complete(site: str, tiny_case: Case) -> None:
    blocks = Blocks(tiny_case.lab.model.network)
    sweep = tiny_case.sweep()
    for layer in (0, 1):
        options = {"site": site, "layer": layer, "steps": 64}
        found = integrate(blocks, **sides(tiny_case), **options)  # type: ignore[arg-type]
        whole = sweep.run([Patch(site, layer, tuple(range(sweep.tokens)))])
        assert float(found.sum()) == pytest.approx(float(whole) - sweep.base_metric, abs=0.02)


def test_integrates_only_what_attention_reads(tiny_case: Case) -> None:
    blocks = Blocks(tiny_case.lab.model.network)
    with pytest.raises(LabError, match="no such place"):
        integrate(blocks, **sides(tiny_case), site="resid_pre", layer=0, steps=2)  # type: ignore[arg-type]
