"""Path patching is exact: as runs of the whole network with hooks, one receiver at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from torch import Tensor

from analyses.lab.core.errors import LabError
from analyses.lab.model.stages import Blocks
from analyses.lab.patching.path_patching import Edge, Head, Paths
from tests.lab.families import network

CLEAN = [1, 40, 41, 42, 43, 44, 45, 46]
CORRUPTED = [1, 40, 60, 42, 43, 44, 45, 46]
CONTRAST = (7, 9)
EARLY, MIDDLE, LATE = (0, 1), (1, 2), (3, 0)
EXACT = 1e-4
FAMILIES = ("llama", "gemma2", "qwen2")  # plain, with norms behind each part and caps, with biases


@pytest.fixture(params=FAMILIES, scope="module")
def paths(request: pytest.FixtureRequest) -> Paths:
    made = network(request.param)
    made.set_attn_implementation("eager")  # other tests share it, and leave the decoder's own
    blocks = Blocks(made)
    return Paths(blocks, base=CORRUPTED, source=CLEAN, contrast=CONTRAST)


class Plain:
    """The same by hooks on the modules of the Hugging Face network, several whole runs an edge."""

    def __init__(self, paths: Paths) -> None:
        self.network, self.layers = paths.blocks.network, paths.blocks.network.model.layers
        config = self.network.config
        self.wide = getattr(config, "head_dim", None) or config.hidden_size // 4
        self.base, self.source = (self.record(tokens) for tokens in (CORRUPTED, CLEAN))

    def run(self, tokens: list[int], hooks: Mapping[Any, Callable[..., Any]]) -> float:
        """The metric under hooks: before `o_proj`, behind all other modules."""
        with ExitStack() as stack, torch.inference_mode():
            for module, hook in hooks.items():
                before = any(module is layer.self_attn.o_proj for layer in self.layers)
                add = module.register_forward_pre_hook if before else module.register_forward_hook
                stack.enter_context(add(hook))
            logits = self.network(torch.tensor([tokens])).logits[0, -1]
        return float(logits[CONTRAST[0]] - logits[CONTRAST[1]])

    def record(self, tokens: list[int]) -> dict[Any, Tensor]:
        """What every `o_proj` reads and every `mlp` writes."""
        seen: dict[Any, Tensor] = {}

        def read(module: Any, args: Any) -> None:
            seen[module] = args[0].clone()

        def wrote(module: Any, _: Any, out: Tensor) -> None:
            seen[module] = out.clone()

        hooks: dict[Any, Any] = {layer.self_attn.o_proj: read for layer in self.layers}
        self.run(tokens, hooks | {layer.mlp: wrote for layer in self.layers})
        return seen

    def cut(self, head: int) -> slice:
        return slice(head * self.wide, (head + 1) * self.wide)

    def z(self, run: dict[Any, Tensor], head: Head) -> Tensor:
        return run[self.layers[head[0]].self_attn.o_proj][0][:, self.cut(head[1])]

    def writing(self, sent: Mapping[Head, Tensor], frozen: bool, mlps: bool) -> dict[Any, Any]:
        """Hooks that let heads write this; all other heads, if frozen, what they do in the base."""
        hooks: dict[Any, Any] = {}
        for number, layer in enumerate(self.layers):
            here = {head: z for (at, head), z in sent.items() if at == number}

            def write(module: Any, args: Any, here: dict[int, Tensor] = here) -> Any:
                value = (self.base[module] if frozen else args[0]).clone()
                for head, z in here.items():
                    value[0][:, self.cut(head)] = z
                return (value,)

            if frozen or here:
                hooks[layer.self_attn.o_proj] = write
            if mlps:
                hooks[layer.mlp] = lambda module, _, __: self.base[module]
        return hooks

    def received(
        self, receiver: Head, sent: Mapping[Head, Tensor], inputs: str, follow: bool
    ) -> Tensor:
        """Read queries, keys and values in a frozen run, and lay them into the base run."""
        layer, seen = self.layers[receiver[0]], {}
        projections = {one: getattr(layer.self_attn, f"{one}_proj") for one in inputs}
        hooks = self.writing(sent, frozen=True, mlps=not follow)
        for one, module in projections.items():
            hooks[module] = lambda _, __, out, one=one: seen.update({one: out.clone()})
        self.run(CORRUPTED, hooks)
        written: dict[str, Tensor] = {}
        laid: dict[Any, Any] = {
            module: lambda _, __, ___, one=one: seen[one] for one, module in projections.items()
        }
        laid[layer.self_attn.o_proj] = lambda _, args: written.update(z=args[0].clone())
        self.run(CORRUPTED, laid)
        return written["z"][0][:, self.cut(receiver[1])]

    def direct(self, sent: Mapping[Head, Tensor], follow: bool) -> float:
        return self.run(CORRUPTED, self.writing(sent, frozen=True, mlps=not follow))

    def total(self, sent: Mapping[Head, Tensor]) -> float:
        return self.run(CORRUPTED, self.writing(sent, frozen=False, mlps=False))


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("inputs", ["qkv", "q", "k", "v"])
def test_an_edge_is_what_hooks_on_the_network_give(paths: Paths, inputs: str, follow: bool) -> None:
    plain = Plain(paths)
    sent = {EARLY: plain.z(plain.source, EARLY)}
    for receiver in (MIDDLE, LATE):
        mine = paths.received(receiver, {EARLY: paths.output(EARLY)}, inputs=inputs, follow=follow)
        theirs = plain.received(receiver, sent, inputs, follow)
        assert torch.allclose(mine, theirs[paths.first :], atol=EXACT)
        (metric,) = paths.totals([{receiver: mine}]).tolist()
        assert metric == pytest.approx(plain.total({receiver: theirs}), abs=EXACT)
        if inputs in ("qkv", "v"):  # there is something to see
            moved = mine - paths.base["z"][receiver[0]][0, receiver[1], paths.first :]
            assert moved.abs().max() > 10 * EXACT


@pytest.mark.parametrize("follow", [True, False])
def test_a_path_is_what_hooks_on_the_network_give(paths: Paths, follow: bool) -> None:
    plain = Plain(paths)
    edges: list[Edge] = [(EARLY, MIDDLE), (MIDDLE, LATE), (LATE, None)]
    z = {EARLY: plain.z(plain.source, EARLY)}
    z = {MIDDLE: plain.received(MIDDLE, z, "qkv", follow)}
    z = {LATE: plain.received(LATE, z, "qkv", follow)}
    found = paths.along([EARLY], edges, follow=follow)
    assert found == pytest.approx(plain.direct(z, follow), abs=EXACT)


def test_a_sender_at_some_positions_is_what_hooks_give(paths: Paths) -> None:
    plain = Plain(paths)
    z = plain.z(plain.base, EARLY).clone()
    z[[3, 5]] = plain.z(plain.source, EARLY)[[3, 5]]
    mine = paths.output(EARLY, (3, 5))
    assert torch.allclose(mine, z[paths.first :], atol=EXACT)
    (metric,) = paths.totals([{EARLY: mine}]).tolist()
    assert metric == pytest.approx(plain.total({EARLY: z}), abs=EXACT)
    assert paths.direct({EARLY: mine}) == pytest.approx(plain.direct({EARLY: z}, True), abs=EXACT)


def test_all_senders_are_the_whole_stream(paths: Paths) -> None:
    """With every head before it, a block reads the source's stream, but for the word's own token."""
    layer = 2
    every = {
        (at, head): paths.output((at, head))
        for at in range(layer)
        for head in range(paths.blocks.heads)
    }
    theirs = paths.source["resid_pre"][layer][:, paths.first + 1 :]
    assert torch.allclose(paths.stream(every, layer)[:, 1:], theirs, atol=EXACT)


def test_relays_come_to_all_that_a_head_does(paths: Paths) -> None:
    """With as many heads between as there are blocks behind, nothing is held any more."""
    left = paths.blocks.last - EARLY[0]
    shares = paths.relayed([EARLY], left + 1)
    (total,) = paths.totals([{EARLY: paths.output(EARLY)}]).tolist()
    assert shares[0] == paths.direct({EARLY: paths.output(EARLY)})
    assert shares[left] == pytest.approx(total, abs=EXACT)
    assert shares[left + 1] == pytest.approx(total, abs=EXACT)
    assert abs(shares[1] - shares[0]) > 10 * EXACT


def test_one_relay_is_every_path_of_two_edges(paths: Paths) -> None:
    behind = [
        (layer, head)
        for layer in range(EARLY[0] + 1, paths.blocks.last + 1)
        for head in range(paths.blocks.heads)
    ]
    edges: list[Edge] = [(EARLY, one) for one in behind]
    edges += [(one, None) for one in (EARLY, *behind)]
    assert paths.along([EARLY], edges) == pytest.approx(paths.relayed([EARLY], 1)[1], abs=EXACT)


def test_what_is_held_adds_up() -> None:
    """Without norms behind the heads, and with the MLPs held, what heads add to a stream adds up."""
    blocks = Blocks(network("llama"))
    paths = Paths(blocks, base=CORRUPTED, source=CLEAN, contrast=CONTRAST)
    heads = [(0, 1), (1, 2), (1, 3)]
    base = paths.stream({}, 3)
    apart = [paths.stream({head: paths.output(head)}, 3, follow=False) - base for head in heads]
    both = paths.stream({head: paths.output(head) for head in heads}, 3, follow=False) - base
    assert torch.allclose(both, torch.stack(apart).sum(0), atol=EXACT)
    # By hand: the new output, less the old one, through the head's own rows of W_O.
    layer, head = heads[1]
    wide = paths.base["z"][layer].shape[-1]
    weight = blocks.network.model.layers[layer].self_attn.o_proj.weight
    moved = paths.output((layer, head)) - paths.base["z"][layer][0, head, paths.first :]
    by_hand = moved @ weight[:, head * wide : (head + 1) * wide].T
    assert torch.allclose(apart[1][0], by_hand, atol=EXACT)


def test_nothing_differs_where_the_prompts_do_not(paths: Paths) -> None:
    same = Paths(paths.blocks, base=CLEAN, source=CLEAN, contrast=CONTRAST)
    z = same.received(LATE, {EARLY: same.output(EARLY)})
    edges: list[Edge] = [(EARLY, LATE), (LATE, None)]
    assert same.totals([{LATE: z}, {}]).tolist() == pytest.approx([same.base_metric] * 2, abs=EXACT)
    assert same.along([EARLY], edges) == pytest.approx(same.base_metric, abs=EXACT)
    assert same.relayed([EARLY], 2) == pytest.approx([same.base_metric] * 3, abs=EXACT)


def test_batches_do_not_change_results(paths: Paths) -> None:
    rows = [{head: paths.output(head)} for head in (LATE, EARLY, MIDDLE, EARLY)] + [{}]
    narrow = Paths(paths.blocks, base=CORRUPTED, source=CLEAN, contrast=CONTRAST, budget=1)
    assert torch.allclose(paths.totals(rows), narrow.totals(rows), atol=EXACT)
    # A processor may sum the rows of a batch in different orders.
    totals = paths.totals(rows).tolist()
    assert totals[1] == pytest.approx(totals[3], abs=EXACT)
    assert totals[4] == pytest.approx(paths.base_metric, abs=EXACT)


def test_a_head_that_is_not_there_is_refused(paths: Paths) -> None:
    with pytest.raises(LabError, match=r"head 0\.9: there are 4 heads in each of 4 layers"):
        paths.output((0, 9))
