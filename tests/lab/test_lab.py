import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyses.lab.core.errors import LabError
from analyses.lab.runtime.lab import Lab

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
    from analyses.lab.runtime import lab as module

    now = iter(range(0, 1000, 6))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    lab = Lab.open("tiny", root=ROOT)
    assert len(list(lab.progress(range(4), total=4, label="lists"))) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["lists: 2 of 4, 12 s, about 12 s left", "lists: 4 of 4, 24 s, about 0 s left"]


def test_opening_a_study_needs_no_torch():
    code = "import sys; from pathlib import Path; from analyses.lab.runtime.lab import Lab; "
    code += "Lab.open('tiny', root=Path()).study.seed; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=dict(os.environ))


PLAIN = 'title = "Mine"\nthrows = 3\n\n[dice]\nsides = 6\n'


@pytest.fixture
def plain(tmp_path: Path) -> Lab:
    """A lab of a study that has no model, and one raw file."""
    for name, text in {
        "analyses/studies/mine.toml": PLAIN,
        "raw/x.csv": "a,b\n1,2\n",
        "secret.txt": "s",
    }.items():
        (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / name).write_text(text, "utf-8")
    (tmp_path / "outside.csv").write_text("o", "utf-8")
    (tmp_path / "home" / "raw" / "out.csv").symlink_to(tmp_path / "outside.csv")
    (tmp_path / "home" / "raw" / "in.csv").symlink_to("x.csv")
    return Lab.open("mine", root=tmp_path / "home", quiet=True)


def test_keys_of_ones_own_are_keyed_when_they_are_read(plain):
    plain.begin()
    assert plain.study["throws"] == 3
    assert plain.used().settings == {"throws"}
    assert plain.study["dice.sides"] == 6
    assert plain.study["dice"] == {"sides": 6}
    assert plain.used().settings == {"throws", "dice.sides", "dice"}
    with pytest.raises(
        LabError, match=r"mine.toml: missing key dice.side; did you mean dice.sides"
    ):
        plain.study["dice.side"]


def test_a_study_without_a_model_has_none_and_says_so(plain):
    assert not plain.study.gives("model")
    with pytest.raises(LabError, match=r"mine.toml: missing key model"):
        _ = plain.model
    with pytest.raises(LabError, match=r"mine.toml: missing key seed"):
        _ = plain.study.seed


def test_a_raw_file_is_noted_by_its_content(plain):
    plain.begin()
    assert plain.file("raw/in.csv").read_text("utf-8") == "a,b\n1,2\n"
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert plain.used().files == {"raw/x.csv": digest}
    plain.begin()
    assert plain.used().files == {}


@pytest.mark.parametrize(
    "name",
    ["../outside.csv", "raw/../secret.txt", "raw/out.csv", "/etc/hostname", "secret.txt", "raw/../../outside.csv"],
)  # fmt: skip
def test_what_is_not_in_raw_is_refused(plain, name):
    with pytest.raises(LabError, match="not in the project's folder raw; copy it there"):
        plain.file(name)
    assert plain.used().files == {}


def test_a_misspelt_raw_file_names_the_nearest(plain):
    with pytest.raises(LabError, match=r"raw/y.csv: no such file; did you mean raw/x.csv"):
        plain.file("raw/y.csv")
