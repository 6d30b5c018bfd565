"""Patching is exact: as TransformerLens's own sweeps, and as hooks one by one."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformer_lens.utilities as utils
from transformer_lens import patching as reference

from analyses.lab.core.errors import LabError
from analyses.lab.model.stages import HEADS, RESIDUAL, SITES, Blocks
from analyses.lab.patching.patching import Patch, Sweep, normalised
from analyses.lab.runtime.lab import Lab
from tests.lab.pairs import Case, case, strong_tiny

ROOT = Path(__file__).parents[2]
EXACT = 1e-4  # logits


@pytest.fixture(scope="module")
def tiny_case() -> Case:
    return strong_tiny(Lab.open("tiny", root=ROOT, quiet=True))


@pytest.fixture(scope="module")
def caches(tiny_case: Case) -> Any:
    return tiny_case.bridge.run_with_cache(torch.tensor([tiny_case.clean]))[1]


def everywhere(sweep: Sweep) -> tuple[int, ...]:
    return tuple(range(sweep.tokens))


def by_hooks(run: Case, cache: Any, patch: Patch) -> float:
    """The same patch through the bridge's hooks."""
    name = utils.get_act_name(patch.site, patch.layer)
    assert name in run.bridge.hook_dict, name
    places = list(patch.positions)

    def replace(value: torch.Tensor, hook: Any) -> torch.Tensor:
        value = value.clone()
        if patch.head is None:
            value[:, places] = cache[name][:, places]
        elif patch.site == "pattern":
            value[:, patch.head, places] = cache[name][:, patch.head, places]
        else:
            value[:, places, patch.head] = cache[name][:, places, patch.head]
        return value

    logits = run.bridge.run_with_hooks(torch.tensor([run.corrupted]), fwd_hooks=[(name, replace)])
    return float(run.metric(logits))


SWEEPS = {
    "resid_pre": (reference.get_act_patch_resid_pre, "layer pos"),
    "attn_out": (reference.get_act_patch_attn_out, "layer pos"),
    "mlp_out": (reference.get_act_patch_mlp_out, "layer pos"),
    "z": (reference.get_act_patch_attn_head_out_by_pos, "layer pos head"),
    "q": (reference.get_act_patch_attn_head_q_by_pos, "layer pos head"),
    "k": (reference.get_act_patch_attn_head_k_by_pos, "layer pos head"),
    "v": (reference.get_act_patch_attn_head_v_by_pos, "layer pos head"),
    "pattern": (reference.get_act_patch_attn_head_pattern_by_pos, "layer head pos"),
    "z all": (reference.get_act_patch_attn_head_out_all_pos, "layer head"),
    "q all": (reference.get_act_patch_attn_head_q_all_pos, "layer head"),
    "k all": (reference.get_act_patch_attn_head_k_all_pos, "layer head"),
    "v all": (reference.get_act_patch_attn_head_v_all_pos, "layer head"),
    "pattern all": (reference.get_act_patch_attn_head_pattern_all_pos, "layer head"),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_equals_transformer_lens_on_tiny(name: str, tiny_case: Case, caches: Any) -> None:
    theirs, axes = SWEEPS[name]
    with torch.inference_mode():
        tokens = torch.tensor([tiny_case.corrupted])
        expected = theirs(tiny_case.bridge, tokens, caches, tiny_case.metric)
    sweep = tiny_case.sweep()
    patches = []
    for index in torch.cartesian_prod(*(torch.arange(size) for size in expected.shape)).tolist():
        at = dict(zip(axes.split(), index, strict=True))
        places = (at["pos"],) if "pos" in at else everywhere(sweep)
        patches.append(Patch(name.split()[0], at["layer"], places, at.get("head")))
    found = sweep.run(patches)
    assert float((found - expected.flatten()).abs().max()) < EXACT
    # There is something to see.
    assert float((found - sweep.base_metric).abs().max()) > 100 * EXACT


@pytest.mark.parametrize("site", SITES)
def test_equals_hooks_on_smollm2(site: str, smollm2: Lab) -> None:
    run = case(smollm2, " Apple\n- Banana\n- Kiwi")
    sweep = run.sweep()
    with torch.inference_mode():
        cache = run.bridge.run_with_cache(torch.tensor([run.clean]))[1]
    head = sweep.blocks.heads_of(site) - 1 if site in HEADS else None
    late, last = sweep.first + 9, sweep.tokens - 1
    places = [(sweep.first,), (late,), (late, last), everywhere(sweep)]
    patches = [Patch(site, layer, at, head) for layer in (0, 14, 29) for at in places]
    found = sweep.run(patches)
    with torch.inference_mode():
        expected = torch.tensor([by_hooks(run, cache, patch) for patch in patches])
    assert float((found - expected).abs().max()) < EXACT


def test_everything_restores_and_nothing_changes(tiny_case: Case) -> None:
    sweep = tiny_case.sweep()
    whole = everywhere(sweep)
    everything = [Patch("resid_pre", 0, whole), Patch("resid_pre", 1, whole)]
    everything += [Patch("resid_post", 0, whole), Patch("resid_post", 1, (sweep.tokens - 1,))]
    found = sweep.run(everything)
    assert found.tolist() == pytest.approx([sweep.source_metric] * 4, abs=EXACT)
    nothing = [Patch(site, 0, ()) for site in SITES]
    assert sweep.run(nothing).tolist() == [sweep.base_metric] * len(SITES)
    scaled = normalised(found, clean=sweep.source_metric, corrupted=sweep.base_metric)
    assert scaled.tolist() == pytest.approx([1] * 4, abs=0.01)


def test_before_the_first_difference_costs_nothing(tiny_case: Case) -> None:
    sweep = tiny_case.sweep()
    before = tuple(range(sweep.first))
    patches = [Patch(site, layer, before) for site in SITES for layer in (0, 1)]
    # The embeddings of all words but one are the same in both runs.
    patches.append(Patch("resid_pre", 0, tuple(range(sweep.first + 1, sweep.tokens))))
    assert sweep.run(patches).tolist() == [sweep.base_metric] * len(patches)
    assert sweep.rows_run == 0


def test_batches_do_not_change_results(tiny_case: Case) -> None:
    patches = [
        Patch(site, layer, (position,))
        for site in RESIDUAL
        for layer in (1, 0)
        for position in range(len(tiny_case.clean))
    ]
    small, large = tiny_case.sweep(budget=1), tiny_case.sweep(budget=1 << 30)
    assert torch.allclose(small.run(patches), large.run(patches), atol=EXACT)
    assert small.row_bytes(0) > small.row_bytes(small.first) > small.row_bytes(small.tokens - 1)


def test_batches_stay_in_the_budget(tiny_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = tiny_case.sweep(budget=1 << 20)
    taken = []
    run_batch = Sweep._run_batch

    def watched(self: Sweep, patches: Any, batch: list[int], start: int) -> Any:
        taken.append(len(batch) * self.row_bytes(start))
        return run_batch(self, patches, batch, start)

    monkeypatch.setattr(Sweep, "_run_batch", watched)
    sweep.run([Patch("resid_pre", 1, (position,)) for position in everywhere(sweep)])
    assert len(taken) > 1
    assert max(taken) <= 1 << 20


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (
            Patch("resid_prr", 0, (9,)),
            'site "resid_prr": no such place in a block; did you mean resid_pre?',
        ),
        (
            Patch("atn_out", 0, (9,)),
            'site "atn_out": no such place in a block; did you mean attn_out?',
        ),
        (Patch("z", 2, (9,)), "layer 2: no such layer; 0 to 1"),
        (Patch("z", -1, (9,)), "layer -1: no such layer; 0 to 1"),
        (Patch("k", 0, (9,), 2), "head 2: k has 2 heads; count from 0"),
        (Patch("z", 0, (9,), -1), "head -1: z has 4 heads; count from 0"),
        (Patch("z", 0, (9, -1)), "positions (9, -1): of {tokens}; count from 0"),
        (Patch("z", 0, (9, 999)), "positions (9, 999): of {tokens}; count from 0"),
    ],
)
def test_says_what_is_wrong(patch: Patch, said: str, tiny_case: Case) -> None:
    sweep = tiny_case.sweep()
    with pytest.raises(LabError) as raised:
        sweep.run([patch])
    assert str(raised.value) == said.format(tokens=len(tiny_case.clean))


def test_a_residual_site_has_no_heads(tiny_case: Case) -> None:
    with pytest.raises(LabError, match="no such place"):
        tiny_case.sweep().run([Patch("resid_pre", 0, (9,), 0)])


def test_prompts_of_unequal_length_are_refused(tiny_case: Case) -> None:
    blocks = Blocks(tiny_case.lab.model.network)
    with pytest.raises(LabError) as raised:
        Sweep(blocks, base=[1, 2], source=[1], contrast=tiny_case.contrast)
    assert str(raised.value) == (
        "patching: prompts of 2 and 1 tokens; use wordings of equal token length"
    )


def test_two_equal_prompts_leave_nothing_to_patch(tiny_case: Case) -> None:
    blocks = Blocks(tiny_case.lab.model.network)
    sides = {"base": tiny_case.clean, "source": tiny_case.clean}
    sweep = Sweep(blocks, **sides, contrast=tiny_case.contrast)
    assert (sweep.first, sweep.rows_run) == (sweep.tokens, 0)
    patches = [Patch("resid_pre", 0, everywhere(sweep)), Patch("z", 1, (sweep.tokens - 1,))]
    assert sweep.run(patches).tolist() == [sweep.source_metric] * 2


def test_rows_are_counted_and_metrics_are_double(tiny_case: Case) -> None:
    sweep = tiny_case.sweep()
    patch = Patch("resid_pre", 0, (sweep.first,))
    found = sweep.run([patch, patch, Patch("z", 0, ())])
    assert sweep.rows_run == 2
    sweep.run([patch])
    assert sweep.rows_run == 3
    assert found.dtype == torch.float64
    assert sweep.run([]).tolist() == []


def test_a_row_takes_what_its_sites_take(tiny_case: Case) -> None:
    """4 bytes a number; of 256 wide, 64 hidden and 4 heads, from a position on."""
    sweep = tiny_case.sweep()
    length = sweep.tokens - 3
    residual = length * (6 * 256 + 3 * 64)
    attention = 2 * 4 * length * sweep.tokens + 4 * 256 * sweep.tokens
    assert sweep.row_bytes(3) == 4 * (residual + attention)


def test_a_batch_is_as_large_as_its_budget_allows(
    tiny_case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = tiny_case.sweep()
    rows: list[int] = []
    run_batch = Sweep._run_batch

    def watched(self: Sweep, patches: Any, batch: list[int], start: int) -> Any:
        rows.append(len(batch))
        return run_batch(self, patches, batch, start)

    monkeypatch.setattr(Sweep, "_run_batch", watched)
    one = probe.row_bytes(probe.first)
    patches = [Patch("resid_pre", 0, (probe.first,))] * 5
    for budget, expected in ((2 * one, [2, 2, 1]), (2 * one - 1, [1] * 5), (1, [1] * 5)):
        tiny_case.sweep(budget=budget).run(patches)
        assert rows == expected
        rows.clear()
    assert probe.budget == 24 << 20


def test_a_scale_from_the_corrupted_run_to_the_clean_one() -> None:
    found = normalised(torch.tensor([2.0, 3.0, 6.0]), clean=6.0, corrupted=2.0)
    assert found.tolist() == [0, 0.25, 1]
