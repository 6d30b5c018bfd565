"""Digests that every recipe carries, and what a module says of itself without being imported."""

import hashlib
from pathlib import Path

import pytest

from site_builder.core import digests, signatures
from site_builder.core.errors import BuildError
from tests.site_builder.conftest import write

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of SHA-256's standard


def test_digests_are_those_of_sha256(tmp_path: Path) -> None:
    assert digests.sha256(b"") == EMPTY
    (tmp_path / "empty").write_bytes(b"")
    assert digests.sha256_file(tmp_path / "empty") == EMPTY


def test_the_digest_of_a_value_is_that_of_its_sorted_json() -> None:
    """Committed recipes are sealed by these very bytes."""
    path = Path("a/b")
    text = '{"a": "é", "b": [1, null], "c": "a/b"}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert digests.digest({"b": [1, None], "c": path, "a": "é"}) == expected
    assert digests.digest({"a": "é", "c": path, "b": [1, None]}) == expected


def test_files_that_a_study_names_are_those_in_its_folders(tmp_path: Path) -> None:
    told = ("saes/3/recipe.json", "saes/3/.hidden", "saes/3/more/cfg.json", "saes/4/cfg.json")
    for file in ("saes/3/cfg.json", "saes/3/sae_weights.safetensors", "saes/5/cfg.json", *told):
        write(tmp_path / file, file)
    settings = {
        "saes": [
            {"release": "published", "layers": [3]},  # of the hub: it has no folder here
            {"folder": "saes/{layer}", "layers": [3, 5, 7]},
        ]
    }
    found = digests.of_files(tmp_path, settings, lambda path: path.read_text("utf-8"))
    assert found == {
        "saes/3/cfg.json": "saes/3/cfg.json",
        "saes/3/sae_weights.safetensors": "saes/3/sae_weights.safetensors",
        "saes/5/cfg.json": "saes/5/cfg.json",
    }
    assert digests.of_files(tmp_path, {}, lambda _path: "") == {}


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ([{"folder": "parts"}], ["parts"]),
        (
            [{"folder": "p/{size}-{kind}", "sizes": [1, 2], "kinds": ["a", "b"]}],
            ["p/1-a", "p/1-b", "p/2-a", "p/2-b"],
        ),
        ([{"folder": "p/{size}/{size}", "sizes": [1, 2]}], ["p/1/1", "p/2/2"]),
        ([{"folder": "p/{size}", "sizes": 3}, {"folder": 4}, 5], ["p/{size}"]),
        ([{"folder": "p/{size}", "sizes": []}], []),
        ({"folder": "parts"}, []),  # where a model is
        ("parts", []),
    ],
)
def test_folders_are_named_by_tables_of_a_list(setting: object, named: list[str]) -> None:
    assert list(digests.folders(setting)) == named


def signature(tmp_path: Path, text: str, function: str = "run") -> signatures.Signature:
    write(tmp_path / "toys" / "m.py", text)
    return signatures.signature(tmp_path, tmp_path / "toys" / "m.py", function)


def test_a_module_says_what_it_takes(tmp_path: Path) -> None:
    found = signature(
        tmp_path,
        """
        SIZE = 3
        FIRST = VARIANTS = ("small", 2)
        LAST: int = 4
        bare: int


        def draw(table):
            return None


        def run(lab, /, base, other, *, variant, size: int = 3, plain="a", made=list(), asked: str):
            return None


        def draw_more(table, wrong):
            return None
        """,
    )
    assert found == signatures.Signature(
        inputs=("base", "other"),
        options={"size": "int", "plain": "str", "made": "str", "asked": "str"},
        variants=("small", "2"),
        defaults={"size": 3, "plain": "a"},
    )


def test_a_variant_is_no_option(tmp_path: Path) -> None:
    found = signature(tmp_path, 'def draw(table, *, variant="a", size=3):\n    pass\n', "draw")
    assert (found.options, found.defaults) == ({"size": "str"}, {"size": 3})


def test_a_module_without_variants_has_one_without_a_name(tmp_path: Path) -> None:
    found = signature(tmp_path, "def run(lab):\n    return None\n")
    assert found == signatures.Signature((), {}, ("",), {})
    typed = 'VARIANTS: tuple[str, ...] = ("a",)\n\n\ndef run(lab):\n    return None\n'
    assert signature(tmp_path, typed).variants == ("a",)


@pytest.mark.parametrize(
    ("variants", "variant", "taken"),
    [
        (("",), "any", True),
        (("",), "", True),
        (("a", "b"), "b", True),
        (("a", "b"), "c", False),
        (("", "a"), "b", False),
        (("", "a"), "", True),
    ],
)
def test_a_drawing_draws_all_variants_or_those_it_tells(variants, variant, taken) -> None:
    assert signatures.Signature((), {}, variants, {}).takes(variant) is taken


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def draw(table):\n    pass\n", "toys/m.py: defines no run(); add def run(…)"),
        (
            "X = 1\nVARIANTS = tuple('ab')\n\n\ndef run(lab):\n    pass\n",
            "toys/m.py:2: VARIANTS is not a literal tuple of strings; write it out",
        ),
    ],
)
def test_a_module_that_says_it_otherwise_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BuildError) as raised:
        signature(tmp_path, text)
    assert str(raised.value) == said
