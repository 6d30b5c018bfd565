"""A network changed at chosen places, against whole runs through the splice and plain sampling."""

from contextlib import ExitStack

import pytest
import torch

from analyses.instruments.pairs import pair
from analyses.instruments.sweeps import contrast_of
from analyses.lab.model.decoder import Prompts, forward
from analyses.lab.model.hooks import tapped
from analyses.lab.model.sampling import Request, sample
from analyses.lab.saes.interventions import DECIDING, Change, Gated, adding, replacing
from analyses.lab.saes.saes import open_saes
from analyses.lab.saes.splice import setting, spliced
from tests.lab.mild_saes import mild_study

PLACES = [("resid_post", 0), ("z", 1), ("resid_post", 1)]
TOPICS = ("Fruits", "Types of Trees", "Colors")
ANSWERS = (
    " Apple\n- New York\n- Pear \n- Fig\n",
    " Red\n- Blue\n- Oak\n-",
    " Fig \n- Dog\n- Cat\n- Plum",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return mild_study(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def saes(lab):
    """All three, open together."""
    with ExitStack() as stack:
        found = {}
        for site, layer in PLACES:
            opened = open_saes(lab, site=site, layers=[layer])
            found[site, layer] = next(opened)
            stack.callback(opened.close)
        yield found


def prompts_of(lab):
    settings = lab.study.prompt
    return [pair(lab.model, settings, settings.templates, "short", topic)[0] for topic in TOPICS]


def answers_of(lab):
    coded = [lab.model.tokenizer.encode(text, add_special_tokens=False) for text in ANSWERS]
    return [ids[: min(map(len, coded))] for ids in coded]


def decoded(lab, network):
    """Logits after each column of the answers, fed one by one, [columns, rows, vocabulary]."""
    answers = torch.tensor(answers_of(lab))
    with torch.inference_mode():
        prompts = Prompts(network, [one.ids for one in prompts_of(lab)])
        found = [prompts.run(last_only=True)[:, -1]]
        cache, pads = prompts.rows(torch.arange(len(answers)), answers.shape[1])
        found += [forward(network, column[:, None], cache, pads)[:, -1] for column in answers.T]
    return torch.stack(found), cache


def changes_of(saes, places, value):
    """Some features of each place set to a value at deciding tokens."""
    features = [1, 4, 5, 9, 17, 22, 30, 39]
    values = [value + 0.01 * i for i in range(len(features))]
    moved = [Change(*place, DECIDING, replacing(saes[place], features, values)) for place in places]
    return features, values, moved


def whole_runs(lab, saes, places, features, values):
    """The same by definition: at each token the whole text anew, without changes at this token;
    if it is deciding, once more with them. [columns, rows, vocabulary], and where it decided."""
    network, contrast = lab.model.network, contrast_of(lab)

    def run(ids, where):
        mask = torch.zeros(1, len(ids), dtype=torch.bool)
        mask[0, where] = True
        with torch.inference_mode(), ExitStack() as stack:
            for place in places:
                edit = setting(features, torch.tensor(values), mask)
                stack.enter_context(spliced(network, saes[place], edit))
            return Prompts(network, [ids]).run(last_only=False)[0, -1]

    rows, decided = [], []
    for prompt, answer in zip(prompts_of(lab), answers_of(lab), strict=True):
        logits, where = [run(prompt.ids, [])], []
        for column in range(len(answer)):
            ids = [*prompt.ids, *answer[: column + 1]]
            plain = run(ids, where)
            if int(plain.argmax()) in contrast:
                where.append(len(ids) - 1)
                plain = run(ids, where)
            logits.append(plain)
        rows.append(torch.stack(logits))
        decided.append([place - len(prompt.ids) for place in where])
    return torch.stack(rows, 1), decided


@pytest.mark.parametrize("places", [[one] for one in PLACES] + [PLACES])
@pytest.mark.parametrize("value", [0.0, 2.0])
def test_deciding_rows_are_those_of_whole_runs(lab, saes, places, value):
    features, values, changes = changes_of(saes, places, value)
    found, _ = decoded(lab, Gated(lab.model.network, contrast_of(lab), changes))
    expected, decided = whole_runs(lab, saes, places, features, values)
    breaks = [
        [i for i, piece in enumerate(lab.model.pieces(ids)) if piece == "\n"]
        for ids in answers_of(lab)
    ]
    assert decided == breaks  # where the tiny model decides
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)
    plain, _ = decoded(lab, lab.model.network)
    rows = {(column + 1, row) for row, where in enumerate(decided) for column in where}
    assert all((found[at] - plain[at]).abs().max() > 1e-2 for at in rows)


def test_other_rows_are_left_alone_bit_for_bit(lab, saes):
    """Until a row first decides, and in rows that never do, nothing differs: logits and cache."""
    network = lab.model.network
    never = (0, 1)  # the padding and its like: never likeliest
    _, _, changes = changes_of(saes, PLACES, 1.0)
    plain, cache = decoded(lab, network)
    found, untouched = decoded(lab, Gated(network, never, changes))
    assert torch.equal(found, plain)
    for mine, theirs in zip(untouched.layers, cache.layers, strict=True):
        assert torch.equal(mine.keys, theirs.keys)
        assert torch.equal(mine.values, theirs.values)
    gated, changed = decoded(lab, Gated(network, contrast_of(lab), changes))
    start = max(len(one.ids) for one in prompts_of(lab))
    for row, ids in enumerate(answers_of(lab)):
        first = lab.model.pieces(ids).index("\n")
        assert torch.equal(gated[: first + 1, row], plain[: first + 1, row])
        for mine, theirs in zip(changed.layers, cache.layers, strict=True):
            before = slice(0, start + first)
            assert torch.equal(mine.keys[row, :, before], theirs.keys[row, :, before])
            assert torch.equal(mine.values[row, :, before], theirs.values[row, :, before])
    # What a change reaches of the cache: the layers behind it, from the first deciding column on.
    assert torch.equal(changed.layers[0].keys[:, :, start:], cache.layers[0].keys[:, :, start:])
    gap = (changed.layers[1].keys - cache.layers[1].keys)[0, :, start:].abs().amax((0, 2))
    assert gap[lab.model.pieces(answers_of(lab)[0]).index("\n")] > 1e-3


def test_a_feature_set_to_zero_is_minus_its_activation_times_its_direction(saes):
    for sae in saes.values():
        x = torch.randn(5, sae.directions.shape[1], generator=torch.Generator().manual_seed(1))
        x += sae.directions[3]
        activation = sae.encode(x)[:, 3]
        assert activation.max() > 0.1
        expected = -activation[:, None] * sae.directions[3]
        torch.testing.assert_close(replacing(sae, [3], [0.0])(x), expected, atol=1e-6, rtol=0)


class Watched:
    """The network, and what stands at a place after all other hooks."""

    def __init__(self, network, place):
        self.network, self.place, self.seen = network, place, []

    def __getattr__(self, name):
        return getattr(self.network, name)

    def __call__(self, **given):
        with tapped(self.network, *self.place, self.seen.append):
            return self.network(**given)


@pytest.mark.parametrize("place", PLACES)
def test_prompts_are_changed_at_the_tokens_of_a_role_and_nowhere_else(lab, saes, place):
    """By exactly −a · W_dec of each feature that is taken out."""
    sae, prompts = saes[place], prompts_of(lab)
    watched, roles = Watched(lab.model.network, place), {one.ids: one.roles for one in prompts}
    texts = [one.ids for one in prompts]
    with torch.inference_mode():
        Prompts(watched, texts).run(last_only=True)
        (before,) = watched.seen
        width = before.shape[1]
        columns = [
            [width - len(one.ids) + i for i, role in enumerate(one.roles) if role == "topic"]
            for one in prompts
        ]
        there = torch.cat([before[row, at] for row, at in enumerate(columns)])
        chosen = sae.encode(there).sum(0).topk(3).indices.tolist()
        change = Change(*place, "topic", replacing(sae, chosen, [0.0] * 3))
        gated = Gated(watched, contrast_of(lab), [change], roles=roles)
        Prompts(gated, texts).run(last_only=True)
    moved = watched.seen[1] - before
    expected = torch.zeros_like(moved)
    for row, at in enumerate(columns):
        for column in at:
            features = sae.encode(before[row, column])
            expected[row, column] = -sum(features[f] * sae.directions[f] for f in chosen)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=1e-5)
    elsewhere = (expected == 0).all(-1)
    assert (moved[elsewhere] == 0).all()


def lists_of(lab, network, cap=40):
    requests = [
        Request(one.ids, 0.8, ("test", topic, number))
        for one, topic in zip(prompts_of(lab), TOPICS, strict=True)
        for number in range(6)
    ]
    stop = lab.model.ends(lab.study.prompt)
    options = {"top_p": 0.9, "max_new_tokens": cap, "stop": stop, "batch": 16}
    found = dict(sample(network, requests, **options))
    return [found[i] for i in range(len(requests))]


def test_changes_that_change_nothing_draw_the_same_lists(lab, saes):
    network, contrast = lab.model.network, contrast_of(lab)
    expected = lists_of(lab, network)
    assert lists_of(lab, Gated(network, contrast)) == expected
    nothing = [
        Change("resid_post", 0, DECIDING, adding(torch.zeros(256))),
        Change("z", 1, DECIDING, replacing(saes["z", 1], [], [])),
    ]
    assert lists_of(lab, Gated(network, contrast, nothing)) == expected


def test_a_bias_moves_the_end_at_deciding_places_alone(lab):
    network, (plus, minus) = lab.model.network, contrast_of(lab)
    plain, _ = decoded(lab, network)
    found, _ = decoded(lab, Gated(network, (plus, minus), bias=1.5))
    gap = found - plain
    decides = torch.isin(plain.argmax(-1), torch.tensor([plus, minus]))
    decides[0] = False  # the prefilled hyphen
    assert decides.any()
    torch.testing.assert_close(gap[..., plus], 1.5 * decides, atol=1e-5, rtol=0)
    gap[..., plus] = 0
    assert (gap == 0).all()
    ends = lab.model.ends(lab.study.prompt)
    lengths = [
        sum(len(ids) for ids in lists_of(lab, Gated(network, (plus, minus), bias=bias)))
        for bias in (-9.0, 0.0, 9.0)
    ]
    assert lengths[0] > lengths[1] > lengths[2]
    stopped = lists_of(lab, Gated(network, (plus, minus), bias=30.0))
    assert all(ids[-1] in ends and lab.model.pieces(ids).count("\n") == 1 for ids in stopped)


def test_more_than_one_token_at_a_time_is_refused(lab):
    gated = Gated(lab.model.network, contrast_of(lab))
    with torch.inference_mode():
        prompts = Prompts(gated, [one.ids for one in prompts_of(lab)])
        prompts.run(last_only=True)
        cache, pads = prompts.rows(torch.arange(3), 4)
        with pytest.raises(ValueError, match="one token at a time"):
            forward(gated, torch.tensor(answers_of(lab))[:, :2], cache, pads)
