"""What autoencoders read while the model reads a text, and what they make of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from analyses.lab.model.stages import Blocks
from analyses.lab.saes.attribution import Place, beside
from analyses.lab.saes.saes import Sae


def streams(blocks: Blocks, tokens: Sequence[int], places: Sequence[Place]) -> dict[Place, Tensor]:
    """What stands at each place, [positions, d], up to the last of them."""
    found: dict[Place, Tensor] = {}
    with torch.inference_mode():
        resid = blocks.embed(torch.tensor([tokens], device=blocks.network.device))
        rotary = blocks.rotary(resid)
        for layer in range(max(layer for _, layer in places) + 1):
            values = blocks.run(layer, resid, rotary)
            resid = values["resid_post"]
            found |= {(s, at): beside(values[s]).cpu() for s, at in places if at == layer}
    return found


def activations(sae: Sae, x: Tensor, features: Sequence[int]) -> Tensor:
    """Of some features on x [positions, d]: [positions, features], 0 at the first position."""
    with torch.inference_mode():
        x = x.to(sae.directions.device)
        counted = torch.arange(len(x), device=x.device) > 0
        return sae.encode(x, counted)[:, list(features)].cpu()


def before(sae: Sae, x: Tensor, features: Sequence[int]) -> Tensor:
    """Pre-activations on x [positions, d]: what the threshold, or the like, decides about.

    [positions, features], NaN at the first position.
    """
    with torch.inference_mode():
        found = sae.before(x.to(sae.directions.device))[:, list(features)].cpu()
        found[0] = torch.nan
    return found
