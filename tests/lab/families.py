"""A small random model of each family, whose parts are strong enough to matter."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

SIZES: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**SIZES, "num_key_value_heads": 2}
HEADS = {**GROUPED, "head_dim": 12}  # not what the width divided by the heads would be
HALF = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
GPT2 = {"vocab_size": 96, "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 256}
GPT2 |= {name: SIZES[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
CAPS = {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}
FACTORS = {"embedding_multiplier": 3.0, "residual_multiplier": 0.5, "logits_scaling": 2.0}

KNOWN: dict[str, tuple[Any, Any]] = {
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**HEADS, attention_bias=True)),
    "qwen2": (
        hf.Qwen2ForCausalLM,
        hf.Qwen2Config(**GROUPED, use_sliding_window=True, sliding_window=8, max_window_layers=2),
    ),
    "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config(**HEADS)),
    "gemma": (hf.GemmaForCausalLM, hf.GemmaConfig(**HEADS)),
    "gemma2": (hf.Gemma2ForCausalLM, hf.Gemma2Config(**HEADS, sliding_window=5, **CAPS)),
    "gemma3": (
        hf.Gemma3ForCausalLM,
        hf.Gemma3TextConfig(**HEADS, sliding_window=5, sliding_window_pattern=2),
    ),
    "mistral": (hf.MistralForCausalLM, hf.MistralConfig(**HEADS, sliding_window=7)),
    "phi3": (
        hf.Phi3ForCausalLM,
        hf.Phi3Config(**GROUPED, sliding_window=7, rope_parameters=HALF),
    ),
    "olmo2": (hf.Olmo2ForCausalLM, hf.Olmo2Config(**GROUPED)),
    "olmo3": (hf.Olmo3ForCausalLM, hf.Olmo3Config(**GROUPED, sliding_window=7)),
    "granite": (
        hf.GraniteForCausalLM,
        hf.GraniteConfig(**GROUPED, attention_multiplier=0.3, **FACTORS),
    ),
    "smollm3": (
        hf.SmolLM3ForCausalLM,
        hf.SmolLM3Config(**GROUPED, no_rope_layers=[1, 1, 1, 0], use_sliding_window=False),
    ),
    "glm": (hf.GlmForCausalLM, hf.GlmConfig(**HEADS)),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config(**GPT2)),
    "gpt_neox": (hf.GPTNeoXForCausalLM, hf.GPTNeoXConfig(**SIZES)),
    "gpt_neox, one after the other": (
        hf.GPTNeoXForCausalLM,
        hf.GPTNeoXConfig(**SIZES, use_parallel_residual=False),
    ),
    "mixtral": (hf.MixtralForCausalLM, hf.MixtralConfig(**HEADS, num_local_experts=4)),
}
OTHERS: dict[str, tuple[Any, Any]] = {
    "cohere": (hf.CohereForCausalLM, hf.CohereConfig(**GROUPED)),
    "falcon": (
        hf.FalconForCausalLM,
        hf.FalconConfig(
            **{name: value for name, value in SIZES.items() if name != "intermediate_size"}
        ),
    ),
    "gpt_oss": (
        hf.GptOssForCausalLM,
        hf.GptOssConfig(**HEADS, num_local_experts=4, sliding_window=7),
    ),
    "bloom": (
        hf.BloomForCausalLM,
        hf.BloomConfig(vocab_size=96, hidden_size=32, n_layer=4, n_head=4),
    ),
    "mamba": (
        hf.MambaForCausalLM,
        hf.MambaConfig(vocab_size=96, hidden_size=32, num_hidden_layers=2),
    ),
}


def network(family: str) -> Any:
    """A random network of a family, without gradients."""
    kind, config = (KNOWN | OTHERS)[family]
    torch.manual_seed(0)
    made = kind(config).eval().requires_grad_(False)
    for parameter in made.parameters():
        if parameter.ndim > 1:
            parameter.mul_(8)  # random weights are so small that nothing would matter
        else:
            parameter.add_(torch.randn_like(parameter) * 0.3)  # nor would norms and biases
    return made
