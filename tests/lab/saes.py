"""Autoencoders made by hand, and a copy of the tiny study that names them."""

from pathlib import Path

import torch
from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig

from analyses.lab.core.study_file import FOLDER
from analyses.lab.runtime.lab import Lab
from tests.lab.conftest import ROOT

LOCAL = 'site = "resid_post"\nlayers = [0, 1]\nfolder = "saes/{layer}"'


def study_with(root: Path, *saes: str) -> Lab:
    """The tiny study in a project of its own, with [[saes]] of these keys."""
    text = (ROOT / FOLDER / "tiny.toml").read_text("utf-8")
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    text += "".join(f"\n[[saes]]\n{keys}\n" for keys in saes)
    (root / FOLDER / "tiny.toml").write_text(text, "utf-8")
    return Lab.open("tiny", root=root, quiet=True)


def write_sae(folder: Path, width: int, d: int, **weights: torch.Tensor) -> None:
    """One with the given weights."""
    sae = JumpReLUSAE(JumpReLUSAEConfig(d_in=d, d_sae=width, apply_b_dec_to_input=False))
    for name, value in weights.items():
        getattr(sae, name).data = value
    sae.save_model(folder)


def random_sae(
    folder: Path, d: int = 256, width: int = 40, seed: int = 0, threshold: float = 1.0
) -> None:
    """Random directions."""
    torch.manual_seed(seed)
    write_sae(
        folder, width, d, W_enc=torch.randn(d, width), W_dec=torch.randn(width, d),
        b_dec=torch.randn(d), threshold=torch.full((width,), threshold),
    )  # fmt: skip


def perfect_sae(folder: Path, d: int = 256) -> None:
    """Two features a dimension, its positive and its negative part: x̂ = x."""
    both = torch.cat((torch.eye(d), -torch.eye(d)))
    write_sae(folder, 2 * d, d, W_enc=both.T.contiguous(), W_dec=both)


def silent_sae(folder: Path, d: int = 256) -> None:
    """No feature ever fires: x̂ = 0."""
    write_sae(folder, 8, d, threshold=torch.full((8,), 1e9))
