"""Patching heatmaps: TransformerLens's own sweeps against ours, in turn, in one run.

One pair of prompts with one list under both, cut where it could end; the same model, metric,
threads and waiting policy. Three heatmaps: the residual stream (layer × position), every head at
all positions (layer × head), and every head at each position (layer × position × head). Ours are
always whole. The reference runs one patch after the other, all of the same cost, so with `--sample`
it is timed on that many patches drawn evenly, and its time for the whole heatmap is their mean
times their number; by default only heads by position are sampled.

`difference` is the largest absolute difference of the metric, in logits, over what both ran.

    python -m benchmarks.patching --json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyses.lab.runtime.lab import Lab
from benchmarks.example import answer

ROOT = Path(__file__).parents[1]
# heatmap -> site, its axes in TransformerLens, patches timed there (None: all)
HEATMAPS: dict[str, tuple[str, tuple[str, ...], int | None]] = {
    "residual": ("resid_pre", ("layer", "pos"), None),
    "heads": ("z", ("layer", "head"), None),
    "heads_by_position": ("z", ("layer", "pos", "head"), 200),
}


def main() -> None:
    """Run the benchmark and print it, for people or as one JSON object."""
    parser = argparse.ArgumentParser(description="Patching: TransformerLens's sweeps against ours.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--study", default="smollm2-135m-instruct", help="whose model and prompts")
    parser.add_argument("--rounds", type=int, default=1, help="times that each side is timed")
    parser.add_argument("--sample", type=int, help="patches the reference is timed on, at most")
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"
    lab = Lab.open(options.study, root=ROOT, quiet=options.json)
    found = compare(lab, options.rounds, options.sample)
    if options.json:
        print(json.dumps(found))
        return
    for name in HEATMAPS:
        one = found[name]
        print(f"{name:>18}: {one['ratio']:6.1f} times, largest difference {one['difference']:.1e}")


def compare(lab: Lab, rounds: int, sample: int | None = None) -> dict[str, Any]:
    """Time both sides of each heatmap in turn; ratios of medians, larger is better."""
    case = _case(lab)
    steps = [name for name in HEATMAPS for _ in range(rounds)]
    runs: dict[str, list[dict[str, float]]] = {}
    for name in lab.progress(steps, total=len(steps), label="timing"):
        runs.setdefault(name, []).append(_both(case, name, sample))
    report: dict[str, Any] = {}
    for name, found in runs.items():
        medians = {key: statistics.median(run[key] for run in found) for key in found[0]}
        report[name] = {
            "ratio": round(medians["reference_s"] / medians["ours_s"], 2),
            "reference_s": round(medians["reference_s"], 2),
            "ours_s": round(medians["ours_s"], 2),
            "patches": int(medians["patches"]),
            "reference_patches": int(medians["timed"]),
            "difference": max(run["difference"] for run in found),
        }
    return {
        "benchmark": "patching",
        "ratio": report["residual"]["ratio"],
        "difference": max(one["difference"] for one in report.values()),
        **report,
        "tokens": len(case.clean),
        "rounds": rounds,
        "made_with": lab.used().made_with,
    }


@dataclass
class _Case:
    """One pair of runs, as token ids, and the metric's two tokens."""

    lab: Lab
    clean: list[int]
    corrupted: list[int]
    contrast: tuple[int, int]


def _case(lab: Lab) -> _Case:
    model, study = lab.model, lab.study
    from analyses.instruments.pairs import pair
    from analyses.instruments.sweeps import contrast_of

    prompt = study.prompt
    topic = "Fruits" if "Fruits" in study.topics.names else study.topics.names[0]
    sides = pair(model, prompt, prompt.templates, "short", topic)
    clean, corrupted = ([*side.ids, *answer(lab)] for side in sides)
    return _Case(lab, clean, corrupted, contrast_of(lab))


def _both(case: _Case, name: str, sample: int | None) -> dict[str, float]:
    """Seconds of both sides, the reference's first, and their largest difference."""
    import pandas as pd  # type: ignore[import-untyped]
    import torch
    from transformer_lens import patching as reference

    from analyses.lab.model.stages import Blocks
    from analyses.lab.patching.patching import Patch, Sweep

    site, axes, timed = HEATMAPS[name]
    model, engine = case.lab.model, Blocks(case.lab.model.network)
    count = len(case.clean)
    sizes = {"layer": len(engine.layers), "pos": count, "head": engine.heads}
    index = torch.cartesian_prod(*(torch.arange(sizes[axis]) for axis in axes))
    most = min(len(index), sample or len(index), timed or len(index))
    chosen = torch.linspace(0, len(index) - 1, most).round().long()
    plus, minus = case.contrast
    setters = {
        ("layer", "pos"): reference.layer_pos_patch_setter,
        ("layer", "head"): reference.layer_head_vector_patch_setter,
        ("layer", "pos", "head"): reference.layer_pos_head_vector_patch_setter,
    }
    with torch.inference_mode():
        clean, corrupted = (
            torch.tensor([ids], device=model.device) for ids in (case.clean, case.corrupted)
        )
        start = time.perf_counter()
        _, cache = model.bridge.run_with_cache(clean)
        before = time.perf_counter() - start
        start = time.perf_counter()
        expected = reference.generic_activation_patch(
            model.bridge,
            corrupted,
            cache,
            lambda logits: logits[0, -1, plus] - logits[0, -1, minus],
            setters[axes],
            site,
            index_df=pd.DataFrame(index[chosen].tolist(), columns=axes),
        )
        theirs = before + (time.perf_counter() - start) * len(index) / most
    start = time.perf_counter()
    sweep = Sweep(engine, base=case.corrupted, source=case.clean, contrast=case.contrast)
    whole = tuple(range(count))
    patches = []
    for place in index.tolist():
        at = dict(zip(axes, place, strict=True))
        positions = (at["pos"],) if "pos" in at else whole
        patches.append(Patch(site, at["layer"], positions, at.get("head")))
    found = sweep.run(patches)
    ours = time.perf_counter() - start
    return {
        "reference_s": theirs,
        "ours_s": ours,
        "patches": len(index),
        "timed": most,
        "difference": float((found[chosen] - expected.cpu().double()).abs().max()),
    }


if __name__ == "__main__":
    main()
