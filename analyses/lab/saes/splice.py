"""Running the network with what stands at an SAE's place replaced by a function of its features.

With the error kept, only the difference that an edit makes is added to the stream: where nothing is
edited the stream is bit for bit the model's own, and taking away a feature of activation a changes
it by −a · W_dec and nothing else. Without the error the stream becomes what the features alone make
of it. The first position of each text stays as it is (see `saes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analyses.lab.model.hooks import tapped
from analyses.lab.saes.saes import Sae


@dataclass
class Places:
    """What the network is being run on, [rows, columns] each; padding has position 0, too."""

    tokens: Tensor
    positions: Tensor


Edit = Callable[[Tensor, Places], Tensor]  # features [rows, columns, width] -> edited ones


@contextmanager
def spliced(
    network: Any, sae: Sae, edit: Edit | None = None, *, keep_error: bool = True
) -> Iterator[None]:
    """Inside, each `decoder.forward` (sampling, scoring) goes through `sae` and `edit`."""
    places = Places(torch.empty(0), torch.empty(0))

    def look(_: Any, __: Any, given: dict[str, Tensor]) -> None:
        places.tokens, places.positions = given["input_ids"], given["position_ids"]

    def change(x: Tensor) -> Tensor:
        counted = places.positions > 0
        features = sae.encode(x, counted)
        edited = edit(features, places) if edit else features
        if keep_error:
            moved = ((edited - features) * counted[..., None]) @ sae.directions
            return x + moved.to(x.dtype)
        return torch.where(counted[..., None], sae.decode(edited).to(x.dtype), x)

    handle = network.register_forward_pre_hook(look, with_kwargs=True)
    try:
        with tapped(network, sae.site, sae.layer, change):
            yield
    finally:
        handle.remove()


def setting(
    features: Sequence[int], values: Tensor | float = 0.0, where: Tensor | None = None
) -> Edit:
    """The edit that sets features to values: to zero, or to what they are on average elsewhere.

    Args:
        values: one for all, or one a feature.
        where: True at the [rows, columns] concerned (either may be 1); by default everywhere.
    """
    chosen = list(features)

    def edit(found: Tensor, _: Places) -> Tensor:
        edited = found.clone()
        edited[..., chosen] = torch.as_tensor(values, dtype=found.dtype, device=found.device)
        return edited if where is None else torch.where(where[..., None], edited, found)

    return edit
