"""Two prompts and one list under both, for the tests of patching, lens and attribution."""

from dataclasses import dataclass
from typing import Any

import torch

from analyses.instruments.pairs import pair
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.patching import Sweep
from analyses.lab.runtime.lab import Lab


@dataclass
class Case:
    """Both runs, as token ids, and the model that they are for."""

    lab: Lab
    clean: list[int]
    corrupted: list[int]
    contrast: tuple[int, int]

    @property
    def bridge(self) -> Any:
        return self.lab.model.bridge

    def sweep(self, **options: Any) -> Sweep:
        """Denoising: clean values into the corrupted run."""
        blocks = Blocks(self.lab.model.network)
        sides = {"base": self.corrupted, "source": self.clean}
        return Sweep(blocks, **sides, contrast=self.contrast, **options)

    def metric(self, logits: torch.Tensor) -> torch.Tensor:
        plus, minus = self.contrast
        return logits[0, -1, plus] - logits[0, -1, minus]


def case(lab: Lab, answer: str) -> Case:
    """The first topic's short and long prompt, both answered by `answer`."""
    model, study = lab.model, lab.study
    prompts = pair(model, study.prompt, study.prompt.templates, "short", study.topics.names[0])
    rest = model.tokenizer.encode(answer, add_special_tokens=False)
    clean, corrupted = ([*prompt.ids, *rest] for prompt in prompts)
    primary = getattr(study.decision, study.decision.primary)
    return Case(lab, clean, corrupted, (model.token(primary.plus), model.token(primary.minus)))


def strong_tiny(lab: Lab) -> Case:
    """The tiny model with strong layers, and the two tokens that the swapped word moves most.

    As it is, its grammar alone decides, and a patch hardly moves a logit.
    """
    network = lab.model.network
    with torch.no_grad():
        for layer in network.model.layers:
            layer.post_attention_layernorm.weight.fill_(8.0)
            layer.post_feedforward_layernorm.weight.fill_(8.0)
            for proj in (layer.self_attn.q_proj, layer.self_attn.k_proj):
                proj.weight.mul_(6)
    run = case(lab, " Apple\n- New York\n- Pear \n- Fig\n- Red\n")
    with torch.inference_mode():
        logits = lab.model.bridge(torch.tensor([run.clean, run.corrupted]))[:, -1]
    moved = logits[0] - logits[1]
    run.contrast = (int(moved.argmax()), int(moved.argmin()))
    return run
