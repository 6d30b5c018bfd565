"""What it takes to ask the model again: with it, the model reads and draws what it did."""

import pytest

from analyses import asking, ending
from analyses.instruments.prompts import prompt_tokens
from analyses.instruments.roles import list_roles
from analyses.lab.model import sampling


@pytest.fixture(scope="module")
def rows(tiny, shelf):
    means = ending.run(tiny, shelf["list_samples"], shelf["token_scores"])
    found: dict[str, list] = {}
    for row in asking.run(tiny, shelf["list_samples"], means).to_pylist():
        found.setdefault(row["part"], []).append(row)
    return found


def test_a_prompt_around_a_topic_is_what_the_model_was_asked(tiny, rows):
    study, model = tiny.study, tiny.model
    for row in rows["prompt"]:
        for topic in study.topics.names:
            wording = study.prompt.templates[row["name"]]
            asked = prompt_tokens(model, study.prompt, wording, None, topic)
            assert model._encode(row["before"] + topic + row["after"]) == [*asked.ids]


def test_lists_come_with_the_random_numbers_that_drew_them(tiny, shelf, rows):
    study = tiny.study
    drawn = {
        (row["template"], row["topic"], row["sample"]): row
        for row in shelf["list_samples"].to_pylist()
        if row["temperature"] == study.sampling.temperature
    }
    assert 0 < len(rows["list"]) <= len(drawn)
    for row in rows["list"]:
        name = (row["template"], row["topic"], row["sample"])
        assert (row["ids"], row["ended"]) == (drawn[name]["token_ids"], drawn[name]["ended"])
        whole = (study.seed, name[0], study.sampling.temperature, *name[1:])
        generator = sampling.np.random.Philox(key=int(row["key"], 16))
        numbers = sampling.np.random.Generator(generator).random(5)
        assert numbers.tolist() == sampling.uniforms(whole, 5).tolist()


def test_malformed_lists_are_left_out(tiny, shelf, rows):
    prompt = tiny.study.prompt
    kept = {(row["template"], row["topic"], row["sample"]) for row in rows["list"]}
    for row in shelf["list_samples"].to_pylist():
        if row["temperature"] == tiny.study.sampling.temperature:
            pieces = [prompt.prefill, *row["tokens"]]
            ends = pieces[-1:] if row["ended"] else []
            reason = list_roles(pieces, hyphen=prompt.hyphen, end=ends).reason
            is_kept = (row["template"], row["topic"], row["sample"]) in kept
            assert is_kept == (not reason.startswith("malformed"))


def test_the_tokens_are_those_that_lists_are_read_by(tiny, rows):
    prompt, model = tiny.study.prompt, tiny.model
    tokens = {row["name"]: row["ids"] for row in rows["tokens"]}
    decision = getattr(tiny.study.decision, tiny.study.decision.primary)

    assert model.token(prompt.line_break) in tokens["breaks"]
    assert model.token(prompt.blank) in tokens["blanks"]
    assert tokens["hyphen"] == [model.token(prompt.hyphen)]
    assert tokens["ends"] == model.ends(prompt)
    assert (tokens["plus"], tokens["minus"]) == (
        [model.token(decision.plus)],
        [model.token(decision.minus)],
    )
    assert not set(tokens["breaks"]) & set(tokens["blanks"])


def test_the_means_are_those_of_the_endings(tiny, shelf, rows):
    means = ending.run(tiny, shelf["list_samples"], shelf["token_scores"]).to_pylist()
    names = ("template", "prompt", "k", "estimate", "low", "high")
    expected = [tuple(row[n] for n in names) for row in means if row["place"] == "item"]
    assert expected
    assert [tuple(row[name] for name in names) for row in rows["mean"]] == expected


def test_settings_are_the_study_s(tiny, rows):
    sampling = tiny.study.sampling
    assert {row["name"]: row["value"] for row in rows["setting"]} == {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_new_tokens": sampling.max_new_tokens,
    }
