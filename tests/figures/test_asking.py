"""The prompts, readable without scripts, and the files by which the page's script asks the model."""

import json

from site_builder.figures import asking
from tests.figures import tables
from tests.figures.test_escaping import read


def test_each_prompt_is_shown_as_the_model_reads_it():
    text = read(str(asking.draw(tables.asking()).body)).text.split()

    told = "short <|im_start|>userA short list of Paris topic.<|im_end|>-"
    assert " ".join(text[:7]) == told


def test_the_files_say_what_it_takes_to_ask():
    files = {name: json.loads(data) for name, data in asking.draw(tables.asking()).files.items()}
    told = files["asking.json"]

    assert [*told["prompts"]] == ["short", "long", "none"]
    assert told["prompts"]["long"]["after"] == ".<|im_end|>\n-"
    assert told["tokens"] == {"plus": [2], "minus": [198]}
    assert told["settings"] == {"top_p": 0.9}
    assert told["means"] == {"short": {"long": [[0.05, 0.2], [0.1, 0.3]]}}  # by item
    for number, topic in enumerate(told["topics"]):
        assert topic == tables.TOPICS[number]
        assert files[f"list-{number}.json"] == {"short": {"0": {"key": "0f", "ids": [5, 2]}}}
