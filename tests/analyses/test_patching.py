"""Patching over the tiny study's lists, and a number of it recomputed with plain hooks."""

import json

import pyarrow.compute as pc
import pytest
import torch
import transformer_lens.utilities as utils

from analyses import attribution_patching, patching
from analyses.instruments import sweeps
from analyses.instruments.lists import read_lists
from analyses.instruments.paired_lists import AXIS, paired_lists
from analyses.lab.core import statistics
from analyses.lab.runtime import cached_arrays
from tests.analyses.conftest import measure

ALL = [
    *(("patching", variant) for variant in patching.VARIANTS),
    *(("attribution_patching", variant) for variant in attribution_patching.VARIANTS),
]


@pytest.fixture(scope="module")
def pairs(tiny, shelf):
    _ = tiny.model
    return paired_lists(
        tiny, read_lists(shelf["list_samples"], tiny.study.prompt), "short", "length"
    )


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_says_what_it_is_and_repeats(tiny, shelf, name, variant):
    table = measure(tiny, name, variant, shelf)
    labels = json.loads(table.schema.metadata[b"labels"])
    assert labels["interval"] == statistics.said("topics")
    assert labels["n"]
    assert labels["note"]
    ends = table.filter(pc.is_finite(table["low"]))
    assert ends.num_rows > 0
    assert pc.all(pc.less_equal(ends["low"], ends["high"])).as_py()
    assert table.equals(measure(tiny, name, variant, shelf), check_metadata=True)


def test_pairs_differ_in_one_token_and_end_at_the_deciding_one(pairs, tiny):
    assert {one.topic for one in pairs} <= set(tiny.study.topics.names)
    for one in pairs:
        both = zip(one.pieces, one.clean, one.corrupted, strict=True)
        assert [piece for piece, a, b in both if a != b] == [" short"]
        assert one.pieces[-1] == "\n"  # the tiny study decides at the break
        roles = one.roles()
        assert list(roles) == [role for role in AXIS if role in roles]
        covered = sorted(position for positions in roles.values() for position in positions)
        assert covered == list(range(one.first, len(one.clean)))
        assert roles["deciding", -1] == (len(one.clean) - 1,)
        assert one.items >= 3


def test_a_role_is_what_plain_hooks_give(tiny, shelf, pairs):
    """The mean over topics of one cell, from one-by-one hooks."""
    table = measure(tiny, "patching", "attn-out", shelf)
    layer, role = 1, ("topic", None)
    plus, minus = sweeps.contrast_of(tiny)
    name = utils.get_act_name("attn_out", layer)
    above = below = 0.0
    for one in pairs:
        clean, corrupted = (torch.tensor([ids]) for ids in (one.clean, one.corrupted))
        positions = list(one.roles()[role])
        with torch.inference_mode():
            _, cache = tiny.model.bridge.run_with_cache(clean)

            def replace(value, hook, cache=cache, positions=positions):
                value = value.clone()
                value[:, positions] = cache[name][:, positions]
                return value

            runs = [
                tiny.model.bridge(clean),
                tiny.model.bridge(corrupted),
                tiny.model.bridge.run_with_hooks(corrupted, fwd_hooks=[(name, replace)]),
            ]
        m_clean, m_corrupted, m = (float(r[0, -1, plus] - r[0, -1, minus]) for r in runs)
        above += m - m_corrupted
        below += m_clean - m_corrupted
    rows = [
        row
        for row in table.to_pylist()
        if (row["part"], row["template"], row["wording"]) == ("role", "short", "length")
        and (row["direction"], row["topics"]) == ("denoising", "all")
        and (row["layer"], (row["role"], row["k_end"])) == (layer, role)
    ]
    assert len(rows) == 1
    assert rows[0]["n"] == len(pairs)
    assert rows[0]["raw"] == pytest.approx(above / len(pairs), abs=1e-5)
    assert rows[0]["estimate"] == pytest.approx(above / below, abs=1e-2)


def test_the_last_stream_decides(tiny, shelf):
    """After all blocks, the deciding token alone carries everything."""
    rows = measure(tiny, "patching", "resid", shelf).to_pylist()
    last = len(tiny.model.network.model.layers)
    for row in rows:
        if (row["part"], row["topics"], row["layer"]) == ("role", "all", last):
            spans = [
                pair["clean"] - pair["corrupted"]
                for pair in rows
                if (pair["part"], pair["template"], pair["wording"])
                == ("pair", row["template"], row["wording"])
            ]
            whole = sum(spans) / len(spans) if row["role"] == "deciding" else 0.0
            sign = 1 if row["direction"] == "denoising" else -1
            assert row["raw"] == pytest.approx(sign * whole, abs=1e-4)


def test_a_stopped_run_goes_on(tiny, shelf, tmp_path, monkeypatch):
    """What was measured is not measured again."""
    monkeypatch.setattr(tiny, "root", tmp_path)
    first = measure(tiny, "patching", "k", shelf)
    files = sorted((tmp_path / cached_arrays.FOLDER).rglob("*.npy"))
    assert files
    files[0].unlink()
    ran = []
    run = sweeps.Sweep.run
    monkeypatch.setattr(
        sweeps.Sweep, "run", lambda self, patches: ran.append(1) or run(self, patches)
    )
    assert measure(tiny, "patching", "k", shelf).equals(first)
    assert len(ran) == 1
    assert not list((tmp_path / cached_arrays.FOLDER).rglob("*.part"))


def test_estimates_stand_beside_patches(tiny, shelf):
    rows = measure(tiny, "attribution_patching", "heads", shelf).to_pylist()
    checks = [row for row in rows if row["part"] == "check"]
    assert {row["site"] for row in checks} == {"q", "k", "v", "z", "pattern"}
    assert all(row["measured"] is not None for row in checks)
    whole = [r for r in rows if r["part"] == "integrated" and r["head"] is None]
    for row in whole:
        assert row["integrated"] == pytest.approx(row["measured"], abs=1e-3)
    quantities = {row["quantity"] for row in rows if row["part"] == "agreement"}
    assert quantities == {"pearson", "slope"}
