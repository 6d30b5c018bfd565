"""Attribution patching: all patches of a sweep estimated from one forward and one backward pass.

Replacing an activation a by a' changes the metric by about (a' − a) · ∂m/∂a [Nanda 2023; Kramár et
al. 2024, arXiv:2403.00745]. That is first order: wrong where the metric bends, above all behind the
softmax of a saturated attention pattern. So queries and keys are corrected as in AtP*: the pattern
that a patch leads to is computed exactly, and only from there on the estimate is linear. Integrated
gradients (the gradient averaged on the straight line from a to a' at one site of one layer) are the
check: their sum is the true effect of patching all of that site at once.

Shapes of an effect: [layers, T] for residual sites, [layers, heads, T] for sites of heads
(key-value heads for k and v; for the pattern T are destinations). Units: logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.lab.model.stages import HEADS, SITES, Activations, Blocks, check_site


@dataclass(frozen=True)
class Attribution:
    """Estimated changes of the metric when `source`'s values replace `base`'s.

    Attributes:
        effects: site -> effect of each patch; q and k in plain first order.
        corrected: q and k through the exact pattern.
    """

    effects: dict[str, Tensor]
    corrected: dict[str, Tensor]


def attribute(
    blocks: Blocks, *, base: Sequence[int], source: Sequence[int], contrast: tuple[int, int]
) -> Attribution:
    """Estimate every patch of every site from `source` into `base`."""
    device = blocks.network.device
    with torch.no_grad():
        theirs = blocks.record(blocks.embed(torch.tensor([source], device=device)))
    with torch.enable_grad():
        resid = blocks.embed(torch.tensor([base], device=device)).requires_grad_()
        mine = blocks.record(resid)
        metric = blocks.contrast(mine["resid_post"][-1][0, -1], contrast)
        kept = [tensor for site in SITES for tensor in mine[site]]
        # What only reaches earlier positions of the last block has no gradient: none is zero.
        slopes = torch.autograd.grad(metric, kept, materialize_grads=True)
    count = len(blocks.layers)
    slope = {site: slopes[i * count : (i + 1) * count] for i, site in enumerate(SITES)}
    effects: dict[str, Tensor] = {}
    corrected: dict[str, list[Tensor]] = {"q": [], "k": []}
    with torch.no_grad():
        for site in SITES:
            pairs = zip(theirs[site], mine[site], slope[site], strict=True)
            effects[site] = torch.stack([((a - b) * g).sum(-1)[0] for a, b, g in pairs])
        for layer in range(count):
            found = _through_pattern(blocks, layer, mine, theirs, slope["pattern"][layer])
            corrected["q"].append(found[0])
            corrected["k"].append(found[1])
    stacked = {site: torch.stack(values).cpu() for site, values in corrected.items()}
    return Attribution({site: effect.cpu() for site, effect in effects.items()}, stacked)


def _through_pattern(
    blocks: Blocks, layer: int, mine: Activations, theirs: Activations, slope: Tensor
) -> tuple[Tensor, Tensor]:
    """Effects of q [H, T] and of k [G, T] with the exact pattern and a linear rest."""
    q, k, pattern = (mine[site][layer] for site in ("q", "k", "pattern"))
    by_query = ((blocks.pattern(layer, theirs["q"][layer], k) - pattern) * slope).sum(-1)[0]
    # One key more or less attractive by `shift` rescales its row: p'_j = p_j e^shift / Z, and all
    # other keys by 1 / Z, with Z = 1 + p_j (e^shift − 1).
    before, after = blocks.scores(layer, q, k), blocks.scores(layer, q, theirs["k"][layer])
    gain = torch.expm1(after - before)
    weighted = (pattern * slope).sum(-1, keepdim=True)
    changed = (weighted + pattern * gain * slope) / (1 + pattern * gain) - weighted
    by_key = changed.sum(-2)[0]
    return by_query, by_key.view(blocks.groups, -1, by_key.shape[-1]).sum(1)


def integrate(
    blocks: Blocks,
    *,
    base: Sequence[int],
    source: Sequence[int],
    contrast: tuple[int, int],
    site: str,
    layer: int,
    steps: int,
) -> Tensor:
    """Integrated gradients of a site of heads at one layer: effects [heads, T].

    Args:
        site: q, k or v.
        steps: points on the line, at the middle of equal parts; all in one batch.
    """
    check_site(site, HEADS[:3])
    device = blocks.network.device
    with torch.no_grad():
        both = blocks.embed(torch.tensor([base, source], device=device))
        rotary = blocks.rotary(both)
        for number in range(layer):
            both = blocks.run(number, both, rotary)["resid_post"]
        values = dict(zip("qkv", blocks.qkv(layer, both, rotary), strict=True))
        mine, theirs = values[site]
        share = (torch.arange(steps, device=device) + 0.5) / steps
        line = mine + share.view(-1, 1, 1, 1).to(mine.dtype) * (theirs - mine)
    with torch.enable_grad():
        line.requires_grad_()
        parts = {name: value[:1].expand(steps, -1, -1, -1) for name, value in values.items()}
        resid = blocks.rest(layer, both[:1], **(parts | {site: line}))["resid_post"]
        for number in range(layer + 1, len(blocks.layers)):
            resid = blocks.run(number, resid, rotary)["resid_post"]
        metric = blocks.contrast(resid[:, -1], contrast).sum()
        (slope,) = torch.autograd.grad(metric, [line])
    effect: Tensor = ((theirs - mine) * slope.mean(0)).sum(-1)
    return effect.detach().cpu()
