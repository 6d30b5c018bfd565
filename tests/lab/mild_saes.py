"""Autoencoders whose features are small beside the stream, so that taking one out is a small step."""

from pathlib import Path

import torch

from analyses.lab.runtime.lab import Lab
from tests.lab.saes import LOCAL, study_with, write_sae


def mild_sae(folder: Path, d: int, seed: int) -> None:
    """Unit directions whose features together are about a tenth of x."""
    torch.manual_seed(seed)
    directions = torch.nn.functional.normalize(torch.randn(40, d), dim=-1)
    write_sae(
        folder, 40, d, W_enc=0.3 * directions.T.contiguous(), W_dec=directions,
        b_dec=torch.randn(d), threshold=torch.full((40,), 0.01),
    )  # fmt: skip


def mild_study(root: Path) -> Lab:
    """The tiny study with three of them: after both blocks, and of the second block's heads."""
    for layer in (0, 1):
        mild_sae(root / "saes" / str(layer), 256, layer)
    mild_sae(root / "z" / "1", 64, 2)
    return study_with(root, LOCAL, 'site = "z"\nlayers = [1]\nfolder = "z/{layer}"')
