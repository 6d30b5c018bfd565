import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyses.lab.errors import LabError
from analyses.lab.lab import Lab

ROOT = Path(__file__).parents[2]


def test_what_a_measurement_reads_is_noted_from_begin_on(tiny):
    tiny.begin()
    assert tiny.used().settings == frozenset()
    assert tiny.used().weights == {}
    assert tiny.study.sampling.top_p == 0.9
    assert tiny.used().settings == {"sampling.top_p"}
    assert "device" not in tiny.used().made_with
    assert tiny.model is tiny.model
    used = tiny.used()
    assert {"model.repo", "model.dtype", "model.wheel", "model.folder"} < used.settings
    assert list(used.weights) == ["tiny"]
    assert len(used.weights["tiny"]) == 64
    assert used.made_with["device"] == "cpu"
    assert used.made_with["torch"]
    tiny.begin()
    # An open model is noted again when it is used again.
    assert tiny.used().weights == {}
    assert tiny.model
    assert tiny.used().weights == used.weights


def test_an_unknown_study_is_an_error_of_one_line():
    with pytest.raises(LabError) as caught:
        Lab.open("smollm", root=ROOT)
    assert caught.value.where == "analyses/studies/smollm.toml"
    assert caught.value.cure


def test_progress_passes_things_on_in_silence(tiny, capsys):
    assert list(tiny.progress(iter("abc"), total=3, label="letters")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_progress_in_a_log_is_a_line_now_and_then(capsys, monkeypatch):
    from analyses.lab import lab as module

    now = iter(range(0, 1000, 6))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    lab = Lab.open("tiny", root=ROOT)
    assert len(list(lab.progress(range(4), total=4, label="lists"))) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["lists: 2 of 4, 12 s, about 12 s left", "lists: 4 of 4, 24 s, about 0 s left"]


def test_opening_a_study_needs_no_torch():
    code = "import sys; from pathlib import Path; from analyses.lab.lab import Lab; "
    code += "Lab.open('tiny', root=Path()).study.seed; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=dict(os.environ))
