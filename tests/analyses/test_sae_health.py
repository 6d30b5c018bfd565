"""What SAEs made by hand do to the lists of the tiny study."""

import json

import pytest

from analyses import sae_health
from analyses.lab.core import statistics
from analyses.lab.core.errors import LabError
from tests.lab.saes import LOCAL, perfect_sae, silent_sae, study_with


@pytest.fixture(scope="module")
def table(shelf, tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    perfect_sae(root / "saes" / "0")
    silent_sae(root / "saes" / "1")
    lab = study_with(root, LOCAL)
    found = sae_health.run(lab, shelf["list_samples"])
    assert found.equals(sae_health.run(lab, shelf["list_samples"]), check_metadata=True)
    return found


def rows(table, layer: int, quantity: str) -> list[dict]:
    found = [
        row for row in table.to_pylist() if (row["layer"], row["quantity"]) == (layer, quantity)
    ]
    assert found
    return found


def test_every_group_and_place_is_there(table):
    for layer in (0, 1):
        met = {(row["group"], row["places"]) for row in rows(table, layer, "loss_change")}
        written = {(group, "written") for group in ("held-out", "other", "training")}
        assert met == written | {("held-out", "deciding"), ("other", "deciding")}
    assert {row["width"] for row in rows(table, 0, "dead")} == {512}
    labels = json.loads(table.schema.metadata[b"labels"])
    assert "held-out" in labels["n"]
    assert labels["interval"] == statistics.said("topics")


def assert_bounds(row) -> None:
    """Only the texts of the autoencoders' training are enough groups for an interval."""
    assert (row["low"] is None) == (row["group"] != "training")
    if row["group"] == "training":
        assert row["low"] <= row["estimate"] + 1e-9 <= row["high"] + 2e-9


def test_a_perfect_reconstruction_changes_nothing(table):
    for row in rows(table, 0, "loss_change") + rows(table, 0, "contrast_distance"):
        assert row["estimate"] == pytest.approx(0, abs=1e-4)
    for row in rows(table, 0, "variance_explained"):
        assert row["estimate"] == pytest.approx(1, abs=1e-6)
        assert_bounds(row)
    for row in rows(table, 0, "features"):
        assert row["estimate"] == pytest.approx(256)  # one of the two of each dimension


def test_an_empty_reconstruction_explains_nothing(table):
    for row in rows(table, 1, "variance_explained"):
        assert row["estimate"] <= 0
        assert_bounds(row)
    for row in rows(table, 1, "features"):
        assert row["estimate"] == 0
    for row in rows(table, 1, "dead"):
        assert row["estimate"] == 1
        assert row["low"] is None
    for row in rows(table, 1, "loss_change"):
        assert row["estimate"] > 0.5


def test_the_loss_is_the_one_that_token_scores_say(table, shelf):
    """−ln p of the tokens of the lists that were read, from the probabilities measured there."""
    import math

    expected: dict[str, list[float]] = {"held-out": [], "other": []}
    for row in shelf["token_scores"].to_pylist():
        chosen = row["temperature"] == 0.8 and row["condition"] == "clean"
        if chosen and row["template"] in ("short", "long") and row["sample"] < sae_health.LISTS:
            first = row["role"] == "hyphen" and row["k"] == 1
            if row["role"] in ("hyphen", "item", "blank", "break", "end") and not first:
                group = "held-out" if row["held_out"] else "other"
                expected[group].append(-math.log(row["probability"]))
    for row in rows(table, 0, "loss"):
        if row["places"] == "written" and row["group"] != "training":
            assert row["n"] == len(expected[row["group"]])
            mean = sum(expected[row["group"]]) / row["n"]
            assert row["estimate"] == pytest.approx(mean, rel=1e-2)


def test_a_study_without_saes_is_refused(tiny, shelf):
    with pytest.raises(LabError, match="no sparse autoencoders in this study"):
        sae_health.run(tiny, shelf["list_samples"])
