"""Logit lens: what the model would answer if it stopped after each block.

The residual stream after a block goes through the final norm and the unembedding, as if no block
followed [nostalgebraist 2020; Geva et al. 2022, arXiv:2203.14680]. Of the vocabulary only the two
tokens of each contrast are needed. The model's final soft-capping, if it has one, is applied as at
the end of the model, so that the last layer is the model's own difference of logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from analyses.lab.model.stages import Blocks


def lens(
    blocks: Blocks,
    rows: Sequence[Sequence[int]],
    places: Sequence[int],
    contrasts: Sequence[tuple[int, int]],
) -> NDArray[np.float32]:
    """logit(plus) − logit(minus), in logits, [rows, layers + 1, places, contrasts].

    Args:
        rows: texts of equal length, as token ids.
        places: positions to look at.
        contrasts: token ids (plus, minus).

    Layer 0 is the embedding, layer l the stream after l blocks.
    """
    with torch.inference_mode():
        resid = blocks.embed(torch.tensor(rows, device=blocks.network.device))
        rotary = blocks.rotary(resid)
        seen = [resid[:, places]]
        for layer in range(len(blocks.layers)):
            resid = blocks.run(layer, resid, rotary)["resid_post"]
            seen.append(resid[:, places])
        stream = torch.stack(seen, 1)
        found = torch.stack([blocks.contrast(stream, contrast) for contrast in contrasts], -1)
    return found.float().cpu().numpy()
