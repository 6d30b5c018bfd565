"""Memory of attribution: every layer's autoencoder held at once, against one at a time.

The same text, model, metric and autoencoders, made up and wide enough to outweigh the network; a
process of its own for each side:
- `none`: one forward and one backward pass, no autoencoder;
- `one`, `ours`: `lab.saes.attribution` for the first layer alone, and for all of them;
- `held`: the straightforward way, all autoencoders in memory, the features of each layer a dense
  tensor in one graph, their slopes by one backward pass. It gives the same effects: `difference`
  is the largest one, over the largest effect.

`peak`: most memory while attributing, the model's included and its opening not: resident memory as
Linux counts it, or on CUDA what is allocated. `over_none`: beyond the side without autoencoders.
`ratio` (`held` ÷ `ours`) and `all_over_one` (`ours` ÷ `one`) compare what is `over_none`.

    python -m benchmarks.attribution_memory --json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.lab.runtime.lab import Lab
from benchmarks import made_up

ROOT = Path(__file__).parents[1]
SIDES = ("none", "one", "ours", "held")
Array = NDArray[Any]
Effects = dict[int, tuple[Array, Array]]  # layer -> position × width + feature, and its effect


def main() -> None:
    """Run the benchmark, or one of its sides, and print it."""
    parser = argparse.ArgumentParser(description="Memory of attribution over all autoencoders.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--study", default="smollm2-135m-instruct", help="whose model and prompts")
    parser.add_argument("--width", type=int, default=65536, help="features of an autoencoder")
    parser.add_argument("--layers", type=int, default=10, help="how many layers have one")
    parser.add_argument("--side", choices=("write", *SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        here = (options.study, options.folder, options.width, options.layers, options.side)
        print(json.dumps(run_side(*here)))
        return
    found = compare(options.study, options.width, options.layers)
    if options.json:
        print(json.dumps(found))
        return
    for side in SIDES:
        one = found[side]
        print(f"{side:>5}: {one['peak'] >> 20:6} MiB, {one['over_none'] >> 20:6} over none")
    print(f"held is {found['ratio']} times ours; all layers {found['all_over_one']} times one")


def compare(study: str, width: int, layers: int) -> dict[str, Any]:
    """Run all sides, one after the other, each in a new process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _child(study, folder, width, layers, "write")
        runs = {side: _child(study, folder, width, layers, side) for side in SIDES}
        ours, held = (dict(np.load(folder / f"{side}.npz")) for side in ("ours", "held"))
    for run in runs.values():
        run["over_none"] = run["peak"] - runs["none"]["peak"]
    over = {side: run["over_none"] for side, run in runs.items()}
    return {
        "benchmark": "attribution_memory",
        "ratio": round(over["held"] / over["ours"], 2),
        "all_over_one": round(over["ours"] / over["one"], 3),
        "difference": _gap(ours, held),
        **runs,
        "layers": layers,
        "width": width,
        "made_with": Lab.open(study, root=ROOT, quiet=True).used().made_with,
    }


def _child(study: str, folder: Path, width: int, layers: int, side: str) -> dict[str, Any]:
    """`run_side` in a new process."""
    command = [sys.executable, "-m", "benchmarks.attribution_memory", "--study", study]
    command += ["--folder", str(folder), "--side", side]
    command += ["--width", str(width), "--layers", str(layers)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"side {side} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_side(study: str, folder: Path, width: int, layers: int, side: str) -> dict[str, Any]:
    """One side, in this process; `write` makes the autoencoders that the others read."""
    lab = made_up.study_with(study, folder, layers)
    if side == "write":
        made_up.write(lab, folder, width)
        return {}
    return _measure(lab, side, folder)


def _measure(lab: Lab, side: str, folder: Path) -> dict[str, Any]:
    """Attribute, keep the effects, and say how much memory it took at most."""
    tokens, pair = made_up.text(lab)
    cuda = lab.model.device == "cuda"
    opening = _peak(cuda)
    _forget_peak(cuda)
    found = _held(lab, tokens, pair) if side == "held" else _ours(lab, side, tokens, pair)
    peak = _peak(cuda)
    named = {f"{layer}-named": one[0] for layer, one in found.items()}
    effects = {f"{layer}-effects": one[1] for layer, one in found.items()}
    np.savez(folder / f"{side}.npz", **named, **effects)  # type: ignore[arg-type]
    return {"peak": peak, "opening": opening, "tokens": len(tokens)}


def _ours(lab: Lab, side: str, tokens: list[int], pair: tuple[int, int]) -> Effects:
    """One autoencoder at a time; without one there is the network's part alone."""
    from analyses.lab.model.stages import Blocks
    from analyses.lab.saes.attribution import attribute, contrast, traces
    from analyses.lab.saes.saes import open_saes

    engine, layers = Blocks(lab.model.network), lab.study.saes[0].layers
    places = [("resid_post", layer) for layer in layers]
    (trace,) = traces(engine, tokens, places, [contrast(engine, pair)])
    found: Effects = {}
    if side == "none":
        return found
    for sae in open_saes(lab, layers=layers[: 1 if side == "one" else None]):
        place = (sae.site, sae.layer)
        parts = attribute(sae, trace.streams[place], trace.slopes[place])
        named = parts.positions * sae.width + parts.features
        found[sae.layer] = (named.numpy(), parts.effects.numpy())
    return found


def _held(lab: Lab, tokens: list[int], pair: tuple[int, int]) -> Effects:
    """All autoencoders at once; their features are leaves of one graph, their errors constants."""
    import torch
    from sae_lens import SAE
    from torch import Tensor

    from analyses.lab.model.decoder import Prompts
    from analyses.lab.model.hooks import tapped

    network, source = lab.model.network, lab.study.saes[0]
    folders = {layer: str(source.folder).replace("{layer}", str(layer)) for layer in source.layers}
    device = lab.model.device
    saes = {
        layer: SAE.load_from_disk(folder, device=device, dtype="float32").requires_grad_(False)
        for layer, folder in folders.items()
    }
    features: dict[int, Tensor] = {}

    def splice(layer: int, x: Tensor) -> Tensor:
        fired = saes[layer].encode(x).detach()
        fired[:, 0] = 0  # the first position is not counted
        features[layer] = fired.requires_grad_()
        # Adds nothing, and passes the slope on to the features.
        nothing: Tensor = (fired - fired.detach()) @ saes[layer].W_dec
        return x + nothing

    with ExitStack() as taps, torch.enable_grad():
        for layer in saes:
            taps.enter_context(tapped(network, source.site, layer, partial(splice, layer)))
        logits = Prompts(network, [tokens]).run(last_only=True)[0, -1]
        slopes = torch.autograd.grad(logits[pair[0]] - logits[pair[1]], list(features.values()))
    found = {}
    for (layer, fired), slope in zip(features.items(), slopes, strict=True):
        effects = (fired * slope).detach()[0].flatten()
        named = fired.detach()[0].flatten().nonzero()[:, 0]
        found[layer] = (named.cpu().numpy(), effects[named].cpu().numpy())
    return found


def _gap(ours: Mapping[str, Array], held: Mapping[str, Array]) -> float:
    """Largest difference of an effect, over the largest effect."""
    gaps, sizes = [], []
    for layer in {name.split("-")[0] for name in held}:
        sides = [(side[f"{layer}-named"], side[f"{layer}-effects"]) for side in (ours, held)]
        every = np.unique(np.concatenate([named for named, _ in sides]))
        both = np.zeros((2, len(every)))
        for row, (named, effects) in enumerate(sides):
            both[row, np.searchsorted(every, named)] = effects
        gaps.append(np.abs(both[0] - both[1]).max())
        sizes.append(np.abs(both[1]).max())
    return float(max(gaps) / max(sizes))


def _peak(cuda: bool) -> int:
    """Most bytes so far: on CUDA, of the system's note of this process, or of the whole run.

    `getrusage` comes last: after a fork it also counts what the process before was holding.
    """
    if cuda:
        import torch

        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _forget_peak(cuda: bool) -> None:
    """Begin anew with what is held now, where the system can."""
    if cuda:
        import torch

        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
