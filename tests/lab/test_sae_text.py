"""The text for SAEs: what it is about, and that it can be drawn again."""

import re
from itertools import pairwise

import pytest

from analyses.instruments.sae_training import text as sae_text
from analyses.lab.core.study_file import load_study, study_names
from analyses.lab.runtime.lab import Lab
from tests.lab.conftest import ROOT

# What the held-out topics would be called by another name.
CLOSE = (
    r"countr|\bnations\b|\bstates of the world|flower|blossom|\bcars?\b|automobile|river|stream|"
    r"language|dialect|\bbooks?\b|novel|scientist|physicist|chemist|colou?r|\bshades?\b"
)


def test_no_topic_is_one_of_the_posts() -> None:
    topics = sae_text.topics()
    assert len(topics) == len(set(topics)) >= 200
    ours = {topic.casefold() for topic in topics}
    for name in study_names(ROOT):
        theirs = {topic.casefold() for topic in load_study(name, root=ROOT).topics.names}
        assert not ours & theirs
        assert not ours & {topic.removeprefix("types of ") for topic in theirs}
    assert [topic for topic in topics if re.search(CLOSE, topic, re.IGNORECASE)] == []


def test_there_are_other_requests_too() -> None:
    asked = sae_text.free_prompts()
    assert len(asked) == len(set(asked)) >= 100


@pytest.mark.parametrize("name", ["tiny", "smollm2"])
def test_the_plan_asks_in_all_wordings(name: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(name)
    plan = sae_text.plan(lab)
    assert len({one.name for one in plan}) == len(plan)
    kinds = {one.name[2] for one in plan}
    assert kinds == {"short", "long", "none", "emphatic short", "emphatic long", "free"}
    assert {one.temperature for one in plan} == {0.8, 1.0}
    hyphen = lab.model.token("-")
    for one in plan:
        assert (one.prompt[-1] == hyphen) == (one.name[2] != "free")
    # Requests that share a prompt follow each other, so that it is run once.
    prompts = [one.prompt for one in plan if one.name[2] == "free"]
    changes = sum(a != b for a, b in pairwise(prompts))
    assert changes == len(set(prompts)) - 1


def test_a_text_is_the_same_alone_and_among_others(tiny: Lab) -> None:
    plan = sae_text.plan(tiny)[::60]
    chunks = list(sae_text.written(tiny, plan))
    assert [len(chunk) for chunk in chunks][:-1] == [tiny.study.sampling.batch] * (len(chunks) - 1)
    together = [text for chunk in chunks for text in chunk]
    assert [text.prompt for text in together] == [one.prompt for one in plan]
    ends = tiny.model.ends(tiny.study.prompt)
    for one, text in zip(plan[-3:], together[-3:], strict=True):
        assert next(iter(sae_text.written(tiny, [one]))) == [text]
        capped = len(text.tokens) == tiny.study.sampling.max_new_tokens
        assert text.tokens[-1] in ends or capped


def test_finished_chunks_are_not_drawn_again(tiny: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = sae_text.plan(tiny)[5::100]
    once = list(sae_text.written(tiny, plan))
    monkeypatch.setattr(sae_text.sampling, "sample", None)
    assert list(sae_text.written(tiny, plan)) == once
