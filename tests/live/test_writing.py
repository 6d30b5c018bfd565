"""A text is written under one prompt and read under others; what was told holds against the model."""

import numpy as np
import pytest
import torch

from analyses.lab.model import sampling
from tests.live.tiny_gguf import BREAK, END

PROMPTS = [{"before": "<|im_start|>a short list of ", "own": "things", "after": ".<|im_end|>\n-"},
           {"before": "<|im_start|>a long list of ", "own": "things", "after": ".<|im_end|>\n-"}]  # fmt: skip
WRITING = {
    "prompts": PROMPTS, "given": [], "known": 0, "most": 120, "contrast": [END, BREAK],
    "breaks": [BREAK], "blanks": [], "ends": [END], "draw": {"temperature": 0.8, "topP": 0.9, "key": "7"},
}  # fmt: skip
WRITE = """async ([...writings]) => {
  const {writer} = live.opened();
  const all = [];
  for (const {after = Infinity, ...writing} of writings) {
    const readings = [];
    let asked = 0;
    const done = await writer.write(writing, one => readings.push(one), async () => asked++ < after);
    all.push({...done, readings});
  }
  return all;
}"""


@pytest.fixture(scope="module")
def written(live):
    """One list, written to its end."""
    return live(WRITE, [WRITING])[0]


def encoded(tiny_model, prompt):
    inner = prompt["before"].removeprefix("<|im_start|>") + "things."
    return [1, *tiny_model.tokenizer.encode(inner).ids, END, BREAK, 29]


def logits(tiny_model, prompt, ids):
    whole = [*encoded(tiny_model, prompt), *ids]
    with torch.inference_mode():
        found = tiny_model.model(torch.tensor([whole])).logits[0]
    return found[len(whole) - len(ids) - 1 :]


def test_the_list_is_the_one_that_the_lab_draws(written, tiny_model):
    after = logits(tiny_model, PROMPTS[0], written["ids"])
    key = np.random.Generator(np.random.Philox(key=7)).random(WRITING["most"])
    uniform = torch.from_numpy(key[: len(written["ids"])])
    drawn = sampling.draw(after[:-1], torch.full((len(uniform),), 0.8), 0.9, uniform)

    assert written["ended"]
    assert len(written["readings"]) >= 2
    assert written["ids"] == drawn.tolist()


def test_both_prompts_are_read_before_each_break(written, tiny_model):
    ids = written["ids"]
    breaks = [place for place, id in enumerate(ids) if id in (BREAK, END)]
    assert [one["end"] for one in written["readings"]] == breaks
    assert [one["start"] for one in written["readings"]] == [
        0,
        *(place + 1 for place in breaks[:-1]),
    ]
    for which, prompt in enumerate(PROMPTS):
        after = logits(tiny_model, prompt, ids)
        chance = after.double().softmax(-1)[:, END]
        contrast = after[:, END] - after[:, BREAK]
        for one in written["readings"]:
            assert one["chances"][which] == pytest.approx(chance[one["end"]].item(), abs=1e-6)
            assert one["contrasts"][which] == pytest.approx(contrast[one["end"]].item(), abs=2e-5)
            assert one["lens"][which][-1] == one["contrasts"][which]
            likely, ids_ = after[one["end"]].double().softmax(-1).topk(10)
            told = one["likely"][which]
            assert [token["chance"] for token in told] == pytest.approx(likely.tolist(), abs=1e-6)
            texts = [tiny_model.tokenizer.id_to_token(id) for id in ids_.tolist()]
            assert [token["text"] for token in told] == [text.replace("Ċ", "\n") for text in texts]


def test_what_is_given_is_read_and_not_written_on(live, written):
    [read] = live(WRITE, [{**WRITING, "given": written["ids"], "draw": None}])

    assert read["ids"] == written["ids"]
    for one, other in zip(read["readings"], written["readings"], strict=True):
        assert one["text"] == other["text"]
        assert one["chances"] == pytest.approx(other["chances"], abs=1e-6)


def test_what_was_stopped_goes_on_to_the_same_end(live, written):
    half = len(written["ids"]) // 2
    given = written["ids"][:half]
    stopped, rest = live(
        WRITE, [{**WRITING, "after": half}, {**WRITING, "given": given, "known": half}]
    )

    assert (stopped["ids"], stopped["ended"]) == (given, False)
    assert rest["ids"] == written["ids"]
    assert [one["end"] for one in (*stopped["readings"], *rest["readings"])] == [
        one["end"] for one in written["readings"]
    ]


def test_an_edited_item_is_told_and_so_is_all_behind_it(live, written, tiny_model):
    second = written["readings"][1]
    given = [*written["ids"][: second["start"]], 70, 71, 72, *written["ids"][second["end"] :]]
    [read] = live(WRITE, [{**WRITING, "given": given, "known": second["start"], "draw": None}])

    assert len(read["readings"]) == len(written["readings"]) - 1
    after = logits(tiny_model, PROMPTS[1], given).double().softmax(-1)[:, END]
    for one in read["readings"]:
        assert one["chances"][1] == pytest.approx(after[one["end"]].item(), abs=1e-6)


def test_blanks_before_a_break_are_not_what_is_read(live, written, tiny_model):
    blank = tiny_model.tokenizer.encode(" ").ids[0]
    given = [60, 61, blank, blank, BREAK, 29, 62]
    [read] = live(WRITE, [{**WRITING, "given": given, "draw": None, "blanks": [blank]}])

    assert [(one["start"], one["end"], one["next"]) for one in read["readings"]] == [(0, 2, 5)]


def test_a_bias_holds_for_what_is_drawn_and_what_is_told(live, tiny_model):
    [never] = live(WRITE, [{**WRITING, "bias": {str(END): -100}}])

    assert len(never["ids"]) == WRITING["most"]
    assert (never["ended"], never["full"]) == (False, True)
    assert max(max(one["chances"]) for one in never["readings"]) < 1e-30


def test_a_text_that_does_not_fit_is_told(live):
    prompt = {**PROMPTS[0], "own": "xyz" * 200}
    told = live(
        """async writing => {
          const {writer} = live.opened();
          return writer.write(writing, () => {}, async () => true).catch(error => error.message);
        }""",
        {**WRITING, "prompts": [prompt]},
    )
    assert told == "The prompt and the text are longer than 384 tokens."
