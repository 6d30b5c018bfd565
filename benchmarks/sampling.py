"""Sampling lists: Hugging Face's `generate` against ours, in turn, in one run.

Both draw the same 128 lists' worth of prompts of the embedded study at its temperature, top-p and
token budget, from the same weights, with the same threads and the same waiting policy. What counts
is time per token of the lists (what `generate` pads after an end is not a token of a list).

    python -m benchmarks.sampling --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analyses.instruments.prompts import prompt_tokens
from analyses.lab.runtime.lab import Lab, prepare_process

ROOT = Path(__file__).parents[1]
BATCH = 128
Timed = tuple[float, int]  # seconds, tokens


def main() -> None:
    """Run the benchmark and print it, for people or as one JSON object."""
    parser = argparse.ArgumentParser(description="Sampling: Hugging Face's generate against ours.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--study", default="smollm2-135m-instruct", help="whose model and prompts")
    parser.add_argument("--rounds", type=int, default=3, help="times that each side is timed")
    options = parser.parse_args()
    found = compare(Lab.open(options.study, root=ROOT, quiet=options.json), options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    for side in ("reference", "ours"):
        print(f"{side:>9}: {found[side]['tokens_per_second']:8.1f} tokens per second")
    print(f"    ratio: {found['ratio']:8.2f}")


def compare(lab: Lab, rounds: int) -> dict[str, Any]:
    """Time both sides in turn; `ratio` is that of the median times per token, larger is better."""
    prepare_process()  # before torch is imported, for both sides
    sides = {"reference": _generate(lab), "ours": _sample(lab)}
    times: dict[str, list[Timed]] = {name: [] for name in sides}
    steps = [name for _ in range(rounds) for name in sides]
    for name in lab.progress(steps, total=len(steps), label="timing"):
        start = time.perf_counter()
        tokens = sides[name]()
        times[name].append((time.perf_counter() - start, tokens))
    per_token = {
        name: statistics.median(seconds / tokens for seconds, tokens in found)
        for name, found in times.items()
    }
    report: dict[str, Any] = {
        name: {
            "tokens_per_second": round(1 / per_token[name], 1),
            "seconds": [round(seconds, 2) for seconds, _ in times[name]],
            "tokens": [tokens for _, tokens in times[name]],
        }
        for name in sides
    }
    settings = lab.study.sampling
    return {
        "benchmark": "sampling",
        "ratio": round(per_token["reference"] / per_token["ours"], 3),
        **report,
        "batch": BATCH,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_new_tokens": settings.max_new_tokens,
        "made_with": lab.used().made_with,
    }


def _prompts(lab: Lab) -> list[tuple[str, int, tuple[int, ...]]]:
    """Topic, sample and prompt of each row: topics in turn, samples of a topic side by side."""
    topics = lab.study.topics.names
    samples = -(-BATCH // len(topics))
    wording = lab.study.prompt.templates["short"]
    return [
        (topic, sample, prompt_tokens(lab.model, lab.study.prompt, wording, None, topic).ids)
        for topic in topics
        for sample in range(samples)
    ][:BATCH]


def _generate(lab: Lab) -> Callable[[], int]:
    import torch
    from transformers import AutoModelForCausalLM

    # As anybody would open it: its own modules, its own default attention.
    network: Any = AutoModelForCausalLM.from_pretrained(
        lab.model.weights.folder, dtype=getattr(torch, lab.study.model.dtype)
    )
    network = network.to(lab.model.device).eval()
    prompts = [prompt for _, _, prompt in _prompts(lab)]
    width = max(map(len, prompts))
    ends = lab.model.ends(lab.study.prompt)
    padded = [[ends[0]] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    ids = torch.tensor(padded, device=lab.model.device)
    mask = torch.tensor(
        [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts],
        device=lab.model.device,
    )
    settings = lab.study.sampling

    def run() -> int:
        torch.manual_seed(lab.study.seed)
        with torch.inference_mode():
            rows = network.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=True,
                temperature=settings.temperature,
                top_p=settings.top_p,
                top_k=0,
                max_new_tokens=settings.max_new_tokens,
                eos_token_id=ends,
                pad_token_id=ends[0],
            )[:, width:]
        ended = torch.isin(rows, torch.tensor(ends, device=rows.device)).long()
        first = torch.where(ended.any(1), ended.argmax(1) + 1, rows.shape[1])
        return int(first.sum())

    return run


def _sample(lab: Lab) -> Callable[[], int]:
    from analyses.lab.model.sampling import Request, sample

    settings = lab.study.sampling
    requests = [
        Request(prompt, settings.temperature, (lab.study.seed, "benchmark", topic, number))
        for topic, number, prompt in _prompts(lab)
    ]

    def run() -> int:
        drawn = sample(
            lab.model.network,
            requests,
            top_p=settings.top_p,
            max_new_tokens=settings.max_new_tokens,
            stop=lab.model.ends(lab.study.prompt),
            batch=BATCH,
        )
        return sum(len(tokens) for _, tokens in drawn)

    return run


if __name__ == "__main__":
    main()
