"""Trains the sparse autoencoders of a study.

    python -m analyses.instruments.sae_training.train [--study NAME]

The model writes the text (`text`), the stream after every wanted layer is kept in one pass over
it (`streams`), then one layer after another is trained (`training`). All of it goes on
where it was stopped: text and streams lie in chunks under `.cache`, a finished layer is a folder of
`data/STUDY/saes` with what sae_lens reads and `recipe.json`, and is left alone unless --again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analyses.lab.core.errors import LabError
from analyses.lab.model.weights import sha256
from analyses.lab.runtime.cached_arrays import kept
from analyses.lab.runtime.lab import LIBRARIES, Lab

if TYPE_CHECKING:
    from analyses.lab.model.scores import Text
    from analyses.lab.sae_training.training import Settings

RECIPE = "recipe.json"
FOLDER = "data/{study}/saes/resid_post-{layer}"
MADE_BY = (
    *(f"instruments/sae_training/{name}" for name in ("sae_topics.txt", "sae_prompts.txt")),
    *(f"instruments/sae_training/{name}" for name in ("text.py", "train.py")),
    *(f"lab/sae_training/{name}" for name in ("streams.py", "training.py")),
    *(f"lab/model/{name}" for name in ("sampling.py", "decoder.py", "hooks.py")),
)
"""Files below `analyses` whose digests an autoencoder's recipe tells."""

ANALYSES = Path(__file__).parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m analyses.instruments.sae_training.train", description=__doc__
    )
    parser.add_argument("--study", default="smollm2-135m-instruct", help="name of the study")
    parser.add_argument("--layers", help="18,22; without it those that the study names")
    parser.add_argument("--again", action="store_true", help="train finished layers anew")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(argv)
    try:
        lab = Lab.open(options.study, root=Path(), quiet=options.quiet)
        train_saes(lab, folders(lab, options.layers), again=options.again)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def folders(lab: Lab, layers: str | None) -> dict[int, Path]:
    """Where the autoencoder of each layer belongs.

    Args:
        layers: numbers between commas; if None, those of the study's SAEs in local folders.

    Raises:
        LabError: no layers are named, or what is named is no number.
    """
    local = [one for one in lab.study.saes if one.site == "resid_post" and one.folder]
    pattern = str(local[0].folder) if local else FOLDER.replace("{study}", lab.name)
    if layers is not None:
        try:
            wanted = [int(layer) for layer in layers.split(",")]
        except ValueError:
            raise LabError("--layers", f"{layers} is no list of layers", "say 18,22") from None
    else:
        wanted = [layer for one in local for layer in one.layers]
    if not wanted:
        what = "names no sparse autoencoders that could be trained"
        cure = "add [[saes]] with site, layers and folder, or say --layers 18,22"
        raise LabError(f"analyses/studies/{lab.name}.toml", what, cure)
    return {layer: lab.root / pattern.replace("{layer}", str(layer)) for layer in wanted}


def train_saes(
    lab: Lab,
    wanted: Mapping[int, Path],
    *,
    again: bool = False,
    settings: Settings | None = None,
    every: int = 1,
) -> None:
    """Train the autoencoders that are not there yet.

    Args:
        wanted: folder by layer.
        every: take one of so many texts of the plan; tests need few.

    Raises:
        LabError: a layer that the model does not have, or no weights.
    """
    depth = lab.model.network.config.num_hidden_layers
    if beyond := [layer for layer in wanted if not 0 <= layer < depth]:
        what = f"there is no layer {beyond[0]}: the model has {depth}, counted from 0"
        raise LabError("--layers", what, "name others")
    from analyses.instruments.sae_training import text as sae_text
    from analyses.lab.sae_training.training import Settings

    settings = settings or Settings()
    missing = [at for at, path in wanted.items() if again or not _there(lab, path, settings)]
    if not missing:
        return
    requests = sae_text.plan(lab)[::every]
    chunks = list(sae_text.written(lab, requests))
    counts = {"texts": len(requests), "written": sum(len(x.tokens) for y in chunks for x in y)}
    _say(lab, f"{counts['texts']:,} texts, {counts['written']:,} tokens written")
    # All wanted layers in one pass over the text, also those that are there: it is kept by name.
    layers = sorted(wanted)
    for layer in missing:
        parts = [part[layers.index(layer)].copy() for part in _streams(lab, chunks, layers)]
        found = _train(lab, layer, wanted[layer], np.concatenate(parts), settings, counts)
        _say(lab, f"layer {layer}: {found}")


def _there(lab: Lab, folder: Path, settings: Settings) -> bool:
    if not (folder / RECIPE).exists():
        return False
    stored = json.loads((folder / RECIPE).read_text("utf-8"))["settings"]
    other = "" if stored == asdict(settings) else ", trained with other settings"
    _say(lab, f"{folder} is there{other}; --again trains it anew")
    return True


def _streams(
    lab: Lab, chunks: Sequence[Sequence[Text]], layers: Sequence[int]
) -> Iterator[NDArray[np.float16]]:
    """The streams after `layers` on each chunk, [layers, tokens, d], run once and kept."""
    from analyses.lab.sae_training import streams

    for chunk in lab.progress(chunks, total=len(chunks), label="running text, chunks"):
        about = ["streams", [[text.prompt, text.tokens] for text in chunk], list(layers)]
        make = partial(streams.streams, lab.model.network, chunk, layers)
        yield kept(lab, about, make)


def _train(
    lab: Lab,
    layer: int,
    folder: Path,
    data: NDArray[np.float16],
    settings: Settings,
    counts: Mapping[str, int],
) -> dict[str, float]:
    """Train one layer on its streams [tokens, d] and put the folder in its place."""
    from analyses.lab.sae_training import training

    begun, seed = time.monotonic(), lab.study.seed + layer
    sae = training.train(lab, data, settings, seed=seed, label=f"training layer {layer}, steps")
    metadata = {
        "model_name": lab.study.model.repo,
        "hook_name": f"blocks.{layer}.hook_resid_post",
        "prepend_bos": True,
    }
    made = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    training.save(sae, made, metadata)
    found = training.describe(made, data, seed)
    recipe = {
        "study": lab.name,
        "layer": layer,
        "site": "resid_post, the first position of a text left out",
        "settings": asdict(settings),
        "seed": seed,
        "text": {**counts, "streams": len(data)},
        "on_training_text": found,
        "model": lab.model.weights.digests,
        "made_by": {name: sha256(ANALYSES / name) for name in MADE_BY},
        "made_with": {name: version(name) for name in (*LIBRARIES, "sae_lens")},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begun),
    }
    (made / RECIPE).write_text(json.dumps(recipe, indent=1, ensure_ascii=False) + "\n", "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
    return found


def _say(lab: Lab, line: str) -> None:
    if not lab.quiet:
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
