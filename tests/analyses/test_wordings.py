"""Wordings are compared on lists that stand still, by the network's own logits."""

import pytest
import torch

from analyses import wordings
from analyses.lab.core.errors import LabError
from analyses.lab.runtime.lab import Lab
from tests.lab.conftest import ROOT

TABLE = """
[wordings.items]
Fruits = ["Apple", "Mango", "Pear"]
{topic} = ["Red", "Blue", "Green"]

[wordings.shown]
Metals = ["Iron", "Copper", "Zinc"]
Birds = ["Owl", "Crow", "Swan"]

[[wordings.asked]]
heading = "A {length} list of {topic}:"
shown = [2, 3]
lengths = [2, 3]
words = {2 = "short", 3 = "long"}
"""
TURN = (
    "A short list of Metals:\n- Iron\n- Copper\n\nA long list of Birds:\n- Owl\n- Crow\n- Swan\n\n"
)


def opened(tmp_path, topic="Animals", words=TABLE):
    text = (ROOT / "analyses/studies/tiny.toml").read_text("utf-8")
    (tmp_path / "analyses" / "studies").mkdir(parents=True)
    text += words.replace("{topic} =", f"{topic} =")
    (tmp_path / "analyses" / "studies" / "mine.toml").write_text(
        text.replace('held_out = ["Animals"', 'held_out = ["City Names"'), "utf-8"
    )
    return Lab.open("mine", root=tmp_path, quiet=True)


def test_lists_are_shown_before_what_is_asked(tmp_path):
    study = opened(tmp_path).study
    (asked,) = study["wordings.asked"]
    found = wordings.turn(asked, study["wordings.shown"], 2)
    assert found == f"{TURN}A short list of {{topic}}:"


def test_the_proxy_is_the_networks_at_each_deciding_place(tmp_path):
    lab = opened(tmp_path)
    rows = wordings.run(lab).to_pylist()
    cells = [row for row in rows if row["part"] == "item"]
    assert [(row["topic"], row["k"]) for row in cells] == [
        (topic, k) for topic in ("Fruits", "Animals") for k in (1, 2, 3)
    ]
    assert {row["wording"] for row in rows} == {"A short / long list of {topic}:"}
    # The tiny study decides at the line break behind an item: its end against a hyphen.
    model, prompt = lab.model, lab.study.prompt
    plus, minus = model.token("<end_of_turn>"), model.token("-")
    for side, word in (("short", "short"), ("long", "long")):
        asked = model.chat(f"{TURN}A {word} list of Fruits:", prompt.prefill)
        ids = [*asked.ids, *model.tokenizer.encode(" Apple\n", add_special_tokens=False)]
        with torch.inference_mode():
            bridge = model.bridge(torch.tensor([ids]))[0, -1]
        assert cells[0][side] == pytest.approx((bridge[plus] - bridge[minus]).item(), abs=1e-3)
    means = [row for row in rows if row["part"] == "mean"]
    assert [row["k"] for row in means] == [1, 2, 3, None]
    late = [row["difference"] for row in cells if row["k"] >= 2]
    assert means[-1]["estimate"] == pytest.approx(sum(late) / len(late), abs=1e-5)
    assert means[-1]["n"] == 4


@pytest.mark.parametrize("topic", ["Colors", "Rivers"])
def test_nothing_is_chosen_on_topics_that_are_held_out_or_unknown(topic, tmp_path):
    with pytest.raises(LabError, match=f"wordings.items: {topic} is held out, or no topic"):
        wordings.run(opened(tmp_path, topic))


def test_lengths_of_unequal_size_are_refused(tmp_path):
    words = TABLE.replace('3 = "long"', '3 = "very long"')
    with pytest.raises(LabError, match=r"wordings.asked: its two lengths make prompts of"):
        wordings.run(opened(tmp_path, words=words))
