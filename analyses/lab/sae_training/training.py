"""Training one sparse autoencoder on kept streams, with sae_lens's trainer.

BatchTopK (Bussmann et al. 2024, arXiv:2412.06410): in a batch the k · batch largest activations are
kept, so that a position may use more features than another. Saved with the one threshold that came
out, as a JumpReLU autoencoder, which looks at each position on its own; in half precision, and read
back by sae_lens in single.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sae_lens import SAE, BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.config import SAETrainerConfig
from sae_lens.constants import SAE_WEIGHTS_FILENAME
from sae_lens.training.sae_trainer import SAETrainer
from safetensors.torch import load_file, save_file

from analyses.lab.runtime.lab import Lab

LOOKED_AT = 16_384  # tokens on which a finished autoencoder is described


@dataclass(frozen=True)
class Settings:
    """How an autoencoder is trained; the numbers were tried on SmolLM2 135M, d = 576."""

    width: int = 2304  # four features a dimension: 5 MiB in half precision, committed
    k: int = 96  # at 64 what the model writes after layer 26 is half a nat less likely
    first_k: int = 384  # falls to k, so that every feature is used before few may be
    annealing: float = 0.2  # share of the steps in which it falls
    passes: int = 6  # over the text; five to ten minutes a layer on two cores
    batch: int = 256  # tokens; larger ones are hardly faster and make fewer steps
    learning_rate: float = 3e-3  # ten times the usual: there are few steps
    warming: float = 0.02  # share of the steps in which it rises
    cooling: float = 0.25  # share of the steps in which it falls to nothing
    threshold_rate: float = 0.01  # of the running mean that becomes the saved threshold
    silence: int = 1000  # steps without firing after which a feature counts as dead and is revived

    def k_at(self, step: int, steps: int) -> float:
        """How many features a position may use at a step, on average over the batch."""
        done = min(1.0, step / max(1.0, self.annealing * steps))
        return self.first_k + (self.k - self.first_k) * done


def train(
    lab: Lab, data: NDArray[np.float16], settings: Settings, *, seed: int, label: str
) -> BatchTopKTrainingSAE:
    """Train on streams [tokens, d]; the result takes and gives streams as the model has them."""
    torch.manual_seed(seed)
    count, width_in = data.shape
    norm, mean = _norm_and_mean(data)
    # Directions are random and of length one, read and written alike; starting from samples of the
    # data failed, most of them being copies of a few frequent tokens.
    sae = BatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=width_in,
            d_sae=settings.width,
            k=settings.k,
            topk_threshold_lr=settings.threshold_rate,
            decoder_init_norm=1.0,
        )
    )
    sae.b_dec.data = mean / norm
    steps = settings.passes * (count // settings.batch)
    trainer = SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=steps * settings.batch,
            train_batch_size_samples=settings.batch,
            lr=settings.learning_rate,
            lr_end=settings.learning_rate,
            lr_warm_up_steps=int(settings.warming * steps),
            lr_decay_steps=int(settings.cooling * steps),
            dead_feature_window=settings.silence,
        ),
        sae=sae,
        data_provider=iter(()),
    )
    batches = _batches(data, settings, seed)
    for step, batch in enumerate(lab.progress(batches, total=steps, label=label)):
        sae.activation_fn.k = settings.k_at(step, steps)
        trainer.step(batch / norm)
        trainer.n_training_steps += 1
    sae.fold_activation_norm_scaling_factor(1 / norm)
    return sae


def save(sae: BatchTopKTrainingSAE, folder: Path, metadata: dict[str, Any]) -> None:
    """Write cfg.json and the weights, as a JumpReLU autoencoder in half precision."""
    for name, value in metadata.items():
        sae.cfg.metadata[name] = value
    sae.save_inference_model(folder)
    weights = folder / SAE_WEIGHTS_FILENAME
    save_file({name: value.half() for name, value in load_file(weights).items()}, weights)


def describe(folder: Path, data: NDArray[np.float16], seed: int) -> dict[str, float]:
    """What the saved autoencoder does on some of its own training tokens [tokens, d].

    Returns:
        variance_explained (1 − Σ|x − x̂|² / Σ|x − mean|²), features (that fire at a position, the
        mean), dead (share of features that fire at none).
    """
    sae = SAE.load_from_disk(folder)
    chosen = np.random.default_rng(seed).permutation(len(data))[:LOOKED_AT]
    missed = varied = fired = 0.0
    alive = torch.zeros(sae.cfg.d_sae, dtype=torch.bool)
    _, mean = _norm_and_mean(data)
    with torch.inference_mode():
        for part in np.array_split(chosen, max(1, len(chosen) // 1024)):
            x = torch.from_numpy(data[part]).float()
            features = sae.encode(x)
            missed += float((x - sae.decode(features)).pow(2).sum())
            varied += float((x - mean).pow(2).sum())
            fired += float((features > 0).sum())
            alive |= (features > 0).any(0)
    return {
        "variance_explained": round(1 - missed / varied, 4),
        "features": round(fired / len(chosen), 1),
        "dead": round(1 - float(alive.float().mean()), 4),
    }


def _norm_and_mean(data: NDArray[np.float16]) -> tuple[float, torch.Tensor]:
    """Mean norm of the streams [tokens, d], and their mean [d]."""
    norms, total = 0.0, torch.zeros(data.shape[1], dtype=torch.float64)
    parts = np.array_split(data, max(1, len(data) // 8192))
    for part in parts:
        x = torch.from_numpy(part).double()
        norms += float(x.norm(dim=-1).sum())
        total += x.sum(0)
    return norms / len(data), (total / len(data)).float()


def _batches(data: NDArray[np.float16], settings: Settings, seed: int) -> Iterator[torch.Tensor]:
    """Each pass in an order of its own; what does not fill a batch waits for the next pass."""
    generator = np.random.default_rng(seed)
    whole = len(data) // settings.batch * settings.batch
    for _ in range(settings.passes):
        order = generator.permutation(len(data))[:whole]
        for start in range(0, whole, settings.batch):
            yield torch.from_numpy(data[order[start : start + settings.batch]]).float()
