"""The post's own prose: no number is typed, and what a result says is a claim."""

import re
from pathlib import Path

import pytest

from site_builder.core.project import Project
from site_builder.post.claims import load

REPO = Path(__file__).resolve().parents[2]
CONTENT = REPO / "content"
PAGES = sorted(CONTENT.rglob("*.md"))


def _name(path: Path) -> str:
    return path.relative_to(CONTENT).as_posix()


DIRECTIVE = re.compile(r"<<[^<>]*>>")
# What is no text: front matter, code, formulas, addresses, ids of notes, tags.
NOT_TEXT = re.compile(
    r"\A---\n.*?\n---\n|```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)]*\)|\[\^[\w-]+\]|<[^<>]*>",
    re.DOTALL,
)
# Names, not numbers: models, blocks and layers, heads, features, proxies' conditions, intervals.
NAMES = re.compile(
    r"Gemma 2( 2B)?|Gemma 3 270M|summer of 2024|SmolLM2( 135M)?|GPT-2|95 %"
    r"|\b[Bb]locks? \d+((, | and | or | to )(block )?\d+)*|\b[Ll]ayers? \d+((, | and | to )\d+)*"
    r"|[Aa]fter \d+ blocks|\b([Hh]eads?|groups?) \d+\.\d+((, | and )\d+\.\d+)*|\b\d+\.\d+(?= (alone|moves))"
    r"|\b\d+/\d+\b|[Tt]emperatures? \d(\.\d)?|\*(break|hyphen|item) −\d\*"
)
# Of the model that is asked for a number: the numbers that it is asked for, and shown.
ASKED = re.compile(r"\*[^*\n]+\*|\b(of|for|instead of) \d(, \d)*( and \d)?\b|\b\d items\b")
COUNTS = re.compile(
    r"\b((thir|four|fif|six|seven|eigh|nine)teen|eleven|twelve|(twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|hundreds?|thousands?|millions?|percent|per cent)\b"
)


def paragraphs(path: Path) -> list[str]:
    return re.split(r"\n[ \t]*\n", NOT_TEXT.sub(" ", _hidden(path.read_text("utf-8"))))


def _hidden(text: str) -> str:
    """The text with its directives, which `<…>` would swallow, as marks of other brackets."""
    return DIRECTIVE.sub(lambda found: "\x02" + found[0][2:-2].strip() + "\x03", text)


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_no_sentence_states_a_number_by_hand(path: Path) -> None:
    text = "\n".join(" ".join(one.split()) for one in paragraphs(path))
    text = NAMES.sub("", re.sub(r"\x02[^\x03]*\x03", "", text))
    if path.stem == "second-model":
        text = ASKED.sub("", text)

    assert re.findall(r"[^\n]{,40}\d[^\n]{,40}", text) == []
    assert COUNTS.findall(text) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_a_paragraph_that_prints_a_result_makes_a_claim(path: Path) -> None:
    """Settings are printed from `dataset` and need none; a claim that prints its number is made."""
    bare = [
        text
        for text in paragraphs(path)
        if re.search(r"\x02value: (?!dataset )", text) and "\x02claim: " not in text
    ]

    assert bare == []


def test_no_statement_of_a_claim_has_a_number_by_hand() -> None:
    claims, _ = load(Project(REPO))
    told = {name: NAMES.sub("", claim.says) for name, claim in claims.items()}
    told |= {
        name: ASKED.sub("", text)
        for name, text in told.items()
        if claims[name].where.startswith("content/claims/second-model.toml")
    }

    assert {name: text for name, text in told.items() if re.search(r"\d", text)} == {}
    assert {name: text for name, text in told.items() if COUNTS.search(text)} == {}


@pytest.mark.parametrize(
    "typed", ["It has 9 items.", "Some 12 % end.", "About thirty.", "0.5 logits"]
)
def test_a_typed_number_is_seen(typed: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"---\ntitle: 3\n---\nBlock 13, `4`, $5$.\n\n{typed}\n", "utf-8")
    with pytest.raises(AssertionError):
        test_no_sentence_states_a_number_by_hand(page)
