"""What features are said to add, against sums, hand-made gradients, and their real removal."""

import numpy as np
import pytest
import torch

from analyses.lab.model.decoder import Prompts
from analyses.lab.model.stages import Blocks
from analyses.lab.runtime.lab import Lab
from analyses.lab.saes import attribution
from analyses.lab.saes.ablation import Removal, Removals, average_slope
from analyses.lab.saes.attribution import attribute, contrast, readers, surprise, traces
from analyses.lab.saes.saes import Sae, open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.lab.mild_saes import mild_study
from tests.lab.pairs import Case, strong_tiny

PLACES = [("resid_post", 0), ("z", 1), ("resid_post", 1)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Case:
    lab = mild_study(tmp_path_factory.mktemp("project"))
    return strong_tiny(lab)


@pytest.fixture(scope="module")
def blocks(run: Case) -> Blocks:
    return Blocks(run.lab.model.network)


def opened(lab: Lab, place: tuple[str, int]):
    """The study's autoencoder of one place, open while it is used."""
    yield from open_saes(lab, site=place[0], layers=[place[1]])


def trace(run: Case, blocks: Blocks, tokens: list[int]):
    return traces(blocks, tokens, PLACES, [contrast(blocks, run.contrast)])[0]


def streams(run: Case, blocks: Blocks, tokens: list[int]) -> dict[tuple[str, int], torch.Tensor]:
    metrics = [contrast(blocks, run.contrast)]
    (found,) = traces(blocks, tokens, PLACES, metrics, slopes=False)
    assert found.slopes == {}
    return found.streams


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("against", ["zero", "other run"])
def test_all_parts_together_are_x_times_its_slope(run, blocks, place, against, monkeypatch) -> None:
    """In single precision the sums of some hundred products are right to 1e-5 of their size."""
    monkeypatch.setattr(attribution, "DENSE", 40 * 7)  # chunks that do not divide the text
    found = trace(run, blocks, run.clean)
    x, slope = found.streams[place], found.slopes[place]
    other = streams(run, blocks, run.corrupted)[place] if against == "other run" else None
    for sae in opened(run.lab, place):
        parts = attribute(sae, x, slope, other)
        if other is None:
            assert (parts.activations > 0).all()
    by_position = torch.zeros(len(x)).index_add(0, parts.positions, parts.effects)
    size = (x.abs() * slope.abs()).sum(-1)
    gap = (by_position + parts.error + parts.bias - parts.whole).abs()
    assert (gap <= 1e-4 * size.clamp(min=1e-6)).all()
    moved = (x if other is None else x - other)[1:]
    torch.testing.assert_close(parts.whole[1:], (moved * slope[1:]).sum(-1), atol=1e-4, rtol=1e-4)
    assert parts.effects.abs().max() > 1e-3


def test_the_first_position_has_no_part(run, blocks) -> None:
    found = trace(run, blocks, run.clean)
    for sae in open_saes(run.lab):
        place = (sae.site, sae.layer)
        other = streams(run, blocks, run.corrupted)[place]
        for parts in (
            attribute(sae, found.streams[place], found.slopes[place]),
            attribute(sae, found.streams[place], found.slopes[place], other),
        ):
            assert len(parts.positions) > 0
            assert parts.positions.min() > 0
            assert parts.error[0] == parts.bias[0] == parts.whole[0] == 0
        # Before the first difference of two runs nothing changes.
        assert parts.positions.min() >= run.sweep().first


@pytest.mark.parametrize("dense", [1, 40 * 3, 1 << 20])
def test_every_other_position_has_one_whatever_the_chunks(run, blocks, dense, monkeypatch) -> None:
    monkeypatch.setattr(attribution, "DENSE", dense)
    for sae in open_saes(run.lab):
        x = streams(run, blocks, run.clean)[(sae.site, sae.layer)]
        parts = attribute(sae, x, torch.ones_like(x))
        torch.testing.assert_close(parts.whole[1:], x[1:].sum(-1))
        bias = sae.decode(torch.zeros(1, sae.width))[0].sum()
        torch.testing.assert_close(parts.bias[1:], bias.expand(len(x) - 1))
        active = sae.encode(x, torch.arange(len(x)) > 0)
        positions, features = active.nonzero(as_tuple=True)
        assert parts.positions.tolist() == positions.tolist()
        assert parts.features.tolist() == features.tolist()
        torch.testing.assert_close(parts.activations, active[positions, features])


def test_the_gradient_is_the_one_made_by_hand(run, blocks) -> None:
    """A metric linear in x at two positions: each feature adds a · (W_dec · v), exactly."""
    direction = torch.randn(256, generator=torch.Generator().manual_seed(0))
    place = ("resid_post", 1)
    (found,) = traces(
        blocks, run.clean, [place], [lambda x: x[5] @ direction + 2 * x[-1] @ direction], at=place
    )
    expected = torch.zeros(len(run.clean), 256)
    expected[5], expected[-1] = direction, 2 * direction
    torch.testing.assert_close(found.slopes[place], expected)
    for sae in opened(run.lab, place):
        parts = attribute(sae, found.streams[place], found.slopes[place])
        features = sae.encode(found.streams[place])
        for position, weight in ((5, 1), (len(run.clean) - 1, 2)):
            at = parts.positions == position
            by_hand = weight * features[position] * (sae.directions @ direction)
            torch.testing.assert_close(
                parts.effects[at], by_hand[parts.features[at]], atol=2e-3, rtol=1e-4
            )
            assert at.sum() == (features[position] > 0).sum()
        assert (parts.effects[(parts.positions != 5) & ~at] == 0).all()


def test_traces_are_what_the_model_computes(run, blocks) -> None:
    end = run.lab.model.token(run.lab.study.prompt.end)
    metrics = [contrast(blocks, run.contrast), surprise(blocks, end)]
    difference, loss = traces(blocks, run.clean, PLACES, metrics)
    with torch.inference_mode():
        logits = Prompts(run.lab.model.network, [run.clean]).run(last_only=False)
    assert difference.metric == pytest.approx(run.metric(logits).item(), abs=1e-4)
    expected = -torch.log_softmax(logits[0, -1].float(), -1)[end].item()
    assert loss.metric == pytest.approx(expected, abs=1e-4)
    assert not torch.allclose(difference.slopes[PLACES[0]], loss.slopes[PLACES[0]])
    assert difference.streams[("z", 1)].shape == (len(run.clean), 64)


def fired(sae: Sae, x: torch.Tensor, position: int) -> list[int]:
    return [int(f) for f in sae.encode(x[position]).nonzero()[:, 0]]


@pytest.mark.parametrize("place", PLACES)
def test_removing_is_what_splicing_zero_does(run, blocks, place) -> None:
    network, last = run.lab.model.network, len(run.clean) - 1
    x = streams(run, blocks, run.clean)[place]
    removals = Removals(blocks, run.clean)
    for sae in opened(run.lab, place):
        feature = fired(sae, x, last)[0]
        for positions in ((last,), (3, last - 2, last)):
            amount = sae.encode(x)[list(positions), feature, None] * sae.directions[feature]
            found = removals.losses(
                place, [Removal(positions, amount)], contrast(blocks, run.contrast)
            )
            where = torch.zeros(1, len(run.clean), dtype=torch.bool)
            where[0, list(positions)] = True
            with torch.inference_mode():
                own = run.metric(Prompts(network, [run.clean]).run(last_only=False))
                with spliced(network, sae, setting([feature], 0.0, where)):
                    without = run.metric(Prompts(network, [run.clean]).run(last_only=False))
            assert found.item() == pytest.approx((own - without).item(), abs=1e-4)
            assert abs(found.item()) > 1e-3


def removed(sae: Sae, x: torch.Tensor, cells: list[tuple[int, int]], share: float) -> list[Removal]:
    """A share of a feature at a position, for each (position, feature)."""
    a = sae.encode(x)
    return [Removal((p,), share * a[p, f] * sae.directions[[f]]) for p, f in cells]


@pytest.mark.parametrize("place", PLACES)
def test_attribution_is_the_slope_of_the_ablation(run, blocks, place) -> None:
    """Taking a small share away, divided by the share, on both sides: a finite difference."""
    found, share = trace(run, blocks, run.clean), 0.02
    metric = contrast(blocks, run.contrast)
    removals = Removals(blocks, run.clean)
    for sae in opened(run.lab, place):
        x = found.streams[place]
        parts = attribute(sae, x, found.slopes[place])
        strongest = parts.effects.abs().argsort(descending=True)[:12]
        cells = [(int(parts.positions[i]), int(parts.features[i])) for i in strongest]
        down, up = (
            removals.losses(place, removed(sae, x, cells, part), metric) for part in (share, -share)
        )
        slope = (down - up) / (2 * share)
        guess = parts.effects[strongest].double()
        torch.testing.assert_close(slope, guess, atol=0.02 * float(guess.abs().max()), rtol=0.05)


def test_top_and_random_features_add_what_their_ablation_takes(run, blocks) -> None:
    """After the last block only the norm bends: attribution ranks real ablations."""
    place = ("resid_post", 1)
    found = trace(run, blocks, run.clean)
    for sae in opened(run.lab, place):
        x = found.streams[place]
        parts = attribute(sae, x, found.slopes[place])
        acting = parts.effects.abs() > 1e-6
        assert acting.sum() > 3
        assert (parts.positions[acting] == len(x) - 1).all()  # nothing reads the others any more
        chosen = [(len(x) - 1, int(feature)) for feature in parts.features[acting]]
        true = Removals(blocks, run.clean).losses(
            place, removed(sae, x, chosen, 1.0), contrast(blocks, run.contrast)
        )
        assert np.corrcoef(true, parts.effects[acting])[0, 1] > 0.95


@pytest.mark.parametrize("place", PLACES)
def test_integrated_gradients_are_complete(run, blocks, place) -> None:
    """The sum over features is what taking them all out, or the other run's x, really changes."""
    metric, x = contrast(blocks, run.contrast), streams(run, blocks, run.clean)[place]
    removals, everywhere = Removals(blocks, run.clean), tuple(range(1, len(run.clean)))
    for sae in opened(run.lab, place):
        features = sae.encode(x, torch.arange(len(x)) > 0)
        amount = features @ sae.directions
        slope = average_slope(blocks, run.clean, place, x - amount, metric, steps=64)
        parts = attribute(sae, x, slope)
        (true,) = removals.losses(place, [Removal(everywhere, amount[1:])], metric).tolist()
        assert float(parts.effects.sum()) == pytest.approx(true, abs=0.02)
        other = streams(run, blocks, run.corrupted)[place]
        slope = average_slope(blocks, run.clean, place, other, metric, steps=64)
        parts = attribute(sae, x, slope, other)
        (true,) = removals.losses(place, [Removal(everywhere, (x - other)[1:])], metric).tolist()
        together = parts.effects.sum() + parts.error.sum()
        assert float(together) == pytest.approx(true, abs=0.02)
        assert float(parts.whole.sum()) == pytest.approx(float(together), abs=1e-3)


@pytest.mark.parametrize("place", PLACES[:2])
def test_a_later_feature_is_driven_by_earlier_ones(run, blocks, place) -> None:
    """The slope of a later pre-activation, against its real change without the earlier feature."""
    later, last = ("resid_post", 1), len(run.clean) - 1
    x = streams(run, blocks, run.clean)[later]
    for sae in opened(run.lab, later):
        feature = fired(sae, x, last)[0]
        (reader,) = readers(sae, x[last], [feature])
        other = x[last] + 0.01 * torch.randn(256)
        change = sae.encode(other)[feature] - sae.encode(x[last])[feature]
        assert change.item() == pytest.approx(((other - x[last]) @ reader).item(), abs=1e-3)

    def metric(stream: torch.Tensor) -> torch.Tensor:
        return stream[last] @ reader

    (found,) = traces(blocks, run.clean, [place], [metric], at=later)
    removals, share = Removals(blocks, run.clean), 0.02
    for sae in opened(run.lab, place):
        parts = attribute(sae, found.streams[place], found.slopes[place])
        strongest = parts.effects.abs().argsort(descending=True)[:8]
        cells = [(int(parts.positions[i]), int(parts.features[i])) for i in strongest]
        down, up = (
            removals.losses(
                place, removed(sae, found.streams[place], cells, part), metric, at=later
            )
            for part in (share, -share)
        )
        guess = parts.effects[strongest].double()
        gap = 0.02 * float(guess.abs().max())
        torch.testing.assert_close((down - up) / (2 * share), guess, atol=gap, rtol=0.05)


def test_effects_can_be_read_at_heads(run, blocks) -> None:
    """A metric of what heads read sees the earlier stream, through keys and values that are kept."""
    place, later, last = ("resid_post", 0), ("z", 1), len(run.clean) - 1
    direction = torch.randn(64, generator=torch.Generator().manual_seed(1))

    def metric(stream: torch.Tensor) -> torch.Tensor:
        return stream[last] @ direction

    (found,) = traces(blocks, run.clean, [place], [metric], at=later)
    nudge = 1e-2 * torch.randn(2, 256, generator=torch.Generator().manual_seed(2))
    places = (last - 3, last)
    (true,) = Removals(blocks, run.clean).losses(place, [Removal(places, nudge)], metric, at=later)
    guess = (nudge * found.slopes[place][list(places)]).sum()
    assert true.item() == pytest.approx(guess.item(), rel=0.05)


@pytest.mark.parametrize("places", [PLACES[:1], PLACES[-1:], PLACES])
def test_a_pair_costs_two_passes_and_one_back_however_many_layers_are_asked(
    run, blocks, places, monkeypatch
) -> None:
    went = {"forth": 0, "back": 0}
    block, grad = blocks.run, torch.autograd.grad

    def forth(layer: int, *given):
        went["forth"] += layer == 0
        return block(layer, *given)

    def back(*given, **options):
        went["back"] += 1
        return grad(*given, **options)

    monkeypatch.setattr(blocks, "run", forth)
    monkeypatch.setattr(torch.autograd, "grad", back)
    metrics = [contrast(blocks, run.contrast)]
    traces(blocks, run.clean, places, metrics)
    traces(blocks, run.corrupted, places, metrics, slopes=False)
    assert went == {"forth": 2, "back": 1}
