"""Autoencoders made up for a benchmark, and the text that it asks them about."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.core.study import SaeSource
from analyses.lab.runtime.lab import Lab
from benchmarks.example import answer

ROOT = Path(__file__).parents[1]
FIRING = 1e-3  # share of the features that fire


def study_with(study: str, folder: Path, count: int) -> Lab:
    """The study with the made-up autoencoders, spread over its layers, in place of its own."""
    lab = Lab.open(study, root=ROOT, quiet=True)
    depth = len(lab.model.network.model.layers)
    layers = tuple(sorted({round(i * (depth - 1) / max(count - 1, 1)) for i in range(count)}))
    source = SaeSource("resid_post", layers, folder=str(folder / "{layer}"))
    lab.study = dataclasses.replace(lab.study, saes=(source,))
    return lab


def text(lab: Lab) -> tuple[list[int], tuple[int, int]]:
    """A prompt and a list, cut where it could end, and the metric's two tokens."""
    from analyses.instruments.sweeps import contrast_of

    prompt = lab.study.prompt
    asked = prompt_tokens(
        lab.model, prompt, prompt.templates["short"], None, lab.study.topics.names[0]
    )
    return [*asked.ids, *answer(lab)], contrast_of(lab)


def write(lab: Lab, folder: Path, width: int) -> None:
    """Random unit directions, read and written alike, that fire as seldom as trained ones."""
    import torch
    from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig

    from analyses.lab.model.stages import Blocks
    from analyses.lab.saes.attribution import contrast, traces

    tokens, pair = text(lab)
    engine = Blocks(lab.model.network)
    layers = lab.study.saes[0].layers
    places = [("resid_post", layer) for layer in layers]
    (trace,) = traces(engine, tokens, places, [contrast(engine, pair)], slopes=False)
    for layer in layers:
        torch.manual_seed(layer)
        x = trace.streams["resid_post", layer][1:].float()
        sae = JumpReLUSAE(
            JumpReLUSAEConfig(d_in=x.shape[1], d_sae=width, apply_b_dec_to_input=False)
        )
        directions = torch.nn.functional.normalize(torch.randn(width, x.shape[1]), dim=-1)
        sae.W_dec.data, sae.W_enc.data = directions, directions.T.contiguous()
        before = (x @ sae.W_enc.data).flatten()[:: max(1, len(x) * width // 1_000_000)]
        sae.threshold.data = before.quantile(1 - FIRING).expand(width).contiguous()
        sae.half().save_model(folder / str(layer))
