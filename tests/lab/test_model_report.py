"""What is said of a model before a study of it is begun is so."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from analyses.lab.core.errors import LabError
from analyses.lab.runtime.lab import Lab
from analyses.lab.runtime.model_report import Marks, changes, report
from tests.lab import families
from tests.lab.conftest import ROOT
from tests.lab.test_model_tokens import KINDS, TURNS, byte_level, model


def test_the_tiny_model_is_told_line_by_line(tiny: Lab) -> None:
    first, *lines = report(tiny)
    assert first.endswith(
        "gemma2, 2 blocks of 256, 4 heads, vocabulary 150; 0 million weights, 0.0 GB as float32"
    )
    equal = "as Hugging Face's network"
    assert lines[:3] == [
        f"sampling, scores, entropy: {equal}",
        f"lens, patching, attribution, ablation: {equal}",
        f"TransformerLens: {equal}",
    ]
    hyphen, close = (tiny.model.token(text) for text in ("-", "<end_of_turn>"))
    assert f"prompt.hyphen = '-': token {hyphen}" in lines
    assert f"prompt.end = '<end_of_turn>': token {close}" in lines
    # It is made so that only a break or a further hyphen may come before the end.
    assert lines[-1].startswith("of 6 answers ")
    assert lines[-1].endswith(" behind a line break")


def folder_of(family: str, root: Path) -> Path:
    """A model of another family, with a tokenizer of bytes."""
    network = families.network(family)
    tokenizer = byte_level()
    network.resize_token_embeddings(len(tokenizer))
    network.save_pretrained(root)
    tokenizer.save_pretrained(root)
    return root


def test_what_a_family_cannot_is_told_and_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIST_STUDY_MODEL", str(folder_of("cohere", tmp_path)))
    lines = [*report(Lab.open("tiny", root=ROOT, quiet=True))]
    assert lines[0].startswith(f"{tmp_path}: cohere, 4 blocks of 32")
    assert lines[1] == "sampling, scores, entropy: as Hugging Face's network"
    assert lines[2].startswith("lens, patching, attribution, ablation: no; lens, patching")
    assert "prompt.end = '<end_of_turn>': the tokenizer makes 12 tokens of it" in lines
    assert lines[-4:] == [
        "to change under [prompt] in the study's file:",
        '  turn_open = "[INST]"',
        '  turn_close = "[/INST]"',
        '  end = "</s>"',
    ]


def test_a_model_that_cannot_be_sampled_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIST_STUDY_MODEL", str(folder_of("gpt_oss", tmp_path)))
    with pytest.raises(LabError, match="no text can be sampled from it or scored: gpt_oss"):
        [*report(Lab.open("tiny", root=ROOT, quiet=True))]


CHATML = (
    "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}[/INST]\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("template", "ends", "marks"),
    [
        (TURNS, 2, Marks("[INST]", "[/INST]", "</s>")),
        (CHATML, 4, Marks("<s>", "[/INST]", "[/INST]")),
    ],
)
def test_marks_are_those_of_the_template(kind: str, template: str, ends: int, marks: Marks) -> None:
    tokenizer = KINDS[kind]()
    tokenizer.chat_template = template
    assert Marks.of(model(tokenizer, ends=ends)) == marks


def test_a_study_of_another_model_is_written_with_its_own_tokens(
    tmp_path: Path,
) -> None:
    """From the embedded study, whose wheel and autoencoders are of no use to it."""
    from site_builder.commands import scaffold
    from site_builder.core.project import Project

    folder = folder_of("qwen3", tmp_path / "somebody's model")
    studies = tmp_path / "post/analyses/studies"
    studies.mkdir(parents=True)
    own = "smollm2-135m-instruct"
    shutil.copy(ROOT / f"analyses/studies/{own}.toml", studies)
    named = f"markdown_extensions:\n  - site_builder.site.extension: {{study: {own}}}\n"
    (tmp_path / "post/mkdocs.yml").write_text(named, "utf-8")
    project = Project(tmp_path / "post")
    scaffold.study(project, "qwen", str(folder))

    lab = Lab.open("qwen", root=project.root, quiet=True)
    assert lab.study.model.folder == str(folder)
    assert (lab.study.model.wheel, lab.study.saes) == (None, ())
    assert {name: getattr(lab.study.prompt, name) for name in CHANGED} == CHANGED
    assert lab.study.decision.proxy_a.plus == "</s>"
    assert lab.model.network.config.model_type == "qwen3"
    assert changes(lab) == {}


def test_a_study_of_another_model_has_no_packages_of_the_first() -> None:
    from site_builder.commands.scaffold import _with_model

    text = (ROOT / "analyses/studies/gemma-3-270m.toml").read_text("utf-8")
    found = tomllib.loads(_with_model(text, "/somewhere/else", {}))
    assert "weights" not in found
    assert found["model"]["folder"] == "/somewhere/else"
    before = tomllib.loads(text)
    del before["weights"], before["model"], found["model"]
    assert found == before


CHANGED = {"turn_open": "[INST]", "turn_close": "[/INST]", "end": "</s>"}
