"""What each feature of every autoencoder adds to the decision, in the memory of one autoencoder.

At a position x = b_dec + Σ a_f W_dec[f] + error. To first order a metric m of the run moves by
g · Δx, g = ∂m/∂x, so feature f at position p carries a[p, f] (W_dec[f] · g[p]); with the error and
b_dec held constant all parts together carry x · g, and nothing is lost [Marks et al. 2024, sparse
feature circuits, arXiv:2403.19647; Kramár et al. 2024, arXiv:2403.00745]. Against another run of
equal length the activation is replaced by its change: attribution patching, feature by feature.

Only x and g need the network. One forward and one backward pass keep them for all places at once,
[positions, d] each; the autoencoders then come one at a time, and what is kept of each is sparse.
The gradient is that of the model as it is: later autoencoders, their errors kept, do not alter it.

A place is a site of `taps` and its layer. A metric takes a stream [positions, d] to one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analyses.lab.model.stages import Blocks
from analyses.lab.saes.saes import Sae

Place = tuple[str, int]
Metric = Callable[[Tensor], Tensor]
DENSE = 1 << 20  # numbers of a dense array of features, so that these stay small beside the weights


@dataclass(frozen=True)
class Trace:
    """What one run left behind: the metric, and by place x and ∂m/∂x, [positions, d]."""

    metric: float
    streams: dict[Place, Tensor]
    slopes: dict[Place, Tensor]


@dataclass(frozen=True)
class Attributions:
    """Effects on the metric, in its units; the first position of the text has none (see `saes`).

    Attributes:
        positions, features, activations, effects: of each feature where it fires or, against
            another run, where it changes (then `activations` are changes), [found].
        error, bias, whole: of the error, of b_dec, and x · g, [positions].
    """

    positions: Tensor
    features: Tensor
    activations: Tensor
    effects: Tensor
    error: Tensor
    bias: Tensor
    whole: Tensor


def contrast(blocks: Blocks, tokens: tuple[int, int]) -> Metric:
    """logit(plus) − logit(minus) after the last position, from the stream after all blocks."""
    return lambda x: blocks.contrast(x[-1], tokens)


def surprise(blocks: Blocks, token: int) -> Metric:
    """−ln p(token) after the last position, in nats, from the stream after all blocks."""

    def metric(x: Tensor) -> Tensor:
        return -torch.log_softmax(blocks.logits(x[-1]).float(), -1)[token]

    return metric


def last_place(blocks: Blocks) -> Place:
    """Where the stream after all blocks stands."""
    return ("resid_post", blocks.last)


def traces(
    blocks: Blocks,
    tokens: Sequence[int],
    places: Sequence[Place],
    metrics: Sequence[Metric],
    at: Place | None = None,
    *,
    slopes: bool = True,
) -> list[Trace]:
    """One forward pass, and one backward pass a metric; the streams are shared.

    Args:
        at: where the metrics read, all `places` being before it; by default after all blocks.
        slopes: whether there is a backward pass.
    """
    at = at or last_place(blocks)
    with torch.set_grad_enabled(slopes):
        run = _run(blocks, tokens, {*places, at})
        kept = [run[place] for place in places]
        streams = {place: beside(run[place]).detach().cpu() for place in places}
        found = []
        for number, metric in enumerate(metrics, 1):
            value = metric(beside(run[at]))
            more = number < len(metrics)
            grads = torch.autograd.grad(value, kept, retain_graph=more) if slopes else ()
            by_place = {p: beside(g).cpu() for p, g in zip(places, grads, strict=slopes)}
            found.append(Trace(value.item(), streams, by_place))
    return found


def _run(blocks: Blocks, tokens: Sequence[int], places: set[Place]) -> dict[Place, Tensor]:
    """What stands at the places, as the blocks have it."""
    resid = blocks.embed(torch.tensor([tokens], device=blocks.network.device)).requires_grad_()
    rotary = blocks.rotary(resid)
    found: dict[Place, Tensor] = {}
    for layer in range(max(layer for _, layer in places) + 1):
        values = blocks.run(layer, resid, rotary)
        resid = values["resid_post"]
        found |= {(site, at): values[site] for site, at in places if at == layer}
    return found


def beside(value: Tensor) -> Tensor:
    """One row of a site [1, positions, d], or of heads [1, H, positions, W], as [positions, d]."""
    return value[0] if value.dim() == 3 else value[0].transpose(0, 1).flatten(1)


def attribute(sae: Sae, x: Tensor, slope: Tensor, other: Tensor | None = None) -> Attributions:
    """Effects of the features on the metric, from x and ∂m/∂x, [positions, d].

    Args:
        other: x of another run, whose features stand for those that are absent; by default zero.
    """
    with torch.no_grad():
        device = sae.directions.device
        x, slope = x.to(device).float(), slope.to(device).float()
        then = None if other is None else other.to(device).float()
        parts = list(_chunks(sae, x, slope, then))
        columns = [torch.cat(part).cpu() for part in zip(*parts, strict=True)]
    return Attributions(*columns)


def _chunks(sae: Sae, x: Tensor, slope: Tensor, other: Tensor | None) -> Iterator[list[Tensor]]:
    """The attributes of `Attributions` for some positions at a time."""
    rows = max(1, DENSE // sae.width)
    base = sae.decode(x.new_zeros(1, sae.width))
    for start in range(0, len(x), rows):
        here = slice(start, start + rows)
        counted = torch.arange(start, min(start + rows, len(x)), device=x.device) > 0
        now, g = x[here], slope[here] * counted[:, None]
        change = sae.encode(now, counted)
        error, bias, moved = sae.error(now, change), base.expand_as(now), now
        if other is not None:
            then = other[here]
            absent = sae.encode(then, counted)
            error, bias = error - sae.error(then, absent), torch.zeros_like(now)
            change, moved = change - absent, now - then
        positions, features = change.nonzero(as_tuple=True)
        effects = (g @ sae.directions.T)[positions, features] * change[positions, features]
        sums = [(part * g).sum(-1) for part in (error, bias, moved)]
        yield [positions + start, features, change[positions, features], effects, *sums]


def readers(sae: Sae, x: Tensor, features: Sequence[int]) -> Tensor:
    """∂(pre-activation)/∂x of features that fire on x [d]: [features, d].

    Where a feature fires its activation is its pre-activation, so this is the activation's slope.
    """
    with torch.enable_grad():
        x = x.detach().to(sae.directions.device).float().requires_grad_()
        fired = sae.encode(x)[list(features)]
        rows = [torch.autograd.grad(one, x, retain_graph=True)[0] for one in fired]
    return torch.stack(rows)
