"""Whether the lab's own forward passes are the network's; what is measured by others means nothing.

There are two: of shared prompts (`decoder`), which samples and scores, and in stages (`stages`),
which lens, patching, attribution and ablation read. Both are compared with the network as Hugging
Face runs it, at every site, on a text that is longer than any window.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.decoder import ATTENTION, Prompts
from analyses.lab.model.parts import parts_of
from analyses.lab.model.stages import Blocks

TOKENS, WINDOW, SEED = 64, 24, 0
"""Of the text; windows count as this short meanwhile, so that no text need be longer."""

KINDS = {"full_attention", "sliding_attention"}
"""Of layers, that a short text tells from each other."""

TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}
"""Largest difference at a site, by the largest number there, or by 1 if that is smaller."""

SAMPLED = "no text can be sampled from it or scored"
MEASURED = "lens, patching, attribution and ablation cannot be measured on it"
FAMILIES = "Llama, Qwen, Gemma, Mistral, Phi-3, OLMo 2, Granite, SmolLM3, GPT-2, GPT-NeoX or alike"

Seen = dict[tuple[int, str], Tensor]  # block and site -> its values
LOGITS = (10**6, "logits")  # behind all blocks


def check_decoder(network: Any, name: str) -> None:
    """Compare logits of shared prompts with the network's own; leaves `ATTENTION` set.

    Raises:
        LabError: they differ, or the network cannot be run so.
    """
    tokens = _text(network)
    with _short_windows(network), torch.inference_mode():
        network.set_attn_implementation("eager")
        expected = network(tokens).logits
        network.set_attn_implementation(ATTENTION)
        with _refused(network, name, SAMPLED):
            found = Prompts(network, tokens.tolist()).run(last_only=False)
    _compare({LOGITS: expected}, {LOGITS: found}, network, name, SAMPLED)


def checked_blocks(network: Any, name: str) -> Blocks:
    """The stages of a network, whose every site is what the network has there.

    Raises:
        LabError: it is not, or the network is made of other parts.
    """
    kinds = set(getattr(network.config, "layer_types", None) or ()) - KINDS
    if kinds:
        raise _refusal(network, name, f"it has layers of {', '.join(sorted(kinds))}", MEASURED)
    tokens = _text(network)
    with _refused(network, name, MEASURED), _short_windows(network), torch.inference_mode():
        blocks = Blocks(network)
        network.set_attn_implementation("eager")
        try:
            expected = _theirs(network, tokens)
        finally:
            network.set_attn_implementation(ATTENTION)
        found = _ours(blocks, tokens, expected)
    _compare(expected, found, network, name, MEASURED)
    return blocks


def _text(network: Any) -> Tensor:
    generator = torch.Generator().manual_seed(SEED)
    vocabulary = network.get_input_embeddings().weight.shape[0]
    tokens = torch.randint(vocabulary, (1, TOKENS), generator=generator)
    return tokens.to(network.device)


@contextmanager
def _short_windows(network: Any) -> Iterator[None]:
    """Inside, every window is `WINDOW` tokens long."""
    owners = [network.config, *network.modules()]
    before = [(one, one.sliding_window) for one in owners if getattr(one, "sliding_window", None)]
    try:
        for one, _ in before:
            one.sliding_window = WINDOW
        yield
    finally:
        for one, window in before:
            one.sliding_window = window


def _theirs(network: Any, tokens: Tensor) -> Seen:
    """What stands at each site when Hugging Face runs the network."""
    seen: Seen = {}
    with ExitStack() as stack:
        for number, block in enumerate(parts_of(network).blocks):

            def after(_: Any, __: Any, out: Any, number: int = number) -> None:
                seen[number, "resid_post"] = out if isinstance(out, Tensor) else out[0]

            def before(_: Any, args: tuple[Tensor, ...], number: int = number) -> None:
                seen[number, "z"] = args[0]

            stack.callback(block.module.register_forward_hook(after).remove)
            stack.callback(block.out.register_forward_pre_hook(before).remove)
        out = network(tokens, output_attentions=True, use_cache=True)
    seen[LOGITS] = out.logits
    for number, pattern in enumerate(out.attentions):
        lane = out.past_key_values.layers[number]
        seen[number, "pattern"] = pattern
        # A lane with a window has only the latest.
        seen |= {(number, "k"): lane.keys, (number, "v"): lane.values}
    return seen


def _ours(blocks: Blocks, tokens: Tensor, expected: Seen) -> Seen:
    """The same, from the stages."""
    run = blocks.record(blocks.embed(tokens))
    seen: Seen = {LOGITS: blocks.logits(run["resid_post"][-1])}
    for number in range(len(blocks.layers)):
        seen[number, "resid_post"] = run["resid_post"][number]
        seen[number, "z"] = run["z"][number].transpose(1, 2).flatten(2)
        seen[number, "pattern"] = run["pattern"][number]
        for site in "kv":
            length = expected[number, site].shape[2]
            seen[number, site] = run[site][number][:, :, -length:]
    return seen


def _compare(expected: Seen, found: Seen, network: Any, name: str, what: str) -> None:
    allowed = TOLERANCE[network.dtype]
    for place in sorted(expected):
        theirs, ours = expected[place].float(), found[place].float()
        gap = (theirs - ours).abs().max().item() / max(1.0, theirs.abs().max().item())
        if not gap <= allowed:
            where = "the logits" if place == LOGITS else f"{place[1]} of block {place[0]}"
            raise _refusal(network, name, f"off Hugging Face's by {gap:.2g} at {where}", what)


@contextmanager
def _refused(network: Any, name: str, what: str) -> Iterator[None]:
    """Whatever a network of other parts makes the lab's code raise, in one line."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _refusal(network, name, f"it is made of other parts ({reason})", what) from error


def _refusal(network: Any, name: str, why: str, what: str) -> LabError:
    kind = network.config.model_type
    return LabError(name, f"{what}: {kind}: {why}", f"take a model of a known family: {FAMILIES}")
