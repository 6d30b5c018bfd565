"""Reading or replacing what stands at a place of the network while it runs.

Places are those that sparse autoencoders read: `resid_post`, the residual stream after a block,
[rows, columns, d]; and `z`, what all heads of a block read, side by side, [rows, columns,
heads · head width]. They are hooks on the Hugging Face modules, so that whatever runs the network,
the sampler included, runs through them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from analyses.lab.model.parts import parts_of

SITES = ("resid_post", "z")
Change = Callable[[Tensor], Tensor | None]  # what takes the place of the values, None: they stay


@contextmanager
def tapped(network: Any, site: str, layer: int, change: Change) -> Iterator[None]:
    """Inside, each run of `network` passes the values at the place through `change`."""
    block = parts_of(network).blocks[layer]
    if site == "z":

        def enter(_: Any, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            changed = change(args[0])
            return None if changed is None else (changed, *args[1:])

        handle = block.out.register_forward_pre_hook(enter)
    else:
        handle = block.module.register_forward_hook(lambda _, __, out: change(out))
    try:
        yield
    finally:
        handle.remove()


def width_of(network: Any, site: str) -> int:
    """How many numbers stand at one position of a site."""
    if site == "z":
        return int(parts_of(network).blocks[0].out_weight.shape[0])
    return int(network.config.hidden_size)
