"""Autoencoders whose features are small beside the stream, so that taking one out is a small step."""

from pathlib import Path

import torch
from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig

from analyses.lab.lab import Lab
from tests.lab.saes import LOCAL, study_with


def mild_sae(folder: Path, d: int, seed: int) -> None:
    """Unit directions whose features together are about a tenth of x."""
    torch.manual_seed(seed)
    sae = JumpReLUSAE(JumpReLUSAEConfig(d_in=d, d_sae=40, apply_b_dec_to_input=False))
    sae.W_dec.data = torch.nn.functional.normalize(torch.randn(40, d), dim=-1)
    sae.W_enc.data = 0.3 * sae.W_dec.data.T.contiguous()
    sae.b_dec.data = torch.randn(d)
    sae.threshold.data = torch.full((40,), 0.01)
    sae.save_model(folder)


def mild_study(root: Path) -> Lab:
    """The tiny study with three of them: after both blocks, and of the second block's heads."""
    for layer in (0, 1):
        mild_sae(root / "saes" / str(layer), 256, layer)
    mild_sae(root / "z" / "1", 64, 2)
    return study_with(root, LOCAL, 'site = "z"\nlayers = [1]\nfolder = "z/{layer}"')
