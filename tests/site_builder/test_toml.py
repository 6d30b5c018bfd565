"""TOML from strangers: what would keep a parser busy, or Python from counting, is a line at once."""

import pytest

from site_builder.core import digests, toml
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post.claims import load

LONG = {
    "x = 1\ny = " + "9" * 400: ":2: a number of more than 150 digits",
    "y = " + "9" * 5000: ":1: a number of more than 150 digits",
    "y = 0x" + "f" * 5000: ":1: a number of more than 150 digits",
    "y = " + "1_" * 5000 + "1": ":1: a number of more than 150 digits",
    "\n" + ".".join("a" * 50_000) + " = 1": ":2: a key of more than 20 parts",
    "[" + ".".join("a" * 50_000) + "]": ":1: a key of more than 20 parts",
    "[x]\ny = {" + " . ".join(["'a'"] * 50_000) + " = 1}": ":2: a key of more than 20 parts",
    '"' + "a" * 100_000 + '" = 1': ': a key of more than 300 characters, "aaaaaaaaaaaaaaaaaaaa…"',
    "y = " + "[" * 500 + "]" * 500: ":1: lists in lists, more than 20 deep",
    "y = " + "{a = " * 500 + "1" + "}" * 500: ":1: lists in lists, more than 20 deep",
    "# " + "x" * 1_000_000: ": has 1,000,002 bytes, more than 1,000,000",
}


@pytest.mark.parametrize("text", LONG, ids=[*map(str, range(len(LONG)))])
def test_what_is_too_long_or_too_deep_is_a_line(tmp_path, text):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(BuildError) as raised:
        toml.read(tmp_path / "x.toml", "x.toml")
    (problem,) = raised.value.problems
    assert f"{problem.where}: {problem.what}" == f"x.toml{LONG[text]}"


def test_what_is_long_enough_is_read(tmp_path):
    text = f'{".".join("a" * 19)} = {"9" * 18}\ny = {"[" * 15}{"]" * 15}\nz = "{"a.b c " * 50}"\n'
    (tmp_path / "x.toml").write_text(text)
    assert toml.read(tmp_path / "x.toml", "x.toml")[1].keys() == {"a", "y", "z"}


@pytest.mark.parametrize(
    "text",
    [
        "saes = 3",
        "saes = [3]",
        "saes = [{folder = 3}]",
        "saes = [{layers = [3], folder = 3}]",
        'saes = [{layers = 3, folder = "x-{layer}"}]',
        'saes = [{layers = [[3], {a = 1}, "no"], folder = "{layer}"}]',
        'saes = [{layers = [3]}, {layers = "3", folder = "{layer}{layer}{x}"}]',
        "model.folder = 3",
    ],
)
def test_settings_of_another_shape_name_no_files(shelves: Project, text: str) -> None:
    path = shelves.analyses / "studies" / "toy.toml"
    path.write_text(f"{text}\n{path.read_text('utf-8')}", "utf-8")
    settings = shelves.settings("toy")
    assert digests.files(shelves.root / "content", settings) == []
    assert digests.model(shelves.root, settings, digests.sha256_file) == {}


@pytest.mark.parametrize(
    "test",
    [
        "9" * 90 + "*estimate > 1" * 200,
        "estimate > " + "9*" * 800 + "9",
        "(" * 400 + "low" + ")" * 400,
    ],
    ids=["long", "product", "deep"],
)
def test_a_test_of_a_page_is_none(shelves: Project, test):
    (shelves.content / "claims").mkdir()
    (shelves.content / "claims" / "x.toml").write_text(
        f'[x]\nsays = "x"\nresult = "numbers small"\nholds = "{test}"\n'
    )
    (problem,) = load(shelves)[1]
    assert problem.what.startswith("cannot read the test ")
