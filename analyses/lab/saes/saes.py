"""The sparse autoencoders of a study, one in memory at a time.

An autoencoder takes what stands at one position, x [..., d], apart into few of many features
[..., width], their directions W_dec [width, d], and an error: x = b_dec + features · W_dec + error.
Local folders are what sae_lens saves; published ones come through its list of releases (Gemma
Scope: Lieberum et al. 2024, arXiv:2408.05147, whose attention SAEs read all heads side by side).
The first position of a text is where attention rests; neither Gemma Scope nor the study's own SAEs
were trained on it, so it is never counted, like padding.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sae_lens import SAE
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.core.study import SaeSource
from analyses.lab.model.hooks import width_of
from analyses.lab.model.weights import sha256
from analyses.lab.runtime.lab import Lab

_HOOK = re.compile(r"blocks\.(\d+)\.(.+)")
_SITES = {"hook_resid_post": "resid_post", "attn.hook_z": "z"}
FILES = ("cfg.json", "sae_weights.safetensors")


@dataclass
class Sae:
    """One opened autoencoder, in single precision.

    Attributes:
        site, layer: what it reads (see `taps`).
        name: unique within the study: "resid_post-22".
        digests: what names its content: SHA-256 by file, or by release and id.
    """

    site: str
    layer: int
    digests: dict[str, str]
    _module: Any

    @property
    def name(self) -> str:
        """Site and layer."""
        return f"{self.site}-{self.layer}"

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self.directions)

    @property
    def directions(self) -> Tensor:
        """What a unit of each feature adds to the stream, [width, d]."""
        directions: Tensor = self._open.W_dec
        return directions

    def encode(self, x: Tensor, counted: Tensor | None = None) -> Tensor:
        """Features [..., width] of x [..., d]; zero where `counted` [...] is False."""
        features: Tensor = self._open.encode(x.float())
        return features if counted is None else features * counted[..., None]

    def before(self, x: Tensor) -> Tensor:
        """Pre-activations [..., width]: what a threshold, or the like, decides about."""
        seen: list[Tensor] = []
        hook = self._open.hook_sae_acts_pre
        watch = hook.register_forward_hook(lambda _, __, out: seen.append(out))
        try:
            self._open.encode(x.float())
        finally:
            watch.remove()
        return seen[0]

    def decode(self, features: Tensor) -> Tensor:
        """What the features alone make of x, [..., d]."""
        made: Tensor = self._open.decode(features)
        return made

    def error(self, x: Tensor, features: Tensor) -> Tensor:
        """What the features leave out of x."""
        return x.float() - self.decode(features)

    def close(self) -> None:
        """Let go of the weights; nothing can be asked of it afterwards."""
        self._module = None

    @property
    def _open(self) -> Any:
        if self._module is None:
            raise RuntimeError(f"{self.name} is closed: the next one may be in memory")
        return self._module


def open_saes(
    lab: Lab, *, site: str | None = None, layers: Sequence[int] | None = None
) -> Iterator[Sae]:
    """The study's autoencoders in turn, each closed before the next is opened.

    Args:
        site, layers: only those; by default all of them.

    Raises:
        LabError: the study has none of these, or one of them cannot be had or does not fit.
    """
    where = f"analyses/studies/{lab.name}.toml"
    chosen = [
        (source, layer)
        for source in lab.study.saes
        for layer in source.layers
        if site in (None, source.site) and (layers is None or layer in layers)
    ]
    if not chosen:
        some = ", ".join(str(part) for part in (site, layers) if part is not None)
        what = f"no sparse autoencoders{f' of {some}' if some else ''} in this study"
        raise LabError(where, what, "add [[saes]] with site, layers and folder, or release and id")
    for source, layer in chosen:
        sae = _open(lab, source, layer)
        try:
            yield sae
        finally:
            sae.close()


def _open(lab: Lab, source: SaeSource, layer: int) -> Sae:
    network = lab.model.network
    depth = network.config.num_hidden_layers
    if layer >= depth:
        what = f"there is no layer {layer}: the model has {depth}, counted from 0"
        raise LabError(f"analyses/studies/{lab.name}.toml: saes", what, "correct saes.layers")
    if source.folder:
        where = source.folder.replace("{layer}", str(layer))
        module, digests = _from_folder(lab, lab.root / where, where, layer)
    else:
        release, identity = str(source.release), str(source.id).replace("{layer}", str(layer))
        where = f"{release} {identity}"
        module, digests = _from_release(lab, release, identity)
    if other := _other_place(module.cfg, source.site, layer, lab.study.model.repo):
        cure = "name autoencoders of this model, site and layer"
        raise LabError(where, other, cure)
    module.turn_off_forward_pass_hook_z_reshaping()  # heads already stand side by side
    module.requires_grad_(False)
    width = width_of(network, source.site)
    if module.cfg.d_in != width:
        what = f"reads {module.cfg.d_in} numbers, and {source.site} of this model has {width}"
        raise LabError(where, what, "name autoencoders that were trained on this model and site")
    if module.cfg.normalize_activations != "none":
        what = f"normalises what it reads ({module.cfg.normalize_activations})"
        raise LabError(where, what, "fold the normalisation into its weights first")
    if getattr(module.cfg, "rescale_acts_by_decoder_norm", False):
        module.fold_W_dec_norm()  # or a feature would add a · W_dec divided by W_dec's length
    return Sae(source.site, layer, digests, module)


def _other_place(config: Any, site: str, layer: int, repo: str) -> str:
    """What a dictionary says it was trained for, if that is not what the study has it for."""
    if hasattr(config, "d_out"):
        return "is a transcoder: it does not reconstruct what it reads"
    metadata = config.metadata
    found = _HOOK.fullmatch(metadata.hook_name or "")
    if found:
        number, hook = int(found[1]), found[2]
        if hook == "hook_resid_pre":  # the stream after the block before
            number, hook = number - 1, "hook_resid_post"
        if (_SITES.get(hook), number) != (site, layer):
            return f"was trained on {metadata.hook_name}, which is not {site} of layer {layer}"
    names = [str(name).lower().rpartition("/")[2] for name in (metadata.model_name or repo, repo)]
    if not (names[0].startswith(names[1]) or names[1].startswith(names[0])):
        return f"was trained on {metadata.model_name}, and the study's model is {repo}"
    return ""


def _from_folder(lab: Lab, folder: Path, where: str, layer: int) -> tuple[Any, dict[str, str]]:
    cure = "train autoencoders and save them there with sae_lens, or correct saes.folder"
    for name in FILES:
        if not (folder / name).is_file():
            raise LabError(where, f"no {name} of layer {layer} here", cure)
    try:
        module = SAE.load_from_disk(folder, device=lab.model.device, dtype="float32")
    except Exception as error:  # whatever a foreign file makes its reader raise
        raise LabError(where, f"not an autoencoder of sae_lens: {_line(error)}", cure) from error
    return module, {f"{where}/{name}": sha256(folder / name) for name in FILES}


def _from_release(lab: Lab, release: str, identity: str) -> tuple[Any, dict[str, str]]:
    try:
        module = SAE.from_pretrained(release, identity, device=lab.model.device, dtype="float32")
    except Exception as error:  # its list of releases, the hub's client and its readers all raise
        what = f"could not be had: {_line(error)}"
        cure = "connect to the hub, or correct saes.release and saes.id"
        raise LabError(f"{release} {identity}", what, cure) from error
    # The hub keeps files where only its client knows; so the numbers themselves are named.
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(memoryview(value.cpu().contiguous().numpy()).cast("B"))
    return module, {f"{release}/{identity}": digest.hexdigest()}


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
